"""Every exit code of distributed-config as a script would meet it. 69 and 130 take nodes: test_distributed_config.py."""

import re
import subprocess

import pytest
from fixture import ROOT

EXIT_CODES = [
    (0, "a plan", "--from-probes {mesh} --output {hosts}"),
    (0, "nothing differs", "--from-probes {mesh} --over ethernet --check {ethernet}"),
    (1, "no plan is possible", "--from-probes {chain} --backend jaccl --output {hosts}"),
    (1, "a plan leaves out a host", "--from-probes {halves} --output {hosts}"),
    (3, "the cabling differs", "--from-probes {chain} --check {mesh_hosts}"),
    (64, "no flag", "m1"),
    (64, "a flag that is two", "--host m1"),
    (64, "a contradiction", "--hosts m1 --hostfile {mesh_hosts}"),
    (64, "nobody is left", "--from-probes {mesh} --exclude m1,m2,m3"),
    (64, "nothing to redact", "--redact --output {hosts}"),
    (65, "no probes", "--from-probes {nothing} --output {hosts}"),
    (65, "no probes of a host", "--from-probes {mesh} --hosts m1,m9 --output {hosts}"),
    (65, "a bad host file", "--hostfile {bad} --output {hosts}"),
    (65, "a bad host file to check", "--from-probes {mesh} --check {bad}"),
    (74, "no directory for the host file", "--from-probes {mesh} --output {nothing}/hosts.json"),
    (74, "no directory for the drawing", "--from-probes {mesh} --svg {nothing}/map.svg --output {hosts}"),
    (74, "no directory for the report", "--from-probes {mesh} --report {nothing}/r.html --output {hosts}"),
    (74, "no directory for the probes", "--from-probes {mesh} --save-probes /dev/null/p --redact --output {hosts}"),
    (74, "redacted probes beside others", "--from-probes {mesh} --save-probes {mesh} --redact --output {hosts}"),
]


@pytest.fixture
def places(config, probes, tmp_path):
    names = {name: tmp_path / name for name in ("hosts", "nothing", "bad", "mesh_hosts", "ethernet")}
    names |= {"mesh": probes("mesh", 3), "chain": probes("chain", 3), "halves": probes("ring", 4)}
    for gone in ("m2", "m4"):  # who say nothing of their cables
        (names["halves"] / gone / "system_profiler.json").unlink()
    names["bad"].write_text("[")
    assert config("--from-probes", names["mesh"], "--output", names["mesh_hosts"]).returncode == 0
    flags = ["--over", "ethernet", "--output", names["ethernet"]]
    assert config("--from-probes", names["mesh"], *flags).returncode == 0
    return names


@pytest.mark.parametrize(("code", "why", "words"), EXIT_CODES, ids=[f"{code}: {why}" for code, why, _ in EXIT_CODES])
def test_exit_code(config, places, code, why, words):
    result = config(*words.format(**places).split(" "))
    assert result.returncode == code, result
    assert places["hosts"].exists() == (code == 0 and "{hosts}" in words)
    if code not in (0, 3):
        assert "distributed-config: " in result.stderr


@pytest.mark.parametrize("flags", [[], ["--json"], ["--dot"]], ids=str)
def test_output_that_cannot_be_written_is_74(config, probes, flags):
    with open("/dev/full", "w") as full:
        process = config("--from-probes", probes("mesh", 2), *flags, capture_output=False, stdout=full,
                         stderr=subprocess.PIPE)  # fmt: skip
    assert process.returncode == 74, process


def test_every_row_of_the_manual_is_tried():
    page = (ROOT / "man/distributed-config.1").read_text()
    section = page[page.index(".SH EXIT STATUS") : page.index(".SH EXAMPLES")]
    codes = set(map(int, re.findall(r"^\.B (\d+)$", section, re.MULTILINE)))
    elsewhere = {69, 70, 130}  # 70 is a bug of ours, which nobody can ask for
    assert codes == {code for code, _, _ in EXIT_CODES} | elsewhere
