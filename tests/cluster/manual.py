"""The shell examples of docs/virtual-cluster.md, which tests run."""

import os
import re
import subprocess

from fixture import ROOT


def examples(with_macs):
    """The blocks that need the simulated Macs, or those that do not."""
    text = (ROOT / "docs" / "virtual-cluster.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    return [block for block in blocks if ("macs up" in block) == with_macs]


def run(blocks):
    """All of them in one shell that stops at the first failure and leaves no cluster."""
    end = 'trap \'test ! -d "$JACKAL_CLUSTER" || cluster down "$JACKAL_CLUSTER"\' EXIT\n'
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", end + "\n".join(blocks)], cwd=ROOT, check=False,
        env={**os.environ, "JACKAL_CLUSTER": ""}, text=True, capture_output=True, timeout=200,
    )  # fmt: skip
