"""launch dies, by any signal and at any moment: nothing of the job remains, on no node and not here."""

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from fixture import wait_for
from life import here, job_files, wait_for_file  # noqa: F401

# In each rank: output, children, and no wish to end.
BUSY = "trap '' HUP INT; (while :; do echo noise; sleep 0.05; done) & sleep 100 & wait"
CLEAN_SECONDS = 10


def on_every_node(cluster, bin_dir, *flags, script=BUSY):
    return cluster.popen(
        "head",
        [bin_dir / "launch", "--hostfile", cluster.hosts_json, "-n", "2", *flags, "--", "sh", "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def in_head(cluster, bin_dir, *flags, script=BUSY):
    return cluster.popen(
        "head", [bin_dir / "launch", "-n", "4", *flags, "--", "sh", "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def assert_nothing_remains(cluster):
    cluster.wait_until_idle(seconds=CLEAN_SECONDS)
    wait_for(lambda: not job_files(cluster), CLEAN_SECONDS, "the end of every file of the job")


def end(job):
    """Its output read to the end, so that nothing of it stays in pipes of ours."""
    try:
        job.communicate(timeout=30)
    finally:
        if job.poll() is None:
            job.kill()


DEADLY = ["SIGKILL", "SIGTERM", "SIGHUP", "SIGSEGV", "SIGALRM"]


@pytest.mark.parametrize("name", DEADLY)
def test_any_signal(cluster4, bin_dir, name):
    jobs = [on_every_node(cluster4, bin_dir, "--grace", "2"), in_head(cluster4, bin_dir, "--grace", "2")]
    for job in jobs:
        assert job.stdout.readline() == b"noise\n"
        job.send_signal(getattr(signal, name))
    for job in jobs:
        end(job)
        assert job.returncode != 0
    assert_nothing_remains(cluster4)


@pytest.mark.parametrize("start", [on_every_node, in_head])
@pytest.mark.parametrize("script", [BUSY, "true"], ids=["long", "short"])
def test_kill_at_random_moments(cluster4, bin_dir, start, script):
    """Ten jobs one after the other, killed while connecting, starting, running or finishing."""
    started = time.monotonic()
    end(start(cluster4, bin_dir, script="true"))
    usual = time.monotonic() - started
    for _ in range(10):
        job = start(cluster4, bin_dir, "--grace", "1", script=script)
        try:
            job.wait(timeout=random.uniform(0, 1.2 * usual))
        except subprocess.TimeoutExpired:
            job.kill()
        end(job)
    assert_nothing_remains(cluster4)


def test_kill_at_random_moments_with_the_installed_ssh(cluster4, bin_dir):
    for _ in range(6):
        job = on_every_node(cluster4, bin_dir, "--grace", "1", "--ssh", "system", "--ssh-config", cluster4.ssh_config)
        try:
            job.wait(timeout=random.uniform(0, 2))
        except subprocess.TimeoutExpired:
            job.kill()
        end(job)
    assert_nothing_remains(cluster4)


def pids(cluster, node, matches):
    return [process.pid for process in cluster.ps(node) if matches(process)]


def kill_on(cluster, node, matches):
    found = wait_for(lambda: pids(cluster, node, matches), what=f"the process on {node}")
    cluster.exec(node, ["sh", "-c", 'kill -KILL "$@"', "sh", *map(str, found)])


def is_session(process):
    return process.comm.startswith("sshd")


def test_whoever_ends_launch_by_its_name_does_not_end_the_guard(here, tmp_path):
    """As pkill, pkill -f and killall would find them."""
    script = 'dirname "$JACKAL_HOSTFILE" >"$0"; echo up; exec sleep 100'
    job = here.start("-n", "1", "--grace", "1", "--", "sh", "-c", script, tmp_path / "directory")
    assert job.stdout.readline() == b"up\n"

    def named():
        return [
            pid
            for pid, argv in here.processes().items()
            if "launch" in Path(f"/proc/{pid}/comm").read_text() or any(b"launch" in word for word in argv)
        ]

    # The shell, until it is `sleep`, carries the name of this test.
    wait_for(lambda: named() == [job.pid], what="one process named launch")
    job.kill()
    job.communicate(timeout=30)
    here.wait_until_nothing_runs(seconds=CLEAN_SECONDS)
    assert not Path((tmp_path / "directory").read_text().strip()).exists()


def test_more_ranks_than_anybody_has_are_all_ended(here):
    """As many as there are process ids in the guard's care, which knows no bound."""
    job = here.start("-n", "300", "--grace", "1", "--", "sleep", "100")
    wait_for(lambda: sum(argv[1:] == [b"100"] for argv in here.processes().values()) == 300, 60, "300 ranks")
    job.kill()
    job.communicate(timeout=30)
    here.wait_until_nothing_runs(seconds=CLEAN_SECONDS)


def test_the_session_of_a_node_is_killed(cluster4, bin_dir):
    job = on_every_node(cluster4, bin_dir, "--grace", "1")
    assert job.stdout.readline() == b"noise\n"
    kill_on(cluster4, "n2", is_session)
    stderr = job.communicate(timeout=60)[1].decode()
    assert job.returncode == 69, stderr
    assert "n2" in stderr.splitlines()[-1]
    assert_nothing_remains(cluster4)


def test_the_guard_of_a_node_is_killed(cluster4, bin_dir):
    script = 'echo "$(dirname "$JACKAL_HOSTFILE")"; exec sleep 100'
    job = on_every_node(cluster4, bin_dir, "--grace", "1", script=script)
    directory = next(line for line in iter(job.stdout.readline, b"") if line.endswith(b"-1\n")).decode().strip()
    guard = int(cluster4.exec("n2", ["cat", f"{directory}/guard.pid"]).stdout)
    cluster4.exec("n2", ["kill", "-KILL", str(guard)])
    stderr = job.communicate(timeout=60)[1].decode()
    assert job.returncode == 69, stderr
    assert stderr.splitlines()[-1] == "launch: n2: the guard of the job's processes was ended by signal 9"
    assert_nothing_remains(cluster4)


def test_the_guard_here_is_killed(cluster4, bin_dir):
    script = 'echo "$(dirname "$JACKAL_HOSTFILE")"; exec sleep 100'
    job = in_head(cluster4, bin_dir, "--grace", "1", script=script)
    directory = job.stdout.readline().decode().strip()
    guard = cluster4.exec("head", ["cat", f"{directory}/guard.pid"]).stdout.strip()
    cluster4.exec("head", ["kill", "-KILL", guard])
    stderr = job.communicate(timeout=60)[1].decode()
    assert job.returncode == 69
    assert stderr.count("the guard of the job's processes was ended by signal 9") == 1, stderr
    assert "Start it again." in stderr
    assert_nothing_remains(cluster4)


def test_a_host_goes_down(cluster4, bin_dir):
    """Every process there ends at once, as when it reboots."""
    job = on_every_node(cluster4, bin_dir, "--grace", "1")
    assert job.stdout.readline() == b"noise\n"
    kill_on(cluster4, "n3", lambda process: True)
    stderr = job.communicate(timeout=60)[1].decode()
    assert job.returncode == 69, stderr
    assert "n3" in stderr.splitlines()[-1]
    cluster4.wait_until_idle(seconds=CLEAN_SECONDS)
    cluster4.exec("n3", ["sh", "-c", "rm -rf /tmp/jackal-*"])  # a real /tmp, or its owner, sees to that
    assert job_files(cluster4) == {}


def test_sshd_may_stop_while_a_job_runs(make_cluster, bin_dir):
    cluster = make_cluster(nodes=2)
    script = "echo up; until [ -e /tmp/go ]; do sleep 0.05; done; echo done"
    job = on_every_node(cluster, bin_dir, script=script)
    assert job.stdout.readline() == b"up\n"
    cluster.fault("n1", "sshd-stop")
    for node in cluster.nodes:
        cluster.exec(node, ["touch", "/tmp/go"])
    stdout, stderr = job.communicate(timeout=60)
    assert (stdout.count(b"done\n"), stderr, job.returncode) == (4, b"", 0)
    cluster.heal("n1")
    assert_nothing_remains(cluster)
