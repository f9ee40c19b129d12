"""What the tests of reaching hosts share: `launch` on the head, and ssh configurations made on the spot."""

import fcntl
import os
import pty
import select
import shlex
import subprocess
import time

import pytest

DEADLINE = 60  # s; generous: it only ends a test that hangs


def launch(cluster, bin_dir, *arguments, **options):
    """`launch ARGUMENTS…` on the head."""
    options.setdefault("timeout", DEADLINE)
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    return cluster.exec("head", [bin_dir / "launch", *arguments], **options)


class Hosts:
    """An ssh configuration of the test's own, for nodes of the cluster under other names."""

    def __init__(self, cluster, folder):
        self.cluster = cluster
        self.folder = folder
        self.file = folder / "config"
        self.text = ""

    def add(self, name, *lines, node=None, known=True, key=True):
        """`Host name`: `lines` come first, so they win over what leads to the node."""
        self.text += f"Host {name}\n" + "".join(f"  {line}\n" for line in lines)
        if node:
            self.text += f"  HostName {address(self.cluster, node)}\n  User jackal\n"
        if known:
            self.text += f"  UserKnownHostsFile {self.cluster.known_hosts}\n"
        if key:
            self.text += f"  IdentityFile {self.cluster.id}\n"
        return self.write()

    def add_text(self, text):
        self.text += text
        return self.write()

    def write(self):
        self.file.write_text(self.text)
        return self

    def launch(self, bin_dir, names, *command, arguments=(), **options):
        return launch(self.cluster, bin_dir, "--ssh-config", self.file, "--hosts", names, *arguments, "--",
                      *(command or ("hostname",)), **options)  # fmt: skip


def address(cluster, node):
    for line in cluster.known_hosts.read_text().splitlines():
        names = line.split()[0].split(",")
        if names[0].strip("[").split("]")[0] == node:
            return names[1].strip("[").split("]")[0]
    raise KeyError(node)


def refuses(result, *words, code=69):
    """The run failed with `code`, and its messages hold each of `words`."""
    assert result.returncode == code, result
    for word in words:
        assert word in result.stderr, result.stderr
    assert result.stdout == ""


def remedy(result, before, end="\n"):
    """The command that a message proposes after `before`."""
    assert before in result.stderr, result.stderr
    return result.stderr.split(before, 1)[1].split(end, 1)[0].strip()


def on_head(cluster, command):
    """Runs a line in the head's shell, as if it had been pasted there."""
    result = cluster.exec("head", ["sh", "-c", command], stdin=subprocess.DEVNULL, timeout=DEADLINE)
    assert result.returncode == 0, result
    return result.stdout


def under_terminal(argv, seconds=DEADLINE):
    """Runs argv with a terminal nobody types on; what it showed, and its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(argv[0], [os.fspath(word) for word in argv])
    shown, deadline = b"", time.monotonic() + seconds
    try:
        while True:
            ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                pytest.fail(f"still waiting after {seconds} s: {shown!r}")
            try:
                got = os.read(terminal, 4096)
            except OSError:
                break
            if not got:
                break
            shown += got
    finally:
        os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def read_available(stream):
    flags = fcntl.fcntl(stream, fcntl.F_GETFL)
    fcntl.fcntl(stream, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    return stream.read() or b""


def quoted(*words):
    return shlex.join(os.fspath(word) for word in words)
