"""What is set on a simulated Mac holds there, carries data or does not, and lasts as long as on a real one."""

from pathlib import Path

import shapes
import simulated
from fixture import wait_for

MASK = "netmask 255.255.255.252"
PLIST = """<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>org.example.links</string>
  <key>ProgramArguments</key>
  <array>
    <string>/bin/sh</string>
    <string>-c</string>
    <string>/sbin/ifconfig bridge0 deletem en2; /sbin/ifconfig en2 inet 192.168.9.1 netmask 255.255.255.252</string>
  </array>
  <key>RunAtLoad</key>
  <true/>
</dict>
</plist>
"""


def run(macs, node, command):
    """The output of a command that works."""
    done = macs.ssh(node, command)
    assert done.returncode == 0, (node, command, done)
    return done.stdout


def set_address(macs, node, interface, address):
    run(macs, node, f"sudo -n ifconfig {interface} inet {address} {MASK}")


def answers(macs, node, address):
    return macs.ssh(node, f"ping -c 1 -t 2 {address}").returncode == 0


def test_an_address_is_real_and_gives_a_gid(make_macs):
    macs = make_macs(shapes.pair(width=1))
    assert "::ffff:" not in run(macs, "n1", "ibv_devinfo -v")
    set_address(macs, "n1", "en2", "192.168.9.1")
    set_address(macs, "n2", "en2", "192.168.9.2")
    assert "inet 192.168.9.1 netmask 0xfffffffc broadcast 192.168.9.3" in run(macs, "n1", "ifconfig en2")
    assert "GID[  1]:\t\t::ffff:192.168.9.1\n" in run(macs, "n1", "ibv_devinfo -v")
    assert "192.168.9/30       link#" in run(macs, "n1", "netstat -rn -f inet")
    assert "interface: en2\n" in run(macs, "n1", "route -n get 192.168.9.2")
    assert answers(macs, "n1", "192.168.9.2")
    # Another one takes its place, and `delete` takes that.
    set_address(macs, "n1", "en2", "192.168.9.5")
    assert "192.168.9.1" not in run(macs, "n1", "ifconfig en2")
    assert not answers(macs, "n1", "192.168.9.2")
    run(macs, "n1", "sudo ifconfig en2 inet 192.168.9.5 delete")
    assert "inet " not in run(macs, "n1", "ifconfig en2")


def test_a_port_carries_nothing_while_a_bridge_has_it(make_macs):
    description = shapes.pair(width=1)
    description["machines"] = [{"bridge": True}, {}]
    macs = make_macs(description)
    assert "member: en2 flags" in run(macs, "n1", "ifconfig bridge0")
    set_address(macs, "n1", "en2", "192.168.9.1")
    set_address(macs, "n2", "en2", "192.168.9.2")
    assert not answers(macs, "n2", "192.168.9.1")
    run(macs, "n1", "sudo ifconfig bridge0 deletem en2")
    assert "member: en2 flags" not in run(macs, "n1", "ifconfig bridge0")
    assert "member: en3 flags" in run(macs, "n1", "ifconfig bridge0")
    # Until n2 asks again for the address that nobody answered for, its kernel gives up at once.
    wait_for(lambda: answers(macs, "n2", "192.168.9.1"), what="an answer through the freed port")
    again = macs.ssh("n1", "sudo ifconfig bridge0 deletem en2")
    assert (again.returncode, again.stderr) == (1, "ifconfig: BRDGDEL en2: No such file or directory\n")


def test_addresses_on_the_wrong_cable_do_not_meet(make_macs):
    macs = make_macs(shapes.pair(width=2))
    set_address(macs, "n1", "en2", "192.168.9.1")
    set_address(macs, "n2", "en3", "192.168.9.2")
    assert not answers(macs, "n1", "192.168.9.2")


def test_a_pulled_cable_is_seen_at_both_ends(make_macs):
    macs = make_macs(shapes.pair(width=1))
    macs.fault("n1", "cable-cut", "en2")
    for node in ("n1", "n2"):
        assert "status: inactive" in run(macs, node, "ifconfig en2")
        assert "receptacle_connected" not in run(macs, node, "system_profiler SPThunderboltDataType -json")
    macs.heal("n1")
    assert "status: active" in run(macs, "n2", "ifconfig en2")


def test_who_may_change_what(make_macs):
    description = shapes.pair(width=1)
    description["machines"] = [{}, {"sudo": False}]
    macs = make_macs(description)
    assert macs.ssh("n1", "ifconfig en2 inet 192.168.9.1 netmask 255.255.255.252").returncode == 1
    assert macs.ssh("n1", "route -n add -host 192.168.9.2 -interface en2").returncode == 77
    assert run(macs, "n1", "sudo id -u") == "0\n"
    # What raises rights lies on the node's own file system and nowhere on this machine.
    assert macs.exec("n1", ["stat", "-c", "%a", "/private/simmac/bin/sudo"]).stdout == "4755\n"
    assert not Path("/private/simmac").exists() and simulated.tool.program().stat().st_mode & 0o4000 == 0
    refused = macs.ssh("n2", "sudo -n true")
    assert (refused.returncode, refused.stderr) == (1, "sudo: a password is required\n")


