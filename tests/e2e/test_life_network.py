"""The network is lost without a word: each side cleans up by itself. One cluster, all at the same time."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from fixture import wait_for
from life import last_line, job_files

# The manual's promise; the machine may be slow by as much again.
PROMISED_SECONDS = 40
SLOWNESS_SECONDS = 15


def test_the_network_is_lost(make_cluster, bin_dir):
    """n1: while ranks run; n2: while they are fed more than the line takes; n3: before any
    rank has started, because launch was killed together with the network; n4 stays, and its rank is stopped."""
    cluster = make_cluster(nodes=4)
    launch = [bin_dir / "launch", "--ssh-config", cluster.ssh_config, "--grace", "1"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

    running = cluster.popen(
        "head", [*launch, "--hosts", "n1,n4", "--", "sh", "-c", "trap '' HUP; echo up; sleep 300 & wait"], **pipes
    )
    for _ in range(2):
        assert running.stdout.readline() == b"up\n"
    fed = cluster.popen("head", [*launch, "--hosts", "n2", "--", "sh", "-c", "echo up; cat >/dev/null"], **pipes)
    assert fed.stdout.readline() == b"up\n"

    def feed():
        try:
            while fed.poll() is None:
                fed.stdin.write(bytes(1 << 16))
        except OSError:
            pass  # it has ended

    with ThreadPoolExecutor() as threads:
        feeding = threads.submit(feed)
        for node in ("n1", "n2"):
            cluster.fault(node, "lan-cut")
        cut = time.monotonic()

        def cleaned(node):
            left = PROMISED_SECONDS + SLOWNESS_SECONDS - (time.monotonic() - cut)
            wait_for(lambda: not _of_the_job(cluster, node), left, f"the end of the job's processes on {node}")
            wait_for(lambda: not _files_of_the_job(cluster, node), 5, f"the end of the job's files on {node}")

        cleaning = [threads.submit(cleaned, node) for node in ("n1", "n2")]
        stderr = running.communicate(timeout=PROMISED_SECONDS + SLOWNESS_SECONDS)[1].decode()
        assert running.returncode == 69
        assert last_line(stderr) == "launch: n1: has not answered for 30 s"
        assert "launch: rank 1 was stopped because of the error\n" in stderr
        fed.wait(timeout=30)
        assert fed.returncode == 69
        assert last_line(fed.stderr.read()) == "launch: n2: has not answered for 30 s"
        feeding.result()
        for one in cleaning:
            one.result()

    cluster.heal("n1")
    cluster.heal("n2")
    assert job_files(cluster) == {}
    again = cluster.exec("head", [*launch, "--hosts", "n1,n2,n3,n4", "--", "true"])
    assert (again.returncode, again.stderr) == (0, "")


def _of_the_job(cluster, node):
    # sshd itself learns of nothing: its session goes once the network is back.
    return [process for process in cluster.ps(node) if not process.comm.startswith("sshd")]


def _files_of_the_job(cluster, node):
    return [path for path in cluster.files(node) if "jackal-" in path]
