"""A Catch2 binary's cases, dealt out: each runs once, whatever its name."""

import sys
import threading
import time

import pytest

from testing import process
from testing.catch import shards
from testing.steps import side_by_side


def binary(tmp_path, body):
    path = tmp_path / "some_tests"
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_every_case_is_in_one_shard(tmp_path):
    names = [f"case {i}, with [brackets] and a comma" for i in range(100)]
    listing = binary(tmp_path, f"print('\\n'.join({names!r})); sys.exit(100)")
    found = []
    for argv in shards(listing, tmp_path, "units.some", 4):
        assert argv[:2] == [listing, "--input-file"]
        with open(argv[2]) as file:
            found += file.read().splitlines()
    assert sorted(found) == sorted(f'"{name}"' for name in names)


def test_a_few_cases_stay_together(tmp_path):
    listing = binary(tmp_path, "print('one'); print('two'); sys.exit(2)")
    assert shards(listing, tmp_path, "units.some", 4) == [[listing]]


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
