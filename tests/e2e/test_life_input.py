"""Standard input, and the terminal of --pty."""

import fcntl
import hashlib
import os
import pty
import random
import signal
import struct
import subprocess
import termios

import pytest
from fixture import wait_for
from life import here, wait_for_file  # noqa: F401
from test_life_signals import exit_code, in_terminal, read_until


def test_input_reaches_every_rank_with_its_end(here):
    result = here.run("-n", "1", "--", "cat", input=b"hi\n")
    assert (result.returncode, result.stdout) == (0, b"hi\n")
    result = here.run("-n", "3", "--", "cat", input=b"hi\n")
    assert (result.returncode, result.stdout) == (0, b"hi\n" * 3)


def test_no_input(here):
    assert here.run("--stdin", "none", "--", "cat", input=b"hi\n").stdout == b""
    assert here.run("--", "cat").returncode == 0  # /dev/null


def test_input_that_was_closed_from_the_start(here):
    job = f"exec {here.launch} -n 2 -- sh -c 'cat; echo end' <&-"
    result = subprocess.run(["sh", "-c", job], capture_output=True, env=here.env, timeout=60)
    assert (result.returncode, result.stdout) == (0, b"end\nend\n")


def test_much_input_arrives_whole_on_two_ranks(here):
    data = random.Random(1).randbytes(65 << 20)
    result = here.run("-n", "2", "--", "sha256sum", input=data, timeout=120)
    digest = hashlib.sha256(data).hexdigest().encode()
    assert result.stdout == (digest + b"  -\n") * 2


def test_much_input_through_cat_arrives_whole(here):
    data = random.Random(2).randbytes(65 << 20)
    result = here.run("--", "cat", input=data, timeout=120)
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(data).digest()


def test_much_input_over_ssh(cluster4, bin_dir):
    data = random.Random(3).randbytes(8 << 20)
    argv = [bin_dir / "launch", "--ssh-config", cluster4.ssh_config, "--hosts", "n1,n2", "--", "sha256sum"]
    result = cluster4.exec("head", argv, text=False, input=data)
    digest = hashlib.sha256(data).hexdigest().encode()
    assert (result.stdout, result.stderr) == ((digest + b"  -\n") * 2, b"")


def test_a_rank_that_reads_nothing_keeps_memory_bounded(here, tmp_path):
    job = here.start("--", "sh", "-c", f"echo up >{tmp_path}/up; exec sleep 60", stdin=subprocess.PIPE)
    wait_for_file(tmp_path / "up")
    os.set_blocking(job.stdin.fileno(), False)
    taken = 0
    stuck = 0
    while stuck < 20 and taken < (64 << 20):
        try:
            taken += os.write(job.stdin.fileno(), bytes(1 << 16))
            stuck = 0
        except BlockingIOError:
            stuck += 1
            try:
                job.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                pass
    assert taken < 8 << 20
    job.terminate()
    job.communicate(timeout=30)


def test_a_rank_that_ends_early_does_not_take_the_input_from_the_others(here):
    data = bytes(8 << 20)
    result = here.run("-n", "2", "--", "sh", "-c", 'if [ "$MLX_RANK" = 1 ]; then exit 0; fi; wc -c', input=data)
    assert (result.returncode, result.stdout) == (0, b"%d\n" % len(data))


def test_a_rank_that_closes_its_input_does_not_take_it_from_the_others(here):
    data = bytes(8 << 20)
    script = 'if [ "$MLX_RANK" = 1 ]; then exec sleep 0.5 <&-; fi; wc -c'
    result = here.run("-n", "2", "--", "sh", "-c", script, input=data)
    assert (result.returncode, result.stdout) == (0, b"%d\n" % len(data))


def in_background_of_terminal(argv, env):
    """argv as a background job of a shell at a terminal; the shell stays in front, reading."""
    script = 'set -m; "$@" & echo pid=$!; wait $!; echo code=$?'
    return in_terminal(["/bin/bash", "-c", script, "bash", *argv], env)


def test_a_job_in_the_background_does_not_steal_the_terminal(here):
    pid, ours = in_background_of_terminal(here.argv("--", "sh", "-c", "echo ran; sleep 0.5"), here.env)
    os.write(ours, b"typed\n")
    assert b"ran\r\n" in read_until(ours, b"code=0\r\n")
    assert exit_code(pid) == 0
    os.close(ours)


def window(fd):
    return struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))[:2]


AT_A_TERMINAL = """
import os, signal, sys
def show(*ignored):
    size = os.get_terminal_size()
    os.write(1, f"size {size.lines} {size.columns}\\n".encode())
if os.environ["MLX_RANK"] != "0":
    sys.exit(9 if os.isatty(1) else 0)
signal.signal(signal.SIGWINCH, show)
show()
while (line := input()) != "quit":
    print(f"<{line}>")
sys.exit(7)
"""


@pytest.mark.parametrize("where", ["here", "over ssh"])
def test_a_terminal_for_rank_0(here, cluster4, bin_dir, where):
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    before = termios.tcgetattr(theirs)
    command = ["--pty", "--", "python3", "-u", "-c", AT_A_TERMINAL]
    options = {"stdin": theirs, "stdout": theirs, "stderr": subprocess.PIPE}
    if where == "here":
        job = here.start("-n", "2", *command, **options)
    else:
        ssh = ["--ssh-config", cluster4.ssh_config, "--hosts", "n1,n2"]
        job = cluster4.popen("head", [bin_dir / "launch", *ssh, *command], **options)
    read_until(ours, b"size 33 99\r\n")
    assert not termios.tcgetattr(theirs)[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
    os.write(ours, b"hello\r")
    assert read_until(ours, b"<hello>\r\n").count(b"hello") == 2  # echoed once, by rank 0's terminal
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 111, 0, 0))
    job.send_signal(signal.SIGWINCH)
    read_until(ours, b"size 44 111\r\n")
    os.write(ours, b"quit\r")
    _, stderr = job.communicate(timeout=30)
    assert job.returncode == 7, stderr
    wait_for(lambda: termios.tcgetattr(theirs) == before, what="the terminal as it was")
    os.close(ours)
    os.close(theirs)
