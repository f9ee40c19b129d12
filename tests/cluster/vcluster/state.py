"""What is known of running clusters: DIR/state.json, and the supervisors that /proc shows.

There is no registry: a cluster exists as long as its supervisor does, and that one carries the
directory on its command line.
"""

import json
import os
import select
import shutil
import signal

MARKER = "_supervise"
STATE_FILE = "state.json"


class NoCluster(Exception):
    pass


def start_time(pid):
    """Ticks since boot when `pid` started: with the pid, a name that is never used again. None if ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else int(fields[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


def outer_identity():
    """This process as the owner of the mounted /proc sees it, whatever namespace we are in."""
    pid = int(os.readlink("/proc/self"))
    return {"pid": pid, "start": start_time(pid)}


def is_running(identity):
    return identity is not None and start_time(identity["pid"]) == identity["start"]


def load(directory):
    """The state of the cluster that runs at `directory`."""
    try:
        with open(os.path.join(directory, STATE_FILE), encoding="utf-8") as file:
            state = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        raise NoCluster(f"no cluster at {directory}") from None
    if not is_running(state["supervisor"]):
        raise NoCluster(f"the cluster at {directory} has ended; `cluster down {directory}` removes its files")
    return state


def _namespace_pids(pid):
    """The pids that `pid` has, from this /proc's namespace inwards."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("NSpid:"):
                return [int(word) for word in line.split()[1:]]
    return []


def running():
    """{directory: supervisor's identity} of every cluster on this machine, ready or not.

    The pid 1 of a node is a fork of the supervisor with the same command line, one namespace deeper.
    """
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            if MARKER.encode() not in words[:5]:
                continue
            pids = _namespace_pids(entry)
        except (FileNotFoundError, ProcessLookupError):
            continue
        directory = os.fsdecode(words[words.index(MARKER.encode()) + 1])
        if len(pids) > 1 and pids[-1] == 1:
            best = found.get(directory)
            if best is None or len(pids) < best[0]:
                found[directory] = (len(pids), int(entry))
    return {directory: {"pid": pid, "start": start_time(pid)} for directory, (_, pid) in found.items()}


def resolve(directory):
    """Which cluster is meant: the one named, the one in $JACKAL_CLUSTER, or the only one."""
    directory = directory or os.environ.get("JACKAL_CLUSTER")
    if directory:
        return os.path.realpath(directory)
    directories = sorted(running())
    if len(directories) == 1:
        return directories[0]
    if not directories:
        raise NoCluster("no cluster is running (start one with `cluster up`)")
    raise NoCluster("several clusters are running, name one with --dir: " + " ".join(directories))


def _end(identity):
    """Kills one supervisor, and with it everything in its namespaces, and waits until it is gone."""
    try:
        fd = os.pidfd_open(identity["pid"])
    except ProcessLookupError:
        return
    try:
        # Checked after opening: from here on the descriptor cannot mean another process.
        if not is_running(identity):
            return
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        if not poller.poll(20000):
            raise RuntimeError(f"the supervisor (pid {identity['pid']}) does not end after SIGKILL")
    except ProcessLookupError:
        return
    finally:
        os.close(fd)


def _looks_like_cluster(directory):
    return os.path.lexists(os.path.join(directory, STATE_FILE))


def remove_files(directory):
    """Removes DIR; the state file last, so that an interrupted removal is still recognised."""
    for entry in os.listdir(directory):
        path = os.path.join(directory, entry)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif entry != STATE_FILE:
            os.unlink(path)
    os.unlink(os.path.join(directory, STATE_FILE))
    os.rmdir(directory)


def down(directory):
    """Ends the cluster at `directory` and removes its files. False when there was none."""
    found = False
    identity = running().get(directory)
    if identity:
        _end(identity)
        found = True
    if os.path.isdir(directory) and _looks_like_cluster(directory):
        remove_files(directory)
        found = True
    return found
