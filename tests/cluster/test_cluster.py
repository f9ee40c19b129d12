"""What the virtual cluster promises: nodes of their own, a way in, and nothing left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from fixture import TOOL, run_tool, wait_for

pytestmark = pytest.mark.usefixtures("cluster_possible")


def traces():
    """What a cluster could leave on this machine."""

    def output(*argv):
        return subprocess.run(argv, text=True, capture_output=True, check=True).stdout

    links = sorted(link["ifname"] for link in json.loads(output("ip", "-json", "link")))
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = sorted(line.split()[4] for line in file)
    return {"netns": output("ip", "netns", "list"), "links": links, "mounts": mounts}


def processes_naming(directory):
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if os.fsencode(str(directory)) in file.read().split(b"\0"):
                    found.append(int(entry))
        except OSError:
            pass
    return found


def pid_namespace_members(inode):
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{entry}/ns/pid") == inode:
                found.append(int(entry))
        except OSError:
            pass
    return found


# --- up and down ---------------------------------------------------------------------------------------


def test_down_leaves_nothing(make_cluster, tmp_path):
    before = traces()
    cluster = make_cluster(nodes=3, dir=tmp_path / "c")
    state = json.loads((cluster.dir / "state.json").read_text())
    namespaces = [os.readlink(f"/proc/{node['pid']}/ns/pid") for node in state["nodes"].values()]
    background = cluster.popen("n2", ["sleep", "1000"])
    cluster.cable("n1:en2", "n2:en3")
    assert traces() == before, "a running cluster already shows outside"
    cluster.down()
    assert background.wait(10) != 0
    assert not cluster.dir.exists()
    assert processes_naming(cluster.dir) == []
    assert [pid_namespace_members(inode) for inode in namespaces] == [[], [], [], []]
    assert traces() == before


def test_down_twice_is_fine(make_cluster):
    cluster = make_cluster(nodes=1)
    cluster.down()
    second = run_tool("down", cluster.dir)
    assert (second.returncode, "no cluster at" in second.stderr) == (0, True)


def test_down_leaves_a_directory_alone_that_is_no_cluster(tmp_path):
    (tmp_path / "precious").write_text("x")
    assert run_tool("down", tmp_path).returncode == 0
    assert (tmp_path / "precious").read_text() == "x"


def test_up_refuses_a_directory_with_something_in_it(tmp_path):
    (tmp_path / "precious").write_text("x")
    result = run_tool("up", "--nodes", 1, "--dir", tmp_path)
    assert result.returncode == 1
    assert "not an empty directory" in result.stderr
    assert (tmp_path / "precious").read_text() == "x"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["directory", "nodes", "sshd"])
def test_up_that_is_ended_halfway_leaves_nothing(tmp_path, number, moment):
    before = traces()
    directory = tmp_path / "c"
    up = subprocess.Popen(
        [sys.executable, str(TOOL), "up", "--nodes", "8", "--dir", directory, "--owner", str(os.getpid())],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    reached = {
        "directory": lambda: directory.exists(),
        "nodes": lambda: (directory / "log" / "n1").exists(),
        "sshd": lambda: (
            (directory / "log" / "n1").exists() and "listening" in (directory / "log" / "n1").read_text()
        ),
    }[moment]
    try:
        while up.poll() is None and not reached():
            pass
    finally:
        up.send_signal(number)
        up.wait(30)
    if up.returncode == 0:  # it was faster than we: an ordinary cluster
        assert run_tool("down", directory).returncode == 0
    wait_for(lambda: not processes_naming(directory), what="the end of every process")
    assert not directory.exists()
    assert traces() == before


def test_down_that_is_killed_can_be_repeated(make_cluster):
    cluster = make_cluster(nodes=4)
    down = subprocess.Popen([sys.executable, str(TOOL), "down", str(cluster.dir)])
    supervisor = processes_naming(cluster.dir)
    while down.poll() is None and len(processes_naming(cluster.dir)) >= len(supervisor):
        pass
    down.kill()
    down.wait()
    assert run_tool("down", cluster.dir).returncode == 0
    assert not cluster.dir.exists()
    assert [pid for pid in processes_naming(cluster.dir) if pid != down.pid] == []


def test_what_a_killed_supervisor_leaves_is_removed_by_down(make_cluster):
    cluster = make_cluster(nodes=2)
    supervisor = json.loads((cluster.dir / "state.json").read_text())["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: not processes_naming(cluster.dir), what="the end of every node")
    late = cluster.exec("n1", ["true"])
    assert (late.returncode, "has ended" in late.stderr) == (1, True)
    assert run_tool("down", cluster.dir).returncode == 0
    assert not cluster.dir.exists()


def test_a_source_tree_below_tmp_stays_visible(tmp_path):
    tree = tmp_path / "a tree"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(TOOL.parent, tree / "tests" / "cluster", ignore=ignored)
    tool = tree / "tests" / "cluster" / "cluster"
    for parent in (tmp_path, *tmp_path.parents):
        if parent.owner() == "root" and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)

    def run(*words):
        argv = [sys.executable, tool, *words]
        return subprocess.run(argv, text=True, capture_output=True, check=False, timeout=60)

    directory = tree / "c"
    up = run("up", "--nodes", "1", "--dir", directory, "--owner", str(os.getpid()))
    assert (up.returncode, up.stdout) == (0, f"{directory}\n"), up.stderr
    for node in ("head", "n1"):
        assert run("exec", "--dir", directory, node, "test", "-x", tool).returncode == 0
    assert run("exec", "--dir", directory, "head", "ssh", "n1", "hostname").stdout == "n1\n"
    assert run("down", directory).returncode == 0


def test_a_cluster_ends_with_its_owner(tmp_path):
    owner = subprocess.Popen(["sleep", "1000"])
    directory = tmp_path / "c"
    result = run_tool("up", "--nodes", 2, "--dir", directory, "--owner", owner.pid)
    assert result.returncode == 0, result.stderr
    owner.kill()
    owner.wait()
    wait_for(lambda: not directory.exists() and not processes_naming(directory), what="the cluster's end")


def test_a_bad_sshd_option_fails_and_leaves_nothing(tmp_path):
    result = run_tool("up", "--nodes", 2, "--dir", tmp_path / "c", "--sshd-option", "NoSuchKeyword=yes")
    assert result.returncode == 1
    assert "NoSuchKeyword" in result.stderr
    assert not (tmp_path / "c").exists()


def test_two_clusters_do_not_meet(make_cluster):
    one, two = make_cluster(nodes=2), make_cluster(nodes=2)
    one.write_file("n1", "/tmp/which", "one")
    two.write_file("n1", "/tmp/which", "two")
    assert one.ssh("n1", "cat /tmp/which").stdout == "one"
    assert two.ssh("n1", "cat /tmp/which").stdout == "two"
    two.down()
    assert one.ssh("n2", "hostname").stdout == "n2\n"
    listed = run_tool("list").stdout
    assert f"{one.dir}  head n1 n2\n" in listed
    assert str(two.dir) not in listed


def test_a_cluster_need_not_be_named_where_the_environment_does(make_cluster):
    one, two = make_cluster(nodes=1), make_cluster(nodes=1)
    two.write_file("n1", "/tmp/which", "two")
    named = run_tool("exec", "n1", "cat", "/tmp/which", env={**os.environ, "JACKAL_CLUSTER": str(two.dir)})
    assert named.stdout == "two"
    unnamed = {key: value for key, value in os.environ.items() if key != "JACKAL_CLUSTER"}
    several = run_tool("exec", "n1", "true", env=unnamed)
    assert (several.returncode, "name one with --dir" in several.stderr) == (1, True)
    assert str(one.dir) in several.stderr


def test_start_is_timed(tmp_path):
    for nodes in (4, 32):
        result = run_tool(
            "up", "--nodes", nodes, "--dir", tmp_path / "c", "--timings", "--owner", os.getpid()
        )
        assert result.stderr.startswith(f"{nodes} nodes in ")
        print(result.stderr, end="")
        assert run_tool("down", tmp_path / "c").returncode == 0


def test_without_root_it_says_so_with_77():
    script = (
        f"import os, sys; sys.path.insert(0, {str(TOOL.parent)!r}); from vcluster.cli import main; "
        "os.setuid(65534); sys.exit(main(['up', '--nodes', '1']))"
    )
    result = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True, check=False)
    assert (result.returncode, result.stdout) == (77, "")
    assert "needs root" in result.stderr


def test_without_a_tool_it_names_it_with_77(tmp_path):
    result = run_tool("up", "--nodes", 1, "--shell", "ksh", env={**os.environ, "PATH": str(tmp_path)})
    assert result.returncode == 77
    assert "not installed" in result.stderr
