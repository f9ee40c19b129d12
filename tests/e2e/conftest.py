"""What the tests of distributed-config share."""

import json
import subprocess

import pytest
from clients import run
from fixture import ROOT
from jsonschema import Draft202012Validator

SCHEMAS = ROOT / "apps/distributed-config/schema"


@pytest.fixture(scope="session")
def config(bin_dir):
    """config(*arguments) → CompletedProcess."""
    return lambda *arguments, **options: run([bin_dir / "distributed-config", *arguments], **options)


@pytest.fixture
def probes(bin_dir, tmp_path):
    """probes(shape, machines) → a directory of saved probes of a made-up cluster."""

    def make(shape, machines):
        directory = tmp_path / f"{shape}-{machines}"
        program = bin_dir.parent / "tests" / "simmac_probes"
        subprocess.run([program, shape, str(machines), directory], check=True)
        return directory

    return make


@pytest.fixture(scope="session")
def scenarios(bin_dir, tmp_path_factory):
    """The table of tests/tbdiscovery/scenarios.cpp: name, probes, nodes, arguments, problems, exit."""
    directory = tmp_path_factory.mktemp("scenarios")
    subprocess.run([bin_dir.parent / "tests" / "scenario_probes", directory], check=True)
    table = json.loads((directory / "scenarios.json").read_text())
    assert len(table) >= 60
    return table


def validator(name):
    schema = json.loads((SCHEMAS / name).read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def reader(schema):
    """reader(schema)(text) → the object that `text` spells, after it was held against the schema."""
    judge = validator(schema)

    def read(text):
        document = json.loads(text)
        judge.validate(document)
        return document

    return read


@pytest.fixture(scope="session")
def found():
    """found(text) → the object that --json printed, after it was held against the schema."""
    return reader("distributed-config.schema.json")


@pytest.fixture(scope="session")
def differences():
    """The same for --check --json."""
    return reader("distributed-config-check.schema.json")
