"""What the tests with other people's programs share: MLX, its own launcher, Open MPI, and what a rank was given."""

import json
import random
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "clients"
SUMS = PROGRAMS / "sums.py"
SHOW = PROGRAMS / "show.py"
PYTHON = Path(sys.executable)  # scripts/test runs pytest with the .venv that scripts/setup made
MLX_LAUNCH = PYTHON.parent / "mlx.launch"
DEADLINE = 100  # s; generous: it only ends a test that hangs


def need_mlx():
    if not MLX_LAUNCH.exists():
        pytest.skip(f"{MLX_LAUNCH} is missing: run with the Python of .venv, which scripts/setup makes")


def need_open_mpi():
    """The directory of Open MPI's mpirun, whatever other mpirun there is."""
    for name in ("mpirun.openmpi", "mpirun"):
        found = shutil.which(name)
        said = found and subprocess.run([found, "--version"], text=True, capture_output=True).stdout
        if said and "Open MPI" in said:
            return Path(found)
    pytest.skip("no Open MPI: scripts/setup installs it")


def run(argv, **options):
    options = {"text": True, "capture_output": True, "timeout": DEADLINE, "stdin": subprocess.DEVNULL, **options}
    if "input" in options:
        del options["stdin"]
    return subprocess.run([str(word) for word in argv], check=False, **options)


def lines(result):
    """The sorted lines of a run that went well: ranks print in no order."""
    assert result.returncode == 0, result
    return sorted(result.stdout.splitlines())


def free_ports(count):
    """The first of `count` consecutive ports nobody has, below those that the system hands out."""
    for _ in range(1000):
        first = random.randrange(10_000, 20_000 - count)
        sockets = []
        try:
            for port in range(first, first + count):
                sockets.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise RuntimeError(f"no {count} free ports")


def shown(directory, ranks):
    """What each rank of show.py wrote, in rank order; that nobody else wrote is part of it."""
    names = sorted(path.name for path in Path(directory).iterdir())
    assert names == sorted(f"{rank}.json" for rank in range(ranks))
    return [json.loads((Path(directory) / f"{rank}.json").read_text()) for rank in range(ranks)]


def folder(parent, name):
    """A new directory that every user and node may write."""
    made = Path(parent) / name
    made.mkdir()
    made.chmod(0o777)
    return made
