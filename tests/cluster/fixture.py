"""The virtual cluster for pytest: the verbs that an end-to-end test is written in.

def test_something(make_cluster, bin_dir):
    cluster = make_cluster(nodes=4, shell="dash")
    result = cluster.exec("head", [bin_dir / "launch", "--hostfile", cluster.hosts_json, "--", "hostname"])
    assert result.returncode == 0
    cluster.wait_until_idle()
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parent / "cluster"
ROOT = TOOL.parents[2]
UNAVAILABLE = 77


@dataclass(frozen=True)
class Process:
    node: str
    pid: int
    uid: int
    comm: str
    argv: tuple


def run_tool(*arguments, **options):
    """`cluster ARGUMENTS…` to its end; text, both streams captured."""
    return subprocess.run(
        [sys.executable, str(TOOL), *(str(a) for a in arguments)],
        text=True, capture_output=True, check=False, timeout=120, **options,
    )  # fmt: skip


def _checked(*arguments):
    result = run_tool(*arguments)
    if result.returncode != 0:
        raise RuntimeError(f"cluster {' '.join(map(str, arguments))}: {result.stderr.strip()}")
    return result.stdout


def wait_for(condition, seconds=20, what="the condition"):
    """Asks again until condition() is true, and returns what it said; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


class Cluster:
    """A running cluster; made by the fixture `make_cluster`."""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.ssh_config = self.dir / "ssh_config"
        self.hosts_json = self.dir / "hosts.json"
        self.known_hosts = self.dir / "known_hosts"
        self.id = self.dir / "id"
        self.shared = self.dir / "shared"
        self.nodes = [host["ssh"] for host in json.loads(self.hosts_json.read_text())]

    def command(self, node, argv, user=None, env=None):
        """The argv that runs `argv` in `node` ("head", "n1" …), as `user`, with more environment."""
        words = [sys.executable, str(TOOL), "exec", "--dir", str(self.dir)]
        if user:
            words += ["--user", user]
        for key, value in (env or {}).items():
            words += ["--env", f"{key}={value}"]
        return [*words, node, "--", *(os.fspath(word) for word in argv)]

    def exec(self, node, argv, user=None, env=None, timeout=120, **options):
        """subprocess.run in the node; text and captured unless the options say otherwise."""
        options = {"text": True, "capture_output": True, **options}
        return subprocess.run(self.command(node, argv, user, env), timeout=timeout, check=False, **options)

    def popen(self, node, argv, user=None, env=None, **options):
        """subprocess.Popen in the node. Signals sent to it, SIGKILL too, reach the command."""
        return subprocess.Popen(self.command(node, argv, user, env), **options)

    def ssh(self, node, command, **options):
        """The installed ssh, from the head."""
        return self.exec(
            "head", ["ssh", "-F", self.ssh_config, "-o", "BatchMode=yes", node, command], **options
        )

    def write_file(self, node, path, text, user="root"):
        """Writes a file on the node's own file systems (/tmp, /home …)."""
        result = self.exec(node, ["sh", "-c", 'cat > "$1"', "sh", path], user=user, input=text)
        if result.returncode != 0:
            raise RuntimeError(f"{node}: cannot write {path}: {result.stderr}")

    def files(self, node):
        """Every file that the node has on file systems of its own, its furniture in /run left out."""
        find = (
            "find /tmp /dev/shm /run /home /root /var/tmp -xdev -path /run/cluster -prune -o -type f -print"
        )
        return sorted(self.exec(node, ["sh", "-c", find]).stdout.splitlines())

    def ps(self, node=None, everything=False):
        """Processes in one node or in all, the head too: other than pid 1, the listening sshd, the agent."""
        arguments = ["ps", "--dir", self.dir, "--json"]
        arguments += ["--all"] if everything else []
        arguments += [node] if node else []
        rows = [json.loads(line) for line in _checked(*arguments).splitlines()]
        return [Process(r["node"], r["pid"], r["uid"], r["comm"], tuple(r["argv"])) for r in rows]

    def wait_until_idle(self, node=None, seconds=20):
        """Waits until no process of anybody is left in the node, or in any; fails naming those that are."""
        deadline = time.monotonic() + seconds
        while True:
            left = self.ps(node)
            if not left:
                return
            if time.monotonic() > deadline:
                pytest.fail(f"still running after {seconds} s: {left}")
            time.sleep(0.05)

    def cable(self, *ends, rate=None):
        _checked("cable", "--dir", self.dir, *(["--rate", rate] if rate else []), *ends)

    def uncable(self, *ends):
        _checked("uncable", "--dir", self.dir, *ends)

    def fault(self, node, kind, *arguments):
        _checked("fault", "--dir", self.dir, node, kind, *arguments)

    def heal(self, node, kind=None, *arguments):
        _checked("heal", "--dir", self.dir, node, *([kind] if kind else []), *arguments)

    def down(self):
        _checked("down", self.dir)


def _flags(options):
    """{"shell": "dash", "behind": ["n1=n2"], "agent": True} → the words of `cluster up`."""
    words = []
    for key, value in options.items():
        flag = "--" + key.replace("_", "-")
        if value is True:
            words.append(flag)
        elif isinstance(value, (list, tuple)):
            for one in value:
                words += [flag, str(one)]
        elif value not in (None, False):
            words += [flag, str(value)]
    return words


def start_cluster(nodes=4, **options):
    """A new cluster that ends with this process at the latest; skips the test where none can be had."""
    result = run_tool("up", "--nodes", nodes, "--owner", os.getpid(), *_flags(options))
    if result.returncode == UNAVAILABLE:
        pytest.skip(result.stderr.strip())
    if result.returncode != 0:
        raise RuntimeError(f"cluster up: {result.stderr.strip()}")
    return Cluster(result.stdout.strip())


@pytest.fixture(scope="session")
def cluster_possible():
    """Skips every test that uses it, with the reason, where no cluster can be had."""
    result = run_tool("down", "/no-such-directory")
    if result.returncode == UNAVAILABLE:
        pytest.skip(result.stderr.strip())


@pytest.fixture
def make_cluster():
    """make_cluster(nodes=4, **options of `cluster up`) → Cluster; taken down after the test."""
    made = []

    def make(nodes=4, **options):
        made.append(start_cluster(nodes, **options))
        return made[-1]

    yield make
    for cluster in made:
        cluster.down()


@pytest.fixture(scope="session")
def cluster4():
    """One cluster of four nodes for all tests that leave it as they found it."""
    cluster = start_cluster(4)
    yield cluster
    cluster.down()


@pytest.fixture(scope="session")
def bin_dir():
    """Where the built programs are: $JACKAL_BUILD/bin, or build/bin of this tree."""
    path = Path(os.environ.get("JACKAL_BUILD", ROOT / "build")).resolve() / "bin"
    if not path.is_dir():
        pytest.skip(f"{path} does not exist: build first")
    return path
