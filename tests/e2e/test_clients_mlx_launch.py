"""launch beside MLX's own mlx.launch: the same command line gives every rank the same variables and files."""

import json
import os
import pty
import subprocess
import termios
import time

import pytest
from clients import DEADLINE, MLX_LAUNCH, PYTHON, SHOW, folder, free_ports, need_mlx, run, shown

# What only launch gives, what a shell counts and remembers, and the names of temporary files. Over SSH also what
# sshd tells: mlx.launch asks for a terminal and has a connection for each rank.
OURS = ("JACKAL_", "PYTHONUNBUFFERED")
SHELLS = ("_", "SHLVL", "OLDPWD")
FILES = ("MLX_HOSTFILE", "MLX_IBV_DEVICES")
SSHD = ("SSH_", "TERM", "XDG_", "MOTD_SHOWN", "MAIL")


@pytest.fixture(scope="module", autouse=True)
def mlx():
    need_mlx()


def given(rank):
    """The part of what a rank was given that must not depend on who launched it."""
    env = {name: value for name, value in rank["env"].items() if name not in SHELLS + FILES}
    env = {name: value for name, value in env.items() if not name.startswith(OURS + SSHD)}
    files = {name: text for name, text in rank["files"].items() if name in FILES}
    return {"argv": rank["argv"], "cwd": rank["cwd"], "env": env, "files": files, "python": rank["python"]}


def same(ends):
    """What the ranks of launch were given, when those of mlx.launch were given the same; fails with the difference."""
    ours, theirs = ends["launch"], ends["mlx.launch"]
    assert len(ours) == len(theirs)
    for rank, (a, b) in enumerate(zip(ours, theirs)):
        env = {name: (a["env"].get(name), b["env"].get(name)) for name in {*a["env"], *b["env"]}}
        assert {name: values for name, values in env.items() if values[0] != values[1]} == {}, f"rank {rank}"
        assert a == b
    return ours


class Both:
    """Runs one command line under both launchers, and holds the ranks of one against those of the other."""

    def __init__(self, bin_dir, directory):
        self.launchers = {"launch": bin_dir / "launch", "mlx.launch": MLX_LAUNCH}
        self.directory = directory
        self.runs = 0

    def compare(self, flags, ranks, words=("a b", "", "ä"), execute=run, **options):
        self.runs += 1
        ends = {}
        for name, program in self.launchers.items():
            target = folder(self.directory, f"{name}-{self.runs}")
            result = execute([program, *flags, "--", PYTHON, SHOW, target, *words], **options)
            assert result.returncode == 0, result
            ends[name] = [given(rank) for rank in shown(target, ranks)]
        return same(ends)


@pytest.fixture
def both(bin_dir, tmp_path):
    return Both(bin_dir, tmp_path)


def hostfile(path, hosts, **more):
    path.write_text(json.dumps({"hosts": hosts, **more}))
    return path


LOCAL = {"ssh": "127.0.0.1", "ips": ["127.0.0.1"]}


@pytest.mark.parametrize("ranks", [2, 3])
def test_ring(both, ranks):
    port = free_ports(ranks)
    seen = both.compare(["-n", ranks, "-p", port], ranks)
    expected = ", ".join(f'["127.0.0.1:{port + rank}"]' for rank in range(ranks))
    for rank in range(ranks):
        assert seen[rank]["files"] == {"MLX_HOSTFILE": f"[{expected}]\n"}
        assert seen[rank]["env"]["MLX_RANK"] == str(rank)


def test_ring_with_several_addresses_and_connections(both, tmp_path):
    hosts = [{"ssh": "127.0.0.1", "ips": ["127.0.0.1", "127.0.0.2"]}] * 2
    port = free_ports(12)
    flags = ["--hostfile", hostfile(tmp_path / "hosts.json", hosts), "--connections-per-ip", "3", "-p", port]
    seen = both.compare(flags, 2)
    assert json.loads(seen[1]["files"]["MLX_HOSTFILE"])[1][-1] == f"127.0.0.2:{port + 11}"


def test_ring_says_more_with_verbose(both):
    assert both.compare(["-n", "2", "-p", free_ports(2), "--verbose"], 2)[0]["env"]["MLX_RING_VERBOSE"] == "1"


