"""The table of exit codes in launch(1), a test a row; what the last line says with each."""

import os
import resource
import signal
import subprocess

import pytest
from fixture import wait_for
from life import here, last_line  # noqa: F401


def test_every_rank_exits_0(here):
    result = here.run("-n", "3", "--", "true")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


@pytest.mark.parametrize("code", [1, 7, 255])
def test_a_rank_exits_n(here, code):
    result = here.run("-n", "2", "--", "sh", "-c", f'[ "$MLX_RANK" = 0 ] || exit {code}; exec sleep 60')
    assert result.returncode == code
    assert last_line(result.stderr).startswith(f"launch: rank 1 on 127.0.0.1 exited with code {code} after ")


def test_the_first_to_fail_gives_the_code(here, tmp_path):
    gone = tmp_path / "gone"
    script = (
        f'case $MLX_RANK in 2) exit 5;; 1) trap "exit 9" TERM; : >{gone};; esac; while :; do sleep 0.1; done'
    )
    result = here.run("-n", "3", "--", "sh", "-c", script.replace("exit 5", f"until [ -e {gone} ]; do :; done; exit 5"))
    assert result.returncode == 5
    assert b"launch: ranks 0 and 1 were stopped because of rank 2\n" in result.stderr
    assert last_line(result.stderr).startswith("launch: rank 2 on 127.0.0.1 exited with code 5 after ")


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM", "USR1"])
def test_a_signal_ends_a_rank(here, name):
    result = here.run("--", "sh", "-c", f"kill -{name} $$")
    assert result.returncode == 128 + getattr(signal, f"SIG{name}")
    assert last_line(result.stderr).startswith(f"launch: rank 0 on 127.0.0.1 was ended by SIG{name} after ")


def test_126_for_what_cannot_be_started(here, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("data")
    result = here.run("--", plain)
    assert result.returncode == 126
    assert b"chmod +x" in result.stderr


def test_127_shows_the_path_that_was_searched(here):
    result = here.run("--env", "PATH=/here:/there", "--", "no-such-program")
    assert result.returncode == 127
    assert b"the PATH that was searched: /here:/there\n" in result.stderr
    assert b"/opt/homebrew/bin" in result.stderr
    assert last_line(result.stderr).startswith("launch: rank 0 on 127.0.0.1 exited with code 127 after ")


def test_126_and_127_over_ssh(cluster4, bin_dir):
    def run(*command):
        argv = [bin_dir / "launch", "--ssh-config", cluster4.ssh_config, "--hosts", "n2", "--", *command]
        return cluster4.exec("head", argv)

    missing = run("no-such-program")
    assert missing.returncode == 127
    searched = cluster4.ssh("n2", "echo $PATH").stdout
    assert f"the PATH that was searched: {searched}" in missing.stderr
    assert run("/etc/passwd").returncode == 126


@pytest.mark.parametrize("arguments", [["--no-such-flag"], ["-n", "0", "--", "true"], []])
def test_64_for_a_command_line_that_cannot_be_carried_out(here, arguments):
    result = here.run(*arguments)
    assert (result.returncode, result.stdout) == (64, b"")


def test_65_for_a_bad_host_file(here, tmp_path):
    bad = tmp_path / "hosts.json"
    bad.write_text('[{"ssh": 3}]')
    result = here.run("--hostfile", bad, "--", "true")
    assert result.returncode == 65
    assert str(bad).encode() in result.stderr
    assert here.run("--hostfile", tmp_path / "none.json", "--", "true").returncode == 65


def test_69_for_a_host_that_refuses(make_cluster, bin_dir):
    cluster = make_cluster(nodes=2)
    cluster.fault("n2", "auth-refuse")
    argv = [bin_dir / "launch", "--hostfile", cluster.hosts_json, "--", "true"]
    refused = cluster.exec("head", argv)
    assert refused.returncode == 69
    assert "n2" in last_line(refused.stderr)
    cluster.heal("n2")
    cluster.fault("n2", "sshd-stop")
    unreachable = cluster.exec("head", argv)
    assert unreachable.returncode == 69
    assert "n2" in last_line(unreachable.stderr)
    cluster.heal("n2")
    assert cluster.exec("head", argv).returncode == 0
    cluster.wait_until_idle()


def test_70_when_launch_itself_fails(here):
    def leave_four_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

    result = here.run("--", "true", preexec_fn=leave_four_descriptors)
    assert result.returncode == 70
    assert b"please report it" in result.stderr


@pytest.mark.parametrize("attempt", range(5))
def test_74_when_output_cannot_be_written(here, attempt):
    with open("/dev/full", "wb") as full:
        result = here.run("--", "echo", "hi", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert result.returncode == 74
    assert last_line(result.stderr) == "launch: cannot write the job's output: No space left on device"


def test_74_when_the_reader_has_gone(here):
    read, write = os.pipe()
    job = here.start("--", "yes", stdout=write)
    os.close(write)
    assert os.read(read, 2) == b"y\n"
    os.close(read)
    _, stderr = job.communicate(timeout=30)
    assert job.returncode == 74
    assert last_line(stderr) == "launch: cannot write the job's output: Broken pipe"


def test_74_when_standard_output_is_closed(here):
    job = f"exec {here.launch} -- echo lost >&-"
    result = subprocess.run(["sh", "-c", job], capture_output=True, env=here.env, timeout=60)
    assert result.returncode == 74
    silent = subprocess.run(["sh", "-c", job.replace("echo lost", "true")], env=here.env, timeout=60)
    assert silent.returncode == 0


def test_124_after_the_timeout(here):
    result = here.run("--timeout", "0.5", "-n", "2", "--", "sleep", "60")
    assert result.returncode == 124
    assert last_line(result.stderr) == "launch: the job was stopped: it ran into --timeout, 500 ms"


def test_130_when_interrupted(here):
    job = here.start("--", "sleep", "60")
    wait_for(lambda: any(argv[1:] == [b"60"] for argv in here.processes().values()), what="the rank")
    job.send_signal(signal.SIGINT)
    _, stderr = job.communicate(timeout=30)
    assert (job.returncode, last_line(stderr)) == (130, "launch: interrupted")
