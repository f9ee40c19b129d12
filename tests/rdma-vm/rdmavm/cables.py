"""Which cable joins which ranks, what its ends are called, and what the ranks are told. Pure."""

import json
from dataclasses import dataclass

SHARED = "/run/rdma-vm"  # in the guest
COORDINATOR = "127.0.0.1:29400"
NAMES = ("mesh", "ring")


@dataclass(frozen=True)
class End:
    rank: int
    interface: str  # no two ranks have the same: all of them share one network
    address: str

    @property
    def device(self) -> str:
        return f"rdma_{self.interface}"


@dataclass(frozen=True)
class Cable:
    ends: tuple  # two End


def neighbours(ranks: int, cabling: str) -> list:
    """The pairs (low, high) that are cabled, ascending."""
    if cabling == "mesh":
        return [(i, j) for i in range(ranks) for j in range(i + 1, ranks)]
    return sorted({tuple(sorted((i, (i + 1) % ranks))) for i in range(ranks) if ranks > 1})


def lay_cables(ranks: int, cabling: str, cables: int) -> list:
    """`cables` between each two neighbours. Interfaces count up from en2, rank by rank."""
    pairs = [(pair, k) for pair in neighbours(ranks, cabling) for k in range(cables)]
    ends = [(rank, pair, k) for rank in range(ranks) for pair, k in pairs if rank in pair]
    number = {end: 2 + i for i, end in enumerate(ends)}
    laid = []
    for i, (pair, k) in enumerate(pairs):
        network = f"10.99.{i // 64}"
        laid.append(Cable(tuple(
            End(rank, f"en{number[rank, pair, k]}", f"{network}.{i % 64 * 4 + 1 + side}")
            for side, rank in enumerate(pair)
        )))  # fmt: skip
    return laid


def device_matrix(ranks: int, cables: list) -> list:
    """As the `rdma` of a host file: null, a name, or several."""
    names = [[[] for _ in range(ranks)] for _ in range(ranks)]
    for cable in cables:
        for mine, other in (cable.ends, cable.ends[::-1]):
            names[mine.rank][other.rank].append(mine.device)
    return [[(entry[0] if len(entry) == 1 else entry) if entry else None for entry in row] for row in names]


def job_files(ranks: int, cables: list, cabling: str, secret: str) -> dict:
    """The files that the environment of every rank names."""
    matrix = device_matrix(ranks, cables)
    hosts = [{"ssh": f"mac{i + 1}", "ips": [f"127.0.0.{i + 1}"], "rdma": matrix[i]} for i in range(ranks)]
    backend = "jaccl" if cabling == "mesh" else "jaccl-ring"
    return {
        "devices.json": json.dumps(matrix),
        "hosts.json": json.dumps({"backend": backend, "envs": [], "hosts": hosts}),
        "secret": secret,
    }


def rank_environment(rank: int, ranks: int, cabling: str) -> dict:
    """What launch gives a rank that is alone on its host."""
    env = {
        "JACKAL_RANK": rank, "JACKAL_SIZE": ranks, "JACKAL_LOCAL_RANK": 0, "JACKAL_LOCAL_SIZE": 1,
        "JACKAL_COORDINATOR": COORDINATOR, "JACKAL_HOSTFILE": f"{SHARED}/hosts.json", "JACKAL_JOB": "rdma-vm",
        "JACKAL_SECRET_FILE": f"{SHARED}/secret",
        "MLX_RANK": rank, "MLX_IBV_DEVICES": f"{SHARED}/devices.json", "MLX_JACCL_COORDINATOR": COORDINATOR,
    }  # fmt: skip
    if cabling == "ring":
        env["MLX_JACCL_RING"] = 1
    return {name: str(value) for name, value in env.items()}


def parse_fault(text: str) -> dict:
    """KIND=WHAT[@SECONDSs or @LINE]; ValueError says what is wrong."""
    what, _, when = text.partition("@")
    kind, _, value = what.partition("=")
    at = 0.0
    if when[:1].isdigit():
        if not when.endswith("s"):
            raise ValueError(f"'{when}' is no time: write 2s")
        at = float(when[:-1])
    elif when:
        at = when
    if kind == "loss":
        if not value.endswith("%") or not 0 <= float(value[:-1]) <= 100:
            raise ValueError(f"'{value}' is no share of packets: write 2%")
        return {"kind": kind, "percent": value, "at": at}
    if kind == "down":
        if not value.startswith("rdma_en"):
            raise ValueError(f"'{value}' is no device: write rdma_en2")
        return {"kind": kind, "interface": value.removeprefix("rdma_"), "at": at}
    if kind == "kill":
        return {"kind": kind, "rank": int(value), "at": at}
    raise ValueError(f"'{kind}' is no fault: there are loss, down, kill")
