"""distributed-config from its command line to its exit code: saved probes, live nodes, what it writes."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from clients import run
from fixture import wait_for

NAMES = ["m1", "m2", "m3", "m4"]


@pytest.mark.parametrize(
    ("shape", "machines", "arguments", "backend", "cables"),
    [
        ("mesh", 4, [], "jaccl", 6),
        ("mesh", 4, ["--backend", "ring"], "ring", 4),
        ("ring", 4, [], "jaccl-ring", 4),
        ("wide-ring", 4, ["--backend", "jaccl-ring"], "jaccl-ring", 8),
        ("old", 2, [], "ring", 1),
        ("chain", 3, ["--backend", "jackal"], "jackal", 2),
        ("mesh", 3, ["--over", "ethernet"], "ring", 0),
    ],
)
def test_a_cabling_becomes_a_host_file(config, probes, bin_dir, tmp_path, shape, machines, arguments, backend, cables):
    hosts = tmp_path / "hosts.json"
    result = config("--from-probes", probes(shape, machines), *arguments, "--env", "A=1", "--json", "--output", hosts)
    assert result.returncode == 0, result
    found = json.loads(result.stdout)
    assert found["version"] == 1
    assert found["plan"]["backend"] == backend
    assert len(found["plan"]["cables"]) == cables
    written = json.loads(hosts.read_text())
    assert written["backend"] == backend
    assert written["envs"] == ["A=1"]
    assert sorted(host["ssh"] for host in written["hosts"]) == NAMES[:machines]
    dry = run([bin_dir / "launch", "--hostfile", hosts, "--dry-run", "--", "true"])
    assert dry.returncode == 0, dry


def test_the_text_has_ports_picture_problems_plan_and_commands(config, probes):
    result = config("--from-probes", probes("mesh", 4))
    assert result.returncode == 0, result
    titles = ["Ports", "Cables", "Problems", "Plan", "Commands that set the links up, to be pasted on each machine",
              "Host file"]
    assert [line for line in result.stdout.splitlines() if line in titles] == titles
    assert [line for line in result.stdout.splitlines() if line.startswith("# on ")] == [f"# on {n}" for n in NAMES]


def test_two_pasted_outputs_a_machine_are_enough_for_the_map(config, probes):
    directory = probes("mesh", 3)
    for path in directory.glob("*/*"):
        if path.name not in ("system_profiler.json", "hardware_ports.txt"):
            path.unlink()
    found = json.loads(config("--from-probes", directory, "--json").stdout)
    ends = [sorted(end["node"] for end in cable["ends"]) for cable in found["cables"]]
    assert sorted(ends) == [["m1", "m2"], ["m1", "m3"], ["m2", "m3"]]
    assert all(end["interface"].startswith("en") for cable in found["cables"] for end in cable["ends"])


def test_check_knows_the_cabling_it_was_made_for(config, probes, tmp_path):
    hosts = tmp_path / "hosts.json"
    mesh = probes("mesh", 3)
    assert config("--from-probes", mesh, "--output", hosts).returncode == 0
    # Addresses are given by the commands, which nobody ran here: only they may differ.
    same = config("--from-probes", mesh, "--check", hosts, "--json")
    assert {d["kind"] for d in json.loads(same.stdout)["differences"]} <= {"address-missing"}
    moved = config("--from-probes", probes("chain", 3), "--check", hosts)
    assert moved.returncode == 3
    assert "m1" in moved.stdout and "m3" in moved.stdout
    ethernet = tmp_path / "ethernet.json"
    assert config("--from-probes", mesh, "--over", "ethernet", "--output", ethernet).returncode == 0
    assert config("--from-probes", mesh, "--check", ethernet).returncode == 0


def test_drawings(config, probes, tmp_path):
    result = config("--from-probes", probes("ring", 3), "--dot", "--svg", tmp_path / "map.svg")
    assert result.returncode == 0
    assert result.stdout.startswith(("graph", "strict graph"))
    assert (tmp_path / "map.svg").read_text().startswith(("<svg", "<?xml"))


def fake_commands(directory, source):
    """Programs that print what a machine's saved probes hold, under the names that macOS gives them."""
    directory.mkdir()
    for name, script in {
        "uname": '[ "$1" = -s ] && echo Darwin || echo Darwin 25.2.0',
        "system_profiler": f'cat "{source}/system_profiler.json"',
        "networksetup": f'case $1 in -listallhardwareports) cat "{source}/hardware_ports.txt";; '
        f'*) cat "{source}/service_order.txt";; esac',
        "rdma_ctl": "echo enabled",
        "ibv_devices": r"printf 'odd \000 bytes \377\n'; printf 'without an end of line' >&2; exit 3",
        "sw_vers": "echo ProductVersion: 26.2",
    }.items():
        path = directory / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


