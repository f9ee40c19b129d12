"""Many ranks and many launches at one sshd, within what it allows."""

import subprocess

import pytest
from fixture import start_cluster
from reach import DEADLINE, Hosts, launch, quoted

pytestmark = pytest.mark.usefixtures("cluster_possible")


@pytest.fixture(scope="module")
def cluster():
    made = start_cluster(2)
    yield made
    made.wait_until_idle()
    made.down()


@pytest.fixture
def sshd(cluster):
    """sshd("MaxSessions=2") → the configuration of a host `studio`: n1's second sshd with that option."""
    started = []

    def start(*options):
        folder = cluster.dir / f"hosts-{len(list(cluster.dir.iterdir()))}"
        folder.mkdir()
        port = 2400 + len(started)
        pid_file = f"/run/sshd-{port}.pid"
        # Started in the directory of the first one, and as it: ps leaves out the listener alone.
        own = [word for option in options for word in ("-o", option)]
        script = f"""sed "/^Port/d; /^PidFile/d" /run/cluster/sshd_config >/run/sshd-{port} &&
          exec /usr/sbin/sshd {quoted(*own)} -p {port} -o PidFile={pid_file} -f /run/sshd-{port}"""
        made = cluster.exec("n1", ["sh", "-c", script])
        assert made.returncode == 0, made.stderr
        started.append((port, pid_file))
        return Hosts(cluster, folder).add("studio", f"Port {port}", "HostKeyAlias n1", node="n1")

    yield start
    for port, pid_file in started:
        cluster.exec("n1", ["sh", "-c", f"kill $(cat {pid_file}); rm -f /run/sshd-{port}"])


@pytest.fixture(params=["libssh", "system"])
def way(request):
    return f"--ssh={request.param}"


def ranks(result):
    return sorted(map(int, result.stdout.split()))


def test_32_ranks_on_one_host_all_start_every_time(cluster, bin_dir):
    for _ in range(10):
        result = launch(cluster, bin_dir, "--hosts", "n1", "-n", "32", "--", "sh", "-c", "echo $MLX_RANK")
        assert (result.returncode, result.stderr) == (0, "")
        assert ranks(result) == list(range(32))
    cluster.wait_until_idle("n1")
    assert cluster.files("n1") == []


def test_32_ranks_on_one_host_over_system_ssh(cluster, bin_dir):
    result = launch(
        cluster, bin_dir, "--ssh=system", "--hosts", "n1", "-n", "32", "--", "sh", "-c", "echo $MLX_RANK"
    )
    assert (result.returncode, ranks(result)) == (0, list(range(32))), result.stderr
    cluster.wait_until_idle()


@pytest.mark.parametrize("most", [1, 2, 3])
def test_an_sshd_that_allows_few_sessions_a_connection(sshd, bin_dir, way, most):
    hosts = sshd(f"MaxSessions={most}")
    result = hosts.launch(bin_dir, "studio", "sh", "-c", "echo $MLX_RANK", arguments=[way, "-n", "8"])
    assert (result.returncode, ranks(result)) == (0, list(range(8))), result.stderr
    assert result.stderr == ""


def test_an_sshd_that_allows_no_session_says_so(sshd, bin_dir, way):
    hosts = sshd("MaxSessions=0")
    result = hosts.launch(bin_dir, "studio", arguments=[way])
    assert (result.returncode, result.stdout) == (69, "")
    assert "studio: " in result.stderr and "Check with: ssh " in result.stderr, result.stderr


def test_an_sshd_that_drops_nearly_every_connection(sshd, bin_dir):
    """One login at a time: what is dropped comes back, or is reported."""
    hosts = sshd("MaxStartups=1:100:2")
    result = hosts.launch(bin_dir, "studio", "sh", "-c", "echo $MLX_RANK", arguments=["-n", "32"])
    if result.returncode == 0:
        assert ranks(result) == list(range(32))
    else:
        assert result.returncode == 69
        assert "studio: " in result.stderr and "MaxStartups" in result.stderr


def test_a_jump_host_that_takes_few_logins_at_a_time(sshd, bin_dir):
    hosts = sshd("MaxStartups=2:100:2")
    jump = "ProxyJump studio"
    for i in range(8):
        hosts.add(f"far{i}", jump, "HostKeyAlias n2", node="n2")
    result = hosts.launch(bin_dir, "far[0-7]", "sh", "-c", "echo $MLX_RANK")
    assert (result.returncode, ranks(result)) == (0, list(range(8))), result.stderr


def test_eight_launches_at_the_same_moment(cluster, bin_dir):
    command = [bin_dir / "launch", "--hosts", "n2", "-n", "4", "--", "sh", "-c", "echo $MLX_RANK"]
    started = [
        cluster.popen("head", command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]  # fmt: skip
    for process in started:
        out, err = process.communicate(timeout=DEADLINE)
        assert (process.returncode, sorted(out.split()), err) == (0, ["0", "1", "2", "3"], "")
    cluster.wait_until_idle("n2")
    assert cluster.files("n2") == []
