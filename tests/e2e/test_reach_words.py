"""Arguments, environment and directory arrive byte for byte, and nobody else gets to see what is secret."""

import json
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fixture import start_cluster, wait_for
from reach import DEADLINE, launch

pytestmark = pytest.mark.usefixtures("cluster_possible")

HERE = Path(__file__).parent
SHOW = HERE / "show_words.py"
SHELLS = ["bash", "dash", "zsh", "fish", "tcsh", "busybox"]
PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def cluster():
    made = start_cluster(len(SHELLS), shell=[f"n{i}={shell}" for i, shell in enumerate(SHELLS, start=1)])
    yield made
    made.down()


@pytest.fixture(params=["libssh", "system"])
def way(request):
    return f"--ssh={request.param}"


def show(cluster, bin_dir, *arguments):
    """Runs show_words.py as the job; what each rank was given, in order of rank."""
    folder = cluster.shared / f"words-{len(list(cluster.shared.iterdir()))}"
    folder.mkdir()
    folder.chmod(0o777)
    flags, argv = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    result = launch(cluster, bin_dir, "--env", f"WORDS_DIRECTORY={folder}", *flags, "--", PYTHON, SHOW, *argv)
    assert (result.returncode, result.stderr) == (0, "")
    return [json.loads(file.read_text()) for file in sorted(folder.iterdir())]


def latin(data):
    return data.decode("latin-1")


def random_bytes(source, most):
    """Mostly what shells trip over, the rest any byte but NUL."""
    trouble = [b" ", b"'", b'"', b"\n", b";", b"$", b"\\", b"`", b"!", b"*", b"~", b"#", b"%s", b"-", b"\xc3\xa4", b"\xff",
               b"$(id)", b"${HOME}", b"\t", b"\r", b"&", b"|", b"<", b">", b"(", b"{a,b}", b"=", b"^", b"\x1b", b"\x7f"]  # fmt: skip
    words = [
        source.choice(trouble) if source.random() < 0.7 else bytes([source.randint(1, 255)])
        for _ in range(source.randint(0, most))
    ]
    return b"".join(words)


@pytest.mark.parametrize("seed", range(2))
def test_random_arguments_and_variables_through_every_login_shell(cluster, bin_dir, seed, way):
    source = random.Random(seed)
    argv = [random_bytes(source, 40) for _ in range(30)]
    env = {b"V%d" % i: random_bytes(source, 60) for i in range(30)}
    flags = [word for name, value in env.items() for word in (b"--env", name + b"=" + value)]
    programs = show(cluster, bin_dir, way, "--hosts", ",".join(cluster.nodes), *map(os.fsdecode, flags), "--",
                    *map(os.fsdecode, argv))  # fmt: skip
    assert len(programs) == len(SHELLS)
    for program in programs:
        assert program["argv"] == [latin(word) for word in argv]
        assert {name: program["env"].get(latin(name)) for name in env} == {
            name: latin(value) for name, value in env.items()
        }


def test_random_directories(cluster, bin_dir, way):
    source = random.Random(1)
    for _ in range(3):
        name = random_bytes(source, 20).replace(b"/", b"_") or b"x"
        path = os.fsdecode(b"/tmp/" + name.rstrip(b"\n") + b"-")
        made = cluster.exec("n2", ["sh", "-c", 'mkdir -p -- "$1"', "sh", path])
        assert made.returncode == 0, made.stderr
        assert show(cluster, bin_dir, way, "--hosts", "n2", "--cwd", path, "--")[0]["cwd"] == latin(os.fsencode(path))
        cluster.exec("n2", ["rmdir", "--", path])


def test_a_long_argument_and_many_variables(cluster, bin_dir, way):
    long = "x'" * 50_000
    flags = [f"--env=NAME_{i}={'v' * 1000}{i}" for i in range(200)]
    for program in show(cluster, bin_dir, way, "--hosts", "n1,n5", *flags, "--", long):
        assert program["argv"] == [long]
        assert [program["env"][f"NAME_{i}"] for i in range(200)] == [f"{'v' * 1000}{i}" for i in range(200)]


def test_a_directory_that_is_not_there(cluster, bin_dir, way):
    result = launch(cluster, bin_dir, way, "--hosts", "n1", "--cwd", "/no/such place", "--", "true")
    assert result.returncode == 126
    assert "cannot change to the directory /no/such place" in result.stderr


def test_hosts_and_this_machine_in_one_job(cluster, bin_dir, way):
    names = [("127.0.0.1", "10.77.0.254"), ("n1", "10.77.0.1"), ("n2", "10.77.0.2"), ("n1", "10.77.0.1")]
    file = cluster.dir / "mixed.json"
    file.write_text(json.dumps([{"ssh": name, "ips": [address]} for name, address in names]))
    result = launch(cluster, bin_dir, way, "--hostfile", file, "--", "sh", "-c", "echo $MLX_RANK $(uname -n)")
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.splitlines()) == ["0 head", "1 n1", "2 n2", "3 n1"]
    cluster.wait_until_idle()


