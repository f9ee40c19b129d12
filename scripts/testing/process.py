"""Runs one command of a step: bounded in time, output to a log, nothing of its process group left behind."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How a command ended. `problem` is empty when it exited 0 in time and left no process in its group."""

    problem: str
    seconds: float


running = set()  # what run() waits for, in whichever thread


def stop_all() -> None:
    """Stops what other threads wait for; their run() returns."""
    for process in list(running):
        _stop(process, ESCALATION)


# A stopped test suite needs a while to take its virtual cluster down; only then is it killed.
ESCALATION = ((signal.SIGINT, 30.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


def run(argv, log: Path, timeout: float, cwd: Path, env: dict, escalation=ESCALATION) -> Ended:
    """Runs `argv` in a process group of its own, its output appended to `log`."""
    start = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        output.write(("$ " + " ".join(map(str, argv)) + "\n").encode())
        output.flush()
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, env=env,
                start_new_session=True,
            )
        except OSError as error:
            return Ended(f"could not start {argv[0]}: {error.strerror}", time.monotonic() - start)
        running.add(process)
        try:
            problem = _describe(process.wait(timeout))
        except subprocess.TimeoutExpired:
            problem = f"still running after {timeout:g} s, stopped"
            _stop(process, escalation)
        except BaseException:
            _stop(process, escalation)
            raise
        finally:
            running.discard(process)
        left = _group_members(process.pid, patience=5.0)
        if left:
            _signal_group(process.pid, signal.SIGKILL)
            problem = problem or "left processes behind: " + ", ".join(left)
    return Ended(problem, time.monotonic() - start)


def _describe(status: int) -> str:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    return f"exit status {status}" if status else ""


def _stop(process, escalation) -> None:
    for number, patience in escalation:
        _signal_group(process.pid, number)
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        pass


def _group_members(group: int, patience: float) -> list:
    """The commands that are still in a group whose leader has ended, after `patience` for the ones about to."""
    deadline = time.monotonic() + patience
    while True:
        listing = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,pid=,args="], capture_output=True, text=True)
        rows = [line.split(None, 3) for line in listing.stdout.splitlines()]
        members = [row for row in rows if len(row) == 4 and row[0] == str(group) and not row[1].startswith("Z")]
        if not members or time.monotonic() >= deadline:
            return [f"{pid} {command}" for _, _, pid, command in members]
        time.sleep(0.1)
