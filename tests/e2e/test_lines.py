"""Ranks that print at the same time: lines arrive whole, prompts at once, and every byte of every rank in order."""

import os
import subprocess
import sys

from clients import DEADLINE, run
from fixture import wait_for

# Rank 0 writes the begin of a line, and its end once rank 1 has written a line of its own.
HALVES = """
import os, sys, time
rank, flag = os.environ["JACKAL_RANK"], sys.argv[1]
def wait(name):
    deadline = time.monotonic() + 60
    while not os.path.exists(flag + name):
        assert time.monotonic() < deadline, name
if rank == "0":
    os.write(1, b"be")
    open(flag + "begun", "w").close()
    wait("other")
    os.write(1, b"gin\\n")
else:
    wait("begun")
    os.write(1, b"other\\n")
    open(flag + "other", "w").close()
"""


def test_a_line_in_two_pieces_arrives_whole(bin_dir, tmp_path):
    """launch waits a tenth of a second for the end of a line: a machine too busy for that gets more tries."""
    seen = []
    for attempt in range(20):
        flag = tmp_path / str(attempt)
        result = run([bin_dir / "launch", "-n", "2", "--", sys.executable, "-c", HALVES, flag])
        assert result.returncode == 0, result
        seen.append(result.stdout)
        if result.stdout == "begin\nother\n":
            return
    raise AssertionError(seen)


def test_a_prompt_is_seen_at_once_and_keeps_nobody_waiting(bin_dir):
    script = 'if [ $JACKAL_RANK = 0 ]; then printf "> "; else echo other; fi; read answer; echo $answer'
    job = subprocess.Popen([bin_dir / "launch", "-n", "2", "--", "sh", "-c", script],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    seen = b""

    def both_said():
        nonlocal seen
        seen += os.read(job.stdout.fileno(), 4096)
        return b"> " in seen and b"other\n" in seen

    try:
        wait_for(both_said, what="what both ranks say first")
        rest, _ = job.communicate(b"yes\n", timeout=DEADLINE)
    finally:
        job.kill()
        job.wait()
    assert (seen + rest).count(b"yes\n") == 2
    assert job.returncode == 0


def test_what_has_no_end_of_line_arrives_whole(bin_dir):
    script = "head -c 3000000 /dev/zero | tr '\\0' $JACKAL_RANK"
    result = run([bin_dir / "launch", "-n", "4", "--", "sh", "-c", script])
    assert result.returncode == 0
    assert [result.stdout.count(str(rank)) for rank in range(4)] == [3_000_000] * 4
