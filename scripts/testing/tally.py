"""Counts results and prints them for a person: pure, but for reading JUnit files."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One test: `outcome` is passed, failed or skipped; `detail` is the failure's text or the skip's reason."""

    name: str
    outcome: str
    detail: str = ""


@dataclass
class StepResult:
    name: str
    seconds: float = 0.0
    cases: list = field(default_factory=list)
    log: str = ""

    def count(self, outcome: str) -> int:
        return sum(case.outcome == outcome for case in self.cases)


def read_junit(path: Path) -> list:
    """The cases of one JUnit XML file, as Catch2 and pytest write it. Raises ValueError when it is not whole."""
    try:
        tree = ElementTree.parse(path)
    except (OSError, ElementTree.ParseError) as error:
        raise ValueError(f"no usable report in {path.name}: {error}") from error
    return [_case(element) for element in tree.iter("testcase")]


def _case(element) -> Case:
    class_name, name = element.get("classname", ""), element.get("name", "")
    # Catch2 names the binary as the class, and adds ".global" when the test has no class.
    name = name if class_name.endswith(".global") or not class_name else f"{class_name} {name}"
    for tag, outcome in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        found = element.find(tag)
        if found is not None:
            text = (found.text or "").strip()
            message = found.get("message", "").strip()
            # A skip's reason is its message; a failure's text says more than its message.
            return Case(name, outcome, (message or text) if outcome == "skipped" else (text or message))
    return Case(name, "passed")


def skips_as_failures(result: StepResult) -> StepResult:
    """Where nothing may be skipped, a skipped test is a failed one that says why."""
    def strict(case: Case) -> Case:
        if case.outcome != "skipped":
            return case
        return Case(case.name, "failed", f"skipped, and CI skips nothing: {case.detail}")

    return StepResult(result.name, result.seconds, [strict(case) for case in result.cases], result.log)


def step_line(result: StepResult) -> str:
    counts = f"{result.count('passed')} passed"
    for outcome in ("failed", "skipped"):
        if result.count(outcome):
            counts += f", {result.count(outcome)} {outcome}"
    verdict = "FAILED" if result.count("failed") else "ok" if result.count("passed") else "-"
    return f"{verdict:<7} {result.name:<14} {result.seconds:7.1f} s  {counts}"


def summary(results: list, detail_lines: int = 30) -> str:
    """Skips with reasons, failures with where to look, and the closing line."""
    lines = []
    for outcome, title in (("skipped", "Skipped:"), ("failed", "Failed:")):
        chosen = [(result, case) for result in results for case in result.cases if case.outcome == outcome]
        if chosen:
            lines.append(title)
        for result, case in chosen:
            if outcome == "skipped":
                lines.append(f"  {result.name}: {case.name}: {case.detail or 'no reason given'}")
                continue
            lines.append(f"  {result.name}: {case.name}" + (f"   (log: {result.log})" if result.log else ""))
            detail = case.detail.splitlines()
            if len(detail) > detail_lines:
                lines.append(f"      … {len(detail) - detail_lines} lines before")
            lines.extend(f"      {line}" for line in detail[-detail_lines:])
    passed = sum(result.count("passed") for result in results)
    failed = sum(result.count("failed") for result in results)
    if passed + failed == 0:
        lines.append("nothing was tested")
        failed = 1
    lines.append(f"{passed} passed, {failed} failed")
    return "\n".join(lines)


def succeeded(results: list) -> bool:
    return any(result.count("passed") for result in results) and not any(result.count("failed") for result in results)
