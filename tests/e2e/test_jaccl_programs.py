"""Programs written for JACCL, built against the installed package and started by `launch`."""

import json
import os
import shutil

import pytest
from cabled import cable, ring
from clients import free_ports, lines, run
from fixture import ROOT
from installed import compiler, compilers, linking, must, prefix  # noqa: F401

SOURCES = ROOT / "tests/e2e/jaccl"
MESH = [[None if i == j else f"rdma_en{j}" for j in range(4)] for i in range(4)]
RING = [[f"rdma_en{j}" if (i - j) % 4 in (1, 3) else None for j in range(4)] for i in range(4)]
# Whatever this machine has: these are programs on hosts without RDMA.
NO_RDMA = "JACKAL_VERBS_LIBRARY=/nowhere/libibverbs.so"
SPREAD = ((4000**2 - 1) / 12) ** 0.5  # of 1 to 4000
MOMENTS = f"mean 2000.500000 spread {SPREAD:.6f} from 1.000000 to 4000.000000 halves 4.000000 complex 3.000000"


@pytest.fixture(scope="module")
def programs(tmp_path_factory, compiler, linking):
    """programs[name] → the program that is built of name.cpp, with pkg-config's words alone."""
    directory = tmp_path_factory.mktemp("programs")
    words, _ = linking
    for source in SOURCES.glob("*.cpp"):
        must(*compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", source, "-o", directory / source.stem, *words)
    return {source.stem: directory / source.stem for source in SOURCES.glob("*.cpp")}


@pytest.fixture
def job(prefix, linking, tmp_path):
    """job(words, …) → what comes of four ranks on this machine, in a mesh unless told otherwise."""

    def start(*words, backend="jaccl", rdma=MESH, env=()):
        hosts = [{"ssh": "127.0.0.1", "ips": ["127.0.0.1"], "rdma": row} for row in rdma]
        hostfile = tmp_path / "hosts.json"
        hostfile.write_text(json.dumps({"backend": backend, "hosts": hosts}))
        settings = [f"LD_LIBRARY_PATH={linking[1]}", NO_RDMA, *env]
        flags = [word for setting in settings for word in ("--env", setting)]
        return run([prefix / "bin/launch", "--hostfile", hostfile, *flags, "--", *words])

    return start


@pytest.mark.parametrize(("backend", "rdma"), [("jaccl", MESH), ("jaccl-ring", RING)])
@pytest.mark.parametrize("transport", ["auto", "tcp"])
def test_a_program_that_takes_its_group_from_the_environment(programs, job, backend, rdma, transport):
    done = job(programs["moments"], backend=backend, rdma=rdma, env=[f"JACKAL_TRANSPORT={transport}"])
    assert lines(done) == [f"rank {rank} of 4: {MOMENTS}" for rank in range(4)]


def test_its_ranks_use_tcp_where_they_share_no_memory(programs, job):
    done = job(programs["moments"], env=["JACKAL_TRANSPORT=tcp", "JACKAL_LOG=info"])
    assert len(lines(done)) == 4
    assert done.stderr.count("TCP over 1 connection") == 12  # every rank tells of the three others


def test_a_program_that_configures_itself(programs, job):
    coordinator = f"127.0.0.1:{free_ports(1)}"
    done = job(programs["rows"], coordinator, env=["JACKAL_TRANSPORT=tcp"])
    assert lines(done) == [f"rank {rank}: {5000 * 4 * (rank + 1)}" for rank in range(4)]


def test_a_program_whose_ranks_meet_by_means_of_its_own(programs, job, tmp_path):
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    done = job(programs["rows"], "--files", meeting)
    assert lines(done) == [f"rank {rank}: {5000 * 4 * (rank + 1)}" for rank in range(4)]
    assert len(list(meeting.iterdir())) >= 4


@pytest.fixture
def nodes(programs, prefix, linking, make_cluster):
    """nodes(backend, rdma, log, cables) → what comes of a rank on each of four nodes, which have no RDMA."""

    def start(backend, rdma, log, cables=None):
        cluster = make_cluster(nodes=4, keep=[prefix])
        # The nodes' user may not look into this test's own directories.
        program = shutil.copy(programs["moments"], cluster.shared)
        shutil.copy(linking[1] / "libjackal.so.0", cluster.shared)
        hosts = json.loads(cluster.hosts_json.read_text())
        if cables:
            hosts = json.loads(cable(cluster, cables, "hosts.json")[1].read_text())["hosts"]
        for host, row in zip(hosts, rdma):
            host["rdma"] = row
            for device, links in zip(row, host.get("links", [])):
                for link in links or []:
                    link["rdma"] = device
        hostfile = cluster.shared / "jaccl.json"
        hostfile.write_text(json.dumps({"backend": backend, "hosts": hosts}))
        flags = ["--ssh-config", cluster.ssh_config, "--hostfile", hostfile]
        for setting in (f"LD_LIBRARY_PATH={cluster.shared}", NO_RDMA, f"JACKAL_LOG={log}"):
            flags += ["--env", setting]
        return cluster.exec("head", [prefix / "bin/launch", *flags, "--", program])

    return start


def test_nodes_without_rdma_use_tcp_and_say_so(nodes):
    done = nodes("jaccl", MESH, "warn")
    assert lines(done) == [f"rank {rank} of 4: {MOMENTS}" for rank in range(4)]
    assert done.stderr.count("no RDMA, TCP is used instead") == 4, done.stderr


def test_they_use_the_cables_of_the_host_file(nodes):
    done = nodes("jaccl-ring", RING, "info", ring(4))
    assert lines(done) == [f"rank {rank} of 4: {MOMENTS}" for rank in range(4)]
    assert done.stderr.count("TCP over 1 connection, 192.168.") == 8, done.stderr
    assert done.stderr.count("no link of its own") == 4, done.stderr


def test_without_rdma_and_address_it_is_told_why_there_is_no_group(programs, linking, tmp_path):
    devices = tmp_path / "devices.json"
    devices.write_text(json.dumps(MESH))
    env = {**os.environ, "LD_LIBRARY_PATH": str(linking[1]), "MLX_RANK": "0", "MLX_IBV_DEVICES": str(devices)}
    env["JACKAL_VERBS_LIBRARY"] = NO_RDMA.partition("=")[2]
    missing = "set JACCL_COORDINATOR or MLX_JACCL_COORDINATOR to rank 0's ADDRESS:PORT"
    strict = run([programs["rows"]], env=env)
    assert strict.returncode == 4
    assert "nothing says where its ranks meet" in strict.stderr and missing in strict.stderr
    quiet = run([programs["moments"]], env=env)
    assert (quiet.returncode, quiet.stderr) == (3, "no group\n")
    told = run([programs["moments"]], env={**env, "JACKAL_LOG": "error"})
    assert told.returncode == 3
    first, second = told.stderr.splitlines()
    assert first.startswith("jackal: error: no JACCL group: ") and missing in first and second == "no group"


def test_a_job_that_insists_on_rdma_is_told_what_is_missing(programs, job):
    done = job(programs["rows"], f"127.0.0.1:{free_ports(1)}", env=["JACKAL_TRANSPORT=verbs"])
    assert done.returncode == 4
    assert "asks for RDMA" in done.stderr and "/nowhere/libibverbs.so" in done.stderr
