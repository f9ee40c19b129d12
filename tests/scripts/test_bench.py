"""The benchmark's arithmetic and its page; and that a contender's failure is never a fast time."""

import random

import pytest
from benching import measure
from benching.report import named_aims, page, table
from benching.scenes import BARE, HELD, OURS, Contender, Scene, local, remote
from benching.stats import Estimate, estimate, ratios


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], Estimate(3.0, 3.0, 3.0, 1)),
        ([5, 1, 4, 2, 3], Estimate(3, 1, 5, 5)),
        ([7, 1, 6, 2, 5, 3, 4], Estimate(4, 1, 7, 7)),
        # From 9 values on the outermost are not needed: P(all but one on one side) is 20/512 < 5 %.
        (range(1, 10), Estimate(5, 2, 8, 9)),
        (range(1, 12), Estimate(6, 2, 10, 11)),
    ],
)
def test_a_median_comes_with_its_order_statistic_interval(values, expected):
    assert estimate(values) == expected


def test_intervals_hold_the_true_median_as_often_as_they_say():
    chance = random.Random(7)
    held = sum(
        e.low <= 0.5 <= e.high for e in (estimate([chance.random() for _ in range(11)]) for _ in range(4000))
    )
    assert held / 4000 > 0.95


def test_ratios_pair_runs_of_the_same_round():
    assert ratios({1: 2.0, 2: 4.0, 3: 1.0}, {1: 4.0, 2: 4.0, 4: 9.0}) == [2.0, 1.0]


def taken(**seconds):
    return {name.replace("_", " "): {"seconds": dict(enumerate(s, 1)), "problem": ""} for name, s in seconds.items()}


def test_a_table_has_a_line_a_contender_with_ratio_and_aim():
    contenders = tuple(Contender(name, ()) for name in (OURS, "slow", "fast"))
    scene = Scene("8 nodes", contenders, {"slow": 2.0, "fast": 1.0})
    text = table(scene, taken(launch=[0.1] * 7, slow=[0.25] * 7, fast=[0.05] * 7))
    assert text.splitlines()[4:] == [
        "| launch | 100 ms | 100 ms–100 ms |  |  | 7 |  |",
        "| slow | 250 ms | 250 ms–250 ms | 2.50 | 2.50–2.50 | 7 | ≥ 2.00: met |",
        "| fast | 50.0 ms | 50.0 ms–50.0 ms | 0.50 | 0.50–0.50 | 7 | ≥ 1.00: missed |",
    ]


def test_a_contender_that_failed_shows_why_and_no_time():
    scene = Scene("8 nodes", (Contender(OURS, ()), Contender("pdsh", ())), {})
    measured = taken(launch=[0.1], pdsh=[])
    measured["pdsh"]["problem"] = "exit status 1: no | pipe"
    assert table(scene, measured).splitlines()[-1] == "| pdsh | failed | exit status 1: no / pipe | | | | |"


def test_the_local_aim_is_held_against_the_faster_mpi():
    measured = taken(launch=[0.006], Open_MPI=[0.06], MPICH=[0.005])
    assert named_aims(local("launch", 1), measured) == {"MPICH": 1.0}


@pytest.mark.parametrize(("nodes", "bare", "held"), [(1, 1.0, 1 / 1.15), (8, 2.0, 1.0), (32, 3.5, 1.2)])
def test_the_ssh_aims_grow_with_the_nodes(nodes, bare, held):
    assert remote("launch", "/c", nodes).aims == {BARE: bare, HELD: held}


def test_other_numbers_of_nodes_have_no_aim():
    assert remote("launch", "/c", 4).aims == {}


def test_a_config_path_with_a_space_stays_one_argument():
    by_name = {c.name: c for c in remote("launch", "/a b/c", 1).contenders}
    assert by_name[BARE].argv[-4:] == ("sh", "/a b/c", "", "n1")
    assert by_name["clush"].argv[5] == "-F '/a b/c'"


def run(*argv):
    return measure.once(Contender("x", argv))


def test_a_run_that_does_not_end_well_is_no_measurement():
    with pytest.raises(measure.Failed, match="exit status 3: told why"):
        run("sh", "-c", "echo told why >&2; exit 3")
    with pytest.raises(measure.Failed, match="could not start: No such file"):
        run("/no/such/program")


def test_a_run_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(measure, "ONE_RUN_SECONDS", 0.2)
    with pytest.raises(measure.Failed, match="still running after 0.2 s"):
        run("sleep", "3600")


def test_a_scene_keeps_every_round_but_the_first_and_drops_who_fails():
    scene = Scene("x", (Contender("good", ("true",)), Contender("bad", ("false",))), {})
    measured = measure.scene(scene, 3, random.Random(1))
    assert sorted(measured["good"]["seconds"]) == [1, 2, 3]
    assert measured["bad"] == {"seconds": {}, "cpu": {}, "problem": "exit status 1: no message"}


def test_the_page_says_where_and_how_it_was_measured():
    text = page({"date": "today", "command": "`scripts/bench-launch`"}, ["### a", "### b"])
    assert "- date: today\n- command: `scripts/bench-launch`\n" in text
    assert text.endswith("### a\n\n### b\n")
