"""What a cluster looks like, worked out before anything is touched. Pure.

A plan is a plain dictionary, because it travels as JSON from `up` to the supervisor and into
DIR/state.json. LAN 0 holds the head and every node that nobody hides; LAN k holds the nodes behind the
k-th gateway, which has a second interface there and forwards between nodes. The head has no route to a
LAN but its own, so it reaches hidden nodes through their gateway's sshd alone.

All addresses live inside namespaces that have no way out, so two clusters may use the same ones.
"""

import json
import re
import shlex
import shutil

HEAD = "head"
MAX_NODES = 250
_HEAD_HOST_PART = 254
INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,9}")
_SHELLS = ("bash", "dash", "zsh", "fish", "tcsh", "busybox", "sh", "ksh", "mksh")


class PlanError(Exception):
    pass


class MissingTool(PlanError):
    pass


def node_names(count):
    return [f"n{i}" for i in range(1, count + 1)]


def address(lan, host_part):
    return f"10.77.{lan}.{host_part}"


def per_node(values, names, option, default):
    """Spreads ["2222", "n2=22"] over the nodes: a bare value is for all, NODE=VALUE for one."""
    result = {name: default for name in names}
    bare = [v for v in values if v.partition("=")[0] not in names or "=" not in v]
    for value in bare:
        for name in names:
            result[name] = value
    for value in values:
        if value not in bare:
            name, _, own = value.partition("=")
            result[name] = own
    for name, value in result.items():
        if value == "":
            raise PlanError(f"{option}: empty value for {name}")
    return result


def find_shell(name):
    if name.startswith("/"):
        return name
    if name not in _SHELLS:
        raise PlanError(f"--shell: {name!r} is neither a path nor one of {', '.join(_SHELLS)}")
    path = shutil.which(name)
    if path is None:
        raise MissingTool(f"the login shell {name} is not installed")
    return path


def _parse_behind(values, names):
    """["n1=n2,n3"] → {"n2": "n1", "n3": "n1"}; refuses circles and unknown names."""
    gateway_of = {}
    for value in values:
        gateway, _, hidden = value.partition("=")
        for name in [gateway, *hidden.split(",")]:
            if name not in names:
                raise PlanError(f"--behind {value}: there is no node {name!r}")
        for name in hidden.split(","):
            if name in gateway_of:
                raise PlanError(f"--behind {value}: {name} is already behind {gateway_of[name]}")
            gateway_of[name] = gateway
    for name in gateway_of:
        seen, at = {name}, name
        while at in gateway_of:
            at = gateway_of[at]
            if at in seen:
                raise PlanError(f"--behind: {name} would be behind itself")
            seen.add(at)
    return gateway_of


def _number(text, option, low, high):
    if not re.fullmatch(r"[0-9]{1,9}", str(text)) or not low <= int(text) <= high:
        raise PlanError(f"{option}: {text!r} is not a number from {low} to {high}")
    return int(text)


def _parse_cables(values, names):
    """["n1:en2,n2:en3,1gbit", "n1:en4,-", "n1:en5"] → [{"ends", "plugged", "rate"}]."""
    cables, taken = [], set()
    for value in values:
        words = value.split(",")
        ends = [word for word in words if ":" in word]
        rest = words[len(ends) :]
        plugged = len(ends) == 2 or rest[:1] == ["-"]
        if len(ends) == 1 and plugged:
            rest = rest[1:]
        if len(ends) not in (1, 2) or words[: len(ends)] != ends or len(rest) > 1 or (rest and not plugged):
            raise PlanError(f"--cable {value}: write NODE:PORT,NODE:PORT[,RATE], NODE:PORT,- or NODE:PORT")
        parsed = [tuple(end.split(":", 1)) for end in ends]
        for node, interface in parsed:
            if node not in names or not INTERFACE.fullmatch(interface) or interface == "lo":
                raise PlanError(f"--cable {value}: {node}:{interface} is no port of a node")
            if (node, interface) in taken:
                raise PlanError(f"--cable {value}: {node}:{interface} is named twice")
            taken.add((node, interface))
        cables.append({"ends": parsed, "plugged": plugged, "rate": rest[0] if rest else None})
    return cables


def _interfaces(names, gateway_of, lan_name):
    """Every node's LAN interfaces: {"name", "lan", "address"}, its own LAN first."""
    gateways = []
    for name in names:
        if gateway_of.get(name) and gateway_of[name] not in gateways:
            gateways.append(gateway_of[name])
    lan_behind = {gateway: k for k, gateway in enumerate(gateways, start=1)}
    interfaces = {}
    for index, name in enumerate(names, start=1):
        home = lan_behind[gateway_of[name]] if name in gateway_of else 0
        interfaces[name] = [{"name": lan_name, "lan": home, "address": address(home, index)}]
        if name in lan_behind:
            lan = lan_behind[name]
            interfaces[name].append({"name": f"{lan_name}-{lan}", "lan": lan, "address": address(lan, index)})
    return interfaces, len(gateways) + 1


