"""scripts/bench-cabling: the tuner's choice against every algorithm, on virtual nodes with shaped cables."""

import argparse
import contextlib
import json
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import place
from .stats import estimate, ratios

sys.path.insert(0, str(place.ROOT / "tests" / "cluster"))
import cabled  # noqa: E402

PROGRAM = "bench-cabling"
CHOICE = "auto"
SIZES = ("--min-bytes", "1K", "--max-bytes", "16M", "--factor", "4")
# From this size on the choice is to be within 10 % of the best algorithm, or within the spread; below, within twice.
TUNED_FROM, CLOSE, LOOSE = 4096, 1.10, 2.0
TWICE = 1.8  # at least so many times the bandwidth of one cable, at the largest size


@dataclass(frozen=True)
class Cabling:
    name: str
    nodes: int
    pairs: tuple


def cablings() -> list:
    made = [Cabling("pair", 2, ((0, 1),)), Cabling("pair-of-two-cables", 2, ((0, 1), (0, 1)))]
    for nodes in (3, 4):
        shapes = [("chain", cabled.chain(nodes))]
        # Three nodes in a ring are a mesh.
        shapes += [("ring", cabled.ring(nodes))] + ([("mesh", cabled.mesh(nodes))] if nodes > 3 else [])
        made += [Cabling(f"{name}-{nodes}", nodes, tuple(pairs)) for name, pairs in shapes]
    made.append(Cabling("ring-4-of-two-cables", 4, tuple(cabled.ring(4) * 2)))
    return made


@contextlib.contextmanager
def wired(cabling: Cabling, rate: str):
    """The cluster's directory, with the cables in and their host file at shared/cabled.json."""
    with place.virtual_nodes([place.CLUSTER, "up", "--nodes", str(cabling.nodes)]) as directory:
        made = cabled.wiring(json.loads(Path(directory, "hosts.json").read_text()), cabling.pairs)
        tool = [place.CLUSTER, "cable", "--dir", directory, "--rate", rate]
        subprocess.run([*tool, *(end for ends in made.ends for end in ends)], check=True)
        for node, address, interface in made.addresses:
            inside(directory, node, ["ip", "addr", "add", address, "dev", interface])
        Path(directory, "shared", "cabled.json").write_text(json.dumps({"backend": "jackal", "hosts": made.hosts}))
        yield directory


def inside(directory: str, node: str, argv: list, check: bool = True):
    command = [place.CLUSTER, "exec", "--dir", directory, node, "--", *map(str, argv)]
    return subprocess.run(command, check=check, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)


def bench(directory: str, bin_dir: Path, algorithm: str, flags: list):
    """One launch; → its rows, or why there are none."""
    report = Path(directory, "shared", "rows.json")
    report.unlink(missing_ok=True)
    launch = [bin_dir / "launch", "--ssh-config", f"{directory}/ssh_config", "--hostfile",
              f"{directory}/shared/cabled.json", "--", bin_dir / "jackal-bench", "all_reduce", "--json", report, *flags]
    chosen = [] if algorithm == CHOICE else ["--algorithm", algorithm]
    done = inside(directory, "head", [*launch, *chosen], check=False)
    if done.returncode != 0:
        return [], done.stderr.strip()
    return json.loads(report.read_text()), ""


def algorithms(directory: str, bin_dir: Path) -> list:
    """The names that the library lists when it is asked for one that it does not have."""
    _, why = bench(directory, bin_dir, "none-of-these", ["--iters", "1"])
    listed = re.search(r"there are: ([a-z, -]+)", why)
    if not listed:
        raise SystemExit(f"{PROGRAM}: no list of algorithms in: {why}")
    return [name.strip() for name in listed[1].split(",")]


def measured(cabling: Cabling, options, bin_dir: Path) -> dict:
    """{algorithm: {bytes: {round: median in µs}}}; the launches of a round in random order."""
    draw = random.Random(1)
    with wired(cabling, options.rate) as directory:
        names = [CHOICE, *algorithms(directory, bin_dir)]
        taken = {name: {} for name in names}
        for number in range(options.rounds):
            for name in draw.sample(names, len(names)):
                rows, why = bench(directory, bin_dir, name, [*SIZES, "--seconds", str(options.seconds)])
                if why:
                    print(f"{PROGRAM}: {cabling.name}, {name}: {why}", file=sys.stderr)
                for row in rows:
                    taken[name].setdefault(row["bytes"], {})[number] = row["median_us"]
    return taken


