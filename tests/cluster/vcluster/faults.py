"""Breaking a node on purpose, and healing it.

Faults of a link act on the switches' side, so that nothing inside the node can tell them from a real
cable, and nothing there is refused: packets vanish. Every fault may be repeated and every heal too.
"""

import errno
import os
import signal
import time

from . import enter, kernel, network, node
from .plan import HEAD


class FaultError(Exception):
    pass


class Target:
    """The node that a fault is for."""

    def __init__(self, directory, current, name):
        self.directory = directory
        self.name = name
        self.part = current["plan"]["head"] if name == HEAD else current["plan"]["nodes"].get(name)
        self.identity = enter.identity(current, name)
        self.supervisor = current["supervisor"]
        self.tmp_size = current["plan"]["tmp_size"]

    def at_switch(self, function, *arguments):
        return enter.call(self.supervisor, ("net",), function, *arguments)

    def inside(self, function, *arguments):
        return enter.call(self.identity, ("pid", "net", "uts", "ipc", "mnt"), function, *arguments)

    def lan_ports(self):
        return [network.port(self.name, i["name"]) for i in self.part["interfaces"]]

    def needs_sshd(self):
        if self.name == HEAD:
            raise FaultError("the head has no sshd")


# --- the LAN -------------------------------------------------------------------------------------------


def _table(target, kind):
    return f"bridge {target.name}_{kind}"


def _drop(target, kind, condition):
    """Drops what is forwarded from or to the node's LAN ports."""
    ports = ", ".join(f'"{port}"' for port in target.lan_ports())
    table = _table(target, kind)
    rules = "".join(f"    {side} {{ {ports} }} {condition} drop\n" for side in ("iifname", "oifname"))
    script = (
        f"table {table}\ndelete table {table}\ntable {table} {{\n  chain faults {{\n"
        f"    type filter hook forward priority 0;\n{rules}  }}\n}}\n"
    )
    target.at_switch(network.run, ["nft", "-f", "-"], script)


def _stop_dropping(target, kind):
    table = _table(target, kind)
    target.at_switch(network.run, ["nft", "-f", "-"], f"table {table}\ndelete table {table}\n")


def lan_cut(target):
    _drop(target, "lan_cut", "")


def heal_lan_cut(target):
    _stop_dropping(target, "lan_cut")


def lan_loss(target, percent):
    if not percent.isdigit() or not 0 < int(percent) <= 100:
        raise FaultError(f"lan-loss: {percent!r} is no percentage from 1 to 100")
    _drop(target, "lan_loss", f"numgen random mod 100 < {int(percent)}")


def heal_lan_loss(target):
    _stop_dropping(target, "lan_loss")


def slow(target, rate):
    bits = network.parse_rate(rate)
    for interface in target.part["interfaces"]:
        target.at_switch(network.run, network.tbf(network.port(target.name, interface["name"]), bits))
        target.inside(network.run, network.tbf(interface["name"], bits))


def _remove_tbf(device):
    if "tbf" in network.run(["tc", "qdisc", "show", "dev", device]):
        network.run(["tc", "qdisc", "del", "dev", device, "root"])


def heal_slow(target):
    for interface in target.part["interfaces"]:
        target.at_switch(_remove_tbf, network.port(target.name, interface["name"]))
        target.inside(_remove_tbf, interface["name"])


# --- cables --------------------------------------------------------------------------------------------


def _set_cable(node_name, interface, up):
    _, ports = network.cable_ports(node_name, interface)
    network.batch([f"link set dev {port} {'up' if up else 'down'}" for port in ports])


def cable_cut(target, interface):
    target.at_switch(_set_cable, target.name, interface, False)


def heal_cable_cut(target, interface=None):
    if interface:
        target.at_switch(_set_cable, target.name, interface, True)
        return
    for name, link in target.at_switch(network.links).items():
        if name.startswith(target.name + ".") and link.get("master", "").startswith("cable"):
            target.at_switch(_set_cable, target.name, name.partition(".")[2], True)


# --- sshd ----------------------------------------------------------------------------------------------


def _stop_sshd():
    pid = node.sshd_pid()
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while node.sshd_pid() is not None:
        if time.monotonic() > deadline:
            raise FaultError("sshd does not stop within 10 s")
        time.sleep(0.002)


