"""A Catch2 binary's cases dealt out to several processes: many wait for a clock, and waiting needs no core."""

import subprocess
from pathlib import Path

# A process of its own is worth it for this many cases.
CASES_A_SHARD = 12


def shards(binary: str, folder: Path, name: str, most: int) -> list:
    """The command lines that together run every case of `binary` once, `most` at most."""
    names = names_of([binary])
    if not names:  # Catch2 3 has dropped this option, and deals out by itself
        own = ["--allow-running-no-tests", "--shard-count", str(most), "--shard-index"]
        return [[binary, *own, str(i)] for i in range(most)]
    count = max(1, min(most, len(names) // CASES_A_SHARD))
    if count == 1:
        return [[binary]]
    argvs = []
    for i in range(count):
        chosen = folder / f"{name}.{i}.cases"
        chosen.write_text("".join(f"{spec(case)}\n" for case in names[i::count]))
        argvs.append([binary, "--input-file", str(chosen)])
    # A name that matched nothing would be a test that nobody misses.
    lost = set(names).difference(*map(names_of, argvs))
    return [[binary]] if lost else argvs


def names_of(argv: list) -> list:
    listing = subprocess.run([*argv, "--list-test-names-only"], capture_output=True, text=True)
    return [line for line in listing.stdout.splitlines() if line.strip()]


def spec(case: str) -> str:
    """The test spec of one case: within its quotes a comma would still end it."""
    escaped = case.replace("\\", "\\\\").replace('"', '\\"').replace(",", "\\,")
    return f'"{escaped}"'
