"""The comparison with MPI, Gloo and MLX: what counts as a pair, its ratios, bars, verdicts and page."""

import json
import sys

import pytest
from benching.stats import Estimate
from peering import bars, build, launches, report, rows
from peering.configurations import CONFIGURATIONS, OWN_ORDINARY, Configuration, Surroundings, chosen, command, own_ordinary
from peering.pairs import Case, Journal, Pair, Scene, best, cases, counted, geometric_mean, load, mode_of

SHM2 = Scene("all_reduce", 2, "shm")
TCP2, TCP4 = Scene("all_reduce", 2, "tcp"), Scene("all_reduce", 4, "tcp")
WHERE = Surroundings("/b/launch", "/p", "/b/jackal-bench", 2)
NEAR3, FAR3 = (60.0, 70.0, 80.0), (350.0, 360.0, 370.0)


def row(**changes):
    return {"op": "all_reduce", "dtype": "float32", "ranks": 2, "transport": "shm", "bytes": 8, "algorithm": "auto",
            "iterations": 10, "median_us": 0.5, "p10_us": 0.4, "p99_us": 1, "algbw": 0.016, "busbw": 0.016, "wrong": 0,
            **changes}  # fmt: skip


def read(*given, sizes=(8,), op="all_reduce", ranks=2):
    return rows.read(json.dumps(list(given)), op, ranks, list(sizes))


def pair(peer, ours, theirs, scene=SHM2, distances=NEAR3):
    return Pair(scene, peer, distances, ours, theirs)


def case(size, ratio=1.0, scene=SHM2, mode="near", peer="ompi-vader-cma"):
    return Case(scene, size, mode, peer, 1.0, ratio, Estimate(ratio, ratio, ratio, 7))


# --- what a program wrote


def test_rows_become_times_by_size():
    assert read(row(), row(bytes=64, median_us=2), sizes=(8, 64)) == {8: 0.5, 64: 2.0}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is no JSON"),
        ("{}", "is no list"),
        ("[3]", "row 0 has not the members"),
        (json.dumps([{**row(), "more": 1}]), "row 0 has not the members"),
        (json.dumps([row(bytes=True)]), "has bytes True"),
        (json.dumps([row(median_us="1")]), "has median_us '1'"),
        (json.dumps([row(median_us=float("nan"))]), "has median_us nan"),
        (json.dumps([row(wrong=None)]), "has wrong None"),
        (json.dumps([row(wrong=3)]), "3 elements are wrong"),
        (json.dumps([row(median_us=0)]), "that cannot be"),
        (json.dumps([row(op="barrier")]), "is barrier of float32 by 2 ranks, expected all_reduce"),
        (json.dumps([row(ranks=4)]), "by 4 ranks"),
        (json.dumps([row(), row()]), "row 1 repeats 8 bytes"),
        (json.dumps([row(bytes=16)]), r"has the sizes \[16\], expected \[8\]"),
        ("[]", r"has the sizes \[\], expected \[8\]"),
    ],
)
def test_rows_that_are_not_as_they_must_be_are_refused(text, what):
    with pytest.raises(rows.Malformed, match=what):
        rows.read(text, "all_reduce", 2, [8])


def test_sizes_are_rounded_as_jackal_bench_rounds_them():
    assert rows.rounded("all_reduce", 11, 4) == 8
    assert rows.rounded("all_gather", 8, 4) == 16
    assert rows.rounded("barrier", 8, 4) == 0
    assert read(row(op="all_gather", ranks=4, bytes=16), op="all_gather", ranks=4) == {16: 0.5}


# --- pairs


@pytest.mark.parametrize(("distance", "mode"), [(52, "near"), (110, "near"), (343, "far"), (5000, "disturbed")])
def test_the_distance_of_the_cores_tells_the_mode(distance, mode):
    assert mode_of(distance) == mode


def test_a_pair_during_which_the_mode_changed_does_not_count():
    assert pair("x", {}, {}, distances=(60.0, 350.0, 60.0)).mode == "disturbed"
    assert cases([pair("x", {8: 1.0}, {8: 2.0}, distances=(60.0, 350.0, 60.0))]) == []


def test_ratios_are_of_pairs_and_their_median_comes_with_an_interval():
    measured = [pair("x", {8: ours}, {8: theirs}) for ours, theirs in ((1, 2), (2, 6), (10, 10), (1, 4), (1, 5))]
    (found,) = cases(measured)
    assert (found.ratio, found.ours_us, found.peer_us) == (Estimate(3, 1, 5, 5), 1, 5)