def test_a_mac_is_asked_what_macs_know_and_its_bytes_are_kept(config, probes, tmp_path):
    source, saved = probes("mesh", 2) / "m1", tmp_path / "saved"
    fake_commands(tmp_path / "bin", source)
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    config("--hosts", "127.0.0.1", "--save-probes", saved, "--json", env=environment)
    node = saved / "127.0.0.1"
    for name in ("system_profiler.json", "hardware_ports.txt", "service_order.txt"):
        assert (node / name).read_bytes() == (source / name).read_bytes()
    assert (node / "ibv_devices.txt").read_bytes() == b"odd \0 bytes \xff\n"
    assert not (node / "system_profiler.txt").exists()
    assert not (node / "thunderbolt.txt").exists()
    status = json.loads((node / "status.json").read_text())
    assert status["ibv_devices.txt"]["exit"] == 3
    assert status["ibv_devices.txt"]["stderr"] == "without an end of line"
    assert status["system_profiler.json"]["argv"] == ["system_profiler", "SPThunderboltDataType", "-json"]


def test_live_nodes_give_an_ethernet_host_file_that_launch_runs_on(cluster4, bin_dir):
    cluster = cluster4
    config = [bin_dir / "distributed-config", "--ssh-config", cluster.ssh_config]
    work = cluster.shared / "config"
    work.mkdir()
    hosts, saved = work / "hosts.json", work / "probes"
    live = cluster.exec(
        "head",
        [*config, "--hosts", "n[1-2]", "--over", "ethernet", "--json", "--output", hosts, "--save-probes", saved],
    )
    assert live.returncode == 0, live
    assert [host["ips"] for host in json.loads(hosts.read_text())["hosts"]] == [["10.77.0.1"], ["10.77.0.2"]]
    replayed = run([config[0], "--from-probes", saved, "--hosts", "n1,n2", "--over", "ethernet", "--json"])
    assert json.loads(replayed.stdout)["verification"] is None
    asked = json.loads(live.stdout)
    assert [address["from"] for address in asked["verification"]["addresses"]] == [
        [{"node": "n2", "reach": "connected"}],
        [{"node": "n1", "reach": "connected"}],
    ]
    # What was written and proved differs, what was found does not.
    alike = {"files": [], "verification": None}
    assert {**json.loads(replayed.stdout), **alike} == {**asked, **alike}
    launch = [bin_dir / "launch", "--ssh-config", cluster.ssh_config, "--hostfile", hosts]
    ran = cluster.exec("head", [*launch, "--", "hostname"])
    assert (ran.returncode, sorted(ran.stdout.split())) == (0, ["n1", "n2"])
    cluster.wait_until_idle()


def test_hosts_that_do_not_answer(cluster4, bin_dir):
    config = [bin_dir / "distributed-config", "--ssh-config", cluster4.ssh_config, "--over", "ethernet", "--json"]
    lost = cluster4.exec("head", [*config, "--hosts", "n1,nobody"])
    assert lost.returncode == 69
    problems = json.loads(lost.stdout)["problems"]
    assert [(p["code"], p["node"]) for p in problems] == [("host-unreachable", "nobody")]
    went_on = cluster4.exec("head", [*config, "--hosts", "n1,nobody", "--ignore-unreachable"])
    assert went_on.returncode == 0
    assert "left out: nobody" in went_on.stderr
    assert cluster4.exec("head", [*config, "--hosts", "nobody", "--ignore-unreachable"]).returncode == 69


def test_an_interrupt_ends_the_commands_of_every_node(config, bin_dir, tmp_path):
    commands = tmp_path / "bin"
    commands.mkdir()
    started = tmp_path / "started"
    uname = commands / "uname"
    uname.write_text(f"#!/bin/sh\necho $$ >>{started}\nexec sleep 1000\n")
    uname.chmod(0o755)
    environment = {**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [bin_dir / "distributed-config"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: started.exists() and started.read_text().endswith("\n"), what="a command on the node")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, ""), errors
    pids = started.read_text().split()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="the end of the commands")
