"""A Catch2 binary's cases, dealt out: each runs once, whatever its name."""

import sys
import threading
import time

import pytest

from testing import process
from testing.catch import names_of, shards
from testing.steps import side_by_side


def binary(tmp_path, body):
    path = tmp_path / "some_tests"
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(0o755)
    return str(path)


# What Catch2 2 does with a list of names: a comma ends one, but for an escaped one.
LISTING = """
import re
names = {names!r}
if "--input-file" in sys.argv:
    lines = open(sys.argv[2]).read().splitlines()
    names = [name for name in names if name in [re.sub(r"{escape}(.)", r"{backslash}1", line[1:-1]) for line in lines]]
print("{newline}".join(names))
"""


def listing(tmp_path, names, escape="[\\\\]"):
    body = LISTING.format(names=names, escape=escape, backslash="\\", newline="\\n")
    return binary(tmp_path, body)


def test_every_case_is_in_one_shard(tmp_path):
    names = [f'case {i}, with [brackets], a "quote" and a \\' for i in range(100)]
    argvs = shards(listing(tmp_path, names), tmp_path, "units.some", 4)
    assert len(argvs) == 4
    assert sorted(name for argv in argvs for name in names_of(argv)) == sorted(names)


def test_a_binary_that_would_lose_cases_runs_whole(tmp_path):
    deaf = listing(tmp_path, [f"case {i}, with a comma" for i in range(100)], escape="never")
    assert shards(deaf, tmp_path, "units.some", 4) == [[deaf]]


def test_a_few_cases_stay_together(tmp_path):
    few = listing(tmp_path, ["one", "two"])
    assert shards(few, tmp_path, "units.some", 4) == [[few]]


def test_a_catch_that_deals_out_itself_is_asked_to(tmp_path):
    refusing = binary(tmp_path, "sys.stderr.write('Unrecognised token'); sys.exit(255)")
    argvs = shards(refusing, tmp_path, "units.some", 3)
    assert [argv[argv.index("--shard-index") + 1] for argv in argvs] == ["0", "1", "2"]


def test_results_keep_their_order():
    assert side_by_side([(lambda i=i: i,) for i in range(20)], 4) == list(range(20))


def test_when_one_is_interrupted_none_runs_on(tmp_path):
    def interrupted():
        while not process.running:
            time.sleep(0.01)
        raise KeyboardInterrupt

    def sleeping():
        return process.run(["sleep", "300"], tmp_path / "log", 300, tmp_path, {}).problem

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        side_by_side([(interrupted,), (sleeping,)], 2)
    assert (process.running, threading.active_count()) == (set(), before)
