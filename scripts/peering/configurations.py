"""Who is compared with us, and the command that starts each. Pure."""

from dataclasses import dataclass

ALL_REDUCE = ("all_reduce",)
MPI_OPS = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "barrier", "all_to_all")
OURS = "jackal"
OWN_ORDINARY = "jackal-ordinary"  # we ourselves, held against our own buffers


@dataclass(frozen=True)
class Configuration:
    name: str
    transport: str  # shm or tcp
    program: str  # what it measures with: openmpi, mpich, gloo, mlx; jackal for ourselves
    ops: tuple
    options: tuple = ()  # of the starter
    arguments: tuple = ()  # of the program
    most_bytes: int = 1 << 62  # larger sizes hang or take minutes
    quick: bool = False  # one of the few that --quick takes


def _openmpi(name, transport, *options, ops=MPI_OPS, quick=False):
    return Configuration(name, transport, "openmpi", ops, options, quick=quick)


def _mpich(name, transport, *env, ops=MPI_OPS, bind=True, quick=False):
    options = tuple(word for pair in env for word in ("-genv", *pair))
    return Configuration(name, transport, "mpich", ops, options if bind else ("-bind-to", "none", *options), quick=quick)


def _gloo(algorithm, *more, most_bytes=1 << 62, quick=False):
    return Configuration(f"gloo-{algorithm}", "tcp", "gloo", ALL_REDUCE, (), ("--algorithm", algorithm, *more), most_bytes, quick)


_VADER = ("--mca", "pml", "ob1", "--mca", "btl", "self,vader")
_RELEASE_GATHER = tuple(
    (f"MPIR_CVAR_{op}_POSIX_INTRA_ALGORITHM", "release_gather") for op in ("ALLREDUCE", "BCAST", "REDUCE", "BARRIER"))
_APART = ("MPIR_CVAR_NOLOCAL", "1")  # ranks of one host treat each other as if they were on two
# Blocks at larger sizes: both sides send before either receives.
_SYNC_BYTES = 4 << 20

CONFIGURATIONS = (
    _openmpi("ompi-vader-cma", "shm", *_VADER, quick=True),
    _openmpi("ompi-vader-nocma", "shm", *_VADER, "--mca", "btl_vader_single_copy_mechanism", "none"),
    _openmpi("ompi-ucx-shm", "shm", "--mca", "pml", "ucx", "--mca", "pml_ucx_tls", "any", "--mca", "pml_ucx_devices", "any",
             "-x", "UCX_TLS=self,sm", quick=True),
    _openmpi("ompi-collsm", "shm", *_VADER, "--mca", "coll_sm_priority", "100", ops=("all_reduce", "broadcast", "barrier"),
             quick=True),
    _mpich("mpich-shm", "shm", quick=True),
    _mpich("mpich-shm-relgather", "shm", *_RELEASE_GATHER, ops=("all_reduce", "broadcast", "barrier")),
    _mpich("mpich-ucx-shm", "shm", _APART, ("UCX_TLS", "self,sm")),
    _mpich("mpich-shm-nobind", "shm", bind=False),
    _openmpi("ompi-tcp", "tcp", "--mca", "pml", "ob1", "--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "lo",
             quick=True),
    _mpich("mpich-ucx-tcp", "tcp", _APART, ("UCX_TLS", "self,tcp"), ("UCX_NET_DEVICES", "lo"), quick=True),
    _gloo("ring"),
    _gloo("bcube"),
    _gloo("halving-doubling", "--in-place"),
    _gloo("halving-doubling-sync", "--in-place", most_bytes=_SYNC_BYTES),
    _gloo("halving-doubling-busy", "--in-place", most_bytes=_SYNC_BYTES, quick=True),
    Configuration("mlx-ring", "tcp", "mlx", ALL_REDUCE, quick=True),
)


def own_ordinary(transport: str) -> Configuration:
    return Configuration(OWN_ORDINARY, transport, OURS, MPI_OPS, quick=True)


@dataclass(frozen=True)
class Surroundings:
    launch: str
    programs: str  # the directory of the peers' programs
    jackal_bench: str
    cores: int


def command(who: Configuration, ranks: int, arguments: list, where: Surroundings, meeting: str) -> list:
    """Ranks have a core each, where there are enough; `meeting` is an empty directory."""
    own_cores = ranks <= where.cores
    words = [*arguments, *who.arguments]
    program = f"{where.programs}/{who.program}"
    if who.program == "openmpi":
        placed = ["--bind-to", "core"] if own_cores else ["--oversubscribe", "--bind-to", "none"]
        return ["mpirun.openmpi", "--allow-run-as-root", "-n", str(ranks), *placed, *who.options, program, *words]
    if who.program == "mpich":
        placed = ["-bind-to", "core"] if own_cores and "-bind-to" not in who.options else []
        return ["mpiexec.hydra", "-n", str(ranks), *placed, *who.options, program, *words]
    pin = ["--pin"] if own_cores else []
    if who.program == "gloo":
        return [where.launch, "-n", str(ranks), "--env", f"GLOO_MEETING={meeting}", "--", program, *words, *pin]
    if who.program == "mlx":
        return [where.launch, "-n", str(ranks), "--backend", "ring", "--", program, *words, *pin]
    return [where.launch, "-n", str(ranks), "--", where.jackal_bench, *words, "--transport", who.transport, *pin]


def chosen(transport: str, op: str, names: list, quick: bool) -> list:
    """Those that can do `op` over `transport`: the named ones, else all, or the few."""
    able = [c for c in CONFIGURATIONS if c.transport == transport and op in c.ops]
    if names:
        return [c for c in able if c.name in names]
    return [c for c in able if c.quick or not quick]
