"""The steps of scripts/test, in order: what each needs first, and what it runs."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import catch, process
from .context import Context, joined
from .tally import Case, StepResult

CLANG = "clang++-14"
CLANG_FORMAT = "clang-format-14"
SOURCE_FOLDERS = ("apps", "bindings", "examples", "lib", "tests")
SCRIPT_FOLDERS = (".ci", "scripts", "tests")
# Suites that test no binary of ours, for which sanitized builds would show nothing new, and the one whose machine is
# emulated and too slow for them: the unit tests drive the same code.
UNSANITIZED = ("scripts", "cluster", "simmac", "install", "rdma-vm")
UNBUILT = ("scripts", "cluster")
TSAN_TESTS = ("collectives", "collectives_threads", "collectives_verbs")
FUZZ_SECONDS, LONG_FUZZ_SECONDS = 60, 600
MOST_FUZZED = "probes_fuzz"
# The collectives' matrix has steps of its own: it wants both cores for a while. How long it draws operations at random:
MATRIX = "collectives_matrix"
MATRIX_SECONDS = {"matrix": 60, "clang-matrix": 20}
LONG_MATRIX_SECONDS = 600
# Catch2 hides a case with either of these tags from who does not ask for it.
LONG_CASES = "[long],[.long]"
# Unit tests run this many at once: few of them keep a core busy.
UNIT_PROCESSES = 4
# These suites wait for processes and networks of their own making, so some of their files run at once.
SIDE_BY_SIDE = ("cluster", "e2e")
PYTEST_PROCESSES = 5


@dataclass(frozen=True)
class Step:
    name: str
    about: str
    run: Callable[[Context], StepResult]
    needs: tuple = ()


def all_steps(root: Path) -> list:
    suites = pytest_suites(root)
    first = [
        Step("format", "clang-format finds nothing to change", check_format),
        Step("shell", "shellcheck finds nothing in our shell scripts", check_shell),
        Step("man", "the manual pages are well-formed", check_man),
        Step("build", "build/: g++, optimised", lambda c: build(c, "build", "release")),
        Step("units", "every unit test", lambda c: units(c, "units", c.build), ("build",)),
        Step("matrix", "collectives against a plain reference, ranks as processes", lambda c: matrix(c, "matrix", c.build),
             ("build",)),
    ]
    release = [
        Step(suite, f"tests/{suite}, with pytest", _suite(suite, suite, "build"), () if suite in UNBUILT else ("build",))
        for suite in suites
    ]
    release.append(Step("demo", "scripts/demo does what it shows", check_demo, ("build",)))
    sanitized = [
        Step("clang-build", "build/clang: the second compiler, address and undefined behaviour, fuzzers", build_clang),
        Step("clang-units", "every unit test so built", lambda c: sanitized_units(c, "clang"), ("clang-build",)),
        Step("clang-matrix", "the collectives' matrix so built", sanitized_matrix, ("clang-build",)),
        *(
            Step(f"clang-{suite}", f"tests/{suite} so built", _suite(f"clang-{suite}", suite, "clang"), ("clang-build",))
            for suite in suites
            if suite not in UNSANITIZED
        ),
        Step("fuzz", "every fuzzer, from its corpus", fuzz, ("clang-build",)),
        Step("tsan-build", "build/tsan: the collectives' tests",
             lambda c: build(c, "tsan-build", "tsan", targets=tuple(f"{name}_tests" for name in TSAN_TESTS))),
        Step("tsan-units", "the collectives' tests under tsan",
             lambda c: sanitized_units(c, "tsan", only=TSAN_TESTS), ("tsan-build",)),
    ]
    return first + release + sanitized


def select(steps: list, names: list) -> list:
    """The steps called `names` and all that they need, in order; ValueError for a name that is none."""
    if not names:
        return steps
    by_name = {step.name: step for step in steps}
    wanted = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in by_name:
            raise ValueError(f"no step is called '{name}'; known: {', '.join(by_name)}")
        wanted.add(name)
        pending.extend(by_name[name].needs)
    return [step for step in steps if step.name in wanted]


def skipped(step: str, reason: str) -> StepResult:
    return StepResult(step, 0.0, [Case(step, "skipped", reason)])


def pytest_suites(root: Path) -> list:
    return sorted({path.relative_to(root / "tests").parts[0] for path in (root / "tests").glob("*/**/test_*.py")})


def build(c: Context, step: str, preset: str, targets: tuple = ()) -> StepResult:
    configured = c.command(step, f"configure {preset}", ["cmake", "--preset", preset], 300)
    if configured.count("failed"):
        return configured
    target = ["--target", *targets] if targets else []
    built = c.command(step, f"build {preset}", ["cmake", "--build", "--preset", preset, *target], 1500)
    return StepResult(step, configured.seconds + built.seconds, built.cases, built.log)


def build_clang(c: Context) -> StepResult:
    if not shutil.which(CLANG):
        return skipped("clang-build", f"no {CLANG} here")
    return build(c, "clang-build", "clang")


def units(c: Context, step: str, folder: Path, env=None, prefix=(), only=()) -> StepResult:
    """Every test that CMake knows: a Catch2 binary by its own cases, anything else by its exit status."""
    listing = subprocess.run(["ctest", "--test-dir", folder, "--show-only=json-v1"], capture_output=True, text=True)
    known = json.loads(listing.stdout)["tests"] if listing.returncode == 0 else []
    runs = []
    for test in known:
        name, argv = test["name"], test.get("command", [])
        if name == MATRIX or (only and name not in only):
            continue
        if not argv or not argv[0].endswith("_tests"):
            runs.append((c.command, f"{step}.{name}", name, [*prefix, *argv], 300, env))
            continue
        for i, shard in enumerate(catch.shards(argv[0], c.reports, f"{step}.{name}", UNIT_PROCESSES)):
            report = c.reports / f"{step}.{name}.{i}.xml"
            command = [*prefix, *shard, "--order", "rand", "--rng-seed", "time", "--reporter", "junit", "--out", report]
            runs.append((c.junit, f"{step}.{name}.{i}", name, command, report, 300, env))
        if c.long and catch.names_of([argv[0], LONG_CASES]):
            report = c.reports / f"{step}.{name}.long.xml"
            command = [*prefix, argv[0], LONG_CASES, "--reporter", "junit", "--out", report]
            runs.append((c.junit, f"{step}.{name}.long", f"{name}, long cases", command, report, 3600, env))
    if not runs:
        return StepResult(step, 0.0, [Case(step, "failed", f"no unit tests in {folder}: {listing.stderr}")])
    return joined(c, step, side_by_side(runs, UNIT_PROCESSES))


def side_by_side(runs: list, most: int) -> list:
    """What each (function, argument …) returns, in order, `most` of them at a time."""
    with ThreadPoolExecutor(most) as threads:
        try:
            return list(threads.map(lambda run: run[0](*run[1:]), runs))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            process.stop_all()
            raise


def sanitized_units(c: Context, preset: str, only=()) -> StepResult:
    step = f"{preset}-units"
    return c.sanitized(step, lambda env, prefix: units(c, step, c.build / preset, env, prefix, only))


def matrix(c: Context, step: str, folder: Path, env=None, prefix=()) -> StepResult:
    """Every pair of the matrix, then operations at random; with --long all of it."""
    report = c.reports / f"{step}.xml"
    seconds = LONG_MATRIX_SECONDS if c.long else MATRIX_SECONDS[step]
    cases = [f"{LONG_CASES},~[.long]"] if c.long else []
    argv = [*prefix, folder / "tests" / f"{MATRIX}_tests", *cases, "--reporter", "junit", "--out", report]
    env = {**(env or {}), "JACKAL_TEST_SECONDS": str(seconds)}
    return c.junit(step, MATRIX, argv, report, 4 * 3600 if c.long else 600, env)


def sanitized_matrix(c: Context) -> StepResult:
    step = "clang-matrix"
    return c.sanitized(step, lambda env, prefix: matrix(c, step, c.build / "clang", env, prefix))


def _suite(step: str, suite: str, preset: str) -> Callable[[Context], StepResult]:
    def run(c: Context, env=None, prefix=()) -> StepResult:
        report = c.reports / f"{step}.xml"
        env = {**(env or {}), "JACKAL_BUILD": str(c.build if preset == "build" else c.build / preset)}
        sanitized = preset != "build"
        chosen = [] if c.long else ["-m", "not long and not slow" if sanitized else "not long"]
        many = ["-n", PYTEST_PROCESSES, "--dist", "loadfile"] if suite in SIDE_BY_SIDE else []
        argv = [*prefix, c.python, "-m", "pytest", c.root / "tests" / suite, *chosen, *many, f"--junitxml={report}",
                *c.pytest_arguments]
        return c.junit(step, suite, argv, report, 3 * 3600 if c.long else 600, env)

    if preset == "build":
        return run
    return lambda c: c.sanitized(step, lambda env, prefix: run(c, env, prefix))


def fuzz(c: Context) -> StepResult:
    fuzzers = sorted((c.build / "clang" / "fuzz").glob("*_fuzz"))
    if not fuzzers:
        return StepResult("fuzz", 0.0, [Case("fuzz", "failed", "build/clang holds no fuzzer")])
    total = LONG_FUZZ_SECONDS if c.long else FUZZ_SECONDS
    runs = []
    # What users paste and machines print has the whole time to itself; beside it the others share the same.
    for fuzzer in sorted(fuzzers, key=lambda path: path.name != MOST_FUZZED):
        name = fuzzer.name.removesuffix("_fuzz")
        seconds = total if fuzzer.name == MOST_FUZZED else max(1, total // max(1, len(fuzzers) - 1))
        grown = c.build / "fuzz-corpus" / name  # finds stay here from run to run; the project's own corpus is only read
        grown.mkdir(parents=True, exist_ok=True)
        seeds = [folder for folder in [c.root / "tests" / "fuzz" / "corpus" / name] if folder.is_dir()]
        argv = [fuzzer, f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1",
                f"-artifact_prefix={c.reports}/fuzz-{name}-", grown, *seeds]
        runs.append((c.command, f"fuzz.{name}", name, argv, seconds + 120))
    return joined(c, "fuzz", side_by_side(runs, 2))


def check_format(c: Context) -> StepResult:
    if not shutil.which(CLANG_FORMAT):
        return skipped("format", f"no {CLANG_FORMAT} here")
    files = [path for folder in SOURCE_FOLDERS for path in (c.root / folder).rglob("*")]
    sources = sorted(path for path in files if path.suffix in (".cpp", ".hpp", ".h"))
    return c.command("format", "clang-format", [CLANG_FORMAT, "--dry-run", "-Werror", *sources], 300)


def check_demo(c: Context) -> StepResult:
    return c.command("demo", "demo", ["bash", c.root / "scripts" / "demo"], 300)


def check_shell(c: Context) -> StepResult:
    if not shutil.which("shellcheck"):
        return skipped("shell", "no shellcheck here")
    files = sorted(path for folder in SCRIPT_FOLDERS for path in (c.root / folder).rglob("*") if path.is_file())
    return c.command("shell", "shellcheck", ["shellcheck", *filter(is_shell, files)], 120)


def is_shell(path: Path) -> bool:
    with path.open("rb") as file:
        words = file.readline(200).split()
    return words[:1] != [] and words[0].startswith(b"#!") and words[-1].rpartition(b"/")[2] in (b"sh", b"bash", b"dash")


def check_man(c: Context) -> StepResult:
    pages = sorted((c.root / "man").glob("*.[1-9]"))
    if not pages:
        return StepResult("man", 0.0, [Case("man", "failed", "no page in man/")])
    return c.command("man", "mandoc", ["mandoc", "-T", "lint", "-W", "warning", *pages], 60)
