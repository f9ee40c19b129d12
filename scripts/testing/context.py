"""Where a run of scripts/test happens: paths, environment, and how one command of a step is run and judged."""

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import process, tally


@dataclass
class Context:
    root: Path
    long: bool = False
    pytest_arguments: list = field(default_factory=list)

    @property
    def build(self) -> Path:
        return self.root / "build"

    @property
    def reports(self) -> Path:
        return self.build / "reports"

    @property
    def python(self) -> Path:
        return self.root / ".venv" / "bin" / "python"

    def environment(self, extra: dict) -> dict:
        env = {**os.environ, **extra}
        env.pop("PYTHONPATH", None)  # ours, for this program; a job's Python must not see it
        if shutil.which("ccache"):
            env.setdefault("CMAKE_C_COMPILER_LAUNCHER", "ccache")
            env.setdefault("CMAKE_CXX_COMPILER_LAUNCHER", "ccache")
            env.setdefault("CCACHE_BASEDIR", str(self.root))
            env.setdefault("CCACHE_NOHASHDIR", "1")
        return env

    def command(self, step: str, name: str, argv, timeout: float, env=None) -> tally.StepResult:
        """A command whose exit status is its result: one case."""
        log = self.reports / f"{step}.log"
        before = log.stat().st_size if log.exists() else 0
        ended = process.run([str(part) for part in argv], log, timeout, self.root, self.environment(env or {}))
        case = tally.Case(name, "passed")
        if ended.problem:
            case = tally.Case(name, "failed", ended.problem + "\n" + _tail(log, before))
        return self._result(step, ended.seconds, [case])

    def junit(self, step: str, name: str, argv, report: Path, timeout: float, env=None) -> tally.StepResult:
        """A test program that writes `report`: its cases, and one more for what no case says (a crash, a hang)."""
        report.unlink(missing_ok=True)
        outcome = self.command(step, name, argv, timeout, env)
        problem = outcome.cases[0].detail
        try:
            cases = tally.read_junit(report)
            unexplained = problem and not (
                problem.startswith("exit status") and any(case.outcome == "failed" for case in cases)
            )
            if not cases and not problem:
                cases = [tally.Case(name, "failed", "ran no test")]
        except ValueError as error:
            cases, unexplained, problem = [], True, problem or str(error)
        if unexplained:
            cases = [*cases, tally.Case(name, "failed", problem)]
        return self._result(step, outcome.seconds, cases)

    def sanitized(self, step: str, run) -> tally.StepResult:
        """Runs run(env, prefix) so that every process's sanitizer report is found, however deep the process was."""
        # Not in /tmp, which the virtual cluster's head hides; quoted for a path with a space or a colon.
        found = self.reports / f"{step}.sanitizer"
        found.mkdir(parents=True)
        common = f"log_path='{found}/report':print_stacktrace=1"
        env = {
            "ASAN_OPTIONS": f"{common}:strict_string_checks=1:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": common,
            "TSAN_OPTIONS": f"{common}:second_deadlock_stack=1",
        }
        result = run(env, _fixed_addresses())
        for report in sorted(found.iterdir()):
            text = report.read_text(errors="replace").splitlines()
            result.cases.append(tally.Case(f"sanitizer {report.name}", "failed", "\n".join(text[:30])))
        return result

    def _result(self, step: str, seconds: float, cases: list) -> tally.StepResult:
        log = self.reports / f"{step}.log"
        return tally.StepResult(step, seconds, cases, str(log.relative_to(self.root)))


def joined(c: Context, step: str, results: list) -> tally.StepResult:
    """One result and one log of commands that ran side by side, each with a log of its own."""
    log = c.reports / f"{step}.log"
    with log.open("ab") as whole:
        for result in results:
            part = c.root / result.log
            whole.write(part.read_bytes())
            part.unlink()
    return tally.StepResult(step, 0.0, [case for r in results for case in r.cases], str(log.relative_to(c.root)))


def _fixed_addresses() -> list:
    """Sanitizer run-times of g++ 12 and clang 14 do not start on kernels that randomise more address bits."""
    return ["setarch", "-R"] if sys.platform == "linux" and shutil.which("setarch") else []


def _tail(log: Path, offset: int, lines: int = 30) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
