"""What takes long, all at the same time: the network is lost without a word, output never ends."""

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fixture import start_cluster, wait_for
from life import Here, job_files, last_line

# The manual's promise; the machine may be slow by as much again.
PROMISED_SECONDS = 40
SLOWNESS_SECONDS = 15


@pytest.fixture(scope="module")
def endless(bin_dir):
    """A job whose rank has ended; a process that left its group goes on printing."""
    here = Here(bin_dir / "launch")
    script = "setsid sh -c 'while :; do echo noise; sleep 0.05; done' & exit 0"
    job = here.start("--grace", "0.1", "--", "sh", "-c", script, stdout=subprocess.DEVNULL)
    yield job
    here.kill_what_is_left()
    job.communicate()


@pytest.fixture(scope="module")
def slow(bin_dir):
    """A job over a line that takes longer than the silence for what one window of input holds."""
    cluster = start_cluster(1)
    cluster.fault("n1", "slow", "200kbit")
    argv = [bin_dir / "launch", "--ssh-config", cluster.ssh_config, "--grace", "1", "--hosts", "n1", "--", "cat"]
    job = cluster.popen("head", argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    job.stdin.write(b"up\n")
    job.stdin.flush()
    assert job.stdout.readline() == b"up\n"
    threading.Thread(target=feed, args=(job,), daemon=True).start()
    threading.Thread(target=lambda: [None for _ in iter(lambda: job.stdout.read1(1 << 16), b"")], daemon=True).start()
    yield job, time.monotonic()
    job.kill()
    job.wait()
    cluster.down()


def feed(job):
    """Input without end, as fast as it is taken."""
    try:
        while job.poll() is None:
            job.stdin.write(bytes(1 << 16))
    except OSError:
        pass  # it has ended


def test_the_network_is_lost(make_cluster, bin_dir, endless, slow):
    """n1: while ranks run; n2: while they are fed more than the line takes; n3: before any rank has started,
    and launch dies with the network; n4 stays, and its rank is stopped; n5 never answers."""
    cluster = make_cluster(nodes=5)
    cluster.fault("n5", "lan-cut")
    launch = [bin_dir / "launch", "--ssh-config", cluster.ssh_config, "--grace", "1"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

    running = cluster.popen(
        "head", [*launch, "--hosts", "n1,n4", "--", "sh", "-c", "trap '' HUP; echo up; sleep 300 & wait"], **pipes
    )
    for _ in range(2):
        assert running.stdout.readline() == b"up\n"
    fed = cluster.popen("head", [*launch, "--hosts", "n2", "--", "sh", "-c", "echo up; cat >/dev/null"], **pipes)
    assert fed.stdout.readline() == b"up\n"

    with ThreadPoolExecutor() as threads:
        feeding = threads.submit(feed, fed)
        waiting = cluster.popen("head", [*launch, "--hosts", "n3,n5", "--", "true"], **pipes)
        wait_for(lambda: _files_of_the_job(cluster, "n3"), what="launch's arrival on n3")
        for node in ("n3", "n1", "n2"):
            cluster.fault(node, "lan-cut")
        cut = time.monotonic()
        waiting.kill()
        waiting.communicate()

        def cleaned(node):
            left = PROMISED_SECONDS + SLOWNESS_SECONDS - (time.monotonic() - cut)
            wait_for(lambda: not _of_the_job(cluster, node), left, f"the end of the job's processes on {node}")
            wait_for(lambda: not _files_of_the_job(cluster, node), 5, f"the end of the job's files on {node}")

        cleaning = [threads.submit(cleaned, node) for node in ("n1", "n2", "n3")]
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

    for node in ("n1", "n2", "n3", "n5"):
        cluster.heal(node)
    assert job_files(cluster) == {}
    again = cluster.exec("head", [*launch, "--hosts", "n[1-5]", "--", "true"])
    assert (again.returncode, again.stderr) == (0, "")


def test_endless_output_of_an_escaped_process_does_not_keep_the_job(endless):
    assert endless.wait(timeout=60) == 0


@pytest.mark.slow
def test_a_slow_line_full_in_both_directions_is_not_a_lost_one(slow):
    job, begun = slow
    left = PROMISED_SECONDS + SLOWNESS_SECONDS - (time.monotonic() - begun)
    with pytest.raises(subprocess.TimeoutExpired):
        job.wait(timeout=max(left, 0))


def _of_the_job(cluster, node):
    # sshd itself learns of nothing: its session goes once the network is back.
    return [process for process in cluster.ps(node) if not process.comm.startswith("sshd")]


def _files_of_the_job(cluster, node):
    return [path for path in cluster.files(node) if "jackal-" in path]
