"""jackal-bench between real ranks: what it prints and writes, that it notices wrong results, and its exit codes."""

import json
import os
import xml.etree.ElementTree as ElementTree

import pytest
from clients import run
from fixture import ROOT

FEW = ["--sizes", "8,4K,1M", "--iters", "5", "--warmup", "1"]
OPERATIONS = ["all_reduce", "reduce_scatter", "all_gather", "broadcast", "reduce", "gather", "scatter", "all_to_all", "sendrecv"]


@pytest.fixture
def bench(bin_dir):
    """bench(ranks, *arguments) → CompletedProcess."""
    def start(ranks, *arguments, env=()):
        settings = [word for pair in env for word in ("--env", pair)]
        return run([bin_dir / "launch", "-n", ranks, *settings, "--", bin_dir / "jackal-bench", *arguments])

    return start


def rows_of(result):
    """The lines of the table, split; the run went well."""
    assert result.returncode == 0, result
    head, names, units, *lines = result.stdout.splitlines()
    assert head.startswith("# ") and names.split()[0] == "size" and units.split()[0] == "(bytes)"
    return [line.split() for line in lines]


@pytest.mark.parametrize("transport", ["shm", "tcp"])
@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_is_measured_and_right(bench, op, transport):
    rows = rows_of(bench(3, op, *FEW, "--transport", transport))
    assert len(rows) == 3
    assert all(float(row[4]) >= float(row[5]) >= 0 for row in rows)
    assert {row[-1] for row in rows} == {"0"}


@pytest.mark.parametrize(
    "flags",
    [["--in-place"], ["--rewrite"], ["--buffers", "jackal"], ["--pin"], ["--dtype", "bfloat16", "--op", "average"],
     ["--dtype", "complex64", "--op", "product", "--in-place", "--buffers", "jackal"], ["--dtype", "bool", "--op", "bit_and"]],
    ids=" ".join,
)  # fmt: skip
def test_every_way_to_call_gives_right_results(bench, flags):
    if "--pin" in flags and not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system pins nothing")
    assert [row[-1] for row in rows_of(bench(2, "all_reduce", *FEW, *flags))] == ["0", "0", "0"]


def test_a_barrier_has_one_row_without_bandwidths(bench):
    (row,) = rows_of(bench(2, "barrier", "--iters", "5"))
    assert row[0] == "0"
    assert row[-3:] == ["-", "-", "0"]


def test_alone_it_is_a_group_of_one(bin_dir):
    result = run([bin_dir / "jackal-bench", "all_reduce", *FEW])
    assert "1 rank," in result.stdout.splitlines()[0]
    assert len(rows_of(result)) == 3


def test_one_rank_writes_the_rows_and_the_drawing(bench, tmp_path):
    result = bench(2, "all_gather", "--sizes", "64,4K", "--seconds", "0.01", "--json", tmp_path / "rows.json", "--plot",
                   tmp_path / "plot.svg")
    table = rows_of(result)
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [row["bytes"] for row in rows] == [int(row[0]) for row in table] == [64, 4096]
    assert all(row["iterations"] >= 10 and row["wrong"] == 0 and row["ranks"] == 2 for row in rows)
    drawing = ElementTree.parse(tmp_path / "plot.svg").getroot()
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plot.svg", "rows.json"]


def test_what_is_not_verified_is_not_called_right(bench):
    assert {row[-1] for row in rows_of(bench(2, "all_reduce", *FEW, "--no-check"))} == {"-"}


def test_the_choice_of_algorithm_is_explained_size_by_size(bench):
    result = bench(2, "all_reduce", "--sizes", "8,1M", "--iters", "2", "--transport", "tcp", "--explain")
    assert result.returncode == 0
    assert result.stdout.count("ring") >= 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["allreduce"], 64, "did you mean all_reduce?"),
        (["broadcast", "--root", "2", "--iters", "1"], 64, "there is no rank 2 in a group of 2"),
        (["all_reduce", "--iters", "1", "--sizes", "8", "--transport", "tcp", "--algorithm", "teleport"], 64, "teleport"),
        (["all_reduce", "--iters", "1", "--sizes", "8", "--json", "/no/such/directory/rows"], 74, "/no/such/directory/rows"),
    ],
)
def test_what_cannot_be_done_has_its_exit_code_and_says_why(bench, arguments, code, said):
    result = bench(2, *arguments)
    assert result.returncode == code, result
    assert said in result.stderr


def test_without_a_group_it_ends_with_69(bin_dir):
    result = run(["env", "JACKAL_RANK=0", "JACKAL_SIZE=2", "JACKAL_COORDINATOR=127.0.0.1:1", "JACKAL_TIMEOUT=1",
                  bin_dir / "jackal-bench", "barrier"])
    assert result.returncode == 69, result


def simulated(bin_dir, fabric, size, tmp_path):
    """{algorithm: GB/s on the bus} that is predicted, the fastest first."""
    result = run([bin_dir / "jackal-bench", "all_reduce", "--simulate", fabric, "--sizes", size, "--json", tmp_path / "rows.json"])
    assert result.returncode == 0, result
    return {row["algorithm"]: row["busbw"] for row in json.loads((tmp_path / "rows.json").read_text())}


def test_the_shipped_fabrics_are_predicted_as_the_docs_say(bin_dir, tmp_path):
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    for shape in ("mesh", "ring"):
        (name, bandwidth), *_ = simulated(bin_dir, ROOT / f"examples/fabrics/mac4-{shape}.json", "256M", tmp_path).items()
        assert f"| {shape}, best algorithm ({name}) | {bandwidth:.1f} GB/s |" in text


def test_the_fabric_of_the_manual_is_one(bin_dir, tmp_path):
    page = (ROOT / "man" / "jackal-bench.1").read_text()
    start = page.index('{"ranks"')
    (tmp_path / "fabric.json").write_text(page[start:page.index(".fi", start)])
    assert "ring" in simulated(bin_dir, tmp_path / "fabric.json", "1M", tmp_path)


@pytest.mark.parametrize(("content", "code"), [("{}", 65), ("[", 65), (None, 65)])
def test_a_bad_fabric_ends_with_65(bin_dir, tmp_path, content, code):
    path = tmp_path / "fabric.json"
    if content is not None:
        path.write_text(content)
    result = run([bin_dir / "jackal-bench", "all_reduce", "--simulate", path])
    assert result.returncode == code, result
    assert "fabric.json" in result.stderr


def test_output_that_nobody_takes_ends_with_74(bin_dir):
    result = run(["sh", "-c", '"$0" --help >/dev/full', bin_dir / "jackal-bench"])
    assert result.returncode == 74
