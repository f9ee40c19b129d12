"""nohup launch …: who wants hangups ignored keeps the job when the terminal goes."""

import signal
import subprocess


def test_a_hangup_that_is_ignored_does_not_stop_the_job(bin_dir):
    process = subprocess.Popen(
        [bin_dir / "launch", "-n", "1", "--", "sh", "-c", "echo started; read word; echo $word"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate("goes on\n", timeout=60)
    assert (out, process.returncode) == ("goes on\n", 0)


def test_a_hangup_stops_the_job_otherwise(bin_dir):
    process = subprocess.Popen(
        [bin_dir / "launch", "-n", "1", "--", "sh", "-c", "echo started; sleep 1000"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 130
