"""A Catch2 binary's cases dealt out to several processes: many wait for a clock, and waiting needs no core."""

import subprocess
from pathlib import Path

# A process of its own is worth it for this many cases.
CASES_A_SHARD = 12


def shards(binary: str, folder: Path, name: str, most: int) -> list:
    """The command lines that together run every case of `binary` once, `most` at most."""
    listing = subprocess.run([binary, "--list-test-names-only"], capture_output=True, text=True)
    names = [line for line in listing.stdout.splitlines() if line.strip()]
    if not names:  # Catch2 3 has dropped this option, and deals out by itself
        return [[binary, "--shard-count", str(most), "--shard-index", str(i), "--allow-running-no-tests"]
                for i in range(most)] if listing.returncode else [[binary]]
    count = max(1, min(most, len(names) // CASES_A_SHARD))
    if count == 1:
        return [[binary]]
    argvs = []
    for i in range(count):
        chosen = folder / f"{name}.{i}.cases"
        chosen.write_text("".join(f'"{case}"\n' for case in names[i::count]))
        argvs.append([binary, "--input-file", str(chosen)])
    return argvs
