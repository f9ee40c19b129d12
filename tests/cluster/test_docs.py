"""The examples of docs/virtual-cluster.md work as they stand."""

import os
import re
import shutil
import subprocess

from fixture import ROOT


def test_the_examples_of_the_manual_work(cluster_possible):
    text = (ROOT / "docs" / "virtual-cluster.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    assert len(blocks) == 5
    end = 'trap \'test ! -d "$JACKAL_CLUSTER" || cluster down "$JACKAL_CLUSTER"\' EXIT\n'
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", end + "\n".join(blocks)], cwd=ROOT, check=False,
        env={**os.environ, "JACKAL_CLUSTER": ""}, text=True, capture_output=True, timeout=200,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("n1\nlo ")
    assert "uid=6174(jackal)" in result.stdout
    assert "n1 is silent" in result.stdout
    assert re.search(r"^en3\S* +DOWN .*NO-CARRIER", result.stdout, re.M)
    assert result.stdout.endswith(f"n3\nalice\n{shutil.which('dash')}\n")
