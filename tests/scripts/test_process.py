"""A step's command: bounded, logged, and its whole process group gone afterwards."""

import os
import signal
import subprocess
import sys

from testing.process import run

QUICK = ((signal.SIGINT, 0.3), (signal.SIGTERM, 0.3), (signal.SIGKILL, 5.0))


def shell(tmp_path, script, timeout=30.0):
    return run(["/bin/sh", "-c", script], tmp_path / "log", timeout, tmp_path, dict(os.environ), QUICK)


def gone(pid):
    """Killed, and perhaps not collected yet: a zombie runs nothing."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return state == "" or state.startswith("Z")


def test_success_has_no_problem_and_its_output_is_in_the_log(tmp_path):
    assert shell(tmp_path, "echo out; echo err >&2").problem == ""
    assert (tmp_path / "log").read_text() == "$ /bin/sh -c echo out; echo err >&2\nout\nerr\n"


def test_a_status_and_a_signal_are_told_apart(tmp_path):
    assert shell(tmp_path, "exit 7").problem == "exit status 7"
    assert shell(tmp_path, "kill -KILL $$").problem == "ended by SIGKILL"


def test_a_program_that_does_not_exist_is_a_problem(tmp_path):
    ended = run(["./no such"], tmp_path / "log", 5.0, tmp_path, dict(os.environ))
    assert ended.problem == "could not start ./no such: No such file or directory"


def test_standard_input_is_empty(tmp_path):
    assert shell(tmp_path, "cat").problem == ""


def test_a_command_that_ignores_interrupts_is_killed_when_its_time_is_up(tmp_path):
    ended = shell(tmp_path, "trap '' INT TERM; echo $$ >pid; while :; do sleep 1; done", timeout=2)
    assert ended.problem == "still running after 2 s, stopped"
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_command_that_is_stopped_may_clean_up_first(tmp_path):
    shell(tmp_path, "trap 'echo cleaned >done; exit 1' INT; echo >ready; while :; do sleep 0.05; done", timeout=2)
    assert (tmp_path / "done").read_text() == "cleaned\n"


def test_a_process_left_behind_is_a_problem_and_is_ended(tmp_path):
    ended = shell(tmp_path, "sleep 3600 </dev/null >/dev/null 2>&1 & echo $! >pid")
    pid = int((tmp_path / "pid").read_text())
    assert ended.problem == f"left processes behind: {pid} sleep 3600"
    assert gone(pid)


def test_arguments_with_spaces_stay_one_argument(tmp_path):
    run([sys.executable, "-c", "import sys; print(sys.argv[1:])", "a b", "c"], tmp_path / "log", 30.0, tmp_path,
        dict(os.environ))
    assert (tmp_path / "log").read_text().splitlines()[-1] == "['a b', 'c']"
