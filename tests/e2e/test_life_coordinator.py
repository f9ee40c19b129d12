"""Somebody takes the coordinator's port between launch's look and rank 0's bind."""


import pytest
from life import here, last_line  # noqa: F401

# Rank 0 of the first start finds its port taken, by a socket of the test's own making; the second start goes well.
THIEF = """
import os, socket, sys
first, program = sys.argv[1:]
data = sys.stdin.read()
taken = []
if os.environ["JACKAL_RANK"] == "0":
    with open(first, "a") as log:
        log.write(os.environ["JACKAL_COORDINATOR"] + "\\n")
    if len(open(first).readlines()) <= int(os.environ["STEAL"]):
        host, port = os.environ["JACKAL_COORDINATOR"].rsplit(":", 1)
        taken.append(socket.create_server(("", int(port))))
        os.set_inheritable(taken[0].fileno(), True)
print("input", data, flush=True)
os.execv(program, [program])
"""


def steal(here, bin_dir, tmp_path, times):
    if not (bin_dir / "all_sum").exists():
        pytest.skip("all_sum is not built")
    result = here.run(
        "-n", "2", "--env", f"STEAL={times}", "--env", "JACKAL_TIMEOUT=20",
        "--", "python3", "-c", THIEF, tmp_path / "ports", bin_dir / "all_sum", input=b"typed",
    )  # fmt: skip
    return result, (tmp_path / "ports").read_text().splitlines()


def test_a_job_whose_port_was_taken_is_started_once_more_on_another(here, bin_dir, tmp_path):
    result, ports = steal(here, bin_dir, tmp_path, times=1)
    assert result.returncode == 0, result.stderr
    assert len(set(ports)) == 2
    assert b"launch: somebody took the coordinator's port meanwhile; starting once more on another\n" in result.stderr
    sums = [line for line in result.stdout.splitlines() if b"sum = [3, 3, 3, 3]" in line]
    assert len(sums) == 2
    # The input was given again: to rank 0 twice, and to rank 1 twice unless it was stopped before it could say so.
    assert result.stdout.count(b"input typed\n") >= 3


def test_it_is_started_no_third_time(here, bin_dir, tmp_path):
    result, ports = steal(here, bin_dir, tmp_path, times=9)
    assert result.returncode == 1
    assert len(ports) == 2
    assert last_line(result.stderr).startswith("launch: rank ")
