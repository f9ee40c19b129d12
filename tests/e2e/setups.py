"""What the tests of a set-up on simulated Macs share."""

import pytest
from fixture import wait_for

LOOK = "ifconfig -a; netstat -rn -f inet; ls /Library/LaunchDaemons"


@pytest.fixture
def config(bin_dir):
    """config(macs, *arguments) → CompletedProcess, run in the head of the cluster."""

    def call(macs, *arguments, **options):
        return macs.exec("head", words(macs, bin_dir, *arguments), **options)

    return call


def words(macs, bin_dir, *arguments):
    nodes = [] if "--hosts" in arguments else ["--hosts", ",".join(macs.nodes)]
    return [bin_dir / "distributed-config", "--ssh-config", macs.ssh_config, *nodes, *arguments]


def states(macs):
    """Interfaces, addresses, bridges and routes of every node, in the words of its own commands."""
    return {node: macs.ssh(node, LOOK).stdout for node in macs.nodes}


def bridged(description, **more):
    """All machines as they come out of the box: every port in the Thunderbolt bridge."""
    return {**description, "machines": [{"bridge": True, **more} for _ in description["machines"]]}


def kept(macs, node):
    """What is left on the node of a set-up: its record, and a lock."""
    return macs.ssh(node, "ls ~/.local/state/jackal 2>/dev/null").stdout.split()


def no_worker(macs):
    wait_for(lambda: all("links.running" not in kept(macs, node) for node in macs.nodes), what="the workers' end")


def slow_ifconfig(description, seconds):
    """Changes that take their time, so that there is a middle to break off in."""
    return {**description, "commands": {"ifconfig": {"seconds": seconds}}}


def replace_command(macs, node, name, script):
    """The node's command becomes this script, in which $real is the one it had."""
    place = "/private/simmac/bin"
    assert macs.exec(node, ["sh", "-c", f"mkdir -p {place}/real && mv {place}/{name} {place}/real"]).returncode == 0
    macs.write_file(node, f"{place}/{name}", f"#!/bin/sh\nreal={place}/real/{name}\n{script}")
    assert macs.exec(node, ["chmod", "755", f"{place}/{name}"]).returncode == 0


def restore_command(macs, node, name):
    assert macs.exec(node, ["sh", "-c", f"cd /private/simmac/bin && mv -f real/{name} {name}"]).returncode == 0