def test_route_says_what_the_kernel_refused_and_ends_with_0(make_macs):
    macs = make_macs(shapes.pair(width=1))
    change = "sudo route -n change -host 192.168.9.2 -interface en2"
    refused = macs.ssh("n1", change)
    assert (refused.returncode, refused.stderr) == (0, "route: writing to routing socket: not in table\n")
    run(macs, "n1", "sudo route -n add -host 192.168.9.2 -interface en2")
    assert "interface: en2\n" in run(macs, "n1", "route -n get 192.168.9.2")
    assert "File exists" in macs.ssh("n1", "sudo route -n add -host 192.168.9.2 -interface en2").stderr
    run(macs, "n1", "sudo route -n delete -host 192.168.9.2")
    assert "interface: en0\n" in run(macs, "n1", "route -n get 192.168.9.2")


def test_a_restart_forgets_what_was_set_and_runs_the_jobs_of_launchd(make_macs):
    description = shapes.pair(width=1)
    description["machines"] = [{"bridge": True}, {}]
    macs = make_macs(description)
    run(macs, "n1", "sudo ifconfig bridge0 deletem en2")
    set_address(macs, "n1", "en2", "192.168.9.1")
    set_address(macs, "n2", "en2", "192.168.9.2")
    macs.restart("n1")
    macs.restart("n2")
    assert "inet " not in run(macs, "n1", "ifconfig en2") + run(macs, "n2", "ifconfig en2")
    assert "member: en2 flags" in run(macs, "n1", "ifconfig bridge0")
    file = "/Library/LaunchDaemons/org.example.links.plist"
    assert macs.ssh("n1", f"sudo tee {file}", input=PLIST).stdout == PLIST
    run(macs, "n1", f"sudo launchctl bootstrap system {file}")
    wait_for(lambda: "192.168.9.1" in run(macs, "n1", "ifconfig en2"), what="the job")
    macs.restart("n1")
    wait_for(lambda: "192.168.9.1" in run(macs, "n1", "ifconfig en2"), what="the job after a restart")
    set_address(macs, "n2", "en2", "192.168.9.2")
    assert answers(macs, "n2", "192.168.9.1")
    run(macs, "n1", "sudo launchctl bootout system/org.example.links")
    assert macs.ssh("n1", "launchctl print system/org.example.links").returncode == 113


def test_network_services_outlast_a_restart(make_macs):
    macs = make_macs(shapes.pair(width=1))
    for node, address in (("n1", "192.168.9.1"), ("n2", "192.168.9.2")):
        run(macs, node, "sudo networksetup -createnetworkservice 'Cluster Link' 'Thunderbolt 1'")
        run(macs, node, f"sudo networksetup -setmanual 'Cluster Link' {address} 255.255.255.252")
    assert answers(macs, "n1", "192.168.9.2")
    macs.restart("n1")
    assert answers(macs, "n1", "192.168.9.2")
    assert "Cluster Link\n(Hardware Port: Thunderbolt 1, Device: en2)" in run(macs, "n1", "networksetup -listnetworkserviceorder")
    info = run(macs, "n1", "networksetup -getinfo 'Cluster Link'")
    assert info.startswith("Manual Configuration\nIP address: 192.168.9.1\nSubnet mask: 255.255.255.252\nRouter: (null)\n")
    run(macs, "n1", "sudo networksetup -setnetworkserviceenabled 'Cluster Link' off")
    assert "(*) Cluster Link\n" in run(macs, "n1", "networksetup -listnetworkserviceorder")
    assert not answers(macs, "n2", "192.168.9.1")
    run(macs, "n1", "sudo networksetup -removenetworkservice 'Cluster Link'")
    refused = macs.ssh("n1", "sudo networksetup -setdhcp 'Cluster Link'")
    assert (refused.returncode, refused.stdout.splitlines()[0]) == (4, "Cluster Link is not a recognized network service.")
    assert macs.ssh("n1", "networksetup -setdhcp Ethernet").returncode == 14


def test_commands_fail_as_they_are_told_to(make_macs):
    description = shapes.pair(width=1)
    description["machines"] = [
        {"commands": {"ibv_devices": {"missing": True}, "pmset": {"exit": 3, "output": "half", "error": "broken\n"}}},
        {},
    ]
    macs = make_macs(description)
    assert macs.ssh("n1", "command -v ibv_devices").returncode != 0
    failed = macs.ssh("n1", "pmset -g")
    assert (failed.returncode, failed.stdout, failed.stderr) == (3, "half", "broken\n")
    assert "rdma_en2" in run(macs, "n2", "ibv_devices")
