"""Who is compared with whom: a scene is a place (this machine, or N nodes) and the commands that start `true` there."""

import shlex
from dataclasses import dataclass

OURS = "launch"
BARE, HELD = "ssh in parallel", "ssh in parallel, curve25519"


@dataclass(frozen=True)
class Contender:
    name: str
    argv: tuple
    env: tuple = ()  # (name, value) pairs


@dataclass(frozen=True)
class Scene:
    name: str
    contenders: tuple
    # contender → how many times as long as ours it should take at least; "" stands for the fastest of the others
    aims: dict


# The aims over SSH, by the number of nodes, against bare ssh and the same held to a cheap key exchange.
SSH_AIMS = {1: (1.0, 1 / 1.15), 8: (2.0, 1.0), 32: (3.5, 1.2)}


def local(launch: str, ranks: int) -> Scene:
    count = str(ranks)
    return Scene(
        f"this machine, {ranks} rank{'s' * (ranks > 1)}",
        (
            Contender(OURS, (launch, "-n", count, "--", "true")),
            Contender("Open MPI", ("mpirun.openmpi", "--allow-run-as-root", "--oversubscribe", "-np", count, "true")),
            Contender("MPICH", ("mpiexec.hydra", "-n", count, "true")),
        ),
        {"": 1.0},
    )


def remote(launch: str, ssh_config: str, nodes: int) -> Scene:
    names = [f"n{i}" for i in range(1, nodes + 1)]
    joined = ",".join(names)
    openmpi = ("mpirun.openmpi", "--allow-run-as-root", "--mca", "plm_rsh_agent", "ssh", "--mca", "plm_rsh_args",
               f"-F {shlex.quote(ssh_config)}", "--host", joined, "-np", str(nodes), "true")
    clush = ("clush", "-S", "-f", "64", "-o", f"-F {shlex.quote(ssh_config)}", "-w", joined, "true")
    bare, held = SSH_AIMS.get(nodes, (None, None))
    aims = {name: aim for name, aim in ((BARE, bare), (HELD, held)) if aim}
    return Scene(
        f"{nodes} node{'s' * (nodes > 1)} over SSH",
        (
            Contender(OURS, (launch, "--ssh-config", ssh_config, "--hosts", joined, "--", "true")),
            Contender(BARE, _parallel_ssh(ssh_config, names)),
            Contender(HELD, _parallel_ssh(ssh_config, names, "-oKexAlgorithms=curve25519-sha256")),
            Contender("clush", clush),
            Contender("pdsh", ("pdsh", "-S", "-R", "ssh", "-f", "64", "-w", joined, "true"),
                      (("PDSH_SSH_ARGS", f"-F {ssh_config} %h"),)),
            Contender("Open MPI", openmpi),
        ),
        aims,
    )


def _parallel_ssh(ssh_config: str, names: list, *options: str) -> tuple:
    script = (
        'config=$1 options=$2; shift 2; pids=""\n'
        'for host; do ssh -F "$config" $options "$host" true & pids="$pids $!"; done\n'
        "for pid in $pids; do wait $pid || exit 1; done"
    )
    return ("/bin/sh", "-c", script, "sh", ssh_config, " ".join(options), *names)
