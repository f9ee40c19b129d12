"""scripts/bench-discovery: how long distributed-config asks simulated Macs whose commands take as long as real ones'."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from . import measure, place
from .report import milliseconds
from .scenes import Contender, Scene
from .stats import estimate

PROGRAM = "bench-discovery"
MACS = place.ROOT / "tests" / "simmac" / "macs"
# What Macs take: system_profiler nearly a second, the others hardly anything.
SLEEPS = {"system_profiler": {"seconds": 0.8}, "*": {"seconds": 0.05}}
# At most how many times as long as the slowest machine alone all of them may take together.
AIMS = {4: 1.5, 32: 3.0}
ALONE = 4  # so many machines are also asked alone


def scene(tool: str, ssh_config: str, nodes: int) -> Scene:
    """All machines at once, and some of them alone, spread over the ring."""
    step = max(1, nodes // ALONE)
    base = (tool, "--ssh-config", ssh_config, "--json", "--hosts")
    alone = [f"n{i}" for i in range(1, nodes + 1, step)][:ALONE]
    contenders = [Contender(f"{name} alone", (*base, name)) for name in alone]
    together = Contender(together_name(nodes), (*base, f"n[1-{nodes}]"))
    return Scene(f"{nodes} Macs in a ring", (together, *contenders), {})


def together_name(nodes: int) -> str:
    return f"all {nodes}"


def table(nodes: int, taken: dict) -> str:
    """One line a contender: its time, the tool's own CPU, and all of them against the slowest alone. Pure."""
    lines = ["| | median | interval | own CPU | ÷ slowest alone | runs | aim |", "|---|---|---|---|---|---|---|"]
    done = {name: own for name, own in taken.items() if own["seconds"] and not own["problem"]}
    alone = [estimate(own["seconds"].values()).median for name, own in done.items() if name != together_name(nodes)]
    for name, own in taken.items():
        if name not in done:
            lines.append(f"| {name} | failed | {own['problem'].replace('|', '/')} | | | | |")
            continue
        time, cpu = estimate(own["seconds"].values()), estimate(own["cpu"].values())
        interval = f"{milliseconds(time.low)}–{milliseconds(time.high)}"
        ratio = verdict = ""
        if name == together_name(nodes) and alone:
            value, aim = time.median / max(alone), AIMS.get(nodes)
            ratio = f"{value:.2f}"
            verdict = f"≤ {aim:.2f}: {'met' if value <= aim else 'missed'}" if aim else ""
        cells = [name, milliseconds(time.median), interval, milliseconds(cpu.median), ratio, str(time.count), verdict]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def measured(tool: str, nodes: int, rounds: int) -> dict:
    """The scene's times, taken by a copy of this program that runs on the cluster's head."""
    with tempfile.TemporaryDirectory() as folder:
        description = Path(folder) / "macs.json"
        cables = [f"n{i}:en2 n{i % nodes + 1}:en3" for i in range(1, nodes + 1)]
        description.write_text(json.dumps({"machines": nodes, "cables": cables, "commands": SLEEPS}))
        with place.virtual_nodes([MACS, "up", description]) as directory:
            again = [sys.executable, "-m", "benching.discovery", "--inside", f"{directory}/ssh_config", "--tool", tool,
                     "--rounds", str(rounds), "--nodes", str(nodes)]
            command = [place.CLUSTER, "exec", "--dir", directory, "head", "--", "env",
                       f"PYTHONPATH={place.ROOT / 'scripts'}", *again]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            return json.loads(done.stdout)


def page(about: dict, tables: list) -> str:
    lines = ["## Discovery: distributed-config asks simulated Macs over SSH", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += [f"- the Macs' commands sleep: system_profiler {SLEEPS['system_profiler']['seconds']} s, every other "
              f"{SLEEPS['*']['seconds']} s; all Macs share this machine's cores",
              "- interval: holds the true median with at least 95 % (order statistics); "
              "own CPU: of distributed-config itself, median", ""]
    for nodes, text in tables:
        lines += [f"### {nodes} Macs in a ring", "", text, ""]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog=f"scripts/{PROGRAM}")
    parser.add_argument("--quick", action="store_true", help="3 rounds, 4 Macs: that it works, not how fast")
    parser.add_argument("--rounds", type=int, default=0, help="rounds (default 11)")
    parser.add_argument("--nodes", help="numbers of Macs, at least 3 each (default 4,32)")
    parser.add_argument("--tool", default=str(place.ROOT / "build" / "bin" / "distributed-config"),
                        help="the binary to measure")
    parser.add_argument("--inside", metavar="SSH_CONFIG", help=argparse.SUPPRESS)
    options = parser.parse_args()
    rounds = options.rounds or (3 if options.quick else 11)
    nodes = [int(part) for part in (options.nodes or ("4" if options.quick else "4,32")).split(",")]
    tool = str(Path(options.tool).resolve())
    if options.inside:
        chosen = scene(tool, options.inside, nodes[0])
        json.dump(measure.scene(chosen, rounds, random.Random(1), PROGRAM), sys.stdout)
        return 0
    if os.geteuid() != 0 or sys.platform != "linux":
        parser.error("simulated Macs need Linux and root")
    place.warn_when_busy(PROGRAM)
    all_taken = [(count, measured(tool, count, rounds)) for count in nodes]
    tables = [(count, table(count, taken)) for count, taken in all_taken]
    print(page(place.surroundings(f"scripts/{PROGRAM}"), tables), end="")
    return 1 if any(own["problem"] for _, taken in all_taken for own in taken.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
