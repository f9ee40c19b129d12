"""distributed-config sends a message over RDMA where jackal-bench is on the machines: simulated Macs with one cable,
whose devices are those of the fake verbs library."""

import subprocess

import pytest
import shapes
from setups import bridged, config  # noqa: F401

EVERYTHING = 1_000_000  # of a million messages


@pytest.fixture
def pair(make_macs):
    return make_macs(bridged(shapes.pair(width=1)))


@pytest.fixture
def install(bin_dir):
    """install(macs, nodes, lost) puts jackal-bench on `nodes`, as if their devices were cabled and lost messages."""

    def put(macs, nodes, lost=0):
        world = macs.shared / "verbs"
        make = bin_dir.parent / "tests" / "make-fake-cable"
        subprocess.run([make, world, "rdma_en2", "rdma_en2", str(lost)], check=True)
        world.chmod(0o666)
        for node in nodes:
            place = "/private/simmac/bin/jackal-bench"
            macs.write_file(node, place, (
                "#!/bin/sh\n"
                f"export FAKE_VERBS={world} FAKE_VERBS_NODE={macs.nodes.index(node)}\n"
                f"export JACKAL_VERBS_LIBRARY={bin_dir.parent / 'lib' / 'libfakeverbs.so'}\n"
                f'exec {bin_dir / "jackal-bench"} "$@"\n'))
            assert macs.exec(node, ["chmod", "755", place]).returncode == 0

    return put


def test_a_message_goes_each_way(pair, install, config, found):
    install(pair, pair.nodes)
    done = config(pair, "--auto-setup")
    assert done.returncode == 0, done
    assert "RDMA message: came through, 64 bytes each way by jackal-bench sendrecv" in done.stdout
    # Links that are there already are proved again without a set-up.
    document = found(config(pair, "--json").stdout)
    assert document["setup_ran"] is False
    assert [cable["rdma_carried"] for cable in document["verification"]["cables"]] == [True]
    pair.wait_until_idle()


def test_a_cable_that_carries_no_message_fails_although_its_devices_look_ready(pair, install, config, found):
    install(pair, pair.nodes, lost=EVERYTHING)
    done = config(pair, "--auto-setup", "--json", "--output", pair.shared / "hosts.json")
    assert done.returncode == 1, done
    document = found(done.stdout)
    proof = document["verification"]["cables"][0]
    assert [end["rdma_missing"] for end in proof["ends"]] == [None, None]
    assert proof["rdma_carried"] is False
    assert "RDMA over rdma_en2" in proof["rdma_how"], proof
    assert any("carries no RDMA message: " + proof["rdma_how"] in failure
               for failure in document["verification"]["failures"])
    assert not (pair.shared / "hosts.json").exists()
    pair.wait_until_idle()


def test_without_jackal_bench_at_both_ends_nothing_is_sent_and_the_reason_is_said(pair, install, config, found):
    install(pair, ["n1"])
    document = found(config(pair, "--auto-setup", "--json").stdout)
    proof = document["verification"]["cables"][0]
    assert (proof["rdma_carried"], proof["rdma_how"]) == (None, "not tried: no jackal-bench on n2")
    assert document["verification"]["failures"] == []
