"""Simulated Macs for pytest.

def test_something(make_macs):
    macs = make_macs(shapes.mesh(4))
    assert macs.ssh("n1", "sudo ifconfig en2 inet 10.0.0.1 netmask 255.255.255.252").returncode == 0
    macs.restart("n1")
"""

import json
import os
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
from fixture import UNAVAILABLE, Cluster, run_tool


def _load_tool():
    loader = SourceFileLoader("macs", str(Path(__file__).with_name("macs")))
    module = module_from_spec(spec_from_loader("macs", loader))
    loader.exec_module(module)
    return module


tool = _load_tool()


class Macs(Cluster):
    """A running cluster whose nodes are Macs; made by the fixture `make_macs`."""

    def __init__(self, directory, description):
        super().__init__(directory)
        self.description = description

    def restart(self, node):
        """The node restarts: what was only set is gone, what was made to last is there again."""
        done = self.exec(node, [tool.program(), "restart"])
        if done.returncode != 0:
            raise RuntimeError(f"{node} does not restart: {done.stderr}")


def _maker(directory, made):
    if not tool.program().exists():
        pytest.skip(f"{tool.program()} does not exist: build first")

    def make(description, *words):
        file = directory / f"macs-{len(made)}.json"
        file.write_text(json.dumps(description))
        result = run_tool("up", "--owner", os.getpid(), *tool.up_words(file), *words)
        if result.returncode == UNAVAILABLE:
            pytest.skip(result.stderr.strip())
        if result.returncode != 0:
            raise RuntimeError(f"cluster up: {result.stderr.strip()}")
        made.append(Macs(result.stdout.strip(), description))
        return made[-1]

    return make


@pytest.fixture
def make_macs(tmp_path):
    """make_macs(description, *words of `cluster up`) → Macs; taken down after the test."""
    made = []
    yield _maker(tmp_path, made)
    for macs in made:
        macs.down()


@pytest.fixture(scope="module")
def make_macs_for_module(tmp_path_factory):
    """The same for Macs that the tests of a module share and leave as they are."""
    made = []
    yield _maker(tmp_path_factory.mktemp("macs"), made)
    for macs in made:
        macs.down()
