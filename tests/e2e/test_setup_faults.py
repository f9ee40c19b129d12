"""A set-up that fails or is broken off on simulated Macs: what was is back, or one --undo away."""

import signal

import pytest
import shapes
from setups import (  # noqa: F401
    bridged,
    config,
    kept,
    no_worker,
    replace_command,
    restore_command,
    slow_ifconfig,
    states,
    words,
)


def test_a_command_that_fails_undoes_its_node_and_says_which(make_macs, config):
    macs = make_macs(bridged(shapes.mesh(3)))
    before = states(macs)
    hosts = macs.shared / "hosts.json"
    # The address command of n2 fails, once everything before it has been done.
    broken = """
case $* in *netmask*) echo "ifconfig: ioctl (SIOCAIFADDR): Operation not permitted" >&2; exit 1 ;; esac
exec "$real" "$@"
"""
    replace_command(macs, "n2", "ifconfig", broken)
    failed = config(macs, "--auto-setup", "--output", hosts)
    assert failed.returncode == 1, failed
    assert "Operation not permitted" in failed.stderr
    assert "n2: \"sudo ifconfig en2 inet" in failed.stderr
    assert "what was done before it is undone" in failed.stderr
    assert not hosts.exists()
    assert kept(macs, "n2") == []
    after = states(macs)
    assert after["n2"] == before["n2"]
    restore_command(macs, "n2", "ifconfig")
    mended = config(macs, "--auto-setup", "--output", hosts)
    assert mended.returncode == 0, mended
    assert config(macs, "--undo").returncode == 0
    assert states(macs) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_set_up_that_is_broken_off_leaves_all_or_nothing(make_macs, config, bin_dir, number):
    macs = make_macs(slow_ifconfig(bridged(shapes.pair(width=2)), 0.5))
    before = states(macs)
    process = macs.popen("head", words(macs, bin_dir, "--auto-setup"), stdout=-3, stderr=-1, text=True)
    for line in process.stderr:
        if line.startswith("n1: 2/"):
            break
    process.send_signal(number)
    process.stderr.read()
    code = process.wait(timeout=60)
    assert code == (130 if number == signal.SIGINT else -signal.SIGKILL)
    no_worker(macs)
    after = states(macs)
    for node in macs.nodes:
        whole = "links.json" in kept(macs, node)
        assert whole == (after[node] != before[node])
    if number == signal.SIGINT:
        assert after == before
    assert config(macs, "--undo").returncode == 0
    assert states(macs) == before
    macs.wait_until_idle()


def test_a_worker_that_is_killed_is_undone_from_its_record(make_macs, config, bin_dir):
    macs = make_macs(slow_ifconfig(bridged(shapes.pair(width=2)), 0.5))
    before = states(macs)
    process = macs.popen("head", words(macs, bin_dir, "--auto-setup"), stdout=-3, stderr=-1, text=True)
    for line in process.stderr:
        if line.startswith("n1: 2/"):
            break
    kill = 'read -r pid <~/.local/state/jackal/links.running/pid; kill -KILL "$pid"'
    assert macs.ssh("n1", kill).returncode == 0
    errors = process.stderr.read()
    assert process.wait(timeout=60) == 1, errors
    assert "n1: its set-up ended without a word" in errors
    assert states(macs)["n1"] != before["n1"]
    undone = config(macs, "--undo")
    assert undone.returncode == 0, undone
    assert states(macs) == before


def test_a_node_that_is_lost_is_named_and_the_others_are_set_up(make_macs, config, bin_dir):
    macs = make_macs(slow_ifconfig(bridged(shapes.mesh(3)), 0.5))
    before = states(macs)
    process = macs.popen("head", words(macs, bin_dir, "--auto-setup"), stdout=-3, stderr=-1, text=True)
    for line in process.stderr:
        if line.startswith("n2: 2/"):
            break
    macs.exec("n2", ["sh", "-c", "kill -KILL $(pgrep -f 'sshd: jackal')"])
    errors = process.stderr.read()
    assert process.wait(timeout=90) == 69, errors
    assert "n2: " in errors and "comes to its end by itself" in errors
    no_worker(macs)
    finished = config(macs, "--auto-setup")
    assert finished.returncode == 0, finished
    assert config(macs, "--undo").returncode == 0
    assert states(macs) == before


def test_without_sudo_nothing_is_begun(make_macs, config):
    description = bridged(shapes.pair(width=1))
    description["machines"][1]["sudo"] = False
    macs = make_macs(description)
    before = states(macs)
    refused = config(macs, "--auto-setup")
    assert refused.returncode == 1, refused
    assert "ALL=(root) NOPASSWD: /usr/bin/true, /sbin/ifconfig, /sbin/route" in refused.stdout
    assert states(macs) == before
    assert config(macs).returncode == 0


def test_a_cable_that_carries_nothing_fails_the_proof(make_macs, config):
    macs = make_macs(bridged(shapes.pair(width=2)))
    hosts = macs.shared / "hosts.json"
    assert config(macs, "--auto-setup", "--output", hosts).returncode == 0
    hosts.unlink()
    # Both machines still see the cable and have their addresses, but nobody answers for n2's.
    for node, command in (("n2", "ip link set dev en3 arp off"), ("n1", "ip neigh flush dev en3")):
        assert macs.exec(node, ["sh", "-c", command]).returncode == 0
    failed = config(macs, "--auto-setup", "--output", hosts)
    assert failed.returncode == 1, failed
    assert "FAILED n1 port 2 (en3) → n2 port 2 (en3): nothing comes back from" in failed.stdout
    assert not hosts.exists()


def test_a_command_that_hangs_in_the_proof_is_ended_and_proves_nothing(make_macs, config):
    macs = make_macs(bridged(shapes.pair(width=1)))
    hosts = macs.shared / "hosts.json"
    hanging = """
ifconfig en2 | grep -q "inet 1" && exec sleep 1000
exec "$real" "$@"
"""
    replace_command(macs, "n2", "ibv_devinfo", hanging)
    failed = config(macs, "--auto-setup", "--output", hosts, timeout=120)
    assert failed.returncode == 1, failed
    assert "FAILED n2 port 1 (en2): ibv_devinfo does not describe rdma_en2" in failed.stdout
    assert not hosts.exists()
    macs.wait_until_idle()


def test_a_node_that_is_lost_in_the_proof_proves_nothing(make_macs, config):
    macs = make_macs(bridged(shapes.pair(width=1)))
    hosts = macs.shared / "hosts.json"
    replace_command(macs, "n2", "ping", "kill -KILL $(pgrep -f 'sshd: jackal')\n")
    failed = config(macs, "--auto-setup", "--backend", "ring", "--output", hosts)
    assert failed.returncode == 69, failed
    assert "distributed-config: n2: " in failed.stderr
    assert not hosts.exists()
