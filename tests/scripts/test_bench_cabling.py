"""The page of scripts/bench-cabling: the choice against the best, and two cables against one."""

from benching.cabling import cablings, doubled, table


def taken(**medians):
    """Every size's medians of 7 rounds, all alike."""
    return {name: {size: dict.fromkeys(range(7), us) for size, us in by_size.items()} for name, by_size in medians.items()}


def test_the_choice_is_held_against_the_best_algorithm_of_its_size():
    rows = table(taken(auto={1024: 19.0, 65536: 110.0, 262144: 120.0}, ring={1024: 20.0, 65536: 100.0, 262144: 100.0},
                       mesh={1024: 10.0, 65536: 130.0, 262144: 130.0})).splitlines()  # fmt: skip
    assert rows[0] == "| bytes | choice µs | ring | mesh | choice ÷ best | interval | aim |"
    assert rows[2] == "| 1024 | 19 | 20 | **10** | 1.90 | 1.90–1.90 | ≤ 2.00: met |"
    assert rows[3] == "| 65536 | 110 | **100** | 130 | 1.10 | 1.10–1.10 | ≤ 1.10: met |"
    assert rows[4] == "| 262144 | 120 | **100** | 130 | 1.20 | 1.20–1.20 | ≤ 1.10: missed |"


def test_an_algorithm_without_a_time_is_never_the_best():
    assert "| – |" in table(taken(auto={1024: 10.0}, ring={1024: 20.0}, mesh={}))


def test_two_cables_are_judged_at_the_largest_size():
    rows = doubled(taken(auto={1024: 10.0, 65536: 100.0}), taken(auto={1024: 10.0, 65536: 50.0})).splitlines()
    assert rows[2].endswith("| 1.00 | 1.00–1.00 |  |")
    assert rows[3].endswith("| 2.00 | 2.00–2.00 | ≥ 1.80: met |")
    assert "missed" in doubled(taken(auto={65536: 100.0}), taken(auto={65536: 60.0}))


def test_every_cabling_is_there_once():
    shapes = [(cabling.nodes, sorted(cabling.pairs)) for cabling in cablings()]
    assert len(shapes) == 8
    assert all(shapes.count(shape) == 1 for shape in shapes)
    assert {cabling.nodes for cabling in cablings()} == {2, 3, 4}
