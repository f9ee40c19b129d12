"""What a measuring program wrote, read without trust. Pure."""

import json
import math

MEMBERS = {
    "op": str, "dtype": str, "ranks": int, "transport": str, "bytes": int, "algorithm": str, "iterations": int,
    "median_us": float, "p10_us": float, "p99_us": float, "algbw": float, "busbw": float, "wrong": int,
}  # fmt: skip
CHUNKED = ("all_gather", "reduce_scatter", "all_to_all")
FLOAT_BYTES = 4


class Malformed(Exception):
    pass


def rounded(op: str, size: int, ranks: int) -> int:
    """The bytes that are measured where `size` is asked for: whole elements, one of every rank at least."""
    if op == "barrier":
        return 0
    chunks = ranks if op in CHUNKED else 1
    return max(1, size // chunks // FLOAT_BYTES) * chunks * FLOAT_BYTES


def read(text: str, op: str, ranks: int, sizes: list) -> dict:
    """{bytes: median in µs} of exactly these sizes; Malformed names what is not as it must be."""
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise Malformed(f"is no JSON: {error}") from error
    if not isinstance(rows, list):
        raise Malformed("is no list of rows")
    times = {}
    for number, row in enumerate(rows):
        _check(row, f"row {number}", op, ranks)
        if row["bytes"] in times:
            raise Malformed(f"row {number} repeats {row['bytes']} bytes")
        times[row["bytes"]] = float(row["median_us"])
    wanted = {rounded(op, size, ranks) for size in sizes}
    if times.keys() != wanted:
        raise Malformed(f"has the sizes {sorted(times)}, expected {sorted(wanted)}")
    return times


def _check(row, where: str, op: str, ranks: int):
    if not isinstance(row, dict) or row.keys() != MEMBERS.keys():
        raise Malformed(f"{where} has not the members {', '.join(MEMBERS)}")
    for name, kind in MEMBERS.items():
        value = row[name]
        fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
        if not fits or (kind is float and not math.isfinite(value)):
            raise Malformed(f"{where} has {name} {value!r}")
    if (row["op"], row["dtype"], row["ranks"]) != (op, "float32", ranks):
        raise Malformed(f"{where} is {row['op']} of {row['dtype']} by {row['ranks']} ranks, expected {op} of float32 by {ranks}")
    if row["wrong"] != 0:
        raise Malformed(f"{where} says that {row['wrong']} elements are wrong")
    if row["median_us"] <= 0 or row["iterations"] < 1 or row["bytes"] < 0:
        raise Malformed(f"{where} has a time, a number of iterations or a size that cannot be")
