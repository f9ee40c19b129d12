"""What a test meets inside: machines of their own, and commands that pass through untouched."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import time

import pytest
from fixture import ROOT, run_tool, wait_for

pytestmark = pytest.mark.usefixtures("cluster_possible")


def read_until(fd, marker, seconds=20):
    """What a terminal shows up to `marker`."""
    seen, deadline = b"", time.monotonic() + seconds
    while marker not in seen:
        ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{marker!r} did not appear, only {seen!r}"
        seen += os.read(fd, 4096)
    return seen


# --- exec ----------------------------------------------------------------------------------------------


def test_exec_passes_the_exit_code(cluster4):
    assert cluster4.exec("head", ["sh", "-c", "exit 7"]).returncode == 7
    assert cluster4.exec("n1", ["no-such-program"]).returncode == 127


def test_exec_passes_bytes_both_ways(cluster4):
    data = bytes(range(256)) * 4096
    result = cluster4.exec("n3", ["cat"], input=data, text=False)
    assert (result.stdout == data, result.stderr) == (True, b"")


def test_exec_keeps_the_streams_apart(cluster4):
    result = cluster4.exec("n1", ["sh", "-c", "echo out; echo err >&2"])
    assert (result.stdout, result.stderr) == ("out\n", "err\n")


def test_exec_ends_by_the_signal_that_ended_the_command(cluster4):
    assert cluster4.exec("n1", ["sh", "-c", "kill -SEGV $$"]).returncode == -signal.SIGSEGV


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_exec_hands_signals_on_once(cluster4, number):
    script = f"trap 'echo got' {number.value}; echo ready; while read line; do echo $line; done; wait; exit 5"
    with cluster4.popen(
        "n2", ["bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "got\n"
        rest, _ = process.communicate("last\n", timeout=20)
    assert (rest, process.returncode) == ("last\n", 5)


def test_killing_exec_kills_the_command(cluster4):
    process = cluster4.popen("n2", ["sleep", "1000"])
    wait_for(lambda: cluster4.ps("n2"), what="the command's start")
    process.kill()
    process.wait()
    cluster4.wait_until_idle()


def test_exec_passes_a_terminal(cluster4):
    script = "trap 'echo stopped; exit 3' INT; test -t 0 && echo ready; read line"
    argv = cluster4.command("n1", ["bash", "-c", script])
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    read_until(terminal, b"ready")
    os.write(terminal, b"\x03")
    assert read_until(terminal, b"stopped").count(b"stopped") == 1
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    os.close(terminal)
    cluster4.wait_until_idle()


def test_exec_runs_as_another_user_with_a_home(cluster4):
    result = cluster4.exec(
        "n1", ["sh", "-c", 'id -un; echo "$HOME $WORD"; cd; pwd'], user="jackal", env={"WORD": "a b"}
    )
    assert result.stdout == "jackal\n/home/jackal a b\n/home/jackal\n"


# --- what a node is ------------------------------------------------------------------------------------


def test_every_node_answers_ssh_by_its_name(cluster4):
    for name in ("n1", "n2", "n3", "n4"):
        result = cluster4.ssh(name, "hostname; id -un; cd; pwd")
        assert result.stdout == f"{name}\njackal\n/home/jackal\n", result.stderr
    cluster4.wait_until_idle()


def test_the_head_finds_the_nodes_without_being_told(cluster4):
    assert cluster4.exec("head", ["ssh", "n2", "hostname"]).stdout == "n2\n"


def test_every_node_has_a_host_key_of_its_own(cluster4):
    keys = [line.split()[2] for line in cluster4.known_hosts.read_text().splitlines()]
    assert len(set(keys)) == 4


def test_the_host_file_holds_the_lan_addresses(cluster4):
    assert json.loads(cluster4.hosts_json.read_text()) == [
        {"ssh": "n1", "ips": ["10.77.0.1"]},
        {"ssh": "n2", "ips": ["10.77.0.2"]},
        {"ssh": "n3", "ips": ["10.77.0.3"]},
        {"ssh": "n4", "ips": ["10.77.0.4"]},
    ]


def test_nodes_share_no_files(cluster4):
    # Named after the cluster: nobody else on this machine has such a file.
    folders = ("/tmp", "/dev/shm", "/home", "/run", "/root", "/var/tmp")
    mine = [f"{folder}/{cluster4.dir.name}-file" for folder in folders]
    for path in mine:
        cluster4.write_file("n1", path, "x")
        assert cluster4.exec("n2", ["test", "-e", path]).returncode == 1
        assert not os.path.exists(path)
    assert mine[0] in cluster4.files("n1")
    assert cluster4.exec("n1", ["rm", *mine]).returncode == 0


def test_a_node_cannot_change_the_machine(cluster4):
    for path in ("/etc/mine", "/usr/mine", f"{ROOT}/mine"):
        result = cluster4.exec("n1", ["sh", "-c", f"echo > {path}"])
        assert result.returncode != 0
        assert "Read-only file system" in result.stderr


def test_a_node_sees_the_source_tree_and_the_common_folder_but_not_the_key(cluster4):
    assert cluster4.ssh("n1", f"test -r {ROOT}/tests/cluster/cluster").returncode == 0
    assert cluster4.ssh("n1", f"echo from n1 > {cluster4.shared}/note").returncode == 0
    assert (cluster4.shared / "note").read_text() == "from n1\n"
    (cluster4.shared / "note").unlink()
    assert cluster4.exec("n1", ["test", "-e", cluster4.id]).returncode == 1
    assert cluster4.exec("head", ["test", "-r", cluster4.id]).returncode == 0


def test_nodes_see_their_own_processes_and_interfaces_only(cluster4):
    with cluster4.popen("n1", ["sleep", "1000"]) as process:
        wait_for(
            lambda: any(p.argv == ("sleep", "1000") for p in cluster4.ps("n1")), what="the command's start"
        )
        assert cluster4.ps("n2") == []
        assert "sleep" not in cluster4.exec("n2", ["sh", "-c", "cat /proc/[0-9]*/comm"]).stdout
        process.terminate()
    assert cluster4.exec("n2", ["ls", "/sys/class/net"]).stdout == "lan\nlo\n"
    cluster4.wait_until_idle()


def test_nodes_look_like_different_boots(cluster4):
    ids = {cluster4.exec(n, ["cat", "/proc/sys/kernel/random/boot_id"]).stdout for n in cluster4.nodes}
    assert len(ids) == 4


def test_nodes_reach_each_other_and_nothing_else(cluster4):
    probe = "exec 3<>/dev/tcp/{}/{} && head -c 4 <&3"
    assert cluster4.exec("n1", ["bash", "-c", probe.format("n4", 22)]).stdout == "SSH-"
    outside = cluster4.exec("n1", ["bash", "-c", probe.format("192.0.2.1", 80)])
    assert "Network is unreachable" in outside.stderr


def test_ps_tells_leftovers_from_furniture(cluster4):
    cluster4.wait_until_idle()
    everything = cluster4.ps("n1", everything=True)
    assert [p.pid for p in everything][0] == 1
    assert any(p.comm == "sshd" for p in everything)
    assert cluster4.ps("n1") == []


# --- other kinds of cluster ----------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "fish", "tcsh", "busybox"])
def test_login_shells(make_cluster, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    cluster = make_cluster(nodes=1, shell=shell)
    result = cluster.ssh("n1", "readlink /proc/$$/exe || readlink /proc/$fish_pid/exe")
    own = {"busybox": "/bin/busybox"}.get(shell, os.path.realpath(shutil.which(shell)))
    if shell == "fish":
        result = cluster.ssh("n1", "echo $version; readlink /proc/$fish_pid/exe")
        assert result.stdout.splitlines()[-1] == own
    else:
        assert os.path.realpath(result.stdout.strip()) == os.path.realpath(own)


def test_user_port_and_shell_may_differ_by_node(make_cluster):
    cluster = make_cluster(nodes=2, user=["alice", "n2=bob"], port=["2222", "n2=22"], shell="n2=dash")
    assert cluster.ssh("n1", 'id -un; echo $SSH_CONNECTION | cut -d" " -f4; echo $SHELL').stdout == (
        f"alice\n2222\n{shutil.which('bash')}\n"
    )
    assert cluster.ssh("n2", "id -un").stdout == "bob\n"


def test_root_may_log_in(make_cluster):
    cluster = make_cluster(nodes=1, user="root")
    assert cluster.ssh("n1", "id -u; cd; pwd").stdout == "0\n/root\n"


def test_hidden_nodes_are_reached_through_their_gateways(make_cluster):
    cluster = make_cluster(nodes=5, behind=["n1=n2,n3", "n3=n4"])
    config = cluster.ssh_config.read_text()
    assert "ProxyJump n1" in config and "ProxyJump n3" in config
    assert cluster.ssh("n4", "hostname").stdout == "n4\n"
    direct = cluster.ssh("n2", "hostname", timeout=20)
    assert direct.stdout == "n2\n", direct.stderr
    address = json.loads(cluster.hosts_json.read_text())[1]["ips"][0]
    refused = cluster.exec("head", ["bash", "-c", f"exec 3<>/dev/tcp/{address}/22"])
    assert "Network is unreachable" in refused.stderr
    # Between nodes every address works, whichever LAN they are on.
    for source, target in (("n5", "n4"), ("n4", "n5"), ("n2", "n4"), ("n1", "n4")):
        got = cluster.exec(source, ["bash", "-c", f"exec 3<>/dev/tcp/{target}/22 && head -c 4 <&3"])
        assert got.stdout == "SSH-", f"{source} to {target}: {got.stderr}"


def test_with_an_agent_the_configuration_names_no_key(make_cluster):
    cluster = make_cluster(nodes=1, agent=True)
    assert "IdentityFile" not in cluster.ssh_config.read_text()
    assert cluster.ssh("n1", "hostname").stdout == "n1\n"
    without = cluster.exec("head", ["env", "-u", "SSH_AUTH_SOCK", "ssh", "-o", "BatchMode=yes", "n1", "true"])
    assert "Permission denied" in without.stderr
    cluster.wait_until_idle()


def test_a_folder_may_come_first_in_path(make_cluster, tmp_path):
    for node in ("n1", "n2"):
        (tmp_path / node).mkdir()
        (tmp_path / node / "sw_vers").write_text(f"#!/bin/sh\necho {node}\n")
        (tmp_path / node / "sw_vers").chmod(0o755)
    tmp_path.chmod(0o755)
    cluster = make_cluster(nodes=2, path_dir=f"{tmp_path}/{{node}}", keep=tmp_path)
    assert cluster.ssh("n1", "sw_vers").stdout == "n1\n"
    assert cluster.ssh("n2", "sw_vers").stdout == "n2\n"


def test_sshd_options_reach_sshd(make_cluster):
    cluster = make_cluster(nodes=1, sshd_option=["Banner=/etc/hostname", "MaxSessions=1"])
    assert "n1\n" in cluster.ssh("n1", "true").stderr


@pytest.mark.parametrize(
    "flags",
    [
        ["--nodes", "0"],
        ["--nodes", "251"],
        ["--nodes", "x"],
        ["--nodes", "2", "--port", "70000"],
        ["--nodes", "2", "--behind", "n1=n3"],
        ["--nodes", "2", "--behind", "n1=n1"],
        ["--nodes", "2", "--behind", "n1=n2", "--behind", "n2=n1"],
        ["--nodes", "2", "--shell", "perl"],
        ["--nodes", "2", "--user", "a b"],
        ["--nodes", "2", "--lan-name", "averylongname"],
    ],
)
def test_what_cannot_be_is_refused(flags):
    result = run_tool("up", *flags)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("cluster: --")