def _routes(name, interfaces, gateways):
    """Next hop to every LAN that `name` is not on: a walk over the tree of LANs."""
    first_hop = {i["lan"]: None for i in interfaces[name]}
    queue = list(first_hop)
    while queue:
        lan = queue.pop(0)
        for gateway in gateways:
            own = {i["lan"]: i["address"] for i in interfaces[gateway]}
            if lan not in own:
                continue
            for other in own:
                if other not in first_hop:
                    first_hop[other] = first_hop[lan] or own[lan]
                    queue.append(other)
    return [[f"{address(lan, 0)}/24", hop] for lan, hop in sorted(first_hop.items()) if hop]


def make_plan(options):
    """The plan for parsed command-line options (an argparse namespace)."""
    count = _number(options.nodes, "--nodes", 1, MAX_NODES)
    names = node_names(count)
    users = per_node(options.user, names, "--user", "jackal")
    ports = per_node(options.port, names, "--port", "22")
    shells = per_node(options.shell, names, "--shell", "bash")
    path_dirs = per_node(options.path_dir, names, "--path-dir", None)
    if not re.fullmatch(r"[a-z][a-z0-9]{0,5}", options.lan_name):
        raise PlanError(f"--lan-name: {options.lan_name!r} is no short interface name")
    for folder in options.folder:
        if not re.fullmatch(r"/[A-Za-z0-9_.-]+", folder):
            raise PlanError(f"--folder {folder}: only a folder directly below / can be given")
    boots = per_node(options.boot, names, "--boot", None)
    cables = _parse_cables(options.cable, names)
    gateway_of = _parse_behind(options.behind, names)
    interfaces, lans = _interfaces(names, gateway_of, options.lan_name)
    gateways = sorted(set(gateway_of.values()))
    nodes = {}
    for name in names:
        user = users[name]
        if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,30}", user):
            raise PlanError(f"--user: {user!r} is no user name")
        path_dir = path_dirs[name]
        nodes[name] = {
            "user": user,
            "uid": 0 if user == "root" else _number(options.uid, "--uid", 0, 60000),
            "port": _number(ports[name], "--port", 1, 65535),
            "shell": find_shell(shells[name]),
            "interfaces": interfaces[name],
            "routes": _routes(name, interfaces, gateways),
            "forward": name in gateways,
            "behind": gateway_of.get(name),
            "path_dir": path_dir.replace("{node}", name) if path_dir else None,
            "sshd_options": list(options.sshd_option),
            "ports": [end[1] for cable in cables for end in cable["ends"] if end[0] == name],
            "folders": list(options.folder),
            "boot": shlex.split(boots[name]) if boots[name] else [],
        }
    head = {
        "user": "root",
        "uid": 0,
        "shell": find_shell("bash"),
        "interfaces": [{"name": options.lan_name, "lan": 0, "address": address(0, _HEAD_HOST_PART)}],
        "routes": [],
        "forward": False,
        "ports": [],
        "folders": [],
        "boot": [],
    }
    return {
        "nodes": nodes,
        "head": head,
        "lans": lans,
        "cables": cables,
        "agent": options.agent,
        "tmp_size": options.tmp_size,
        "keep": list(options.keep),
    }


def members(plan):
    """Head and nodes alike, as (name, its part of the plan)."""
    return [(HEAD, plan["head"]), *plan["nodes"].items()]


def _quoted(path):
    return f'"{path}"' if re.search(r"\s", path) else path


def ssh_config(plan, directory):
    lines = []
    for name, node in plan["nodes"].items():
        lines += [
            f"Host {name}",
            f"  HostName {node['interfaces'][0]['address']}",
            f"  Port {node['port']}",
            f"  User {node['user']}",
            f"  UserKnownHostsFile {_quoted(directory + '/known_hosts')}",
            "  StrictHostKeyChecking yes",
        ]
        if not plan["agent"]:
            lines.append(f"  IdentityFile {_quoted(directory + '/id')}")
        if node["behind"]:
            lines.append(f"  ProxyJump {node['behind']}")
        lines.append("")
    return "\n".join(lines)


def known_hosts(plan, host_keys):
    """host_keys: {node: "ssh-ed25519 AAAA…"}; a port other than 22 is part of the name."""
    lines = []
    for name, node in plan["nodes"].items():
        hosts = [name, *(i["address"] for i in node["interfaces"])]
        if node["port"] != 22:
            hosts = [f"[{host}]:{node['port']}" for host in hosts]
        lines.append(f"{','.join(hosts)} {host_keys[name]}\n")
    return "".join(lines)


def host_file(plan):
    hosts = [{"ssh": n, "ips": [node["interfaces"][0]["address"]]} for n, node in plan["nodes"].items()]
    return "[\n" + ",\n".join("  " + json.dumps(host) for host in hosts) + "\n]\n"


def etc_hosts(plan):
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    for name, part in members(plan):
        lines += [f"{interface['address']} {name}" for interface in part["interfaces"]]
    return "\n".join(lines) + "\n"
