"""Cables between the nodes of a virtual cluster, with addresses, and the host file that tells of them."""

import json
from dataclasses import dataclass, field


def mesh(nodes):
    return [(a, b) for a in range(nodes) for b in range(a + 1, nodes)]


def chain(nodes):
    return [(a, a + 1) for a in range(nodes - 1)]


def ring(nodes):
    return [*chain(nodes), (0, nodes - 1)]


@dataclass
class Wiring:
    """What to plug in, the addresses (node, address, interface) that the ends get, and the host file's entries."""

    ends: list = field(default_factory=list)
    addresses: list = field(default_factory=list)
    hosts: list = field(default_factory=list)


def wiring(hosts, pairs):
    """A cable for each pair of nodes, counted from 0; cable k is the network 192.168.(k+1).0/30. Pure."""
    made = Wiring(hosts=[{**host, "links": [None] * len(hosts)} for host in hosts])
    for number, pair in enumerate(pairs):
        interfaces = [f"c{number}{side}" for side in "ab"]
        ips = [f"192.168.{number + 1}.{side}" for side in (1, 2)]
        made.ends.append([f"n{node + 1}:{interface}" for node, interface in zip(pair, interfaces)])
        for side in (0, 1):
            made.addresses.append((f"n{pair[side] + 1}", f"{ips[side]}/30", interfaces[side]))
            row = made.hosts[pair[side]]["links"]
            link = {"ip": ips[side], "peer_ip": ips[1 - side], "interface": interfaces[side]}
            row[pair[1 - side]] = [*(row[pair[1 - side]] or []), link]
    return made


def cable(cluster, pairs, name, rate=None):
    """Joins the pairs in a cluster of fixture.py; → the ends of each cable, and the host file in shared/NAME."""
    made = wiring(json.loads(cluster.hosts_json.read_text()), pairs)
    cluster.cable(*(end for ends in made.ends for end in ends), rate=rate)
    for node, address, interface in made.addresses:
        added = cluster.exec(node, ["ip", "addr", "add", address, "dev", interface])
        assert added.returncode == 0, added
    path = cluster.shared / name
    path.write_text(json.dumps({"backend": "jackal", "hosts": made.hosts}))
    return made.ends, path