def _start_sshd(log_fd):
    if node.sshd_pid() is None:
        node.start_sshd(log_fd)


def sshd_stop(target):
    """The listener ends and its port refuses; sessions that exist live on."""
    target.needs_sshd()
    target.inside(_stop_sshd)


def sshd_start(target):
    target.needs_sshd()
    log_fd = os.open(f"{target.directory}/log/{target.name}", os.O_RDWR | os.O_APPEND)
    try:
        target.inside(_start_sshd, log_fd)
    finally:
        os.close(log_fd)


def _set_authorized_keys(text):
    with open(node.AUTHORIZED_KEYS, "w", encoding="utf-8") as file:
        file.write(text)


def auth_refuse(target):
    target.needs_sshd()
    target.inside(_set_authorized_keys, "")


def heal_auth_refuse(target):
    if target.name != HEAD:
        with open(f"{target.directory}/id.pub", encoding="utf-8") as file:
            target.inside(_set_authorized_keys, file.read())


def _swap_host_key():
    if not os.path.exists(node.HOST_KEY + ".first"):
        os.rename(node.HOST_KEY, node.HOST_KEY + ".first")
    node.make_host_key()


def _restore_host_key():
    if not os.path.exists(node.HOST_KEY + ".first"):
        return False
    os.rename(node.HOST_KEY + ".first", node.HOST_KEY)
    return True


def host_key_change(target):
    target.needs_sshd()
    target.inside(_swap_host_key)
    sshd_stop(target)
    sshd_start(target)


def heal_host_key_change(target):
    if target.name != HEAD and target.inside(_restore_host_key):
        sshd_stop(target)
        sshd_start(target)


# --- disk ----------------------------------------------------------------------------------------------


def _used_bytes(path):
    info = os.statvfs(path)
    return (info.f_blocks - info.f_bfree) * info.f_frsize


def _resize(path, size):
    flags = kernel.MS_REMOUNT | kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("tmpfs", path, "tmpfs", flags, f"size={size}")


def _shrink(path):
    # Shrunk to what is in use: full at once, and it takes no memory.
    _resize(path, max(_used_bytes(path), 4096))
    fd = os.open(os.path.join(path, ".disk-full"), os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(fd, b"x" * 4096):
            pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    finally:
        os.close(fd)


def disk_full(target):
    target.inside(_shrink, "/tmp")


def _grow(path, size):
    _resize(path, size)
    if os.path.exists(os.path.join(path, ".disk-full")):
        os.unlink(os.path.join(path, ".disk-full"))


def heal_disk_full(target):
    target.inside(_grow, "/tmp", target.tmp_size)


# --- by name -------------------------------------------------------------------------------------------

# kind: (break, heal, names of its arguments)
KINDS = {
    "lan-cut": (lan_cut, heal_lan_cut, []),
    "lan-loss": (lan_loss, heal_lan_loss, ["PERCENT"]),
    "slow": (slow, heal_slow, ["RATE"]),
    "cable-cut": (cable_cut, heal_cable_cut, ["INTERFACE"]),
    "sshd-stop": (sshd_stop, sshd_start, []),
    "sshd-start": (sshd_start, None, []),
    "auth-refuse": (auth_refuse, heal_auth_refuse, []),
    "host-key-change": (host_key_change, heal_host_key_change, []),
    "disk-full": (disk_full, heal_disk_full, []),
}


def _find(kind):
    if kind not in KINDS:
        raise FaultError(f"unknown fault {kind!r}; there are {', '.join(KINDS)}")
    return KINDS[kind]


def fault(target, kind, arguments):
    function, _, names = _find(kind)
    if len(arguments) != len(names):
        raise FaultError(f"{kind} takes {' '.join(names) or 'no argument'}")
    function(target, *arguments)


def heal(target, kind, arguments):
    if kind is None:
        for name, (_, healer, _) in KINDS.items():
            if healer and not (target.name == HEAD and name == "sshd-stop"):
                healer(target)
        return
    _, healer, names = _find(kind)
    if healer is None:
        raise FaultError(f"there is nothing to heal about {kind}")
    if kind == "cable-cut" and len(arguments) <= 1:
        healer(target, *arguments)
    elif arguments:
        raise FaultError(f"heal {kind} takes no argument")
    else:
        healer(target)
