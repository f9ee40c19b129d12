"""The tally: what counts, what is printed, and what the closing line says."""

import pytest
from testing.tally import Case, StepResult, read_junit, skips_as_failures, step_line, succeeded, summary

CATCH2 = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="base_tests" errors="0" failures="1" tests="7" time="0.1">
  <testcase classname="base_tests.global" name="reads a file" time="0.01" status="run"/>
  <testcase classname="base_tests.global" name="refuses a directory" time="0.01" status="run">
    <failure message="false" type="REQUIRE">
FAILED:
  REQUIRE( false )
at file_test.cpp:12
    </failure>
  </testcase>
</testsuite></testsuites>
"""

PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="3">
  <testcase classname="e2e.test_mlx" name="test_ring"/>
  <testcase classname="e2e.test_mlx" name="test_mpi"><skipped message="no mpirun">x.py:3: no mpirun</skipped></testcase>
  <testcase classname="e2e.test_mlx" name="test_setup"><error message="failed on setup">boom</error></testcase>
</testsuite></testsuites>
"""


def result(*cases, name="units"):
    return StepResult(name, 1.5, list(cases), f"build/reports/{name}.log")


def test_a_catch2_report_gives_its_cases_with_the_failure_text(tmp_path):
    (tmp_path / "r.xml").write_text(CATCH2)
    assert read_junit(tmp_path / "r.xml") == [
        Case("reads a file", "passed"),
        Case("refuses a directory", "failed", "FAILED:\n  REQUIRE( false )\nat file_test.cpp:12"),
    ]


def test_a_pytest_report_gives_skips_their_reason_and_counts_errors_as_failures(tmp_path):
    (tmp_path / "r.xml").write_text(PYTEST)
    assert read_junit(tmp_path / "r.xml") == [
        Case("e2e.test_mlx test_ring", "passed"),
        Case("e2e.test_mlx test_mpi", "skipped", "no mpirun"),
        Case("e2e.test_mlx test_setup", "failed", "boom"),
    ]


@pytest.mark.parametrize("text", ["", CATCH2[:300], None])
def test_a_report_that_is_cut_off_or_missing_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "r.xml").write_text(text)
    with pytest.raises(ValueError, match="r.xml"):
        read_junit(tmp_path / "r.xml")


def test_the_closing_line_stands_alone_and_adds_every_step_up():
    text = summary([result(Case("a", "passed"), Case("b", "passed")), result(Case("c", "failed", "why"), name="e2e")])
    assert text.splitlines()[-1] == "2 passed, 1 failed"


def test_a_failure_is_shown_with_its_step_its_text_and_its_log():
    text = summary([result(Case("refuses a directory", "failed", "at file_test.cpp:12"))])
    assert text.splitlines() == [
        "Failed:",
        "  units: refuses a directory   (log: build/reports/units.log)",
        "      at file_test.cpp:12",
        "0 passed, 1 failed",
    ]


def test_of_a_long_failure_the_end_is_shown():
    text = summary([result(Case("x", "failed", "\n".join(str(i) for i in range(40))))], detail_lines=3)
    assert [line.strip() for line in text.splitlines()[2:-1]] == ["… 37 lines before", "37", "38", "39"]


def test_a_skip_is_shown_with_its_reason_and_is_no_pass():
    skipped = [result(Case("x", "passed"), Case("mpi", "skipped", "no mpirun"))]
    assert summary(skipped).splitlines() == ["Skipped:", "  units: mpi: no mpirun", "1 passed, 0 failed"]


def test_where_nothing_may_be_skipped_a_skip_fails_and_says_why():
    changed = skips_as_failures(result(Case("x", "passed"), Case("mpi", "skipped", "no mpirun")))
    assert changed.cases[1] == Case("mpi", "failed", "skipped, and CI skips nothing: no mpirun")
    assert not succeeded([changed])


def test_a_run_of_nothing_has_failed():
    assert summary([]).splitlines() == ["nothing was tested", "0 passed, 1 failed"]
    assert not succeeded([])
    assert not succeeded([result(Case("mpi", "skipped", "no mpirun"))])


def test_success_takes_a_pass_and_no_failure():
    assert succeeded([result(Case("a", "passed")), result(Case("b", "skipped", "why"))])
    assert not succeeded([result(Case("a", "passed")), result(Case("b", "failed", "why"))])


def test_a_step_has_one_line_with_verdict_time_and_counts():
    line = step_line(result(Case("a", "passed"), Case("b", "failed"), Case("c", "skipped")))
    assert line.split() == ["FAILED", "units", "1.5", "s", "1", "passed,", "1", "failed,", "1", "skipped"]
    assert step_line(result(Case("a", "passed"))).startswith("ok ")
