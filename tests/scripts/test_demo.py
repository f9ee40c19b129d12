"""scripts/demo, with stand-ins for all that it calls: what it counts, and that it never leaves nodes behind."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Notes every call; `up` prints a directory or fails as told, `exec` prints what the nodes would.
CLUSTER = """
import os, sys, time
root = os.environ["DEMO_ROOT"]
with open(root + "/calls", "a") as calls:
    calls.write(sys.argv[1] + "\\n")
if sys.argv[1] == "up":
    print(root + "/nodes")
    sys.exit(int(os.environ.get("UP", "0")))
if sys.argv[1] == "exec":
    if "HANG" in os.environ:
        open(root + "/hanging", "w").close()
        time.sleep(3600)
    print(os.environ["REMOTE"], end="")
"""


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def sums(hosts):
    return "".join(f"rank {i} of 4 on {host}: sum = [10, 10, 10, 10]\n" for i, host in enumerate(hosts))


class Demo:
    def __init__(self, root):
        self.root = root
        (root / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "demo", root / "scripts" / "demo")
        script(root / "scripts" / "setup", "exit 0\n")
        script(root / "tests" / "cluster" / "cluster", CLUSTER)
        script(root / "build" / "bin" / "launch", '#!/bin/sh\nprintf %s "$LOCAL"\nexit "${LAUNCH_STATUS:-0}"\n')
        uname = '[ "$1" = -s ] && echo Linux || echo here'
        for name, body in {"cmake": "exit 0", "uname": uname, "id": "echo 0"}.items():
            script(root / "stand-ins" / name, f"#!/bin/sh\n{body}\n")

    def start(self, **env):
        env = {"LOCAL": sums(["here"] * 4), "REMOTE": sums(["n1", "n2", "n3", "n4"]), **env}
        path = f"{self.root / 'stand-ins'}:{os.environ['PATH']}"
        return subprocess.Popen(
            ["bash", str(self.root / "scripts" / "demo")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "DEMO_ROOT": str(self.root), "PATH": path, **env}, start_new_session=True,
        )  # fmt: skip

    def run(self, **env):
        process = self.start(**env)
        output = process.communicate(timeout=60)[0]
        return process.returncode, output.splitlines()[-1], output

    @property
    def calls(self):
        path = self.root / "calls"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def demo(tmp_path):
    folder = tmp_path / "a clone"
    folder.mkdir()
    return Demo(folder)


def test_two_right_sums_pass_and_the_nodes_are_taken_down(demo):
    status, last, output = demo.run()
    assert (status, last) == (0, "2 passed, 0 failed"), output
    assert demo.calls == ["up", "exec", "down"]


@pytest.mark.parametrize(
    "remote",
    [
        sums(["n1", "n2", "n3", "n3"]),
        sums(["n1", "n2", "n3"]),
        sums(["n1", "n2", "n3", "n4"]).replace("10]", "11]"),
        "",
    ],
)
def test_a_wrong_host_rank_or_sum_fails_and_the_nodes_are_taken_down(demo, remote):
    status, last, _ = demo.run(REMOTE=remote)
    assert (status, last) == (1, "1 passed, 1 failed")
    assert demo.calls[-1] == "down"


def test_right_output_with_a_wrong_exit_status_fails(demo):
    status, last, output = demo.run(LAUNCH_STATUS="7")
    assert (status, last) == (1, "1 passed, 1 failed")
    assert "launch ended with 7" in output


def test_where_no_nodes_can_be_had_the_local_sum_alone_counts(demo):
    status, last, output = demo.run(UP="77")
    assert (status, last) == (0, "1 passed, 0 failed")
    assert "left out: this machine cannot make them" in output


def test_nodes_that_fail_to_come_up_are_a_failure(demo):
    assert demo.run(UP="1")[:2] == (1, "1 passed, 1 failed")


def test_a_build_that_fails_is_a_failure_with_a_closing_line(demo):
    script(demo.root / "stand-ins" / "cmake", "#!/bin/sh\nexit 2\n")
    status, last, output = demo.run()
    assert (status, last) == (1, "0 passed, 1 failed")
    assert "ended early, with status 2" in output


def test_when_interrupted_it_still_takes_the_nodes_down(demo):
    process = demo.start(HANG="1")
    deadline = time.monotonic() + 30
    while not (demo.root / "hanging").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 1
    assert demo.calls == ["up", "exec", "down"]
    assert re.search(r"1 passed, \d failed$", output.strip())
