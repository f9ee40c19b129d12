"""Fixtures of every pytest test of the project."""

import sys
from pathlib import Path

for folder in ("cluster", "simmac"):
    sys.path.insert(0, str(Path(__file__).resolve().parent / folder))

from fixture import bin_dir, cluster4, cluster_possible, make_cluster  # noqa: E402,F401
from simulated import make_macs, make_macs_for_module  # noqa: E402,F401
