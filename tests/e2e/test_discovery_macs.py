"""distributed-config over SSH maps exactly the cables that were laid between simulated Macs."""

import json

import pytest
import shapes


def discover(macs, bin_dir, *arguments):
    """(exit code, the JSON that it printed), asking all nodes from the head."""
    hosts = ",".join(macs.nodes)
    done = macs.exec("head", [bin_dir / "distributed-config", "--hosts", hosts, "--json", *arguments])
    assert done.stdout, done
    return done.returncode, json.loads(done.stdout)


def laid(description):
    """{((node, port), (node, port))} of a description's cables."""
    ends = [cable if isinstance(cable, str) else cable["ends"] for cable in description["cables"]]
    return {tuple(sorted(tuple(end.split(":")) for end in pair.split())) for pair in ends}


def mapped(found):
    return {
        tuple(sorted((end["node"], end["interface"]) for end in cable["ends"])) for cable in found["cables"]
    }


MIXED = {
    "machines": [
        {},
        {"model": "macbook", "rdma": False},
        {"model": "mini"},
        {"bridge": True, "drives": {"en7": "PRO-G40"}},
    ],
    "cables": [
        "n1:en7 n2:en6",
        "n1:en2 n4:en3",
        {"ends": "n2:en2 n3:en4", "gbps": 40, "hubs": ["TS5 Plus"]},
        {"ends": "n4:en5 n3:en2", "gbps": 40, "hubs": ["Dock A", "Dock B"]},
    ],
    "strangers": ["n4:en2"],
}


@pytest.mark.parametrize(
    ("description", "arguments", "backend"),
    [
        (shapes.mesh(4), [], "jaccl"),
        (shapes.ring(4), [], "jaccl-ring"),
        (shapes.ring(4, width=2), ["--backend", "jaccl-ring"], "jaccl-ring"),
        (shapes.ring(4, width=3), ["--backend", "jaccl-ring"], "jaccl-ring"),
        (shapes.ring(8), [], "jaccl-ring"),
        (shapes.chain(3), ["--backend", "jackal"], "jackal"),
        (shapes.star(4), ["--backend", "jackal"], "jackal"),
        (shapes.pair(width=2), [], "jaccl"),
        (MIXED, ["--backend", "jackal"], "jackal"),
    ],
    ids=["mesh", "ring", "ring-of-two-cables", "ring-of-three-cables", "ring-of-eight", "chain", "star", "pair", "mixed"],
)
def test_every_cable_that_was_laid_and_no_other(make_macs, bin_dir, description, arguments, backend):
    code, found = discover(make_macs(description), bin_dir, *arguments)
    assert mapped(found) == laid(description)
    assert len(found["cables"]) == len(description["cables"])
    assert (code, found["plan"]["backend"]) == (0, backend), found["problems"]


def test_a_cable_that_is_pulled_is_gone_from_the_map(make_macs, bin_dir):
    description = shapes.ring(3)
    macs = make_macs(description)
    macs.fault("n1", "cable-cut", "en2")
    _, found = discover(macs, bin_dir)
    assert mapped(found) == {pair for pair in laid(description) if ("n1", "en2") not in pair}


@pytest.mark.parametrize(
    ("command", "code", "problem"),
    [("system_profiler", 1, "no-thunderbolt-tree"), ("networksetup", 1, "port-without-interface"), ("sudo", 0, "sudo-password")],
)
def test_a_command_that_fails_costs_its_own_answer_only(make_macs, bin_dir, command, code, problem):
    description = shapes.mesh(2)
    description["machines"] = [{"commands": {command: {"exit": 1, "error": "cannot\n"}}}, {}]
    exit_code, found = discover(make_macs(description), bin_dir)
    assert exit_code == code
    others = {"no-ipv4-gid"}  # nothing was set up yet
    assert [(p["code"], p["node"]) for p in found["problems"] if p["code"] not in others] == [(problem, "n1")]
