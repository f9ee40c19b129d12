"""Ctrl-C and the other signals to launch."""

import os
import pty
import select
import signal
import subprocess
import time

import pytest
from fixture import wait_for
from life import here, last_line, wait_for_file  # noqa: F401

SHOWS = """
import os, signal, sys, time
def show(number, frame):
    os.write(1, signal.Signals(number).name.encode() + b"\\n")
for name in sys.argv[2].split(","):
    signal.signal(getattr(signal, name), show)
open(sys.argv[1], "w").write("up")
deadline = time.monotonic() + 100
while time.monotonic() < deadline and not os.path.exists(sys.argv[1] + ".done"):
    time.sleep(0.02)
"""


def shows(here, tmp_path, names, *flags, **options):
    """A job that prints the signals it gets, and goes on until finish()."""
    job = here.start(*flags, "--", "python3", "-c", SHOWS, tmp_path / "up", names, **options)
    wait_for_file(tmp_path / "up")
    return job


def read_until(fd, words, seconds=30):
    """Reads until the bytes hold `words`; returns all of them."""
    got = b""
    deadline = time.monotonic() + seconds
    while words not in got:
        ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{words} did not come: {got}"
        got += os.read(fd, 4096)
    return got


def test_the_first_interrupt_is_passed_on_and_the_job_may_go_on(here, tmp_path):
    job = shows(here, tmp_path, "SIGINT")
    job.send_signal(signal.SIGINT)
    read_until(job.stdout.fileno(), b"SIGINT\n")
    (tmp_path / "up.done").touch()
    _, stderr = job.communicate(timeout=30)
    assert (job.returncode, stderr) == (0, b"")


def test_a_failure_after_an_interrupt_that_was_handled_is_what_it_is(here, tmp_path):
    script = "trap 'echo got' INT; echo up; until [ -e go ]; do sleep 0.05; done; exit 7"
    job = here.start("-n", "2", "--", "sh", "-c", script, cwd=tmp_path)
    read_until(job.stdout.fileno(), b"up\nup\n")
    job.send_signal(signal.SIGINT)
    read_until(job.stdout.fileno(), b"got\ngot\n")
    (tmp_path / "go").touch()
    _, stderr = job.communicate(timeout=30)
    assert (job.returncode, b"exited with code 7" in stderr) == (7, True), stderr


@pytest.mark.parametrize("script", ["exec sleep 100", "sleep 100; exit 7", "trap 'exit 130' INT; sleep 100 & wait"])
def test_ranks_that_an_interrupt_ends_are_interrupted(here, script):
    job = here.start("-n", "2", "--", "sh", "-c", script)
    # dash loses an interrupt that comes between two of its commands.
    wait_for(lambda: [*here.processes().values()].count([b"sleep", b"100"]) == 2, what="two sleeps")
    job.send_signal(signal.SIGINT)
    _, stderr = job.communicate(timeout=30)
    assert (job.returncode, last_line(stderr)) == (130, "launch: interrupted")


