"""Whatever shell a person logs in with, the program sees none of it, and its bytes are all that comes back."""

from pathlib import Path

import pytest
from fixture import start_cluster
from reach import Hosts, launch, refuses

pytestmark = pytest.mark.usefixtures("cluster_possible")

SHELLS = Path(__file__).with_name("shells")
USUAL = ["bash", "dash", "zsh", "fish", "tcsh", "busybox"]
ODD = ["noisy_lines", "noisy_unfinished", "noisy_megabyte", "slow", "few_tools", "no_variables", "own_tmpdir"]
CLOSED = ["/usr/sbin/nologin", "/bin/false", "/no/such/shell"]
WORKING = USUAL + ODD
ALL = WORKING + CLOSED
NODE = {shell: f"n{i}" for i, shell in enumerate(ALL, start=1)}

BYTES = r"""printf 'out \303\244\200\n'; printf 'err\n' >&2; exit 9"""


@pytest.fixture(scope="module")
def cluster():
    shells = [f"{NODE[s]}={s if s in USUAL or s in CLOSED else SHELLS / s}" for s in ALL]
    made = start_cluster(len(ALL), shell=shells)
    yield made
    made.down()


@pytest.fixture(params=["libssh", "system"])
def way(request):
    return f"--ssh={request.param}"


def nodes(shells):
    return ",".join(NODE[shell] for shell in shells)


@pytest.mark.parametrize("shell", WORKING)
def test_only_the_programs_bytes_and_code_come_back(cluster, bin_dir, way, shell):
    result = launch(cluster, bin_dir, way, "--hosts", NODE[shell], "--", "/bin/sh", "-c", BYTES, text=False)
    own, _, ours = result.stderr.partition(b"launch: ")
    assert (result.returncode, result.stdout, own) == (9, b"out \xc3\xa4\x80\n", b"err\n")
    assert b"the last lines of rank 0 on " + NODE[shell].encode() + b" on stderr:\n  err\nlaunch: " in ours


def test_all_of_them_in_one_job(cluster, bin_dir, way):
    # Without SSH_CONNECTION or a default route, system ssh cannot know by which address peers reach a host.
    shells = WORKING if way == "--ssh=libssh" else [shell for shell in WORKING if shell != "no_variables"]
    result = launch(cluster, bin_dir, way, "--hosts", nodes(shells), "--", "/bin/sh", "-c", "echo $MLX_RANK")
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(map(int, result.stdout.split())) == list(range(len(shells)))
    cluster.wait_until_idle()
    for shell in WORKING:
        assert cluster.files(NODE[shell]) == []


def test_input_reaches_every_shells_program(cluster, bin_dir):
    data = bytes(range(256)) * 100
    result = launch(cluster, bin_dir, "--hosts", nodes(WORKING), "--", "/bin/cat", input=data, text=False)
    assert (result.returncode, len(result.stdout)) == (0, len(data) * len(WORKING))


@pytest.mark.parametrize("shell", CLOSED)
def test_an_account_that_may_not_log_in_is_a_clear_error(cluster, bin_dir, way, shell):
    result = launch(cluster, bin_dir, way, "--hosts", NODE[shell], "--", "true")
    refuses(result, NODE[shell])
    if shell == "/usr/sbin/nologin":
        assert "This account is currently not available." in result.stderr


def test_a_full_disk_is_gone_around_by_way_of_the_home_directory(cluster, bin_dir, way):
    node = NODE["dash"]
    cluster.fault(node, "disk-full")
    try:
        result = launch(cluster, bin_dir, way, "--hosts", node, "-n", "2", "--", "sh", "-c", "echo $JACKAL_HOSTFILE")
        assert cluster.files(node) == ["/tmp/.disk-full"]
    finally:
        cluster.heal(node, "disk-full")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert all(path.startswith("/home/jackal/jackal-") for path in result.stdout.split())


def test_a_full_disk_is_gone_around_by_way_of_tmpdir(cluster, bin_dir):
    node = NODE["own_tmpdir"]
    cluster.fault(node, "disk-full")
    try:
        result = launch(cluster, bin_dir, "--hosts", node, "--", "sh", "-c", "echo $JACKAL_HOSTFILE")
        assert cluster.files(node) == ["/tmp/.disk-full"]
    finally:
        cluster.heal(node, "disk-full")
    assert (result.returncode, result.stdout.startswith("/dev/shm/jackal-")) == (0, True), result


def test_a_machine_where_nothing_can_be_written_is_a_clear_error_and_keeps_nothing(cluster, bin_dir, way):
    node = NODE["zsh"]
    cluster.fault(node, "disk-full")
    cluster.exec(node, ["chown", "root", "/home/jackal"])
    try:
        result = launch(cluster, bin_dir, way, "--hosts", node, "--", "echo", "ran")
        left = cluster.exec(node, ["sh", "-c", "ls -d /tmp/jackal* /home/jackal/jackal*"]).stdout
    finally:
        cluster.exec(node, ["chown", "jackal", "/home/jackal"])
        cluster.heal(node, "disk-full")
    refuses(result, f"{node}: cannot write its temporary files there: ", "Make room in its /tmp", "TMPDIR")
    assert left == ""
    cluster.wait_until_idle(node)


def test_a_directory_for_temporary_files_that_may_not_be_written(cluster, bin_dir):
    node = NODE["bash"]
    cluster.exec(node, ["chmod", "755", "/tmp"])
    try:
        result = launch(cluster, bin_dir, "--hosts", node, "--", "sh", "-c", "echo $JACKAL_HOSTFILE")
    finally:
        cluster.exec(node, ["chmod", "1777", "/tmp"])
    assert result.stdout.startswith("/home/jackal/jackal-"), result
    assert cluster.files(node) == []


def test_a_home_directory_that_is_missing_is_not_needed(cluster, bin_dir, way):
    node = NODE["bash"]
    cluster.exec(node, ["mv", "/home/jackal", "/home/away"])
    try:
        result = launch(cluster, bin_dir, way, "--hosts", node, "--", "sh", "-c", "pwd")
    finally:
        cluster.exec(node, ["mv", "/home/away", "/home/jackal"])
    assert result.returncode == 0, result


def test_a_machine_without_ss_tells_its_busy_ports_all_the_same(cluster, bin_dir):
    node = NODE["few_tools"]
    result = launch(cluster, bin_dir, "--hosts", node, "-n", "2", "--backend", "jackal", "--", "sh", "-c",
                    "echo ${JACKAL_COORDINATOR##*:}")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert all(20000 <= int(port) <= 32000 for port in result.stdout.split())
