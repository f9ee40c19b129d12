"""Looks for a word in what a machine shows of its processes, over and over, until its input ends.

Prints one line of JSON: how often it looked, and every place where the word stood, apart from the
environment of the user whose program it was meant for. The word comes first on the input, not as an argument.
"""

import json
import os
import select
import sys

needle = sys.stdin.buffer.readline().strip()
owner = int(sys.argv[1])
print("watching", flush=True)
looks, found = 0, set()
while not select.select([sys.stdin], [], [], 0)[0]:
    looks += 1
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("cmdline", "environ"):
            try:
                uid = os.stat(f"/proc/{pid}").st_uid
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    data = file.read()
            except OSError:
                continue
            if needle in data and (name == "cmdline" or uid != owner):
                found.add(f"{name} of uid {uid}: {data[:200]!r}")
print(json.dumps({"looks": looks, "found": sorted(found)}))
