"""Pid 1 of a cluster: builds the nodes, then does nothing but end them.

It lives in a PID and a network namespace of its own. The network namespace holds the switches: bridges
whose ports are the nodes' other ends. When this process ends, however that happens, the kernel ends every
process of every node and with them every namespace, link and mount.

`up` talks to it over two pipes. It sends the configuration as one line of JSON, and one more byte once it
has announced the cluster; the end of the pipe before that byte means that `up` died, and so must we.
"""

import json
import os
import select
import signal
import subprocess
import time

from . import kernel, network, node, state
from . import plan as planning

_PREPARE_SECONDS = 60


class _Abandoned(Exception):
    """`up` went away before the cluster was announced."""


def _close_all_but(*kept):
    for fd in [int(entry) for entry in os.listdir("/proc/self/fd")]:
        if fd > 2 and fd not in kept:
            try:
                os.close(fd)
            except OSError:  # the listing's own descriptor
                pass


class _Nodes:
    """The forked nodes while they start: one pipe to each, one from each."""

    def __init__(self, control):
        self.control = control
        self.pids = {}
        self._to = {}
        self._from = {}
        self._buffers = {}

    def fork(self, config, name, part):
        """Starts pid 1 of node `name`, in namespaces of its own."""
        orders_read, orders_write = os.pipe()
        answers_read, answers_write = os.pipe()
        own = os.open("/proc/self/ns/pid", os.O_RDONLY)
        kernel.unshare(kernel.CLONE_NEWPID)
        pid = os.fork()
        if pid == 0:
            _close_all_but(orders_read, answers_write)
            node.run(config, name, part, orders_read, answers_write)
        kernel.setns(own, kernel.CLONE_NEWPID)
        for fd in (own, orders_read, answers_write):
            os.close(fd)
        self.pids[name] = pid
        self._to[name] = orders_write
        self._from[name] = answers_read
        self._buffers[name] = b""

    def tell(self, order):
        for fd in self._to.values():
            os.write(fd, order)

    def collect(self):
        """One line of JSON from every node; raises what a node reports, or that `up` is gone."""
        answers = {}
        poller = select.poll()
        names = {fd: name for name, fd in self._from.items()}
        for fd in [self.control, *names]:
            poller.register(fd, select.POLLIN)
        deadline = time.monotonic() + _PREPARE_SECONDS
        while len(answers) < len(names):
            ready = poller.poll(max(0, deadline - time.monotonic()) * 1000)
            if not ready:
                missing = sorted(set(names.values()) - set(answers))
                raise RuntimeError(f"no answer within {_PREPARE_SECONDS} s from {', '.join(missing)}")
            for fd, _ in ready:
                if fd == self.control:
                    raise _Abandoned
                name = names[fd]
                chunk = os.read(fd, 65536)
                self._buffers[name] += chunk
                line, newline, rest = self._buffers[name].partition(b"\n")
                if not newline and not chunk:
                    raise RuntimeError(f"{name} ended while it was being set up")
                if newline:
                    self._buffers[name] = rest
                    answer = json.loads(line)
                    if "error" in answer:
                        raise RuntimeError(f"{name}: {answer['error']}")
                    answers[name] = answer
                    poller.unregister(fd)
        return answers

    def release(self):
        for fd in [*self._to.values(), *self._from.values()]:
            os.close(fd)


def _write(directory, name, text, mode=0o644):
    path = os.path.join(directory, name)
    fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


def _make_directory(directory, current):
    if not os.path.isdir(directory):
        os.mkdir(directory, 0o755)
    _write(directory, state.STATE_FILE, json.dumps(current))
    os.mkdir(os.path.join(directory, "log"))
    os.mkdir(os.path.join(directory, "shared"))
    os.chmod(os.path.join(directory, "shared"), 0o1777)


def _make_login_key(directory):
    path = os.path.join(directory, "id")
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "virtual-cluster", "-f", path],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    with open(path + ".pub", encoding="utf-8") as file:
        return file.read()


def _build(config, control, current):
    plan, directory = config["plan"], config["directory"]
    marks = [("start", time.monotonic())]

    def mark(what):
        marks.append((what, time.monotonic()))

    _make_directory(directory, current)
    _write(directory, "ssh_config", planning.ssh_config(plan, directory))
    _write(directory, "hosts.json", planning.host_file(plan))
    config["authorized_key"] = _make_login_key(directory)
    config["etc_hosts"] = planning.etc_hosts(plan)
    mark("files")
    nodes = _Nodes(control)
    for name, part in planning.members(plan):
        nodes.fork(config, name, part)
    mark("fork")
    identities = nodes.collect()
    mark("namespaces")
    ports = network.make_links(plan, nodes.pids)
    nodes.tell(b"n")
    mark("links")
    started = nodes.collect()
    nodes.release()
    network.wait_forwarding(ports)
    mark("sshd")
    keys = {name: answer["host_key"] for name, answer in started.items() if name != planning.HEAD}
    _write(directory, "known_hosts", planning.known_hosts(plan, keys))
    current["nodes"] = {name: identities[name]["identity"] for name in nodes.pids}
    current["timings"] = {b[0]: round(b[1] - a[1], 4) for a, b in zip(marks, marks[1:])}
    _write(directory, state.STATE_FILE, json.dumps(current))
    return current


def _wait_for_commit(control):
    if os.read(control, 1) == b"":
        raise _Abandoned
    os.close(control)


def _live(owner_fd):
    """Reaps what is orphaned here; returns when the owner, if there is one, has ended."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poller = select.poll()
    poller.register(wake_read, select.POLLIN)
    if owner_fd is not None:
        poller.register(owner_fd, select.POLLIN)
    while True:
        node.reap()
        for fd, _ in poller.poll():
            if fd == owner_fd:
                return
            os.read(fd, 4096)


def _remove_everything(directory):
    """Ends all processes in our PID namespace first: a node that starts would write among what we remove."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
    if os.path.lexists(os.path.join(directory, state.STATE_FILE)):
        state.remove_files(directory)


def main(directory, control, report, owner_fd):
    """Never returns. The caller has made us pid 1 of a new PID namespace."""
    kernel.set_name("jackal-cluster")
    kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC)
    os.chdir("/")
    os.umask(0o022)
    current = {"version": 1, "supervisor": state.outer_identity(), "nodes": {}}
    try:
        with os.fdopen(os.dup(control), "rb", buffering=0) as stream:
            config = json.loads(stream.readline() or b"null")
        if config is None:
            raise _Abandoned
        config["directory"] = directory
        current["plan"] = config["plan"]
        _build(config, control, current)
        os.write(report, json.dumps({"timings": current["timings"]}).encode())
        os.close(report)
        _wait_for_commit(control)
        _live(owner_fd)
        _remove_everything(directory)
        os._exit(0)
    except BaseException as error:  # whatever it is, nothing may be left behind
        _remove_everything(directory)
        if not isinstance(error, _Abandoned):
            os.write(report, json.dumps({"error": str(error) or repr(error)}).encode())
        os._exit(1)
