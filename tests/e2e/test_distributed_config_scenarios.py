"""Every scenario through the real program: what it says, its exit code, its files, its JSON against the schema."""

import json
from collections import Counter

import pytest


def place(problem):
    return " ".join(filter(None, (problem["code"], problem["node"], problem["port"])))


def test_each_problem_is_named_and_the_exit_code_says_so(config, scenarios, found, tmp_path):
    hosts = tmp_path / "hosts.json"
    for scenario in scenarios:
        hosts.unlink(missing_ok=True)
        result = config("--from-probes", scenario["probes"], *scenario["arguments"], "--json", "--output", hosts)
        said = found(result.stdout)
        assert result.returncode == said["exit"] == scenario["exit"], (scenario["name"], result.stderr)
        assert Counter(map(place, said["problems"])) == Counter(scenario["problems"]), scenario["name"]
        assert hosts.exists() == (scenario["exit"] == 0), scenario["name"]


@pytest.mark.parametrize("backend", ["jaccl", "jaccl-ring", "ring", "jackal"])
def test_a_failure_leaves_no_file_and_no_success_lacks_one(config, scenarios, found, tmp_path, backend):
    for number, scenario in enumerate(scenarios):
        work = tmp_path / str(number)
        work.mkdir()
        result = config("--from-probes", scenario["probes"], "--backend", backend, "--json", "--output", work / "hosts.json")
        said = found(result.stdout)
        assert result.returncode == said["exit"], (scenario["name"], result)
        blocked = any(problem["blocks"] for problem in said["problems"])
        assert (result.returncode == 0) == (said["plan"] is not None and not blocked), (scenario["name"], result)
        assert (said["plan"] is None) == (said["plan_error"] is not None)
        if result.returncode:
            assert list(work.iterdir()) == [] and said["files"] == [], scenario["name"]
            assert "distributed-config: " in result.stderr
        else:
            assert json.loads((work / "hosts.json").read_text()) == said["plan"]["hostfile"], scenario["name"]
            assert said["files"] == [{"kind": "hostfile", "path": str(work / "hosts.json")}]


def test_the_text_says_what_the_json_says(config, scenarios, found):
    """Names come from hosts: what is no text is replaced in both."""
    for scenario in scenarios:
        arguments = ["--from-probes", scenario["probes"], *scenario["arguments"]]
        said = found(config(*arguments, "--json").stdout)
        text = " ".join(config(*arguments).stdout.split())
        for problem in said["problems"]:
            for key in ("code", "severity", "what", "why", "next"):
                assert " ".join(problem[key].split()) in text, (scenario["name"], problem)
        for setup in said["setup"]:
            assert " ".join(setup["commands"].split()) in text
        if said["plan"]:
            assert " ".join(said["plan"]["reason"].split()) in text
            for note in said["plan"]["notes"]:
                assert " ".join(note.split()) in text
        else:
            assert " ".join(said["plan_error"]["what"].split()) in text


def test_check_as_json_keeps_to_its_schema(config, scenarios, differences, tmp_path):
    hosts = tmp_path / "hosts.json"
    mesh, *others = scenarios
    assert config("--from-probes", mesh["probes"], "--output", hosts).returncode == 0
    same = config("--from-probes", mesh["probes"], "--check", hosts, "--json")
    assert same.returncode == 0 and differences(same.stdout)["differences"] == []
    codes = set()
    for scenario in others:
        if not {"m1", "m2", "m3"} <= set(scenario["nodes"]):
            continue
        result = config("--from-probes", scenario["probes"], "--check", hosts, "--json")
        said = differences(result.stdout)
        codes.add(result.returncode)
        assert result.returncode == said["exit"] == (3 if said["differences"] else 0), scenario["name"]
    assert codes == {0, 3}


def test_the_schema_is_strict(found, config, scenarios):
    """A member that the schema does not know, or one that is missing, is noticed at every depth."""
    from jsonschema import ValidationError

    document = json.loads(config("--from-probes", scenarios[0]["probes"], "--json").stdout)

    def objects(value):
        if isinstance(value, dict):
            yield value
        for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            yield from objects(child)

    for each in list(objects(document)):
        each["unheard-of"] = 1
        with pytest.raises(ValidationError):
            found(json.dumps(document))
        del each["unheard-of"]
    for member in list(document):
        value = document.pop(member)
        with pytest.raises(ValidationError):
            found(json.dumps(document))
        document[member] = value
