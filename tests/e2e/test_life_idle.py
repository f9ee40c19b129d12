"""Waiting costs next to nothing: no loop of launch is busy while nothing happens."""

import os
import subprocess

import pytest
from life import here, wait_for_file  # noqa: F401

# Over two seconds of waiting: far above what start and end take, far below a busy loop.
MOST_CPU_SECONDS = 1.0


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_and_measure(job, seconds=2.0):
    """CPU time that the job's launch takes while it waits."""
    before = cpu_seconds(job.pid)
    try:
        job.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        pass
    assert job.poll() is None
    return cpu_seconds(job.pid) - before


SCRIPTS = {
    "idle": "exec sleep 60",
    "input closed early": "exec sleep 60 <&-",
    "output closed": "exec sleep 60 >&- 2>&-",
    "terminated child": "sleep 0.1 & wait; exec sleep 60",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
@pytest.mark.parametrize("stdin", ["at its end", "open", "unread"])
def test_waiting_for_ranks_here(here, tmp_path, script, stdin):
    options = {"stdin": subprocess.DEVNULL if stdin == "at its end" else subprocess.PIPE}
    job = here.start("-n", "2", "--", "sh", "-c", f"echo up >{tmp_path}/$MLX_RANK; {script}", **options)
    if stdin == "unread":
        os.set_blocking(job.stdin.fileno(), False)
        job.stdin.write(bytes(1 << 15))
        job.stdin.flush()
    for rank in range(2):
        wait_for_file(tmp_path / str(rank))
    assert wait_and_measure(job) < MOST_CPU_SECONDS
    job.terminate()
    job.communicate(timeout=30)


def cpu_in_head(cluster, bin_dir):
    """{pid: CPU seconds} of every launch in the head."""
    argv = ["sh", "-c", "for p in $(pgrep -x launch); do cat /proc/$p/stat; done"]
    lines = cluster.exec("head", argv).stdout.splitlines()
    ticks = os.sysconf("SC_CLK_TCK")
    return {line.split()[0]: sum(map(int, line.rpartition(")")[2].split()[11:13])) / ticks for line in lines}


def test_waiting_for_nodes_that_are_well_or_silent(make_cluster, bin_dir):
    """n1 waits with input at its end; n2's network goes while its rank prints and is fed."""
    cluster = make_cluster(nodes=2)
    launch = [bin_dir / "launch", "--ssh-config", cluster.ssh_config, "--grace", "1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    well = cluster.popen(
        "head", [*launch, "--hosts", "n1", "--", "sh", "-c", SCRIPTS["idle"].replace("exec", "echo up; exec")],
        stdin=subprocess.DEVNULL, **pipes,
    )  # fmt: skip
    silent = cluster.popen(
        "head", [*launch, "--hosts", "n2", "--", "sh", "-c", "echo up; cat >/dev/null & yes >&2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for job in (well, silent):
        assert job.stdout.readline() == b"up\n"
    cluster.fault("n2", "lan-cut")
    os.set_blocking(silent.stdin.fileno(), False)
    for _ in range(100):
        try:
            os.write(silent.stdin.fileno(), bytes(1 << 16))
        except BlockingIOError:
            break
    settled = cpu_in_head(cluster, bin_dir)
    with pytest.raises(subprocess.TimeoutExpired):
        well.wait(timeout=3)
    after = cpu_in_head(cluster, bin_dir)
    assert len(settled) == 2
    assert max(after[pid] - settled[pid] for pid in settled) < MOST_CPU_SECONDS
    for job in (well, silent):
        job.kill()
        job.communicate(timeout=30)
