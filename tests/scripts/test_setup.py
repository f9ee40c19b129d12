"""scripts/setup on a stand-in Debian: installs what is missing, once, and says what to do when it may not."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

STAND_INS = {
    "uname": "echo Linux",
    "dpkg-query": 'shift 2; for p; do grep -qx "$p" "$BOX/absent" || echo "ii  $p"; done',
    "apt-get": 'echo "$@" >>"$BOX/calls"; [ ! -e "$BOX/lock" ] || { rm "$BOX/lock"; '
    'echo "E: Could not get lock /var/lib/dpkg/lock-frontend" >&2; exit 100; }; '
    '[ ! -e "$BOX/broken" ] || { echo "E: no network" >&2; exit 100; }',
    "id": 'echo "${ASKED_UID:-0}"',
    "sudo": 'echo "sudo $*" >>"$BOX/calls"; [ -z "$NO_SUDO" ] || exit 1; '
    '[ "$1" != -n ] || shift; [ "$1" = -v ] || "$@"',
    "sleep": "exit 0",
    "systemctl": "exit 0",
    "busybox": "exit 0",
}


class Box:
    """A copy of the project with a finished .venv, and a PATH of stand-ins."""

    def __init__(self, path):
        self.path = path
        for name in ("scripts/setup", "tests/requirements.txt"):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, path / name)
        (path / "bin").mkdir()
        for name, body in STAND_INS.items():
            (path / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
            (path / "bin" / name).chmod(0o755)
        self.absent()
        self.finish_venv()

    def finish_venv(self):
        (self.path / ".venv" / "bin").mkdir(parents=True)
        (self.path / ".venv" / "bin" / "python").symlink_to(sys.executable)
        version = subprocess.run(["/usr/bin/python3", "--version"], capture_output=True, text=True, check=True).stdout
        (self.path / ".venv" / ".stamp").write_text(version + (self.path / "tests" / "requirements.txt").read_text())

    def absent(self, *packages):
        (self.path / "absent").write_text("".join(p + "\n" for p in packages))

    def setup(self, *arguments, **env):
        env = {**os.environ, "BOX": str(self.path), "PATH": f"{self.path / 'bin'}:{os.environ['PATH']}", **env}
        return subprocess.run(
            ["bash", str(self.path / "scripts" / "setup"), *arguments], env=env, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=60, check=False,
        )  # fmt: skip

    @property
    def calls(self):
        path = self.path / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def box(tmp_path):
    if not sys.platform.startswith("linux"):
        pytest.skip("Debian's branch needs a Linux machine")
    folder = tmp_path / "a clone"
    folder.mkdir()
    return Box(folder)


def test_with_everything_there_nothing_is_installed_or_said(box):
    done = box.setup()
    assert (done.returncode, done.stdout, done.stderr, box.calls) == (0, "", "", [])


def test_only_what_is_missing_is_installed_after_one_update(box):
    box.absent("libssh-dev", "catch2")
    assert box.setup().returncode == 0
    update, install = box.calls
    assert update.endswith(" update")
    assert re.search(r" install --no-install-recommends libssh-dev catch2$", install)


def test_the_peers_of_the_benchmark_are_installed_only_when_asked_for(box):
    box.absent("mpich")
    box.setup()
    assert box.calls == []
    box.setup("--bench")
    assert box.calls[-1].endswith(" install --no-install-recommends mpich")


def test_another_package_manager_at_work_is_waited_for(box):
    box.absent("catch2")
    (box.path / "lock").touch()
    done = box.setup()
    assert done.returncode == 0
    assert "another package manager is at work" in done.stderr
    assert [call.split()[-1] for call in box.calls] == ["update", "update", "catch2"]


def test_a_failed_install_shows_what_apt_said(box):
    box.absent("catch2")
    (box.path / "broken").touch()
    done = box.setup()
    assert done.returncode == 1
    assert "E: no network\nsetup: apt-get update failed" in done.stderr


def test_who_is_not_root_goes_through_sudo(box):
    box.absent("catch2")
    assert box.setup(ASKED_UID="1000").returncode == 0
    assert "sudo env DEBIAN_FRONTEND=noninteractive" in box.calls[-2]


def test_who_may_not_become_root_is_told_what_to_run(box):
    box.absent("catch2", "g++")
    done = box.setup(ASKED_UID="1000", NO_SUDO="1")
    assert done.returncode == 1
    assert "Run as root: apt-get install g++ catch2\n" in done.stderr


def test_an_unknown_argument_is_refused(box):
    done = box.setup("--all")
    assert done.returncode == 64
    assert "usage: scripts/setup [--bench]" in done.stderr
