"""Runs the contenders of a scene in turn and times them."""

import os
import random
import signal
import sys
import time

from .scenes import Scene

ONE_RUN_SECONDS = 180
# A contender that takes longer than this runs only in the first SLOW_ROUNDS.
SLOW_SECONDS, SLOW_ROUNDS = 5.0, 3


class Failed(Exception):
    pass


def once(contender) -> tuple:
    """Seconds from start to end of one run, and of the CPU; raises Failed when it does not end well."""
    devnull = os.open(os.devnull, os.O_RDWR)
    errors = os.memfd_create("errors") if hasattr(os, "memfd_create") else os.dup(devnull)
    try:
        files = [(os.POSIX_SPAWN_DUP2, devnull, 0), (os.POSIX_SPAWN_DUP2, devnull, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
        env = {**os.environ, **dict(contender.env)}
        start = time.perf_counter()
        try:
            pid = os.posix_spawnp(contender.argv[0], contender.argv, env, file_actions=files, setpgroup=0)
        except OSError as error:
            raise Failed(f"could not start: {error.strerror}") from error
        status, cpu = _wait(pid, start + ONE_RUN_SECONDS)
        seconds = time.perf_counter() - start
        if status is None:
            raise Failed(f"still running after {ONE_RUN_SECONDS} s")
        code = os.waitstatus_to_exitcode(status)
        if code:
            os.lseek(errors, 0, os.SEEK_SET)
            said = os.read(errors, 4096).decode(errors="replace").strip().splitlines()
            raise Failed(f"exit status {code}: {said[-1] if said else 'no message'}")
        return seconds, cpu
    finally:
        os.close(devnull)
        os.close(errors)


def _wait(pid: int, deadline: float):
    """The wait status and seconds of CPU; no status after killing the group at the deadline: an alarm interrupts."""
    def stop(*_):
        os.killpg(pid, signal.SIGKILL)
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(0.01, deadline - time.perf_counter()))
    try:
        _, status, used = os.wait4(pid, 0)
        return status, used.ru_utime + used.ru_stime
    except TimeoutError:
        os.waitpid(pid, 0)
        return None, 0.0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def scene(what: Scene, rounds: int, shuffle: random.Random, program: str = "bench-launch") -> dict:
    """{contender: {"seconds": {round: s}, "cpu": {round: s}, "problem": text}}.

    Round 0 warms caches up and is not kept.
    """
    taken = {c.name: {"seconds": {}, "cpu": {}, "problem": ""} for c in what.contenders}
    slow = set()
    for number in range(rounds + 1):
        # Another order each round, so that nobody always runs after the same neighbour.
        for contender in shuffle.sample(what.contenders, len(what.contenders)):
            own = taken[contender.name]
            if own["problem"] or (contender.name in slow and number > SLOW_ROUNDS):
                continue
            try:
                seconds, cpu = once(contender)
            except Failed as problem:
                own["problem"] = str(problem)
                continue
            if number:
                own["seconds"][number] = seconds
                own["cpu"][number] = cpu
            elif seconds > SLOW_SECONDS:
                slow.add(contender.name)
    print(f"{program}: {what.name}: {rounds} rounds done", file=sys.stderr, flush=True)
    return taken
