"""Waiting costs next to nothing: no loop of launch is busy while nothing happens."""

import os
import subprocess

import pytest
from life import here, wait_for_file  # noqa: F401

# Over two seconds of waiting: far above what start and end take, far below a busy loop.
MOST_CPU_SECONDS = 0.5


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


SCRIPTS = {
    "idle": "exec sleep 60",
    "input closed early": "exec sleep 60 <&-",
    "output closed": "exec sleep 60 >&- 2>&-",
    "terminated child": "sleep 0.1 & wait; exec sleep 60",
}


def test_waiting_for_ranks_here(here, tmp_path):
    """All kinds of job with all kinds of input, at the same time."""
    jobs = {}
    for number, (kind, script) in enumerate(SCRIPTS.items()):
        for stdin in ("at its end", "open", "unread"):
            up = tmp_path / f"{number} {stdin}"
            options = {"stdin": subprocess.DEVNULL if stdin == "at its end" else subprocess.PIPE}
            job = here.start("--", "sh", "-c", f"echo up >'{up}'; {script}", **options)
            if stdin == "unread":
                job.stdin.write(bytes(1 << 15))
                job.stdin.flush()
            wait_for_file(up)
            jobs[kind, stdin] = job
    before = {name: cpu_seconds(job.pid) for name, job in jobs.items()}
    with pytest.raises(subprocess.TimeoutExpired):
        job.wait(timeout=2)
    busy = {name: used for name, job in jobs.items() if (used := cpu_seconds(job.pid) - before[name]) > MOST_CPU_SECONDS}
    assert busy == {}
    for job in jobs.values():
        job.terminate()
    for job in jobs.values():
        job.communicate(timeout=30)
        assert job.returncode == 130


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
