"""Collectives between nodes: every operation over every cabling, through relays, and what a pulled cable ends with."""

import itertools
import re
import subprocess

import pytest
from cabled import cable, chain, mesh, ring
from clients import lines
from fixture import wait_for

SEEDS = itertools.count(1)
CABLINGS = {"lan": None, "mesh": mesh(4), "ring": ring(4), "chain": chain(4), "chain-of-two-cables": chain(4) * 2}


@pytest.fixture
def job(bin_dir):
    """job(cluster, hosts, words, flags) → the command line of `launch` for one job of the matrix."""
    program = bin_dir.parent / "tests" / "collectives_job"

    def command(cluster, hosts, *words, flags=()):
        return [bin_dir / "launch", "--ssh-config", cluster.ssh_config, "--hostfile", hosts, *flags, "--", program, *words]

    return command


def all_right(result, ranks):
    """Every rank is there, and all noted the same bits."""
    assert result.returncode == 0, (result.stdout[-2000:], result.stderr[-4000:])
    said = [re.fullmatch(r"rank (\d+) of (\d+): (\d+ bytes of notes, digest \w+)", line) for line in lines(result)]
    assert all(said), result.stdout
    assert sorted(int(line[1]) for line in said) == list(range(ranks))
    assert {int(line[2]) for line in said} == {ranks}
    assert len({line[3] for line in said}) == 1, result.stdout


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in ("chain", "ring", "lan") else name for name in CABLINGS]
)
def test_every_operation_is_right_on_every_cabling(make_cluster, job, name):
    cluster = make_cluster(nodes=4)
    hosts = cluster.hosts_json
    if CABLINGS[name]:
        _, hosts = cable(cluster, CABLINGS[name], "hosts.json")
    for ranks_a_node in (1, 2):
        words = job(cluster, hosts, str(next(SEEDS)), flags=["-n", str(ranks_a_node)])
        all_right(cluster.exec("head", words), 4 * ranks_a_node)
    cluster.wait_until_idle()
    assert all(cluster.files(node) == [] for node in cluster.nodes)


@pytest.mark.parametrize(
    ("name", "algorithm", "victim"),
    [
        pytest.param("chain", "auto", 1, marks=pytest.mark.slow),
        ("ring", "ring", 3),
        pytest.param("mesh", "mesh", 0, marks=pytest.mark.slow),
    ],
)
def test_a_cable_pulled_in_the_middle_of_a_job_ends_every_rank(make_cluster, job, name, algorithm, victim):
    cluster = make_cluster(nodes=4)
    ends, hosts = cable(cluster, CABLINGS[name], "hosts.json")
    # A search for leaks at the end stops the rank's threads, and waits for ever where SIGCONT, which comes with the TERM
    # for the others, takes back that stop.
    flags = ["--env", f"JACKAL_ALGORITHM={algorithm}", "--env", "ASAN_OPTIONS=detect_leaks=0"]
    running = cluster.popen("head", job(cluster, hosts, "forever", flags=flags),
                            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert running.stdout.readline() == "going\n"
    node, interface = ends[victim][0].split(":")
    cluster.fault(node, "cable-cut", interface)
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 3, (stdout, stderr)
    said = sorted(re.findall(r"^rank (\d): (\w+) link=", stdout, re.MULTILINE))
    assert [rank for rank, _ in said] == ["0", "1", "2", "3"], (stdout, stderr)
    assert all(code in ("link_down", "timeout", "peer_lost") for _, code in said), said
    cluster.wait_until_idle()


def test_a_group_in_which_a_rank_cannot_be_reached_by_any_cable_is_refused(make_cluster, job):
    cluster = make_cluster(nodes=3)
    _, hosts = cable(cluster, [(0, 1)], "hosts.json")
    result = cluster.exec("head", job(cluster, hosts, "1", flags=["--env", "JACKAL_TRANSPORT=tcp"]))
    assert result.returncode != 0
    assert "n3" in result.stderr, result.stderr
    wait_for(lambda: not cluster.ps(), what="the end of the job")
