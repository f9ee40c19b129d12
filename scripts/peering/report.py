"""The pairs as Markdown and as rows for programs. Pure."""

from . import bars
from .configurations import OWN_ORDINARY
from .pairs import DEPENDABLE, NEAR, Case, best, cases, geometric_mean


def rows(pairs: list) -> list:
    """One object a case: our time beside that of the best peer at that size in that mode."""
    return [
        {
            "op": c.scene.op, "ranks": c.scene.ranks, "transport": c.scene.transport, "bytes": c.bytes, "mode": c.mode,
            "ours_us": c.ours_us, "peer": c.peer, "peer_us": c.peer_us, "ratio": c.ratio.median, "low": c.ratio.low,
            "high": c.ratio.high, "pairs": c.ratio.count, "buffers": c.scene.buffers, "rewrite": c.scene.rewrite,
            "bar": bars.bar(c), "verdict": bars.verdict(c.ratio, bars.bar(c)),
        }
        for c in best(cases(pairs), without=(OWN_ORDINARY,))
    ]  # fmt: skip


def missed(pairs: list) -> bool:
    """Whether a bar is missed by the whole of an interval."""
    return any(bars.verdict(c.ratio, wanted) == bars.MISSED for c, wanted in held(cases(pairs)))


def held(all_cases: list) -> list:
    """[(case, bar)] of all bars: the best peer's, and those against one peer."""
    against_all = [(c, bars.bar(c)) for c in best(all_cases, without=(OWN_ORDINARY,))]
    return against_all + against_one(all_cases)


def against_one(all_cases: list) -> list:
    ours = [(c, bars.bar(c)) for c in all_cases if c.peer == OWN_ORDINARY]
    others = [(c, bars.bar_against(c)) for c in all_cases if c.peer != OWN_ORDINARY]
    return sorted(((c, wanted) for c, wanted in ours + others if wanted), key=lambda held: (held[0].mode != NEAR, held[0].bytes, held[0].peer))


def tables(pairs: list) -> list:
    """A table for every scene and mode, in the order in which they were measured."""
    all_cases = cases(pairs)
    parts = list(dict.fromkeys((c.scene, c.mode) for c in all_cases))
    return [table([c for c in all_cases if (c.scene, c.mode) == part]) for part in parts]


def table(own: list) -> str:
    """`own`: all cases of one scene in one mode."""
    scene, mode = own[0].scene, own[0].mode
    lines = [f"### {heading(scene)}, {mode} cores", "",
             "| size | ours | best peer | its time | ÷ ours | interval | pairs | bar | |", "|---|---|---|---|---|---|---|---|---|"]
    rivals = best(own, without=(OWN_ORDINARY,))
    lines += [_line(c, bars.bar(c)) for c in rivals]
    if len(rivals) > 1:
        mean = geometric_mean(c.ratio.median for c in rivals)
        wanted = bars.mean_bar(scene, mode)
        aim = f"{wanted:g} | {bars.MET if mean >= wanted else bars.MISSED}" if wanted else "|"
        lines.append(f"| geometric mean | | | | {mean:.2f} | | | {aim} |")
    alone = against_one(own)
    if alone:
        lines += ["", "Against one alone:", "",
                  "| size | ours | peer | its time | ÷ ours | interval | pairs | bar | |", "|---|---|---|---|---|---|---|---|---|"]
        lines += [_line(c, wanted) for c, wanted in alone]
    return "\n".join(lines)


def _line(c: Case, wanted: float) -> str:
    dependable = " (dependable figure)" if (c.peer, c.scene.ranks, c.bytes) in DEPENDABLE else ""
    return (f"| {size_text(c.bytes)} | {time_text(c.ours_us)} | {c.peer}{dependable} | {time_text(c.peer_us)} | "
            f"{c.ratio.median:.2f} | {c.ratio.low:.2f}–{c.ratio.high:.2f} | {c.ratio.count} | {wanted:g} | "
            f"{bars.verdict(c.ratio, wanted)} |")


def heading(scene) -> str:
    extra = ", jackal::Buffer" if scene.buffers == "jackal" else ""
    return f"{scene.op}, {scene.ranks} ranks, {scene.transport}{extra}{', inputs rewritten' if scene.rewrite else ''}"


def page(about: dict, pairs: list, problems: dict, quick: bool) -> str:
    lines = ["## Collectives beside MPI, Gloo and MLX", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines.append("- ÷ ours: the peer's time over ours, median over pairs of launches that ran one after the other in the same "
                 "mode of the machine; interval: holds the true median with at least 95 %, with fewer than 6 pairs: their range")
    if quick:
        lines.append("- `--quick` takes few pairs and only the peers that are usually fastest: it shows that it works and about how fast")
    disturbed = sum(pair.mode == "disturbed" for pair in pairs)
    lines.append(f"- pairs: {len(pairs) - disturbed} counted, {disturbed} left out because the cores moved or were not ours alone")
    lines += [f"- not compared: {name}: {problem}" for name, problem in problems.items()]
    return "\n".join(lines) + "\n\n" + "\n\n".join(tables(pairs)) + "\n"


def size_text(size: int) -> str:
    if not size:
        return "–"
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:g} {name}"
    return f"{size} B"


def time_text(us: float) -> str:
    if us < 100:
        return f"{us:.2f} µs"
    if us < 10_000:
        return f"{us:.0f} µs"
    return f"{us / 1000:.1f} ms"
