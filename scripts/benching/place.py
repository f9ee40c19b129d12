"""Where it is measured: this machine, and virtual nodes on it."""

import contextlib
import datetime
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tests" / "cluster" / "cluster"


def warn_when_busy(program: str):
    if os.getloadavg()[0] > 0.5 * os.cpu_count():
        print(f"{program}: the machine is busy (load {os.getloadavg()[0]:.1f}): the times will tell little",
              file=sys.stderr)


@contextlib.contextmanager
def virtual_nodes(up: list):
    """Brings nodes up by that command and takes them down; they end with this process at the latest."""
    directory = subprocess.run(
        [*up, "--owner", str(os.getpid())], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    try:
        yield directory
    finally:
        subprocess.run([CLUSTER, "down", directory], check=False)


def surroundings(program: str) -> dict:
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
                   f"load {os.getloadavg()[0]:.1f}",
        "commit": first_line("git", "describe", "--always", "--dirty"),
        "command": "`" + shlex.join([program, *sys.argv[1:]]) + "`",
    }


def first_line(*argv) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
