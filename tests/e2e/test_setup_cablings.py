"""distributed-config --auto-setup and --undo on simulated Macs, one cabling after another, each with a job."""

import json

import pytest
import shapes
from clients import PYTHON, SUMS, need_mlx
from setups import bridged, config, kept, states  # noqa: F401


@pytest.mark.parametrize(
    ("description", "backend", "cables", "topology"),
    [
        (shapes.mesh(4), "jaccl", 6, "mesh"),
        pytest.param(shapes.ring(4), "jaccl-ring", 4, "ring", marks=pytest.mark.slow),
        pytest.param(shapes.ring(4, width=2), "jaccl-ring", 8, "ring", marks=pytest.mark.slow),
        (shapes.ring(4, width=3), "jaccl-ring", 12, "ring"),
        pytest.param(shapes.ring(4), "ring", 4, "ring", marks=pytest.mark.slow),
        (shapes.mesh(3), "ethernet", 0, "ethernet"),
        (shapes.chain(3), "jackal", 2, "fabric"),
        (shapes.pair(width=2), "jaccl", 2, "mesh"),
        pytest.param(shapes.ring(8), "jaccl-ring", 8, "ring", marks=pytest.mark.slow),
    ],
    ids=["mesh", "ring-1", "ring-2", "ring-3", "tcp-ring", "ethernet", "chain", "pair", "ring-of-8"],
)
def test_a_cabling_is_set_up_runs_a_job_and_is_undone(
    make_macs, config, found, bin_dir, description, backend, cables, topology
):
    macs = make_macs(bridged(description))
    before = states(macs)
    hosts = macs.shared / "hosts.json"
    kind = ["--over", "ethernet"] if backend == "ethernet" else ["--backend", backend]
    wanted = [*kind, "--env", "MLX_METAL_FAST_SYNCH=1", "--output", hosts]
    done = config(macs, "--auto-setup", "--json", *wanted)
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr)
    document = found(done.stdout)
    assert document["setup_errors"] == []
    assert document["plan"]["topology"] == topology
    proofs = document["verification"]["cables"]
    assert len(proofs) == cables
    for proof in proofs:
        assert all(end["ping"]["received"] >= 4 for end in proof["ends"]), proof
        assert all(end["rdma_missing"] is None for end in proof["ends"]), proof
        assert proof["tcp_gbps"] > 0, proof
    check_host_file(json.loads(hosts.read_text()), document)

    if backend == "ring":
        # Its addresses are those of the cables, on which a rank reaches its neighbours alone: MLX's own ring.
        need_mlx()
        job = [PYTHON, SUMS, "ring"]
    else:
        job = [bin_dir / "all_sum"]
    launch = [bin_dir / "launch", "--ssh-config", macs.ssh_config, "--hostfile", hosts, "--backend", "ring"]
    ran = macs.exec("head", [*launch, "--", *job])
    assert ran.returncode == 0, ran

    if cables:
        set_up = states(macs)
        again = config(macs, "--auto-setup", *wanted)
        assert again.returncode == 0, (again.stdout[-3000:], again.stderr)
        assert "none: the links are set up already" in again.stdout
        assert states(macs) == set_up
    undone = config(macs, "--undo")
    assert undone.returncode == 0, undone
    assert states(macs) == before
    assert [kept(macs, node) for node in macs.nodes] == [[]] * len(macs.nodes)
    macs.wait_until_idle()


def check_host_file(hostfile, found):
    """What a person would write: devices of both ends by their cables, and a coordinator on the LAN."""
    hosts = hostfile["hosts"]
    assert hostfile["envs"] == ["MLX_METAL_FAST_SYNCH=1"]
    rank = {host["ssh"]: i for i, host in enumerate(hosts)}
    planned = [found["cables"][cable["cable"]]["ends"] for cable in found["plan"]["cables"]]
    for a in hosts:
        for b in hosts:
            links = a.get("links", [[]] * len(hosts))[rank[b["ssh"]]] or []
            ends = sorted(
                (mine["interface"], theirs["interface"])
                for pair in planned
                for mine, theirs in (pair, pair[::-1])
                if (mine["node"], theirs["node"]) == (a["ssh"], b["ssh"])
            )
            assert [link["interface"] for link in links] == [end[0] for end in ends]
            if hostfile["backend"] in ("jaccl", "jaccl-ring"):
                names = a["rdma"][rank[b["ssh"]]] or []
                assert ([names] if isinstance(names, str) else names) == [f"rdma_{end[0]}" for end in ends]
    if hostfile["backend"] != "ring" or not planned:
        assert hosts[0]["ips"][0].startswith("10.77.")