def test_modes_and_scenes_are_kept_apart_and_sizes_of_one_side_left_out():
    measured = [pair("x", {8: 1.0, 64: 1.0}, {8: 2.0}), pair("x", {8: 1.0}, {8: 3.0}, distances=FAR3),
                pair("x", {8: 1.0}, {8: 4.0}, scene=TCP2)]
    assert [(c.scene, c.mode, c.bytes, c.ratio.median) for c in cases(measured)] == [
        (SHM2, "near", 8, 2.0), (SHM2, "far", 8, 3.0), (TCP2, "near", 8, 4.0)]


def test_the_best_peer_is_found_size_by_size():
    measured = [pair("x", {8: 1.0, 64: 1.0}, {8: 2.0, 64: 3.0}), pair("y", {8: 1.0, 64: 1.0}, {8: 4.0, 64: 1.5})]
    assert [(c.bytes, c.peer) for c in best(cases(measured))] == [(8, "x"), (64, "y")]
    assert [(c.bytes, c.peer) for c in best(cases(measured), without=("x",))] == [(8, "y"), (64, "y")]


def test_coll_sm_counts_at_its_dependable_figures():
    big = 32 << 20
    (found,) = cases([pair("ompi-collsm", {big: 10_000.0}, {big: 11_700.0})])
    assert found.ratio.median == 2.0
    (found,) = cases([pair("ompi-vader-cma", {big: 10_000.0}, {big: 11_700.0})])
    assert found.ratio.median == 1.17


def test_pairs_are_counted_in_the_mode_that_has_most():
    measured = [pair("x", {}, {})] * 2 + [pair("x", {}, {}, distances=FAR3)] * 3 + [pair("y", {}, {})] * 9
    assert counted(measured, SHM2, "x") == 3
    assert counted(measured, TCP2, "x") == 0


def test_a_journal_brings_its_pairs_back(tmp_path):
    path = tmp_path / "pairs"
    first = Journal(path)
    first.add(pair("x", {8: 1.0}, {8: 2.0}))
    first.add(pair("y", {64: 1.5}, {64: 2.0}, scene=TCP4, distances=FAR3))
    assert Journal(path).pairs == first.pairs
    assert Journal().pairs == []


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", '{"scene": {}, "peer": "x"}', "not json"])
def test_a_journal_with_anything_else_in_it_is_refused(tmp_path, line):
    path = tmp_path / "pairs"
    Journal(path).add(pair("x", {8: 1.0}, {8: 2.0}))
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match="pairs:2: is no pair"):
        load(path)


def test_the_geometric_mean_weighs_twice_and_half_alike():
    assert geometric_mean([2.0, 0.5, 4.0]) == pytest.approx(4 ** (1 / 3))


# --- bars


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (case(8), 2.5),
        (case(1024), 1.0),
        (case(512 << 10), 2.0),
        (case(32 << 20), 2.0),
        (case(128 << 20), 1.0),
        (case(8, mode="far"), 1.0),
        (case(8, scene=Scene("all_reduce", 2, "shm", rewrite=True)), 1.0),
        (case(8, scene=TCP2), 1.0),
        (case(64 << 10, peer=OWN_ORDINARY), 1.3),
        (case(8, peer=OWN_ORDINARY), 0.0),
    ],
)
def test_bars_by_size_and_mode(given, wanted):
    assert bars.bar(given) == wanted


def test_bars_against_one_peer():
    assert bars.bar_against(case(8 << 10, scene=TCP2, peer="mlx-ring")) == 5.0
    assert bars.bar_against(case(64 << 10, scene=TCP2, peer="mlx-ring")) == 2.5
    assert bars.bar_against(case(64 << 10, scene=TCP4, peer="mlx-ring")) == 100.0
    assert bars.bar_against(case(1 << 20, scene=TCP4, peer="mlx-ring")) == 0.0
    assert bars.bar_against(case(8, scene=Scene("all_reduce", 4, "shm"), peer="mpich-shm")) == 500.0
    assert bars.bar_against(case(8)) == 0.0


def test_geometric_means_have_bars_by_mode():
    assert [bars.mean_bar(SHM2, "near"), bars.mean_bar(SHM2, "far"), bars.mean_bar(TCP4, "far")] == [1.7, 1.2, 1.3]
    assert bars.mean_bar(Scene("broadcast", 2, "shm"), "near") == 0.0


