"""distributed-config --auto-setup, --persist and --undo on simulated Macs: what was is back."""

import json

import shapes
from clients import run
from fixture import wait_for
from setups import bridged, config, states  # noqa: F401


def test_without_the_flag_the_same_commands_are_printed_and_work(make_macs, config):
    macs = make_macs(bridged(shapes.pair(width=1)))
    before = states(macs)
    printed = config(macs)
    assert printed.returncode == 0, printed
    assert states(macs) == before
    lines = printed.stdout.split("pasted on each machine\n")[1].split("\n\n")[0].splitlines()
    node = None
    for line in lines:
        if line.startswith("# on "):
            node = line[5:]
        else:
            assert macs.ssh(node, line).returncode == 0, line
    again = config(macs, "--json")
    assert again.returncode == 0, again
    proofs = json.loads(again.stdout)["verification"]["cables"]
    assert [end["ping"]["received"] for end in proofs[0]["ends"]] == [5, 5]
    assert json.loads(again.stdout)["setup_ran"] is False


def test_a_set_up_that_lasts_is_there_after_a_restart(make_macs, config):
    macs = make_macs(bridged(shapes.pair(width=1)))
    before = states(macs)
    done = config(macs, "--auto-setup", "--persist")
    assert done.returncode == 0, done
    idle = config(macs, "--auto-setup", "--persist")
    assert "none: the links are set up already" in idle.stdout
    addresses = {node: macs.ssh(node, "ifconfig en2 | grep 'inet '").stdout for node in macs.nodes}
    assert all(addresses.values())
    for node in macs.nodes:
        macs.restart(node)
    for node in macs.nodes:
        wait_for(
            lambda n=node: macs.ssh(n, "ifconfig en2 | grep 'inet '").stdout == addresses[n],
            what=f"the address of {node}",
        )
        assert "member: en2 " not in macs.ssh(node, "ifconfig bridge0").stdout
    undone = config(macs, "--undo")
    assert undone.returncode == 0, undone
    assert states(macs) == before
    for node in macs.nodes:
        macs.restart(node)
    assert states(macs) == before


def test_what_a_restart_took_back_is_not_undone_again(make_macs, config):
    macs = make_macs(bridged(shapes.pair(width=1)))
    before = states(macs)
    assert config(macs, "--auto-setup").returncode == 0
    macs.restart("n1")
    undone = config(macs, "--undo")
    assert undone.returncode == 0, undone
    assert "# on n1: all of it is gone already" in undone.stdout
    assert states(macs) == before
    assert "nothing was set up" in config(macs, "--undo").stdout


def test_the_flags_that_contradict_set_up_and_undo(config, bin_dir, tmp_path):
    for arguments in (["--undo", "--auto-setup"], ["--undo", "--json"], ["--auto-setup", "--no-auto-setup"],
                      ["--undo", "--from-probes", tmp_path], ["--auto-setup", "--from-probes", tmp_path],
                      ["--check", "x", "--persist"], ["--undo", "--output", "x"]):  # fmt: skip
        result = run([bin_dir / "distributed-config", *arguments])
        assert result.returncode == 64, (arguments, result)
