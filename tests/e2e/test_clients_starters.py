"""Programs that know only the environment: one that reads JACKAL_* by itself, and our own example."""

import re
import sys

import pytest
from clients import lines, run

# As a data-parallel script would: no library, rank 0 listens at the coordinator's address, the others add to its sum.
BY_HAND = """
import json, os, socket, struct
env = os.environ
rank, size = int(env["JACKAL_RANK"]), int(env["JACKAL_SIZE"])
hosts = json.load(open(env["JACKAL_HOSTFILE"]))["hosts"]
assert len(hosts) == size and all(host["ips"] for host in hosts)
host, port = env["JACKAL_COORDINATOR"].rsplit(":", 1)
secret = open(env["JACKAL_SECRET_FILE"], "rb").read()
def receive(peer, count):
    data = b""
    while len(data) < count:
        data += peer.recv(count - len(data)) or exit("the peer is gone")
    return data
if rank == 0:
    with socket.create_server((host, int(port))) as server:
        peers = [server.accept()[0] for _ in range(size - 1)]
    assert all(receive(peer, 32) == secret for peer in peers)
    total = 1 + sum(struct.unpack("!i", receive(peer, 4))[0] for peer in peers)
    for peer in peers:
        peer.sendall(struct.pack("!i", total))
else:
    while True:
        try:
            peer = socket.create_connection((host, int(port)), timeout=60)
            break
        except ConnectionRefusedError:
            pass
    peer.sendall(secret + struct.pack("!i", rank + 1))
    total = struct.unpack("!i", receive(peer, 4))[0]
local = f"{env['JACKAL_LOCAL_RANK']}/{env['JACKAL_LOCAL_SIZE']}"
os.write(1, f"{rank}/{size} local {local} of job {env['JACKAL_JOB']}: {total}\\n".encode())
"""


def sums(result, ranks, hosts):
    """Checks the lines of all_sum, each host's name taking turns as listed."""
    total = ranks * (ranks + 1) // 2
    expected = [f"rank {rank} of {ranks} on {hosts[rank]}: sum = [{', '.join([str(total)] * 4)}]" for rank in range(ranks)]
    assert lines(result) == sorted(expected)


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
def test_all_sum_here(bin_dir, ranks):
    name = run(["uname", "-n"]).stdout.strip()
    sums(run([bin_dir / "launch", "-n", ranks, "--", bin_dir / "all_sum"]), ranks, [name] * ranks)


@pytest.mark.parametrize("backend", ["ring", "nccl", "jackal"])
def test_all_sum_whatever_the_backend_of_mlx(bin_dir, backend):
    name = run(["uname", "-n"]).stdout.strip()
    result = run([bin_dir / "launch", "-n", "2", "--backend", backend, "--", bin_dir / "all_sum"])
    sums(result, 2, [name] * 2)


@pytest.mark.parametrize(
    "flags, hosts",
    [
        (["--hosts", "n[1-4]"], ["n1", "n2", "n3", "n4"]),
        (["--hosts", "n[1-4]", "--exclude", "n2"], ["n1", "n3", "n4"]),
        (["--hosts", "n[1,3],n4", "--exclude", "n1", "--exclude", "n[3-3]"], ["n4"]),
        (["--hosts", "n4,n[1-2]", "-n", "2"], ["n4", "n4", "n1", "n1", "n2", "n2"]),
        (["--hosts", "n[1-4]", "--repeat-hosts", "2"], ["n1", "n1", "n2", "n2", "n3", "n3", "n4", "n4"]),
        (["--hostfile", "HOSTS", "--exclude", "n[1-2]"], ["n3", "n4"]),
    ],
)
def test_all_sum_over_nodes(cluster4, bin_dir, flags, hosts):
    flags = [cluster4.hosts_json if flag == "HOSTS" else flag for flag in flags]
    sums(cluster4.exec("head", [bin_dir / "launch", *flags, "--", bin_dir / "all_sum"]), len(hosts), hosts)
    cluster4.wait_until_idle()


def test_all_sum_on_the_head_and_a_node(cluster4, bin_dir):
    """The head takes part without SSH, and the address that it is given is one that the node reaches."""
    hosts = [{"ssh": "localhost", "ips": [head_address(cluster4)]}, {"ssh": "n2"}]
    file = cluster4.shared / "mixed.json"
    file.write_text(str(hosts).replace("'", '"'))
    result = cluster4.exec("head", [bin_dir / "launch", "--hostfile", file, "--", bin_dir / "all_sum"])
    sums(result, 2, ["head", "n2"])


def head_address(cluster):
    """The address that leads from the head to the first node's network."""
    route = cluster.exec("head", ["ip", "-o", "-4", "addr", "show", "scope", "global"]).stdout
    return re.search(r"inet ([0-9.]+)/", route).group(1)


@pytest.mark.parametrize("ranks", [1, 4])
def test_a_program_that_reads_the_environment_by_itself(bin_dir, ranks):
    said = lines(run([bin_dir / "launch", "-n", ranks, "--", sys.executable, "-c", BY_HAND]))
    job = re.search(r"of job ([0-9a-f]+):", said[0]).group(1)
    total = ranks * (ranks + 1) // 2
    assert said == [f"{rank}/{ranks} local {rank}/{ranks} of job {job}: {total}" for rank in range(ranks)]


def test_the_same_program_on_nodes(cluster4, bin_dir):
    words = ["--hosts", "n[1-2]", "-n", "2", "--", "/usr/bin/python3", "-c", BY_HAND]
    said = lines(cluster4.exec("head", [bin_dir / "launch", *words]))
    assert [line.split(" of job")[0] for line in said] == [f"{rank}/4 local {rank % 2}/2" for rank in range(4)]
    assert all(line.endswith(": 10") for line in said)