def test_a_size_fails_only_when_its_whole_interval_is_below_the_bar():
    assert bars.verdict(Estimate(1.1, 0.9, 1.2, 7), 1.0) == "met"
    assert bars.verdict(Estimate(0.9, 0.7, 1.1, 7), 1.0) == "within noise"
    assert bars.verdict(Estimate(0.9, 0.7, 0.99, 7), 1.0) == "missed"


# --- commands


def by_name(name):
    return next(c for c in CONFIGURATIONS if c.name == name)


def test_ranks_are_bound_to_cores_while_there_are_enough():
    argv = command(by_name("ompi-vader-cma"), 2, ["all_reduce"], WHERE, "/m")
    assert argv[:6] == ["mpirun.openmpi", "--allow-run-as-root", "-n", "2", "--bind-to", "core"]
    assert argv[-2:] == ["/p/openmpi", "all_reduce"]
    assert "--oversubscribe" in command(by_name("ompi-vader-cma"), 4, [], WHERE, "/m")
    assert "-bind-to" not in command(by_name("mpich-shm"), 4, [], WHERE, "/m")
    assert command(by_name("mpich-shm"), 2, [], WHERE, "/m")[3:5] == ["-bind-to", "core"]
    assert command(by_name("mpich-shm-nobind"), 2, [], WHERE, "/m")[3:5] == ["-bind-to", "none"]


def test_what_is_no_mpi_is_started_by_launch():
    gloo = command(by_name("gloo-halving-doubling-busy"), 2, ["all_reduce"], WHERE, "/m")
    assert gloo == ["/b/launch", "-n", "2", "--env", "GLOO_MEETING=/m", "--", "/p/gloo", "all_reduce", "--algorithm",
                    "halving-doubling-busy", "--in-place", "--pin"]
    mlx = command(by_name("mlx-ring"), 4, ["all_reduce"], WHERE, "/m")
    assert mlx == ["/b/launch", "-n", "4", "--backend", "ring", "--", "/p/mlx", "all_reduce"]
    ours = command(Configuration("jackal", "tcp", "jackal", ()), 2, ["all_reduce"], WHERE, "/m")
    assert ours == ["/b/launch", "-n", "2", "--", "/b/jackal-bench", "all_reduce", "--transport", "tcp", "--pin"]


def test_peers_are_chosen_by_what_they_can_do():
    assert {c.name for c in chosen("tcp", "all_gather", [], False)} == {"ompi-tcp", "mpich-ucx-tcp"}
    assert [c.name for c in chosen("shm", "all_reduce", ["ompi-ucx-shm", "ompi-tcp"], True)] == ["ompi-ucx-shm"]
    assert len(chosen("shm", "all_reduce", [], True)) < len(chosen("shm", "all_reduce", [], False)) == 8
    assert {c.name for c in chosen("tcp", "all_reduce", [], True)} >= {"ompi-tcp", "mlx-ring"}


def test_every_program_of_a_configuration_is_built(tmp_path):
    programs = build.commands(tmp_path, tmp_path / "mlx")
    assert {c.program for c in CONFIGURATIONS} <= programs.keys()
    assert own_ordinary("shm").program == "jackal"


def test_a_program_that_does_not_build_says_why(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "peers").mkdir()
    (tmp_path / "lib" / "libjackal_bench_method.a").touch()
    missing = build._built("x", ["no-such-compiler"], tmp_path)
    assert missing == "no no-such-compiler here: scripts/setup --bench installs it"
    failing = build._built("x", ["sh", "-c", "echo 'x.cpp:1: error: no such thing' >&2; exit 1"], tmp_path)
    assert failing == "does not build: x.cpp:1: error: no such thing"


# --- launches


def test_a_launch_that_does_not_end_well_is_no_measurement():
    with pytest.raises(launches.Failed, match="exit status 3: told why"):
        launches.run(["sh", "-c", "echo told why >&2; exit 3"], 30)
    with pytest.raises(launches.Failed, match="could not start /no/such/program"):
        launches.run(["/no/such/program"], 30)
    with pytest.raises(launches.Failed, match="still running after 0.2 s"):
        launches.run(["sleep", "3600"], 0.2)


class Bench:
    """A stand-in for a measuring program that writes these rows."""

    def __init__(self, directory, written):
        script = directory / "bench.py"
        script.write_text(f"import sys\nopen(sys.argv[sys.argv.index('--json') + 1], 'w').write({written!r})\n")
        self.launch = directory / "launch"
        self.launch.write_text(f'#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift 2\nexec {sys.executable} {script} "$@"\n')
        self.launch.chmod(0o755)

    def measure(self):
        where = Surroundings(str(self.launch), "/p", "/b", 2)
        return launches.measure(Configuration("jackal", "shm", "jackal", ()), SHM2, [8], 0.1, where)


