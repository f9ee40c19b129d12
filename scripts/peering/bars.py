"""How many times as long as ours a peer must take, and what a measured ratio says about it. Pure."""

from .configurations import OWN_ORDINARY
from .pairs import NEAR, Case, Scene

KIB, MIB = 1 << 10, 1 << 20
MET, NOISE, MISSED = "met", "within noise", "missed"


def bar(case: Case) -> float:
    """Against the best peer at a size; against ourselves with ordinary buffers."""
    scene, size = case.scene, case.bytes
    if case.peer == OWN_ORDINARY:
        return 1.3 if size >= 64 * KIB else 0.0
    near_pair = scene.op == "all_reduce" and scene.ranks == 2 and scene.transport == "shm" and case.mode == NEAR
    if near_pair and scene.buffers == "ordinary" and not scene.rewrite:
        if size in (8, 64):
            return 2.5
        if 512 * KIB <= size <= 32 * MIB:
            return 2.0
    return 1.0


def mean_bar(scene: Scene, mode: str) -> float:
    """Of the geometric mean over all sizes; 0 where none is set."""
    if scene.op != "all_reduce" or scene.buffers != "ordinary" or scene.rewrite:
        return 0.0
    if scene.transport == "tcp":
        return 1.3
    if scene.ranks == 2:
        return 1.7 if mode == NEAR else 1.2
    return 1.5 if scene.ranks == 4 else 0.0


def bar_against(case: Case) -> float:
    """Against one peer by itself; 0 where none is set."""
    scene, size = case.scene, case.bytes
    if scene.op != "all_reduce" or scene.rewrite or scene.buffers != "ordinary":
        return 0.0
    if case.peer == "mlx-ring" and scene.transport == "tcp":
        if scene.ranks == 4:
            return 100.0 if size <= 64 * KIB else 0.0
        if scene.ranks == 2:
            return 5.0 if size <= 8 * KIB else 2.5 if size == 64 * KIB else 0.0
    if scene.ranks == 4 and scene.transport == "shm" and case.peer.startswith("mpich") and size == 8:
        return 500.0
    return 0.0


def verdict(ratio, wanted: float) -> str:
    """A size fails when the whole interval lies below its bar."""
    if ratio.median >= wanted:
        return MET
    return NOISE if ratio.high >= wanted else MISSED