def table(taken: dict) -> str:
    """One line a size: every algorithm's median, and the choice against the best of them. Pure."""
    names = [name for name in taken if name != CHOICE]
    lines = ["| bytes | choice µs | " + " | ".join(names) + " | choice ÷ best | interval | aim |",
             "|---|---" + "|---" * (len(names) + 3) + "|"]
    for size in sorted(taken[CHOICE]):
        medians = {name: estimate(taken[name][size].values()).median for name in names if taken[name].get(size)}
        best = min(medians, key=medians.get)
        ratio = estimate(ratios(taken[best][size], taken[CHOICE][size]))
        aim = CLOSE if size >= TUNED_FROM else LOOSE
        met = ratio.low <= aim
        cells = [str(size), f"{estimate(taken[CHOICE][size].values()).median:.0f}"]
        cells += [f"**{medians[name]:.0f}**" if name == best else f"{medians[name]:.0f}" if name in medians else "–"
                  for name in names]
        cells += [f"{ratio.median:.2f}", f"{ratio.low:.2f}–{ratio.high:.2f}", f"≤ {aim:.2f}: {'met' if met else 'missed'}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def doubled(one: dict, two: dict) -> str:
    """How many times as fast as with one cable the choice is with two, by size. Pure."""
    lines = ["| bytes | one cable µs | two cables µs | one ÷ two | interval | aim |", "|---|---|---|---|---|---|"]
    sizes = sorted(one[CHOICE].keys() & two[CHOICE].keys())
    for size in sizes:
        ratio = estimate(ratios(two[CHOICE][size], one[CHOICE][size]))
        medians = [f"{estimate(taken[CHOICE][size].values()).median:.0f}" for taken in (one, two)]
        aim = f"≥ {TWICE:.2f}: {'met' if ratio.high >= TWICE else 'missed'}" if size == sizes[-1] else ""
        cells = [str(size), *medians, f"{ratio.median:.2f}", f"{ratio.low:.2f}–{ratio.high:.2f}", aim]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(about: dict, rate: str, all_taken: dict) -> str:
    lines = ["## Cablings: all_reduce of float32 on virtual nodes", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += [f"- cables shaped to {rate}; all nodes share this machine's cores",
              "- each number is the median over launches of a launch's median; choice ÷ best: the median of the ratios "
              "of launches in the same round; interval: holds the true median with at least 95 % (order statistics)",
              f"- aim: within {CLOSE:.2f} of the best algorithm from {TUNED_FROM} bytes, {LOOSE:.0f} below; missed when "
              "the whole interval is above", ""]
    for name, taken in all_taken.items():
        lines += [f"### {name}", "", table(taken), ""]
    for one, two in (("pair", "pair-of-two-cables"), ("ring-4", "ring-4-of-two-cables")):
        if one in all_taken and two in all_taken:
            lines += [f"### {two} against {one}", "", doubled(all_taken[one], all_taken[two]), ""]
    return "\n".join(lines)


def main() -> int:
    known = {cabling.name: cabling for cabling in cablings()}
    parser = argparse.ArgumentParser(prog=f"scripts/{PROGRAM}")
    parser.add_argument("cablings", nargs="*", metavar="CABLING", help=f"only these, of: {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="2 rounds, pair and ring-3: that it works, not how fast")
    parser.add_argument("--rounds", type=int, default=0, help="rounds (default 7)")
    parser.add_argument("--seconds", type=float, default=0.1, help="of calls for each size in each launch (default 0.1)")
    parser.add_argument("--rate", default="1gbit", help="of a cable (default 1gbit)")
    parser.add_argument("--json", metavar="FILE", help="write every launch's medians there")
    options = parser.parse_args()
    unknown = [name for name in options.cablings if name not in known]
    if unknown:
        parser.error(f"no cabling is called {unknown[0]}; there are: {', '.join(known)}")
    if os.geteuid() != 0 or sys.platform != "linux":
        parser.error("virtual nodes need Linux and root")
    options.rounds = options.rounds or (2 if options.quick else 7)
    chosen = options.cablings or (["pair", "ring-3"] if options.quick else list(known))
    place.warn_when_busy(PROGRAM)
    all_taken = {name: measured(known[name], options, place.ROOT / "build" / "bin") for name in chosen}
    print(page(place.surroundings(f"scripts/{PROGRAM}"), options.rate, all_taken), end="")
    if options.json:
        Path(options.json).write_text(json.dumps(all_taken, indent=1) + "\n")
    return 0 if all(rows for taken in all_taken.values() for rows in taken.values()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
