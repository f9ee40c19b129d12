"""Verbs for the tests of a job's life and death: run launch, watch what it leaves behind."""

import os
import re
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from fixture import wait_for

MARK = "JACKAL_LIFE_TEST"
JOB_FILE = re.compile(r"/jackal-([0-9a-f]{8,}-\d+|ssh-\w{6})(/|$)")  # as lib/remote names them


class Here:
    """launch on this machine; everything that it starts carries a mark in its environment."""

    def __init__(self, launch):
        self.launch = str(launch)
        self.mark = uuid.uuid4().hex
        self.env = {**os.environ, MARK: self.mark}

    def argv(self, *arguments):
        return [self.launch, *(os.fspath(argument) for argument in arguments)]

    def run(self, *arguments, timeout=60, **options):
        """launch ARGUMENTS… to its end: bytes, both streams captured, no input."""
        options = {"capture_output": True, "env": self.env, **options}
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.argv(*arguments), timeout=timeout, check=False, **options)

    def start(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "env": self.env, **options}  # fmt: skip
        return subprocess.Popen(self.argv(*arguments), **options)

    def processes(self):
        """{pid: argv} of everything with the mark."""
        wanted = f"{MARK}={self.mark}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
            except OSError:
                continue  # it has ended meanwhile, or is a zombie
        return found

    def wait_until_nothing_runs(self, seconds=15):
        # A process that is becoming another program has no environment for a moment, so one look is not enough.
        def nothing_runs():
            if self.processes():
                return False
            time.sleep(0.1)
            return not self.processes()

        wait_for(nothing_runs, seconds, "the end of every process of the job")

    def kill_what_is_left(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.fixture
def here(bin_dir):
    """launch on this machine; the test fails when a process of its jobs outlives it."""
    one = Here(bin_dir / "launch")
    yield one
    try:
        one.wait_until_nothing_runs()
    finally:
        one.kill_what_is_left()


def last_line(stderr):
    text = stderr if isinstance(stderr, str) else stderr.decode(errors="replace")
    return text.splitlines()[-1] if text else ""


def wait_for_file(path, seconds=30):
    """The file's text, once it has any."""
    path = Path(path)
    return wait_for(lambda: path.exists() and path.read_text(), seconds, f"{path}")


def job_files(cluster):
    """What every node and the head still hold of any job; the head's home is this machine's, with files of its own."""
    return {
        node: files for node in ["head", *cluster.nodes] if (files := [f for f in cluster.files(node) if JOB_FILE.search(f)])
    }
