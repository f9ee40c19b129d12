"""A description that cannot be played is refused with the place and the reason."""

import json
import subprocess

import pytest
import simulated


@pytest.mark.parametrize(
    ("description", "complaint"),
    [
        ("[", "is no JSON: "),
        ({}, "machines is missing"),
        ({"machines": 0}, "machines must be a list of machines, or how many Mac Studios there are (1 to 250)"),
        ({"machines": [{"colour": "red"}]}, "machines[0].colour is not known"),
        ({"machines": [{"model": "imac"}]}, "machines[0].model must be studio (M3 Ultra), macbook (M5 Max) or mini (M4)"),
        ({"machines": [{"rdma": 1}]}, "machines[0].rdma must be true or false"),
        ({"machines": [{}, {"bridge": ["en1"]}]}, "machines[1].bridge n2 has no port en1"),
        ({"machines": [{"ports": {"0": "en2"}}]}, "machines[0].ports a receptacle is a number from 1 to 9"),
        ({"machines": 2, "cables": ["n1:en2"]}, 'cables[0] has no two ends; write them like "n1:en2 n2:en3"'),
        ({"machines": 2, "cables": ["n1:en2 n3:en2"]}, 'cables[0] "n3:en2" is no port of a machine; write one like n1:en2'),
        ({"machines": 2, "cables": ["n1:en2 n2:en2", "n2:en2 n1:en3"]}, "cables[1] n2:en2 has something in it already"),
        ({"machines": 2, "cables": [{"ends": "n1:en2 n2:en2", "gbps": "fast"}]}, "cables[0].gbps must be a number from 1 to 1000"),
        ({"machines": 1, "strangers": ["n1:en9"]}, 'strangers "n1:en9": that machine has no such port'),
        ({"machines": 1, "commands": {"ifconfig": {"exit": 300}}}, "commands.ifconfig.exit must be a number from 0 to 255"),
        ({"machines": 1, "commands": {"ifconfg": {"hangs": True}}}, "ifconfg is no command of a simulated Mac"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(bin_dir, tmp_path, description, complaint):
    file = tmp_path / "macs.json"
    file.write_text(description if isinstance(description, str) else json.dumps(description))
    done = subprocess.run([simulated.tool.program(), "up-words", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"simmac: {file}: {complaint}"), done.stderr
