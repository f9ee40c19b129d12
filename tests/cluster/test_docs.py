"""The examples of docs/virtual-cluster.md work as they stand."""

import re
import shutil

import manual


def test_the_examples_of_the_manual_work(cluster_possible):
    blocks = manual.examples(with_macs=False)
    assert len(blocks) == 5
    result = manual.run(blocks)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("n1\nlo ")
    assert "uid=6174(jackal)" in result.stdout
    assert "n1 is silent" in result.stdout
    assert re.search(r"^en3\S* +DOWN .*NO-CARRIER", result.stdout, re.M)
    assert result.stdout.endswith(f"n3\nalice\n{shutil.which('dash')}\n")
