"""Writes to DIR/RANK.json what a rank is given: its words, directory, environment, and the files that it names.

Usage: show.py DIR [WORD…]. Bytes that are no UTF-8 arrive as Python's surrogates, in both ways the same.
"""

import json
import os
import sys

FILES = ["MLX_HOSTFILE", "MLX_IBV_DEVICES", "JACKAL_HOSTFILE", "JACKAL_SECRET_FILE"]


def rank():
    for name in ("MLX_RANK", "OMPI_COMM_WORLD_RANK"):
        if name in os.environ:
            return os.environ[name]
    sys.exit("show.py: no rank")


files = {}
for name in FILES:
    if name in os.environ:
        with open(os.environ[name], "rb") as file:
            files[name] = file.read().decode("latin-1")
shown = {
    "argv": sys.argv[2:],
    "cwd": os.getcwd(),
    "env": dict(os.environ),
    "files": files,
    "modes": {name: oct(os.stat(os.environ[name]).st_mode & 0o777) for name in files},
    "host": os.uname().nodename,
    "python": sys.executable,
}
path = os.path.join(sys.argv[1], rank() + ".json")
with open(path + ".new", "w") as file:
    json.dump(shown, file)
os.rename(path + ".new", path)
