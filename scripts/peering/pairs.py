"""Pairs of launches, ours and a peer's, and what they come to. Pure but for load() and Journal."""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benching.stats import Estimate, estimate

# Nanoseconds for a cache line's round trip. Cores that share a cache take 50 to 110, others 300 to 500; beyond that
# somebody else had the cores.
NEAR_BELOW, FAR_BELOW = 170.0, 900.0
NEAR, FAR, DISTURBED = "near", "far", "disturbed"
# What coll_sm does dependably, in µs, at the sizes where one launch is three times as fast as the next.
DEPENDABLE = {("ompi-collsm", 2, 32 << 20): 20_000.0, ("ompi-collsm", 2, 128 << 20): 76_000.0}


@dataclass(frozen=True)
class Scene:
    """What all pairs that are compared have in common."""

    op: str
    ranks: int
    transport: str
    buffers: str = "ordinary"
    rewrite: bool = False


@dataclass(frozen=True)
class Pair:
    scene: Scene
    peer: str
    distances_ns: tuple  # before the first launch, between the two, after the second
    ours_us: dict  # {bytes: median}
    peer_us: dict

    @property
    def mode(self) -> str:
        modes = {mode_of(distance) for distance in self.distances_ns}
        return modes.pop() if len(modes) == 1 else DISTURBED


@dataclass(frozen=True)
class Case:
    """One size against one peer in one mode."""

    scene: Scene
    bytes: int
    mode: str
    peer: str
    ours_us: float
    peer_us: float
    ratio: Estimate


def mode_of(distance_ns: float) -> str:
    if distance_ns < NEAR_BELOW:
        return NEAR
    return FAR if distance_ns < FAR_BELOW else DISTURBED


def peer_time(pair: Pair, size: int) -> float:
    return DEPENDABLE.get((pair.peer, pair.scene.ranks, size), pair.peer_us[size])


def cases(pairs: list) -> list:
    """Every (scene, mode, size, peer) for which there is an undisturbed pair."""
    grouped = {}
    for pair in pairs:
        if pair.mode == DISTURBED:
            continue
        for size in sorted(pair.ours_us.keys() & pair.peer_us.keys()):
            grouped.setdefault((pair.scene, pair.mode, size, pair.peer), []).append(pair)
    made = []
    for (scene, mode, size, peer), own in grouped.items():
        ratios = estimate(peer_time(pair, size) / pair.ours_us[size] for pair in own)
        ours = estimate(pair.ours_us[size] for pair in own).median
        made.append(Case(scene, size, mode, peer, ours, estimate(peer_time(pair, size) for pair in own).median, ratios))
    return made


def best(all_cases: list, without: tuple = ()) -> list:
    """Of each (scene, mode, size) the case against the peer that comes out best beside us."""
    found = {}
    for case in all_cases:
        if case.peer in without:
            continue
        key = (case.scene, case.mode, case.bytes)
        if key not in found or case.ratio.median < found[key].ratio.median:
            found[key] = case
    return sorted(found.values(), key=lambda c: (c.scene.op, c.scene.ranks, c.scene.transport, c.mode != NEAR, c.bytes))


def geometric_mean(values) -> float:
    values = list(values)
    return math.exp(sum(math.log(value) for value in values) / len(values))


def counted(pairs: list, scene: Scene, peer: str) -> int:
    """How many pairs there are in the mode that has most of them."""
    modes = [pair.mode for pair in pairs if (pair.scene, pair.peer) == (scene, peer)]
    return max((modes.count(mode) for mode in (NEAR, FAR)), default=0)


def load(path: Path) -> list:
    """The pairs of a journal; ValueError names the line that is none."""
    pairs = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            data = json.loads(line)
            pairs.append(Pair(Scene(**data["scene"]), data["peer"], tuple(map(float, data["distances_ns"])),
                              _times(data["ours_us"]), _times(data["peer_us"])))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}:{number}: is no pair of launches: {error}") from error
    return pairs


def _times(data: dict) -> dict:
    times = {int(size): float(time) for size, time in data.items()}
    if not all(time > 0 and math.isfinite(time) for time in times.values()):
        raise ValueError("a time that cannot be")
    return times


def line_of(pair: Pair) -> str:
    return json.dumps(asdict(pair)) + "\n"


@dataclass
class Journal:
    """Pairs as they are taken; with a path they outlast this run, and a later one goes on from there."""

    path: Path | None = None
    pairs: list = field(default_factory=list)

    def __post_init__(self):
        if self.path and self.path.exists():
            self.pairs = load(self.path)

    def add(self, pair: Pair):
        self.pairs.append(pair)
        if self.path:
            with self.path.open("a") as file:
                file.write(line_of(pair))