def test_a_launch_gives_the_times_that_it_wrote(tmp_path):
    assert Bench(tmp_path, json.dumps([row()])).measure() == {8: 0.5}


def test_a_launch_that_wrote_nonsense_has_failed(tmp_path):
    with pytest.raises(launches.Failed, match="what it wrote is no JSON"):
        Bench(tmp_path, "8 B 0.5 us").measure()


# --- the page


def test_there_is_one_row_a_case_with_the_best_peer():
    measured = [pair("x", {8: 1.0}, {8: 4.0}), pair("y", {8: 1.0}, {8: 3.0})]
    assert report.rows(measured) == [
        {"op": "all_reduce", "ranks": 2, "transport": "shm", "bytes": 8, "mode": "near", "ours_us": 1.0, "peer": "y",
         "peer_us": 3.0, "ratio": 3.0, "low": 3.0, "high": 3.0, "pairs": 1, "buffers": "ordinary", "rewrite": False,
         "bar": 2.5, "verdict": "met"}
    ]  # fmt: skip


def test_a_table_has_a_line_a_size_a_mean_and_what_is_held_against_one_peer():
    sizes = {8: 10.0, 64 << 10: 40.0}
    measured = [pair("ompi-tcp", sizes, {8: 9.0, 64 << 10: 80.0}, TCP2),
                pair("mlx-ring", sizes, {8: 80.0, 64 << 10: 90.0}, TCP2)]
    (text,) = report.tables(measured)
    assert text.splitlines() == [
        "### all_reduce, 2 ranks, tcp, near cores",
        "",
        "| size | ours | best peer | its time | ÷ ours | interval | pairs | bar | |",
        "|---|---|---|---|---|---|---|---|---|",
        "| 8 B | 10.00 µs | ompi-tcp | 9.00 µs | 0.90 | 0.90–0.90 | 1 | 1 | missed |",
        "| 64 KiB | 40.00 µs | ompi-tcp | 80.00 µs | 2.00 | 2.00–2.00 | 1 | 1 | met |",
        "| geometric mean | | | | 1.34 | | | 1.3 | met |",
        "",
        "Against one alone:",
        "",
        "| size | ours | peer | its time | ÷ ours | interval | pairs | bar | |",
        "|---|---|---|---|---|---|---|---|---|",
        "| 8 B | 10.00 µs | mlx-ring | 80.00 µs | 8.00 | 8.00–8.00 | 1 | 5 | met |",
        "| 64 KiB | 40.00 µs | mlx-ring | 90.00 µs | 2.25 | 2.25–2.25 | 1 | 2.5 | missed |",
    ]
    assert report.missed(measured)
    assert not report.missed(measured[:1] and [pair("ompi-tcp", {8: 1.0}, {8: 2.0}, TCP2)])


def test_our_own_buffers_are_held_against_ordinary_ones_only():
    scene = Scene("all_reduce", 2, "shm", "jackal")
    measured = [pair(OWN_ORDINARY, {64 << 10: 1.0}, {64 << 10: 1.2}, scene), pair("x", {64 << 10: 1.0}, {64 << 10: 5.0}, scene)]
    assert [r["peer"] for r in report.rows(measured)] == ["x"]
    assert "| 64 KiB | 1.00 µs | jackal-ordinary | 1.20 µs | 1.20 | 1.20–1.20 | 1 | 1.3 | missed |" in report.tables(measured)[0]


def test_the_page_says_how_much_was_left_out_and_what_could_not_run():
    measured = [pair("x", {8: 1.0}, {8: 3.0}), pair("x", {8: 1.0}, {8: 3.0}, distances=(9e9, 60.0, 60.0))]
    text = report.page({"date": "today"}, measured, {"gloo-ring": "no g++ here"}, quick=True)
    assert "- date: today\n" in text
    assert "- pairs: 1 counted, 1 left out" in text
    assert "- not compared: gloo-ring: no g++ here\n" in text
    assert "`--quick` takes few pairs" in text
    assert "--quick" not in report.page({}, measured, {}, quick=False)


@pytest.mark.parametrize(("us", "text"), [(0.094, "0.09 µs"), (12.3, "12.30 µs"), (240.6, "241 µs"), (21_395, "21.4 ms")])
def test_times_have_three_digits_or_so(us, text):
    assert report.time_text(us) == text