@pytest.mark.parametrize("way", ["libssh", "system"])
def test_ranks_on_nodes_that_an_interrupt_ends_are_interrupted(cluster4, bin_dir, way):
    job = cluster4.popen(
        "head",
        [bin_dir / "launch", "--ssh", way, "--ssh-config", cluster4.ssh_config, "--hosts", "n[1-2]", "--",
         "sleep", "100"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    for node in ("n1", "n2"):
        wait_for(lambda n=node: any(p.comm == "sleep" for p in cluster4.ps(n)), what=f"the rank of {node}")
    job.send_signal(signal.SIGINT)
    _, stderr = job.communicate(timeout=60)
    assert (job.returncode, last_line(stderr)) == (130, "launch: interrupted")
    cluster4.wait_until_idle()


def test_the_second_interrupt_ends_the_job(here, tmp_path):
    job = shows(here, tmp_path, "SIGINT")
    job.send_signal(signal.SIGINT)
    read_until(job.stdout.fileno(), b"SIGINT\n")
    job.send_signal(signal.SIGINT)
    _, stderr = job.communicate(timeout=30)
    assert (job.returncode, last_line(stderr)) == (130, "launch: interrupted")


def test_the_third_interrupt_abandons_it(here, tmp_path):
    job = shows(here, tmp_path, "SIGINT,SIGTERM", "--grace", "3")
    job.send_signal(signal.SIGINT)
    read_until(job.stdout.fileno(), b"SIGINT\n")
    job.send_signal(signal.SIGINT)
    read_until(job.stdout.fileno(), b"SIGTERM\n")
    assert job.poll() is None
    job.send_signal(signal.SIGINT)
    _, stderr = job.communicate(timeout=30)
    assert job.returncode == 130
    assert last_line(stderr).startswith("launch: abandoned")
    here.wait_until_nothing_runs(seconds=10)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_terminate_and_hangup_end_the_job(here, tmp_path, name):
    job = shows(here, tmp_path, "SIGUSR1")
    job.send_signal(getattr(signal, name))
    _, stderr = job.communicate(timeout=30)
    assert (job.returncode, last_line(stderr)) == (130, "launch: interrupted")


@pytest.mark.parametrize("name", ["SIGQUIT", "SIGUSR1", "SIGUSR2"])
def test_other_signals_are_passed_on(here, tmp_path, name):
    job = shows(here, tmp_path, name)
    job.send_signal(getattr(signal, name))
    read_until(job.stdout.fileno(), name.encode() + b"\n")
    (tmp_path / "up.done").touch()
    job.communicate(timeout=30)
    assert job.returncode == 0


@pytest.mark.parametrize("name", ["SIGTSTP", "SIGPIPE"])
def test_signals_that_must_not_hurt(here, tmp_path, name):
    job = shows(here, tmp_path, "SIGUSR1")
    job.send_signal(getattr(signal, name))
    job.send_signal(signal.SIGUSR1)
    read_until(job.stdout.fileno(), b"SIGUSR1\n")  # it is alive and neither stopped nor deaf
    (tmp_path / "up.done").touch()
    job.communicate(timeout=30)
    assert job.returncode == 0


def test_ranks_start_with_signals_as_a_shell_would_give_them(here):
    result = here.run("--", "sh", "-c", "grep -E 'Sig(Ign|Blk)' /proc/self/status")
    assert result.stdout.split() == [b"SigBlk:", b"0" * 16, b"SigIgn:", b"0" * 16]


def test_signals_reach_every_node(cluster4, bin_dir):
    script = "trap 'echo got INT; exit 0' INT; echo up; while :; do sleep 0.05; done"
    job = cluster4.popen(
        "head",
        [bin_dir / "launch", "--hostfile", cluster4.hosts_json, "--", "sh", "-c", script],
        stdin=-3, stdout=-1, stderr=-1,
    )  # fmt: skip
    seen = b""
    while seen.count(b"up\n") < 4:
        seen += read_until(job.stdout.fileno(), b"up\n")
    job.send_signal(signal.SIGINT)
    stdout, stderr = job.communicate(timeout=60)
    assert (stdout.count(b"got INT\n"), job.returncode) == (4, 0), stderr
    cluster4.wait_until_idle()


def in_terminal(argv, env):
    """A child with a terminal of its own; returns its pid and our end."""
    pid, ours = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, env)
    return pid, ours


def exit_code(pid):
    status = wait_for(lambda: (s := os.waitpid(pid, os.WNOHANG))[0] and s, 30, "the end of launch")[1]
    return os.waitstatus_to_exitcode(status)


def test_ctrl_c_at_a_terminal_reaches_the_ranks_once(here, tmp_path):
    argv = here.argv("--", "python3", "-c", SHOWS, tmp_path / "up", "SIGINT")
    pid, ours = in_terminal(argv, here.env)
    wait_for_file(tmp_path / "up")
    os.write(ours, b"\x03")
    got = read_until(ours, b"SIGINT\r\n")
    os.write(ours, b"\x03")
    got += read_until(ours, b"launch: interrupted\r\n")
    assert got.count(b"SIGINT\r\n") == 1
    assert exit_code(pid) == 130
    os.close(ours)


def test_a_terminal_that_goes_away_ends_the_job(here, tmp_path):
    pid, ours = in_terminal(here.argv("--", "python3", "-c", SHOWS, tmp_path / "up", "SIGINT"), here.env)
    wait_for_file(tmp_path / "up")
    os.close(ours)
    assert exit_code(pid) == 130
    here.wait_until_nothing_runs()


def test_a_line_of_launch_begins_on_a_line_of_its_own(here):
    pid, ours = in_terminal(here.argv("-n", "2", "--", "sh", "-c", "printf 50%%; exit 7"), here.env)
    got = read_until(ours, b"exited with code 7")
    assert b"50%\r\nlaunch: " in got.replace(b"50%50%", b"50%"), got
    assert got.count(b"\r\n\r\n") == 0
    assert exit_code(pid) == 7
    os.close(ours)


def test_bytes_that_go_elsewhere_than_to_a_terminal_are_not_touched(here):
    result = here.run("--", "sh", "-c", "printf half; printf half >&2; exit 7")
    assert (result.stdout, result.stderr.startswith(b"halflaunch: ")) == (b"half", True)
