"""Running something inside a node: a command with everything passed through, or a Python function."""

import os
import pickle
import pwd
import resource
import signal
import sys

from . import kernel, node, state
from .plan import HEAD

_ALL = ("pid", "net", "uts", "ipc", "mnt")
_SIGNALS = {
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2,
    signal.SIGALRM, signal.SIGWINCH,
}  # fmt: skip
_JOB_CONTROL = {signal.SIGTSTP, signal.SIGCONT}
_SI_KERNEL = 0x80
# What belongs to the caller's own files and sessions and would mislead a program in another machine.
_DROPPED = ("SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "TMPDIR",
            "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY")  # fmt: skip


class NoNode(Exception):
    pass


def identity(current, name):
    """Who pid 1 of node `name` is; the head is a node here."""
    if name not in current["nodes"]:
        raise NoNode(f"there is no node {name!r}; there are {', '.join(current['nodes'])}")
    found = current["nodes"][name]
    if not state.is_running(found):
        raise NoNode(f"{name} is not running any more")
    return found


def namespace(found, kind):
    return os.open(f"/proc/{found['pid']}/ns/{kind}", os.O_RDONLY)


def enter(found, kinds=_ALL):
    """Moves this process into namespaces of `found`. A new PID namespace takes its next child only."""
    fds = [namespace(found, kind) for kind in kinds]
    for fd in fds:
        kernel.setns(fd)
        os.close(fd)


def call(found, kinds, function, *arguments):
    """function(*arguments) inside those namespaces, in a child; its result or exception comes back."""
    read_end, write_end = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.close(read_end)
        _call_in_child(found, kinds, function, arguments, write_end)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        answer = stream.read()
    os.waitpid(middle, 0)
    if not answer:
        raise RuntimeError(f"{function.__name__}: the child ended without an answer")
    failed, value = pickle.loads(answer)
    if failed:
        raise value
    return value


def _call_in_child(found, kinds, function, arguments, write_end):
    try:
        enter(found, kinds)
        if "pid" in kinds:
            inner = os.fork()
            if inner:
                os.close(write_end)
                os.waitpid(inner, 0)
                os._exit(0)
        answer = pickle.dumps((False, function(*arguments)))
    except BaseException as error:  # carried to the caller
        try:
            answer = pickle.dumps((True, error))
        except Exception:
            answer = pickle.dumps((True, RuntimeError(repr(error))))
    with os.fdopen(write_end, "wb") as stream:
        stream.write(answer)
    os._exit(0)


def _environment(name, user_entry, assignments, agent):
    env = {key: value for key, value in os.environ.items() if key not in _DROPPED}
    env.update(HOME=user_entry.pw_dir, USER=user_entry.pw_name, LOGNAME=user_entry.pw_name)
    if name == HEAD and agent:
        env["SSH_AUTH_SOCK"] = node.AGENT_SOCKET
    for assignment in assignments:
        key, _, value = assignment.partition("=")
        env[key] = value
    return env


def _become(name, user, assignments, agent, directory):
    """In the child: the user's identity, environment and directory."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise NoNode(f"{name} has no user {user!r}") from None
    os.initgroups(entry.pw_name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    try:
        os.chdir(directory)
    except OSError:
        os.chdir("/")
    return _environment(name, entry, assignments, agent)


def _has_terminal():
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return True
    except OSError:
        return False


def _forward(child, terminal):
    """Hands signals on until the child ends; returns its wait status.

    On a terminal the child shares our process group, so what the keyboard sends (code SI_KERNEL) has
    reached it already and is not sent twice. Elsewhere it has a group of its own.
    """
    waited = _SIGNALS | {signal.SIGCHLD} | (set() if terminal else _JOB_CONTROL)
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        info = signal.sigwaitinfo(waited)
        if info.si_signo == signal.SIGCHLD:
            continue
        if terminal and info.si_code == _SI_KERNEL:
            continue
        os.kill(child, info.si_signo)


def _end_like(status):
    """Ends this process the way the child ended."""
    if os.WIFEXITED(status):
        os._exit(os.WEXITSTATUS(status))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    number = os.WTERMSIG(status)
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def execute(current, name, argv, user, assignments):
    """Runs argv in the node in our place: its input, output, terminal, signals and end are ours.

    SIGKILL of this process kills the command too, as if it had been sent there.
    """
    found = identity(current, name)
    terminal = _has_terminal()
    directory = os.getcwd()
    waited = _SIGNALS | {signal.SIGCHLD} | (set() if terminal else _JOB_CONTROL)
    old_mask = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    parent_alive, alive = os.pipe()
    enter(found)
    child = os.fork()
    if child == 0:
        os.close(alive)
        try:
            env = _become(name, user, assignments, current["plan"]["agent"], directory)
            kernel.die_with_parent(signal.SIGKILL)  # after setuid, which would clear it
            if not terminal:
                os.setpgid(0, 0)
            # A parent that died before prctl has left its end of the pipe closed.
            os.set_blocking(parent_alive, False)
            try:
                os.read(parent_alive, 1)
                os._exit(1)
            except BlockingIOError:
                pass
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)
            os.execvpe(argv[0], argv, env)
        except (OSError, NoNode) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            print(f"cluster: {argv[0]}: {reason}", file=sys.stderr, flush=True)
            os._exit(127 if isinstance(error, FileNotFoundError) else 126)
    os.close(parent_alive)
    _end_like(_forward(child, terminal))


def processes(found):
    """[(pid inside, user id, comm, argv)] of every process in the PID namespace of `found`."""
    wanted = os.readlink(f"/proc/{found['pid']}/ns/pid")
    result = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if os.readlink(f"/proc/{entry}/ns/pid") != wanted:
                continue
            result.append(_describe(entry))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # gone meanwhile, or a process that even root may not look into: none of ours
    return sorted(result)


def _describe(pid):
    fields = {}
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, value = line.partition(":")
            fields[key] = value.split()
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        words = file.read().rstrip(b"\0").split(b"\0")
    argv = [word.decode("utf-8", "replace") for word in words]
    return int(fields["NSpid"][-1]), int(fields["Uid"][0]), " ".join(fields["Name"]), argv