def test_nccl(both):
    seen = both.compare(["-n", "2", "--backend", "nccl", "--nccl-port", free_ports(1), "--verbose"], 2)
    assert [rank["env"]["CUDA_VISIBLE_DEVICES"] for rank in seen] == ["0", "1"]
    assert seen[0]["env"]["MLX_WORLD_SIZE"] == "2"
    assert seen[0]["env"]["NCCL_DEBUG"] == "INFO"


@pytest.mark.parametrize("backend", ["jaccl", "jaccl-ring"])
def test_jaccl(both, tmp_path, backend):
    two = ["rdma_en3", "rdma_ä"]
    several = two if backend == "jaccl" else "rdma_en3"  # a ring has as many cables between all neighbours
    rdma = [[None, "rdma_en5", several], ["rdma_en5", None, "rdma_en4"], [several, "rdma_en4", None]]
    hosts = [{"ssh": "127.0.0.1", "ips": ["127.0.0.1"] if row[0] is None else [], "rdma": row} for row in rdma]
    file = hostfile(tmp_path / "hosts.json", hosts, backend=backend)
    port = free_ports(1)
    seen = both.compare(["--hostfile", file, "--starting-port", port], 3)
    assert seen[2]["env"]["MLX_JACCL_COORDINATOR"] == f"127.0.0.1:{port}"
    assert seen[2]["env"].get("MLX_JACCL_RING") == (None if backend == "jaccl" else "1")


def test_variables_of_the_host_file_and_of_the_flags(both, tmp_path):
    odd = ["MLX_METAL_FAST_SYNCH=1", "SPACES=a  b ", "EQUALS==a=b=", "EMPTY=", "UTF=äö€😀", "QUOTES='\"`$(id)\\", "ORDER=file"]
    file = hostfile(tmp_path / "hosts.json", [LOCAL, LOCAL], backend="ring", envs=[*odd, "LINES2=a\nb\n\nc", "TWICE=1"])
    flags = ["--env", "ORDER=first", "--env", "ORDER=last", "--env", "TWICE=2", "--env", "N=x\ty\n", "--env", "D=-x --y"]
    seen = both.compare(["--hostfile", file, "-p", free_ports(2), *flags], 2)
    env = seen[1]["env"]
    assert {name: env[name] for name in ("ORDER", "TWICE", "EQUALS", "LINES2", "N", "SPACES", "EMPTY")} == {
        "ORDER": "last", "TWICE": "2", "EQUALS": "=a=b=", "LINES2": "a\nb\n\nc", "N": "x\ty\n", "SPACES": "a  b ",
        "EMPTY": "",
    }  # fmt: skip


def test_directory_and_interpreter(both, tmp_path):
    there = folder(tmp_path, "a directory with 'quotes'")
    interpreter = tmp_path / "python of mine"
    interpreter.symlink_to("/usr/bin/python3")
    target = {name: folder(tmp_path, f"{name} out") for name in both.launchers}
    ends = {}
    for name, program in both.launchers.items():
        flags = ["--cwd", there, "--python", interpreter, "-p", free_ports(2), "-n", "2"]
        result = run([program, *flags, "--", SHOW, target[name], "x"])
        assert result.returncode == 0, result
        ends[name] = [{**given(rank), "files": {}} for rank in shown(target[name], 2)]
    same(ends)
    assert ends["launch"][1]["cwd"] == str(there)
    assert ends["launch"][1]["python"] == str(interpreter)


def test_a_directory_that_is_not_there(bin_dir, tmp_path):
    """The one difference: mlx.launch says so, runs elsewhere, and ends with 0."""
    result = run([bin_dir / "launch", "--cwd", tmp_path / "gone", "--", "pwd"])
    assert result.returncode != 0 and result.stdout == ""
    assert "gone" in result.stderr


def test_print_python(bin_dir):
    for flags in (["--python", "/some/python"], []):
        ours = run([bin_dir / "launch", "--print-python", *flags], env={"PATH": f"{PYTHON.parent}:/usr/bin"})
        theirs = run([MLX_LAUNCH, "--print-python", *flags])
        # It runs under one of the names of that interpreter; ours is always python3.
        assert (ours.returncode, ours.stdout.replace("bin/python3", "bin/python")) == (0, theirs.stdout)