@pytest.fixture
def ipv6(cluster):
    """n1 answers at fd77::1 too, on port 2206; an ssh configuration that knows it as `six`."""
    for node, address in (("n1", "fd77::1"), ("head", "fd77::fe")):
        added = cluster.exec(node, ["ip", "address", "replace", f"{address}/64", "dev", "lan", "nodad"])
        if added.returncode != 0:
            pytest.skip(f"no IPv6 here: {added.stderr}")
    start = ("sed '/^Listen/d; /^Port/d; /^PidFile/d' /run/cluster/sshd_config >/run/six && exec /usr/sbin/sshd"
             " -f /run/six -o ListenAddress=[fd77::1]:2206 -o PidFile=/run/six.pid")  # fmt: skip
    started = cluster.exec("n1", ["sh", "-c", start])
    assert started.returncode == 0, started.stderr
    config = cluster.dir / "six"
    known = cluster.dir / "six-known"
    key = cluster.known_hosts.read_text().splitlines()[0].split(" ", 1)[1]
    known.write_text(f"[fd77::1]:2206 {key}\n")
    config.write_text(f"Host fd77::* six\n  Port 2206\n  UserKnownHostsFile {known}\n"
                      "Host six\n  HostName fd77::1\n"
                      f"Host far\n  HostName 10.77.0.2\n  ProxyJump jackal@[fd77::1]:2206\n"
                      f"Host *\n  User jackal\n  IdentityFile {cluster.id}\n"
                      f"  UserKnownHostsFile {cluster.known_hosts}\n")  # fmt: skip
    yield config
    cluster.exec("n1", ["sh", "-c", "kill $(cat /run/six.pid); rm /run/six"])


@pytest.mark.parametrize("name, node", [("[fd77::1]", "n1"), ("jackal@fd77::1", "n1"), ("six", "n1"), ("far", "n2")])
def test_ipv6_addresses(cluster, bin_dir, ipv6, way, name, node):
    result = launch(cluster, bin_dir, way, "--ssh-config", ipv6, "--hosts", name, "--", "uname", "-n")
    assert (result.returncode, result.stdout) == (0, f"{node}\n"), result.stderr


def test_secrets_are_seen_by_their_program_alone(cluster, bin_dir, way):
    secret = f"secret-{os.urandom(8).hex()}"
    file = cluster.dir / "secret.json"
    file.write_text(json.dumps({"envs": [f"TOKEN={secret}"], "hosts": [{"ssh": "n1"}, {"ssh": "n1"}, {"ssh": "n2"}]}))
    file.chmod(0o600)
    # The machine's own /proc shows the processes of every node as well.
    watcher = subprocess.Popen(
        [sys.executable, HERE / "watch_secret.py", "6174"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    watcher.stdin.write(secret + "\n")
    watcher.stdin.flush()
    assert watcher.stdout.readline() == "watching\n"
    script = 'echo "$TOKEN" && ls -ld "${JACKAL_SECRET_FILE%/*}" && ls -l "${JACKAL_SECRET_FILE%/*}" && read -r line'
    process = cluster.popen("head", [bin_dir / "launch", way, "--backend", "jackal", "--hostfile", file, "--", "sh", "-c", script],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    wait_for(lambda: len([p for p in cluster.ps("n1") if p.comm == "sh"]) >= 2, what="the ranks' start")
    out, _ = process.communicate("go\n", timeout=DEADLINE)
    told, _ = watcher.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert out.count(secret) == 3
    modes = re.findall(r"^([d-][rwx-]{9})", out, re.MULTILINE)
    assert {mode for mode in modes if mode[0] == "d"} == {"drwx------"}
    assert {mode for mode in modes if mode[0] == "-"} == {"-rw-------"}
    seen = json.loads(told)
    assert seen["looks"] > 3
    assert seen["found"] == []
    cluster.wait_until_idle()
    assert cluster.files("n1") == cluster.files("n2") == []
    assert cluster.exec("head", ["sh", "-c", "ls -d /tmp/jackal*"]).stdout == ""


def test_system_ssh_leaves_no_socket_directory_behind(cluster, bin_dir):
    for command in (["true"], ["no-such-program"]):
        launch(cluster, bin_dir, "--ssh=system", "--hosts", "n1,n2", "--", *command)
    launch(cluster, bin_dir, "--ssh=system", "--hosts", "no-such-host.invalid,n1", "--", "true")
    assert cluster.exec("head", ["sh", "-c", "ls -d /tmp/jackal*"]).stdout == ""
    cluster.wait_until_idle()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_launch_that_is_killed_leaves_no_socket_directory_behind(cluster, bin_dir, number):
    command = [bin_dir / "launch", "--ssh=system", "--hosts", "n1,n2", "--", "sleep", "1000"]
    process = cluster.popen("head", command, stderr=subprocess.DEVNULL)
    wait_for(lambda: [p for p in cluster.ps("n2") if p.comm == "sleep"], what="the ranks' start")
    [launcher] = [p for p in cluster.ps("head") if p.comm == "launch"]
    assert cluster.exec("head", ["kill", f"-{number.value}", str(launcher.pid)]).returncode == 0
    process.wait(timeout=DEADLINE)
    cluster.wait_until_idle()
    assert cluster.exec("head", ["sh", "-c", "ls -d /tmp/jackal*"]).stdout == ""
