"""Runs of steps: what depends on a failed build, what a silent or crashing test program counts as."""

import os
import signal
import subprocess
import sys

import pytest
from testing.__main__ import run_steps
from testing.context import Context
from testing.steps import Step, all_steps, is_shell, select
from testing.tally import Case, StepResult


def step(name, *outcomes, needs=()):
    return Step(name, "", lambda _: StepResult(name, 0.0, [Case(name, o, "why") for o in outcomes]), needs)


def outcomes(results):
    return {result.name: [case.outcome for case in result.cases] for result in results}


@pytest.fixture
def context(tmp_path):
    return Context(tmp_path)


def test_what_needs_a_failed_build_is_not_run_and_the_rest_is(context):
    steps = [step("build", "failed"), step("units", "passed", needs=("build",)), step("format", "passed")]
    assert outcomes(run_steps(context, steps, skips_fail=False)) == {
        "build": ["failed"], "units": ["skipped"], "format": ["passed"]}


def test_in_ci_a_skip_counts_as_a_failure(context):
    results = run_steps(context, [step("format", "skipped")], skips_fail=True)
    assert results[0].cases == [Case("format", "failed", "skipped, and CI skips nothing: why")]


def test_chosen_steps_bring_the_builds_they_need_in_order():
    steps = [step("build"), step("units", needs=("build",)), step("e2e", needs=("build",))]
    assert [s.name for s in select(steps, ["e2e"])] == ["build", "e2e"]
    assert select(steps, []) == steps


def test_an_unknown_step_is_refused_by_name():
    with pytest.raises(ValueError, match="no step is called 'unit'"):
        select([step("units")], ["unit"])


def test_every_suite_of_the_tests_folder_becomes_a_step(tmp_path):
    for suite in ("e2e", "scripts"):
        (tmp_path / "tests" / suite).mkdir(parents=True)
        (tmp_path / "tests" / suite / "test_x.py").touch()
    names = [s.name for s in all_steps(tmp_path)]
    assert {"e2e", "clang-e2e", "scripts"} <= set(names)
    assert "clang-scripts" not in names


def program(report, body):
    return [sys.executable, "-c", f"report = {str(report)!r}\n{body}"]


WRITE = "open(report, 'w').write('<testsuite>{}</testsuite>')\n"
PASSED = WRITE.format('<testcase classname="x.global" name="adds"/>')
FAILED = WRITE.format('<testcase classname="x.global" name="adds"><failure>3</failure></testcase>')


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (PASSED, [Case("adds", "passed")]),
        (FAILED + "raise SystemExit(1)", [Case("adds", "failed", "3")]),
        (WRITE.format(""), [Case("x", "failed", "ran no test")]),
    ],
)
def test_a_test_program_counts_by_its_report(context, body, expected):
    report = context.reports / "x.xml"
    assert context.junit("units", "x", program(report, body), report, 30.0).cases == expected


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (PASSED + "raise SystemExit(1)", "exit status 1"),
        (PASSED + "import os; os.abort()", "ended by SIGABRT"),
        (FAILED + "import os; os.abort()", "ended by SIGABRT"),
        ("pass", "no usable report in x.xml"),
    ],
)
def test_an_end_that_no_case_explains_is_a_failure_of_its_own(context, body, what):
    report = context.reports / "x.xml"
    last = context.junit("units", "x", program(report, body), report, 30.0).cases[-1]
    assert (last.name, last.outcome) == ("x", "failed")
    assert last.detail.startswith(what)


def test_an_old_report_is_not_counted_again(context):
    report = context.reports / "x.xml"
    context.junit("units", "x", program(report, PASSED), report, 30.0)
    assert context.junit("units", "x", program(report, "pass"), report, 30.0).count("passed") == 0


def test_a_sanitizer_report_of_any_process_is_a_failure(context):
    body = "import os, re; path = re.search(\"log_path='([^']*)'\", os.environ['ASAN_OPTIONS'])[1]\n" \
           "open(path + '.42', 'w').write('heap-use-after-free')"
    run = lambda env, prefix: context.command("clang-units", "x", [*prefix, *program("", body)], 30.0, env)
    assert context.sanitized("clang-units", run).cases == [
        Case("x", "passed"), Case("sanitizer report.42", "failed", "heap-use-after-free")]


@pytest.mark.parametrize(
    ("first_line", "expected"),
    [("#!/usr/bin/env bash", True), ("#!/bin/sh", True), ("#!/usr/bin/env python3", False), ("sh", False), ("", False)],
)
def test_a_shell_script_is_known_by_its_first_line(tmp_path, first_line, expected):
    (tmp_path / "x").write_text(first_line + "\n")
    assert is_shell(tmp_path / "x") is expected


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_that_we_were_started_to_ignore_still_reaches_what_a_step_starts(number):
    """As under nohup, or in the background of a script."""
    body = (
        "import os, signal, subprocess\n"
        "from testing.__main__ import keep_ignoring_alone\n"
        f"number = signal.{number.name}\n"
        "keep_ignoring_alone((number,))\n"
        "os.kill(os.getpid(), number)\n"
        "print(subprocess.run(['/bin/sh', '-c', f'kill -{number:d} $$']).returncode)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", body], capture_output=True, text=True, env={"PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN), check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{-number:d}\n", "")
