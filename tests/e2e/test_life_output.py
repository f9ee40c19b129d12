"""Every byte of output arrives."""

import os
import subprocess

import pytest
from life import here  # noqa: F401

MIB = 1 << 20
# Each rank writes 1 MiB of its own letter on standard output, and 1000 bytes of it on standard error.
MUCH = "head -c 1048576 /dev/zero | tr '\\000' \"$MLX_RANK\"; head -c 1000 /dev/zero | tr '\\000' \"$MLX_RANK\" >&2"


def check_much(result, ranks=4):
    assert result.returncode == 0
    assert [result.stdout.count(b"%d" % rank) for rank in range(ranks)] == [MIB] * ranks
    assert [result.stderr.count(b"%d" % rank) for rank in range(ranks)] == [1000] * ranks
    assert (len(result.stdout), len(result.stderr)) == (ranks * MIB, ranks * 1000)


def test_fifty_times_a_mebibyte_from_four_ranks(here):
    for _ in range(50):
        check_much(here.run("-n", "4", "--", "sh", "-c", MUCH))


def test_a_mebibyte_from_four_nodes(cluster4, bin_dir):
    for _ in range(5):
        argv = [bin_dir / "launch", "--hostfile", cluster4.hosts_json, "--", "sh", "-c", MUCH]
        check_much(cluster4.exec("head", argv, text=False))
    cluster4.wait_until_idle()


def test_bytes_stay_bytes(here, cluster4, bin_dir):
    every = bytes(range(256)) * 300
    script = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 300); sys.stdout.flush()"
    script += "; sys.stderr.buffer.write(bytes(range(255, -1, -1)))"
    backwards = bytes(range(255, -1, -1))
    local = here.run("--", "python3", "-c", script)
    assert (local.stdout, local.stderr) == (every, backwards)
    argv = [bin_dir / "launch", "--ssh-config", cluster4.ssh_config, "--hosts", "n1", "--", "python3", "-c", script]
    remote = cluster4.exec("head", argv, text=False)
    assert (remote.stdout, remote.stderr) == (every, backwards)


@pytest.mark.parametrize("where", ["here", "over ssh"])
def test_a_reader_who_pauses_loses_nothing_and_costs_little_memory(here, cluster4, bin_dir, where):
    """The program ends long before its output is read; the grace passes three times meanwhile."""
    size = 24 * MIB
    command = ["--grace", "0.5", "--", "sh", "-c", f"head -c {size} /dev/zero; echo end"]
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if where == "here":
        job = here.start(*command)
    else:
        ssh = ["--ssh-config", cluster4.ssh_config, "--hosts", "n3"]
        job = cluster4.popen("head", [bin_dir / "launch", *ssh, *command], **options)
    got = 0
    last = b""
    # A little at a time at first, then the rest: 64 KiB every 50 ms leaves pauses longer than the graces.
    for _ in range(60):
        last = os.read(job.stdout.fileno(), 1 << 16)
        got += len(last)
        try:
            job.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            pass
    assert job.poll() is None
    if where == "here":
        peak = next(line for line in open(f"/proc/{job.pid}/status") if line.startswith("VmHWM"))
        assert int(peak.split()[1]) < (40 if bin_dir.parent.name == "build" else 300) * 1024
    rest, stderr = job.communicate(timeout=60)
    got += len(rest)
    assert (got, rest[-4:], stderr, job.returncode) == (size + 4, b"end\n", b"", 0)


@pytest.mark.parametrize("where", ["here", "over ssh"])
def test_the_end_of_output_waits_for_its_reader(here, cluster4, bin_dir, where):
    """All that is left is in pipes and buffers when the program ends, and nobody reads for six graces."""
    size = 6 * MIB
    command = ["--grace", "0.3", "--", "sh", "-c", f"head -c {size} /dev/zero; echo end"]
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if where == "here":
        job = here.start(*command)
    else:
        ssh = ["--ssh-config", cluster4.ssh_config, "--hosts", "n3"]
        job = cluster4.popen("head", [bin_dir / "launch", *ssh, *command], **options)
    with pytest.raises(subprocess.TimeoutExpired):
        job.wait(timeout=3)
    stdout, stderr = job.communicate(timeout=60)
    assert (len(stdout), stdout[-4:], stderr, job.returncode) == (size + 4, b"end\n", b"", 0)
