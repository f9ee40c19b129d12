"""Links between nodes.

Every interface of a node is one end of a veth pair; the other end, named NODE.INTERFACE, is a port of a
bridge in the supervisor's network namespace. A LAN is a bridge with many ports, a cable one with two. So
a plug can be pulled without touching the node: its interface loses the carrier, as it would on a desk.
"""

import json
import re
import subprocess
import time

from .plan import INTERFACE, members

class LinkError(Exception):
    pass


def run(argv, stdin=None):
    result = subprocess.run(argv, input=stdin, text=True, capture_output=True, check=False)
    if result.returncode != 0:
        raise LinkError(f"{' '.join(argv)}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout


def batch(lines):
    """Many `ip` commands in one process; the first that fails ends it."""
    if lines:
        run(["ip", "-batch", "-"], "".join(line + "\n" for line in lines))


def port(node, interface):
    return f"{node}.{interface}"


def _plug(node, pid, interface, bridge):
    switch_end = port(node, interface)
    return [
        f"link add name {switch_end} type veth peer name {interface} netns {pid}",
        f"link set dev {switch_end} master {bridge} up",
    ]


def _add_bridge(name):
    # Without snooping a bridge does not send or judge any multicast of its own.
    return [f"link add name {name} type bridge mcast_snooping 0", f"link set dev {name} up"]


def _cable_lines(number, ends, pids):
    lines = _add_bridge(f"cable{number}")
    for node, interface in ends:
        lines += _plug(node, pids[node], interface, f"cable{number}")
    return lines


def make_links(plan, pids):
    """LANs and cables. Run in the supervisor's network namespace; `pids` are those of its PID namespace.

    Returns the ports that will forward.
    """
    lines = []
    for lan in range(plan["lans"]):
        lines += _add_bridge(f"lan{lan}")
    ports = []
    for name, part in members(plan):
        for interface in part["interfaces"]:
            lines += _plug(name, pids[name], interface["name"], f"lan{interface['lan']}")
            ports.append(port(name, interface["name"]))
    for number, cable in enumerate(plan["cables"]):
        ends = [tuple(end) for end in cable["ends"]]
        if cable["plugged"]:
            lines += _cable_lines(number, ends, pids)
            ports += [port(*end) for end in ends]
        else:
            (node, interface), = ends
            lines.append(f"link add name {port(node, interface)} type veth peer name {interface} netns {pids[node]}")
    batch(lines)
    for cable in plan["cables"]:
        for end in cable["ends"] if cable["rate"] else []:
            run(tbf(port(*end), parse_rate(cable["rate"])))
    return ports


def configure(part):
    """Run inside a node, once its interfaces are there."""
    lines = ["link set dev lo up"]
    for interface in part["interfaces"]:
        lines += [
            f"addr add {interface['address']}/24 dev {interface['name']}",
            f"link set dev {interface['name']} up",
        ]
    lines += [f"route add {subnet} via {hop}" for subnet, hop in part["routes"]]
    lines += [f"link set dev {interface} up" for interface in part["ports"]]
    batch(lines)


def wait_forwarding(ports, seconds=20):
    """Waits until each of these switch ports forwards, so that the first packet is not lost."""
    deadline = time.monotonic() + seconds
    while True:
        state = {}
        for name, link in links("-details").items():
            state[name] = link.get("linkinfo", {}).get("info_slave_data", {}).get("state")
        waiting = [name for name in ports if state.get(name) != "forwarding"]
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise LinkError(f"no link after {seconds} s: {', '.join(waiting)}")
        time.sleep(0.005)


def parse_rate(text):
    """ "1gbit", "500kbit" → bits per second."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kmg]?)bit", text.lower())
    if not match or float(match[1]) <= 0:
        raise LinkError(f"{text!r} is no rate; write one like 10mbit or 1.5gbit")
    return int(float(match[1]) * {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}[match[2]])


def tbf(device, bits_per_second):
    """The tc command that shapes what leaves `device`."""
    # What the bucket holds passes at the machine's speed, so it is small; but one that is not served in time loses
    # the rate, and processes that share cores hold the kernel's timers up for most of a millisecond. Of a fast link
    # it must hold a whole segment of 64 KiB, too.
    burst = max(8192, bits_per_second // 8 // 1000)
    return [
        "tc", "qdisc", "replace", "dev", device, "root", "tbf",
        "rate", str(bits_per_second), "burst", str(burst), "latency", "100ms",
    ]  # fmt: skip


def links(*options):
    """{name: what `ip -json link` says} of the namespace we are in."""
    return {link["ifname"]: link for link in json.loads(run(["ip", "-json", *options, "link", "show"]))}


def parse_end(text, nodes):
    """ "n1:en2" → ("n1", "en2")."""
    node, _, interface = text.partition(":")
    if node not in nodes or not INTERFACE.fullmatch(interface) or interface == "lo":
        raise LinkError(f"{text!r} is no end of a cable; write one like n1:en2")
    return node, interface


def cable(ends, pids, rate):
    """Joins ends[0] with ends[1], ends[2] with ends[3] … Run in the supervisor's network namespace.

    `pids` here are those of this process' own PID namespace.
    """
    existing = links()
    lines, number = [], 0
    for a, b in zip(ends[::2], ends[1::2]):
        for node, interface in (a, b):
            if port(node, interface) in existing:
                raise LinkError(f"{node}:{interface} is in use; `cluster uncable {node}:{interface}` first")
        while f"cable{number}" in existing:
            number += 1
        lines += _cable_lines(number, (a, b), pids)
        number += 1
    batch(lines)
    if rate:
        for node, interface in ends:
            run(tbf(port(node, interface), parse_rate(rate)))


def cable_ports(node, interface):
    """The bridge of a cable and its two switch-side ports."""
    existing = links()
    bridge = existing.get(port(node, interface), {}).get("master", "")
    if not bridge.startswith("cable"):
        raise LinkError(f"{node}:{interface} has no cable")
    return bridge, [name for name, link in existing.items() if link.get("master") == bridge]


def uncable(node, interface):
    bridge, ports = cable_ports(node, interface)
    batch([f"link del dev {name}" for name in [*ports, bridge]])
