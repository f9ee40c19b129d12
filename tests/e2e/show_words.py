"""Writes what it was given, byte for byte, as JSON of Latin-1: its argv, environment and directory.

The file is $WORDS_DIRECTORY/RANK.
"""

import json
import os
import sys


def text(data):
    return data.decode("latin-1")


words = {
    "argv": [text(os.fsencode(word)) for word in sys.argv[1:]],
    "env": {text(name): text(value) for name, value in os.environb.items()},
    "cwd": text(os.getcwdb()),
}
with open(f"{os.environ['WORDS_DIRECTORY']}/{os.environ['MLX_RANK']}", "w", encoding="utf-8") as file:
    json.dump(words, file)
