"""Whatever is wrong with a host, `launch` says which host, why, and what to do; and soon."""

import subprocess
import sys
from pathlib import Path

import pytest
from fixture import start_cluster, wait_for
from life import JOB_FILE
from reach import DEADLINE, Hosts, launch, refuses

pytestmark = pytest.mark.usefixtures("cluster_possible")

ODD_SERVER = Path(__file__).with_name("odd_server.py")


@pytest.fixture(scope="module")
def cluster():
    made = start_cluster(4)
    yield made
    made.down()


@pytest.fixture
def hosts(cluster):
    folder = cluster.dir / f"hosts-{len(list(cluster.dir.iterdir()))}"
    folder.mkdir()
    return Hosts(cluster, folder)


@pytest.fixture(params=["libssh", "system"])
def way(request):
    return f"--ssh={request.param}"


@pytest.fixture
def odd_server(cluster):
    """odd_server(mode) → the port on n1 of a server that behaves so."""
    started = []

    def start(mode):
        port = 4000 + len(started)
        process = cluster.popen(
            "n1", [sys.executable, ODD_SERVER, mode, str(port)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return port

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=DEADLINE)


def test_a_host_without_sshd(cluster, bin_dir, way):
    cluster.fault("n2", "sshd-stop")
    try:
        result = launch(cluster, bin_dir, way, "--hosts", "n2", "--", "true")
    finally:
        cluster.heal("n2", "sshd-stop")
    refuses(result, "n2", "Connection refused", "10.77.0.2 port 22")
    if way == "--ssh=libssh":
        assert "Remote Login" in result.stderr


def test_a_host_that_refuses_every_key(cluster, bin_dir, way):
    cluster.fault("n2", "auth-refuse")
    try:
        result = launch(cluster, bin_dir, way, "--hosts", "n2", "--", "true")
    finally:
        cluster.heal("n2", "auth-refuse")
    refuses(result, "n2")
    if way == "--ssh=libssh":
        assert f"n2: refuses the login of jackal: {cluster.id} was refused" in result.stderr
        assert "ssh-copy-id n2" in result.stderr
    else:
        assert "Permission denied" in result.stderr


def test_a_host_that_is_down(cluster, hosts, bin_dir, way):
    hosts.add("studio", "ConnectTimeout 1", node="n2")
    cluster.fault("n2", "lan-cut")
    try:
        result = hosts.launch(bin_dir, "studio", arguments=[way])
    finally:
        cluster.heal("n2", "lan-cut")
    refuses(result, "studio", "10.77.0.2")
    assert "timed out" in result.stderr


def test_a_name_that_does_not_resolve(cluster, bin_dir, way):
    result = launch(cluster, bin_dir, way, "--hosts", "no-such-host.invalid", "--", "true")
    refuses(result, "no-such-host.invalid")
    assert "look up" in result.stderr or "resolve" in result.stderr


@pytest.mark.parametrize("mode", ["close", "http", "garbage", "endless", "banner_then_close"])
def test_something_that_is_no_sshd(hosts, bin_dir, odd_server, mode, way):
    port = odd_server(mode)
    hosts.add("studio", f"Port {port}", node="n1")
    result = hosts.launch(bin_dir, "studio", arguments=[way])
    refuses(result, "studio")
    if way == "--ssh=libssh":
        assert f"10.77.0.1 port {port}" in result.stderr
        assert "Check with: ssh " in result.stderr


@pytest.mark.parametrize("mode", ["silent", "banner_then_silent"])
def test_something_that_accepts_and_says_nothing(hosts, bin_dir, odd_server, mode):
    port = odd_server(mode)
    hosts.add("studio", f"Port {port}", "ConnectTimeout 1", node="n1")
    result = hosts.launch(bin_dir, "studio")
    refuses(result, "studio", f"10.77.0.1 port {port}", "Check with: ssh ")


def test_several_broken_hosts_are_all_named_in_one_run(cluster, hosts, bin_dir, way):
    hosts.add("unknown", "HostName no-such-host.invalid")
    hosts.add("asleep", "ConnectTimeout 1", "HostName 10.77.0.99")
    hosts.add("refusing", node="n2").add("stopped", node="n3").add("fine", node="n4")
    cluster.fault("n2", "auth-refuse")
    cluster.fault("n3", "sshd-stop")
    try:
        result = hosts.launch(bin_dir, "fine,unknown,asleep,refusing,stopped", arguments=[way])
    finally:
        cluster.heal("n2", "auth-refuse")
        cluster.heal("n3", "sshd-stop")
    refuses(result)
    for name in ("unknown", "asleep", "refusing", "stopped"):
        assert result.stderr.count(f"{name}: ") == 1, result.stderr
    assert "fine: " not in result.stderr
    cluster.wait_until_idle()
    assert cluster.files("n4") == []


def test_an_interrupt_while_hosts_do_not_answer_ends_at_once(cluster, hosts, bin_dir, odd_server):
    port = odd_server("silent")
    gate = f"ProxyCommand {sys.executable} -c 'import time; time.sleep(1000)'"
    hosts.add_text(f"Include {cluster.ssh_config}\n")
    hosts.add("asleep", "HostName 10.77.0.99").add("mute", f"Port {port}", node="n1").add("far", gate)
    argv = [bin_dir / "launch", "--verbose", "--ssh-config", hosts.file, "--hosts", "asleep,mute,far,n4"]
    for _ in range(3):
        process = cluster.popen("head", [*argv, "--", "true"], stderr=subprocess.PIPE, text=True)
        seen = []
        while "n4 answered" not in (line := process.stderr.readline()):
            assert line, seen
            seen.append(line)
        process.send_signal(2)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == 130
        wait_for(lambda: not cluster.ps("head"), what="the end of the proxy")
    cluster.wait_until_idle("n4")


def test_a_launch_that_dies_on_its_way_through_a_jump_host_takes_its_ssh_along(cluster, hosts, bin_dir, odd_server, way):
    port = odd_server("silent")
    hosts.add_text(f"Include {cluster.ssh_config}\n")
    hosts.add("mute", f"Port {port}", node="n1").add("far", "ProxyJump mute", node="n3")
    argv = [bin_dir / "launch", way, "--ssh-config", hosts.file, "--hosts", "far", "--", "true"]
    process = cluster.popen("head", argv, stderr=subprocess.PIPE)
    wait_for(lambda: any("-W" in running.argv for running in cluster.ps("head")), what="ssh on its way")
    process.kill()
    process.communicate(timeout=DEADLINE)
    cluster.wait_until_idle("head", seconds=5)
    assert not [path for path in cluster.files("head") if JOB_FILE.search(path)]


def test_no_ssh_program_for_system_ssh(cluster, hosts, bin_dir):
    result = launch(
        cluster, bin_dir, "--ssh=system", "--hosts", "n1", "--", "true", env={"PATH": "/nonexistent"}
    )
    refuses(result, "n1", "ssh", "not found")


def test_no_ssh_program_for_a_jump_host(cluster, hosts, bin_dir):
    hosts.add("studio", "ProxyJump n2", node="n1")
    result = hosts.launch(bin_dir, "studio", env={"PATH": "/nonexistent"})
    refuses(result, "studio", "ssh", "not found")


def test_a_broken_installation_without_our_ssh_library(cluster, hosts, bin_dir):
    copied = hosts.folder / "bin"
    copied.mkdir()
    (copied / "launch").write_bytes((bin_dir / "launch").read_bytes())
    (copied / "launch").chmod(0o755)
    result = launch(cluster, copied, "--hosts", "n1,n2", "--", "true")
    refuses(result, "cannot load Jackal's SSH library", "--ssh=system")
    assert launch(cluster, copied, "--", "echo", "local").stdout == "local\n"
    assert launch(cluster, copied, "--ssh=system", "--hosts", "n1", "--", "hostname").stdout == "n1\n"