def under_terminal(columns, rows):
    def execute(argv):
        """As run(), with standard output on a terminal of that size."""
        ours, theirs = pty.openpty()
        try:
            termios.tcsetwinsize(theirs, (rows, columns))
            env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            return subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=theirs,
                                  stderr=subprocess.PIPE, env=env, timeout=DEADLINE, check=False)  # fmt: skip
        finally:
            os.close(ours)
            os.close(theirs)

    return execute


def test_the_size_that_the_environment_tells(both):
    env = {**os.environ, "COLUMNS": "77"}
    seen = both.compare(["-n", "2", "-p", free_ports(2)], 2, env={name: env[name] for name in env if name != "LINES"})
    assert seen[1]["env"]["COLUMNS"] == "77"


@pytest.mark.skipif(not hasattr(termios, "tcsetwinsize"), reason="needs Python 3.11")
def test_the_terminal_is_measured_for_every_rank(both):
    seen = both.compare(["-n", "2", "-p", free_ports(2)], 2, execute=under_terminal(123, 45))
    assert (seen[1]["env"]["COLUMNS"], seen[1]["env"]["LINES"]) == ("123", "45")
    seen = both.compare(["-n", "2", "-p", free_ports(2), "--env", "COLUMNS=9"], 2, execute=under_terminal(123, 45))
    assert (seen[0]["env"]["COLUMNS"], seen[0]["env"].get("LINES")) == ("9", None)


# Over SSH: mlx.launch runs as it is, with the installed ssh, on the cluster's head.


def on_head(cluster):
    return lambda argv: cluster.exec("head", map(str, argv), timeout=DEADLINE, stdin=subprocess.DEVNULL)


@pytest.fixture
def over_ssh(cluster4, bin_dir):
    target = folder(cluster4.shared, f"launchers-{os.getpid()}-{time.monotonic_ns()}")
    yield Both(bin_dir, target)
    subprocess.run(["rm", "-rf", target], check=True)
    cluster4.wait_until_idle()


@pytest.mark.parametrize("connections", ["1", "3"])
def test_ring_over_ssh(cluster4, over_ssh, connections):
    flags = ["--hostfile", cluster4.hosts_json, "--connections-per-ip", connections, "--env", "A=b 'c'\n=d", "--cwd", "/usr"]
    seen = over_ssh.compare(flags, 4, execute=on_head(cluster4))
    assert seen[0]["files"]["MLX_HOSTFILE"].count(":32323") == 1  # nothing else listens on a node
    assert seen[3]["env"]["MLX_RANK"] == "3"


def test_jaccl_over_ssh(cluster4, over_ssh):
    hosts = json.loads(cluster4.hosts_json.read_text())[:2]
    hosts[0]["rdma"], hosts[1]["rdma"] = [None, "rdma_en5"], ["rdma_en4", None]
    envs = ["MLX_METAL_FAST_SYNCH=1", "MLX_RANK2=x"]
    file = hostfile(cluster4.shared / "jaccl.json", hosts, backend="jaccl", envs=envs)
    seen = over_ssh.compare(["--hostfile", file], 2, execute=on_head(cluster4))
    assert seen[1]["env"]["MLX_JACCL_COORDINATOR"] == f"{hosts[0]['ips'][0]}:32323"
    assert seen[1]["files"] == {"MLX_IBV_DEVICES": '[[null, "rdma_en5"], ["rdma_en4", null]]\n'}
    assert seen[1]["env"]["MLX_METAL_FAST_SYNCH"] == "1"


def test_nccl_over_ssh(cluster4, over_ssh):
    seen = over_ssh.compare(["--hostfile", cluster4.hosts_json, "--backend", "nccl"], 4, execute=on_head(cluster4))
    assert [rank["env"]["CUDA_VISIBLE_DEVICES"] for rank in seen] == ["0"] * 4
    assert seen[2]["env"]["NCCL_PORT"] == "12345"
