"""Medians and their intervals, without a distribution assumed. Pure."""

import math
import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A median and an interval that holds the true one with at least 95 % (with fewer than 6 values: the range)."""

    median: float
    low: float
    high: float
    count: int


def estimate(values) -> Estimate:
    ordered = sorted(values)
    k = _order_statistic(len(ordered))
    return Estimate(statistics.median(ordered), ordered[k - 1], ordered[-k], len(ordered))


def _order_statistic(count: int) -> int:
    """The largest k for which the k-th smallest and k-th largest value enclose the median with 95 %."""
    k = 1
    while 2 * sum(math.comb(count, i) for i in range(k + 1)) / 2**count <= 0.05:
        k += 1
    return k


def ratios(ours: dict, theirs: dict) -> list:
    """Theirs / ours, round by round: what shook the machine in one round shook both."""
    return [theirs[r] / ours[r] for r in sorted(ours.keys() & theirs.keys())]
