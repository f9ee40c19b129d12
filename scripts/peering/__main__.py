"""The command line of scripts/bench-peers."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from benching import place

from . import build, launches, report
from .configurations import CONFIGURATIONS, MPI_OPS, OURS, OWN_ORDINARY, Configuration, Surroundings, chosen, own_ordinary
from .pairs import Journal, Scene, counted

KIB, MIB = 1 << 10, 1 << 20
ALL_REDUCE_SIZES = [8, 64, KIB, 8 * KIB, 64 * KIB, 512 * KIB, 4 * MIB, 32 * MIB, 128 * MIB]
OTHER_SIZES = [8, 64 * KIB, 4 * MIB]
QUICK_SIZES = [8, KIB, 64 * KIB, 512 * KIB, 4 * MIB, 32 * MIB]
# A mode of the machine may end while a pair is being taken; after this many times as many it is enough.
MOST_ATTEMPTS = 3


def main() -> int:
    options = arguments().parse_args()
    quick = options.quick
    pairs_wanted = options.pairs if options.pairs is not None else (3 if quick else 7)
    journal = Journal(options.journal)
    problems = {}
    if pairs_wanted:
        place.warn_when_busy("bench-peers")
        problems = take(options, journal, pairs_wanted, time.monotonic() + 60 * (options.minutes or (4.5 if quick else 1e6)))
    about = {**place.surroundings("scripts/bench-peers"), "against": versions()}
    if options.json:
        options.json.write_text(json.dumps(report.rows(journal.pairs), indent=1) + "\n")
    print(report.page(about, journal.pairs, problems, quick), end="")
    if not journal.pairs:
        print("bench-peers: nothing was compared", file=sys.stderr)
    return 1 if problems or not journal.pairs or report.missed(journal.pairs) else 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench-peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few pairs, sizes and peers: five minutes")
    parser.add_argument("--ops", type=_words(MPI_OPS), default=None, help=f"of {','.join(MPI_OPS)} (default all; quick: all_reduce)")
    parser.add_argument("--ranks", type=_numbers, default=[2, 4], help="default 2,4")
    parser.add_argument("--transport", type=_words(("shm", "tcp")), default=["shm", "tcp"], help="default shm,tcp")
    parser.add_argument("--sizes", type=_numbers, default=None, help="in bytes; default: 8 B to 128 MiB, and 8 B, 64 KiB and 4 MiB of others than all_reduce")
    parser.add_argument("--peers", type=_words([c.name for c in CONFIGURATIONS] + [OWN_ORDINARY]), default=[], help="default all that can do it")
    parser.add_argument("--pairs", type=_number, default=None, help="of launches in the same mode for each peer (default 7; 0: report the journal)")
    parser.add_argument("--seconds", type=float, default=0.0, help="of timed calls a size (default 0.3; quick: 0.05)")
    parser.add_argument("--buffers", choices=("ordinary", "jackal"), default="ordinary")
    parser.add_argument("--rewrite", action="store_true", help="inputs are written before every call")
    parser.add_argument("--minutes", type=float, default=0.0, help="begin no pair after that long")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="keep every pair there, and count those that are there already")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--build", type=Path, default=place.ROOT / "build", help="where launch and jackal-bench were built")
    return parser


def take(options, journal: Journal, wanted: int, deadline: float) -> dict:
    """Adds pairs to the journal, peer after peer and again, until there are enough. {what: why it was not compared}."""
    where = Surroundings(str(options.build / "bin" / "launch"), str(options.build / "peers"),
                         str(options.build / "bin" / "jackal-bench"), os.cpu_count())
    missing = build.build_all(options.build)
    if missing["distance"]:
        return {"everybody": f"the distance of the cores cannot be measured: {missing['distance']}"}
    problems = {}
    plans = []
    for scene in scenes(options):
        for peer in rivals(options, scene):
            if missing.get(peer.program):
                problems[peer.name] = missing[peer.program]
            else:
                plans.append((scene, peer))
    seconds = options.seconds or (0.05 if options.quick else 0.3)
    probe = 0.3 if options.quick else 1.0
    distance = launches.distance(where, probe)
    for attempt in range(MOST_ATTEMPTS * wanted):
        for scene, peer in plans:
            label = f"{peer.name}, {report.heading(scene)}"
            if label in problems or counted(journal.pairs, scene, peer.name) >= wanted or time.monotonic() > deadline:
                continue
            ours = Configuration(OURS, scene.transport, OURS, MPI_OPS)
            try:
                pair = launches.pair(ours, peer, scene, sizes(options, scene), seconds, probe, where, distance, attempt % 2 == 1)
            except launches.Failed as error:
                problems[label] = str(error)
                print(f"bench-peers: {label}: {error}", file=sys.stderr, flush=True)
                distance = launches.distance(where, probe)
                continue
            distance = pair.distances_ns[-1]
            journal.add(pair)
            print(f"bench-peers: {label}: {pair.mode}, {progress(pair)}", file=sys.stderr, flush=True)
    return problems


def progress(pair) -> str:
    return " ".join(f"{report.size_text(size)} {pair.peer_us[size] / pair.ours_us[size]:.2f}"
                    for size in sorted(pair.ours_us.keys() & pair.peer_us.keys()))


def scenes(options) -> list:
    ops = options.ops or (["all_reduce"] if options.quick else list(MPI_OPS))
    return [Scene(op, ranks, transport, options.buffers, options.rewrite)
            for op in ops for ranks in options.ranks for transport in options.transport]


def rivals(options, scene: Scene) -> list:
    own = [own_ordinary(scene.transport)] if scene.buffers == "jackal" and (not options.peers or OWN_ORDINARY in options.peers) else []
    return own + chosen(scene.transport, scene.op, options.peers, options.quick)


def sizes(options, scene: Scene) -> list:
    if scene.op == "barrier":
        return [0]
    if options.sizes:
        return options.sizes
    if scene.op != "all_reduce":
        return OTHER_SIZES
    return QUICK_SIZES if options.quick else ALL_REDUCE_SIZES


def versions() -> str:
    first_line = place.first_line
    return ", ".join([
        first_line("mpirun.openmpi", "--version"),
        first_line("sh", "-c", "mpiexec.hydra --version | sed -n 's/ *Version: */MPICH /p'"),
        first_line("sh", "-c", "dpkg-query -W -f 'Gloo ${Version}' libgloo-dev"),
        first_line(sys.executable, "-c", "import mlx.core as mx; print('MLX', mx.__version__)"),
    ])  # fmt: skip


def _words(known):
    def read(text: str) -> list:
        words = text.split(",")
        for word in words:
            if word not in known:
                raise argparse.ArgumentTypeError(f"'{word}' is none of {', '.join(known)}")
        return words

    return read


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number")
    return int(text)


def _numbers(text: str) -> list:
    numbers = [_number(part) for part in text.split(",")]
    if 0 in numbers:
        raise argparse.ArgumentTypeError("0 is too few")
    return numbers


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (launches.Failed, ValueError) as problem:
        print(f"bench-peers: {problem}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
