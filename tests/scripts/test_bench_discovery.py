"""The page of scripts/bench-discovery: what is compared with what, and that a failure is never a fast time."""

from benching.discovery import scene, table


def taken(seconds, problem=""):
    return {"seconds": dict(enumerate(seconds)), "cpu": dict.fromkeys(range(len(seconds)), 0.02), "problem": problem}


def test_all_are_held_against_the_slowest_alone():
    text = table(4, {"all 4": taken([1.5] * 7), "n1 alone": taken([1.0] * 7), "n2 alone": taken([1.2] * 7)})
    assert text.splitlines()[2:] == [
        "| all 4 | 1500 ms | 1500 ms–1500 ms | 20.0 ms | 1.25 | 7 | ≤ 1.50: met |",
        "| n1 alone | 1000 ms | 1000 ms–1000 ms | 20.0 ms |  | 7 |  |",
        "| n2 alone | 1200 ms | 1200 ms–1200 ms | 20.0 ms |  | 7 |  |",
    ]


def test_an_aim_is_missed_or_there_is_none():
    assert "≤ 3.00: missed" in table(32, {"all 32": taken([3.1]), "n1 alone": taken([1.0])})
    assert table(5, {"all 5": taken([3.1]), "n1 alone": taken([1.0])}).splitlines()[2].endswith("| 3.10 | 1 |  |")


def test_a_failure_shows_why_and_no_time():
    assert table(4, {"all 4": taken([], "exit status 1: a | b")}).endswith("| all 4 | failed | exit status 1: a / b | | | | |")


def test_machines_alone_are_spread_over_the_ring():
    names = [contender.name for contender in scene("distributed-config", "ssh_config", 32).contenders]
    assert names == ["all 32", "n1 alone", "n9 alone", "n17 alone", "n25 alone"]
