"""The measurements as Markdown. Pure."""

from .scenes import OURS, Scene
from .stats import estimate, ratios


def table(scene: Scene, taken: dict) -> str:
    """One line a contender: its time, and how many times as long as ours it took."""
    lines = [
        f"### {scene.name}",
        "",
        "| | median | interval | ÷ launch | interval | runs | aim |",
        "|---|---|---|---|---|---|---|",
    ]
    ours = taken[OURS]["seconds"]
    aims = named_aims(scene, taken)
    for contender in scene.contenders:
        own = taken[contender.name]
        if own["problem"] or not own["seconds"]:
            lines.append(f"| {contender.name} | failed | {own['problem'].replace('|', '/')} | | | | |")
            continue
        time = estimate(own["seconds"].values())
        cells = [contender.name, milliseconds(time.median), f"{milliseconds(time.low)}–{milliseconds(time.high)}", "", "", str(time.count), ""]
        if contender.name != OURS and ours:
            ratio = estimate(ratios(ours, own["seconds"]))
            cells[3:5] = [f"{ratio.median:.2f}", f"{ratio.low:.2f}–{ratio.high:.2f}"]
            aim = aims.get(contender.name)
            if aim:
                cells[6] = f"≥ {aim:.2f}: {'met' if ratio.median >= aim else 'missed'}"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def named_aims(scene: Scene, taken: dict) -> dict:
    """The scene's aims with "the fastest of the others" replaced by its name."""
    aims = {name: aim for name, aim in scene.aims.items() if name}
    if "" in scene.aims:
        medians = {
            name: estimate(own["seconds"].values()).median
            for name, own in taken.items()
            if name != OURS and own["seconds"] and not own["problem"]
        }
        if medians:
            aims[min(medians, key=medians.get)] = scene.aims[""]
    return aims


def page(about: dict, tables: list) -> str:
    lines = ["## Start times: `true` on every rank", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += ["- interval: holds the true median with at least 95 % (order statistics); "
              "÷ launch: median of the ratios of runs in the same round, contenders shuffled every round", ""]
    return "\n".join(lines) + "\n" + "\n\n".join(tables) + "\n"


def milliseconds(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"
