"""The command line of scripts/test."""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from . import tally
from .context import Context
from .steps import all_steps, select, skipped


def main(argv: list) -> int:
    root = Path(__file__).resolve().parents[2]
    end = argv.index("--") if "--" in argv else len(argv)
    own, to_pytest = argv[:end], argv[end + 1 :]
    parser = argparse.ArgumentParser(prog="scripts/test", epilog="What follows -- is given to pytest.")
    parser.add_argument("steps", nargs="*", metavar="STEP", help="only these, and the builds they need (default: all)")
    parser.add_argument("--long", action="store_true", help="the long bars too")
    parser.add_argument("--list", action="store_true", help="name the steps")
    options = parser.parse_args(own)

    steps = all_steps(root)
    if options.list:
        for step in steps:
            print(f"{step.name:<14} {step.about}" + (f" (after {', '.join(step.needs)})" if step.needs else ""))
        return 0
    try:
        steps = select(steps, options.steps)
    except ValueError as error:
        parser.error(str(error))

    context = Context(root, options.long, to_pytest)
    shutil.rmtree(context.reports, ignore_errors=True)
    context.reports.mkdir(parents=True)
    # Ended from outside, this stops the step that runs, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keep_ignoring_alone((signal.SIGHUP, signal.SIGINT, signal.SIGQUIT))
    start = time.monotonic()
    try:
        results = run_steps(context, steps, skips_fail=os.environ.get("CI") == "true")
    except KeyboardInterrupt:
        print("scripts/test: interrupted", file=sys.stderr)
        return 130
    print(f"\n{time.monotonic() - start:.0f} s in all; reports in build/reports")
    print(tally.summary(results), flush=True)
    return 0 if tally.succeeded(results) else 1


def keep_ignoring_alone(numbers: tuple) -> None:
    """Under nohup or in a script's background some signals are ignored, and every child would inherit that: tests that
    send them would wait for ever. A handler that does nothing ends with exec."""
    for number in numbers:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def run_steps(context: Context, steps: list, skips_fail: bool) -> list:
    results, unusable = [], set()
    for step in steps:
        missing = [need for need in step.needs if need in unusable]
        if missing:
            # Its cause is already counted, as a failure or as a skip.
            result = skipped(step.name, f"{missing[0]} gave nothing to test")
        else:
            start = time.monotonic()
            result = step.run(context)
            result.seconds = time.monotonic() - start
        if result.count("failed") or not result.count("passed"):
            unusable.add(step.name)
        result = tally.skips_as_failures(result) if skips_fail else result
        print(tally.step_line(result), flush=True)
        results.append(result)
    return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
