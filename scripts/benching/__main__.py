"""The command line of scripts/bench-launch."""

import argparse
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from . import measure, place, report, scenes

# Milliseconds each: more rounds cost nothing and narrow the interval.
LOCAL_TIMES = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench-launch")
    parser.add_argument("--quick", action="store_true", help="3 rounds, 1 and 4 nodes: that it works, not how fast")
    parser.add_argument("--rounds", type=int, default=0, help="rounds a scene (default 11; locally 5 times as many)")
    parser.add_argument("--nodes", type=_numbers, help="numbers of virtual nodes (default 1,8,32); 0 for none")
    parser.add_argument("--launch", type=Path, default=place.ROOT / "build" / "bin" / "launch",
                        help="the binary to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's time there")
    parser.add_argument("--inside", metavar="SSH_CONFIG", help=argparse.SUPPRESS)
    options = parser.parse_args()
    rounds = options.rounds or (3 if options.quick else 11)
    nodes = options.nodes if options.nodes is not None else ([1, 4] if options.quick else [1, 8, 32])
    nodes = [count for count in nodes if count]
    launch = str(options.launch.resolve())
    if not options.inside:
        place.warn_when_busy("bench-launch")

    if options.inside:
        chosen = [scenes.remote(launch, options.inside, count) for count in nodes]
        json.dump([measure.scene(scene, rounds, random.Random(1)) for scene in chosen], sys.stdout)
        return 0

    local = [scenes.local(launch, ranks) for ranks in (1, 4)]
    measured = [(scene, measure.scene(scene, LOCAL_TIMES * rounds, random.Random(1))) for scene in local]
    if nodes and os.geteuid() == 0 and sys.platform == "linux":
        measured += remotely(launch, nodes, rounds)
    elif nodes:
        print("bench-launch: virtual nodes need Linux and root; left out", file=sys.stderr)

    about = surroundings()
    if options.json:
        data = {"about": about, "scenes": [{"name": scene.name, "contenders": taken} for scene, taken in measured]}
        options.json.write_text(json.dumps(data, indent=1) + "\n")
    print(report.page(about, [report.table(scene, taken) for scene, taken in measured]), end="")
    return 1 if any(own["problem"] for _, taken in measured for own in taken.values()) else 0


def remotely(launch: str, nodes: list, rounds: int) -> list:
    """The scenes on virtual nodes, measured by a copy of this program that runs on their head."""
    with place.virtual_nodes([place.CLUSTER, "up", "--nodes", str(max(nodes))]) as directory:
        config = f"{directory}/ssh_config"
        again = [sys.executable, "-m", "benching", "--inside", config, "--launch", launch, "--rounds", str(rounds),
                 "--nodes", ",".join(map(str, nodes))]
        command = [place.CLUSTER, "exec", "--dir", directory, "head", "--", "env", f"PYTHONPATH={place.ROOT / 'scripts'}", *again]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        return list(zip((scenes.remote(launch, config, count) for count in nodes), json.loads(done.stdout)))


def surroundings() -> dict:
    first_line = place.first_line
    versions = [first_line("ssh", "-V"), first_line("mpirun.openmpi", "--version"), first_line("clush", "--version"),
                first_line("pdsh", "-V"),
                first_line("sh", "-c", "mpiexec.hydra --version | sed -n 's/ *Version: */MPICH /p'")]
    return {**place.surroundings("scripts/bench-launch"), "against": ", ".join(versions)}


def _numbers(text: str) -> list:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
