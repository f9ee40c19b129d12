"""Builds the programs that measure the peers, each with its library, and says of each that cannot be built why."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "apps" / "bench" / "peers"


def commands(build: Path, mlx: Path) -> dict:
    """{program: argv that builds it}. Pure."""
    flags = ["-std=c++20", "-O2", "-pthread", f"-I{ROOT / 'apps'}", f"-I{ROOT / 'lib/base/include'}"]
    archives = [str(build / "lib" / f"libjackal_{name}.a") for name in ("bench_method", "cli", "hostfile", "base")] + ["-lfmt"]

    def compiled(program, compiler, source, *libraries, before=()):
        return [compiler, *flags, *before, str(SOURCES / source), "-o", str(build / "peers" / program), *libraries]

    found_mlx = mlx / "lib"
    return {
        "distance": compiled("distance", "g++", "distance.cpp"),
        "openmpi": compiled("openmpi", "mpicxx.openmpi", "mpi.cpp", *archives),
        "mpich": compiled("mpich", "mpicxx.mpich", "mpi.cpp", *archives),
        "gloo": compiled("gloo", "g++", "gloo.cpp", *archives, "-lgloo"),
        "mlx": compiled("mlx", "g++", "mlx.cpp", *archives, f"-L{found_mlx}", "-lmlx", f"-Wl,-rpath,{found_mlx}",
                        "-Wl,--allow-shlib-undefined", before=("-isystem", str(mlx / "include"))),
    }  # fmt: skip


def build_all(build: Path) -> dict:
    """{program: problem, empty where it was built}. What is newer than its sources stays."""
    (build / "peers").mkdir(parents=True, exist_ok=True)
    mlx = Path(sysconfig.get_paths()["purelib"]) / "mlx"
    return {program: _built(program, argv, build) for program, argv in commands(build, mlx).items()}


def _built(program: str, argv: list, build: Path) -> str:
    target = build / "peers" / program
    sources = [*SOURCES.iterdir(), build / "lib" / "libjackal_bench_method.a"]
    if target.exists() and target.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return ""
    if not shutil.which(argv[0]):
        return f"no {argv[0]} here: scripts/setup --bench installs it"
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    errors = [line for line in done.stderr.splitlines() if "error" in line or "cannot find" in line]
    return f"does not build: {(errors or done.stderr.splitlines() or ['no message'])[0].strip()}"
