"""Runs one launch after another and times nothing itself: the programs do."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

from . import rows
from .configurations import Configuration, Surroundings, command
from .pairs import Pair, Scene

ONE_LAUNCH_SECONDS = 150


class Failed(Exception):
    pass


def run(argv: list, seconds: float) -> str:
    """Standard output of a command that ends well in that time; what it started ends with it."""
    try:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, errors="replace", start_new_session=True)
    except OSError as error:
        raise Failed(f"could not start {argv[0]}: {error.strerror}") from error
    try:
        out, said = process.communicate(timeout=seconds)
    except BaseException as error:
        _end(process)
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failed(f"still running after {seconds:g} s") from error
        raise
    if process.returncode:
        lines = [line.strip() for line in said.splitlines() if line.strip()] or ["no message"]
        raise Failed(f"exit status {process.returncode}: {lines[0]}")
    return out


def _end(process):
    """The starters end their ranks when they are asked to; whoever stays is killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.communicate(timeout=10)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def distance(where: Surroundings, seconds: float) -> float:
    """Nanoseconds of a cache line's round trip between two cores."""
    text = run([f"{where.programs}/distance", f"{seconds:g}"], seconds + 30)
    try:
        value = float(text)
    except ValueError as error:
        raise Failed(f"the distance of the cores is {text!r}") from error
    if not 0 < value < 1e9:
        raise Failed(f"the distance of the cores is {value} ns")
    return value


def measure(who: Configuration, scene: Scene, sizes: list, seconds: float, where: Surroundings) -> dict:
    """{bytes: median in µs} of one launch. Sizes that `who` cannot do are left out."""
    able = [size for size in sizes if size <= who.most_bytes]
    arguments = [scene.op, "--seconds", f"{seconds:g}"]
    if scene.op != "barrier":
        arguments += ["--sizes", ",".join(map(str, able))]
    if scene.rewrite:
        arguments.append("--rewrite")
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as directory:
        file = Path(directory) / "rows.json"
        meeting = Path(directory) / "meeting"
        meeting.mkdir()
        if who.program == "jackal" and who.name == "jackal" and scene.buffers != "ordinary":
            arguments += ["--buffers", scene.buffers]
        run(command(who, scene.ranks, [*arguments, "--json", str(file)], where, str(meeting)), ONE_LAUNCH_SECONDS)
        try:
            return rows.read(file.read_text(), scene.op, scene.ranks, able)
        except OSError as error:
            raise Failed(f"wrote no rows: {error.strerror}") from error
        except rows.Malformed as error:
            raise Failed(f"what it wrote {error}") from error


def pair(ours: Configuration, peer: Configuration, scene: Scene, sizes: list, seconds: float, probe_seconds: float,
         where: Surroundings, first_distance: float, peer_first: bool) -> Pair:
    """`first_distance` was taken just now."""
    distances = [first_distance]
    times = {}
    for who in (peer, ours) if peer_first else (ours, peer):
        try:
            times[who.name] = measure(who, scene, sizes, seconds, where)
        except Failed as error:
            raise Failed(f"{who.name}: {error}") from error
        distances.append(distance(where, probe_seconds))
    return Pair(scene, peer.name, tuple(distances), times[ours.name], times[peer.name])
