"""The command line of tests/cluster/cluster."""

import argparse
import json
import os
import shutil
import signal
import sys

from . import enter, faults, kernel, network, node, state
from . import plan as planning

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNAVAILABLE = 77  # as test runners read it: skipped, not failed
_TOOLS = ("ip", "tc", "nft", "sshd", "ssh", "ssh-keygen", "ssh-agent", "ssh-add")


class Unavailable(Exception):
    pass


class UpFailed(Exception):
    pass


def _check_machine():
    if not sys.platform.startswith("linux"):
        raise Unavailable("the virtual cluster is made of Linux namespaces; this is not Linux")
    if os.geteuid() != 0:
        raise Unavailable("the virtual cluster needs root (network and PID namespaces)")
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [tool for tool in _TOOLS if shutil.which(tool, path=path) is None]
    if missing:
        raise Unavailable(f"not installed: {', '.join(missing)} (iproute2, nftables, openssh-server)")
    os.environ["PATH"] = path


# --- up and down ---------------------------------------------------------------------------------------


def _choose_directory(wanted):
    if wanted:
        directory = os.path.realpath(wanted)
        if os.path.lexists(directory) and (not os.path.isdir(directory) or os.listdir(directory)):
            raise UpFailed(f"{directory} exists and is not an empty directory")
        if not os.path.isdir(os.path.dirname(directory)):
            raise UpFailed(f"{os.path.dirname(directory)} is no directory")
        return directory
    parent = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
    return os.path.join(os.path.realpath(parent), f"cluster-{os.urandom(4).hex()}")


def _kept_paths(asked):
    """What stays visible in nodes wherever it lies: sources, build, Python, what was asked for."""
    own_tree = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    paths = [own_tree, sys.prefix, sys.base_prefix, *asked]
    if os.environ.get("JACKAL_BUILD"):
        paths.append(os.environ["JACKAL_BUILD"])
    for path in paths:
        if not os.path.lexists(path):
            raise UpFailed(f"--keep {path}: there is nothing there")
    return sorted({os.path.realpath(path) for path in paths})


def _open_owner(pid):
    if pid is None:
        return None
    try:
        return os.pidfd_open(pid)
    except (OSError, OverflowError):
        raise UpFailed(f"--owner {pid}: no such process") from None


def _start_supervisor(directory, owner_fd):
    """Forks pid 1 of the cluster; returns our ends of its two pipes."""
    control_read, control_write = os.pipe()
    report_read, report_write = os.pipe()
    try:
        kernel.unshare(kernel.CLONE_NEWPID)
    except PermissionError as error:
        raise Unavailable(
            f"this root may not make namespaces ({error}); in a container it needs --privileged"
        ) from None
    pid = os.fork()
    if pid == 0:
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        inherited = [control_read, report_write, *([owner_fd] if owner_fd is not None else [])]
        for fd in inherited:
            os.set_inheritable(fd, True)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        script = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "cluster")
        os.execv(
            sys.executable,
            [sys.executable, "-I", script, state.MARKER, directory, *(str(fd) for fd in inherited)],
        )
    os.close(control_read)
    os.close(report_write)
    return control_write, report_read


def _up(options):
    _check_machine()
    plan = planning.make_plan(options)
    plan_keep = _kept_paths(options.keep)
    directory = _choose_directory(options.dir)
    control, report = _start_supervisor(directory, _open_owner(options.owner))
    # Should we be interrupted from here on, the pipe closes and the supervisor removes everything.
    config = json.dumps({"plan": plan, "keep": plan_keep}).encode() + b"\n"
    try:
        with os.fdopen(os.dup(control), "wb") as stream:
            stream.write(config)
    except BrokenPipeError:
        pass
    with os.fdopen(report, "rb") as stream:
        answer = json.loads(stream.read() or b'{"error": "the supervisor ended without a word"}')
    if "error" in answer:
        raise UpFailed(answer["error"])
    print(directory, flush=True)
    if options.timings:
        parts = "  ".join(f"{what} {seconds * 1000:.0f} ms" for what, seconds in answer["timings"].items())
        total = sum(answer["timings"].values())
        print(f"{len(plan['nodes'])} nodes in {total * 1000:.0f} ms: {parts}", file=sys.stderr)
    os.write(control, b"c")
    return 0


def _down(options):
    _check_machine()
    try:
        directory = state.resolve(options.directory)
    except state.NoCluster as error:
        if options.directory is None and not state.running():
            print(f"cluster: {error}", file=sys.stderr)
            return 0
        raise
    if not state.down(directory):
        print(f"cluster: no cluster at {directory}", file=sys.stderr)
    return 0


def _list(_options):
    for directory in sorted(state.running()):
        try:
            names = list(state.load(directory)["nodes"])
        except state.NoCluster:
            names = []
        print(f"{directory}  {' '.join(names) or '(starting)'}")
    return 0


# --- inside a cluster ----------------------------------------------------------------------------------


def _load(options):
    _check_machine()
    directory = state.resolve(options.dir)
    return directory, state.load(directory)


def _exec(options):
    _, current = _load(options)
    if not options.argv:
        raise UpFailed("exec: no command given")
    enter.execute(current, options.node, options.argv, options.user, options.env)


def is_furniture(pid, argv, listener):
    """Whether a process belongs to the node itself: pid 1, the listening sshd, the head's agent."""
    return pid == 1 or pid == listener or argv[:1] == ["ssh-agent"]


def _ps(options):
    _, current = _load(options)
    names = [options.node] if options.node else list(current["nodes"])
    for name in names:
        found = enter.identity(current, name)
        listener = _listener(found)
        for pid, uid, comm, argv in enter.processes(found):
            if options.all or not is_furniture(pid, argv, listener):
                if options.json:
                    print(json.dumps({"node": name, "pid": pid, "uid": uid, "comm": comm, "argv": argv}))
                else:
                    print(f"{name:5} {pid:6} {uid:6} {' '.join(argv) or '[' + comm + ']'}")
    return 0


def _listener(found):
    try:
        with open(f"/proc/{found['pid']}/root{node.PID_FILE}", encoding="ascii") as file:
            return int(file.read())
    except (FileNotFoundError, ValueError):
        return None


def _cable(options):
    _, current = _load(options)
    ends = [network.parse_end(end, current["nodes"]) for end in options.ends]
    if len(ends) % 2:
        raise network.LinkError("a cable has two ends; their number is odd")
    if len(set(ends)) != len(ends):
        raise network.LinkError("one end is named twice")
    if options.rate:
        network.parse_rate(options.rate)
    pids = {name: enter.identity(current, name)["pid"] for name, _ in ends}
    enter.call(current["supervisor"], ("net",), network.cable, ends, pids, options.rate)
    for name, interface in ends:
        enter.call(current["nodes"][name], ("net",), network.batch, [f"link set dev {interface} up"])
    enter.call(current["supervisor"], ("net",), network.wait_forwarding, [network.port(*end) for end in ends])
    return 0


def _uncable(options):
    _, current = _load(options)
    for end in options.ends:
        name, interface = network.parse_end(end, current["nodes"])
        enter.call(current["supervisor"], ("net",), network.uncable, name, interface)
    return 0


def _fault(options):
    directory, current = _load(options)
    faults.fault(faults.Target(directory, current, options.node), options.kind, options.arguments)
    return 0


def _heal(options):
    directory, current = _load(options)
    faults.heal(faults.Target(directory, current, options.node), options.kind, options.arguments)
    return 0


# --- arguments -----------------------------------------------------------------------------------------


def _add_up(commands):
    up = commands.add_parser("up", help="start a cluster and print its directory")
    up.set_defaults(run=_up)
    up.add_argument("--nodes", required=True, metavar="N", help="nodes n1 … nN")
    up.add_argument("--dir", help="where its files go (default: a new directory)")
    each = {"action": "append", "default": [], "metavar": "[NODE=]VALUE"}
    up.add_argument("--user", **each, help="login user (default jackal)")
    up.add_argument("--uid", default="6174", help="user id of a login user that is not root")
    up.add_argument("--port", **each, help="sshd's port (default 22)")
    up.add_argument("--shell", **each, help="login shell: a path or bash, dash, zsh, fish, tcsh, busybox")
    up.add_argument("--path-dir", **each, help="put first in PATH over SSH; {node} is the node's name")
    up.add_argument("--sshd-option", action="append", default=[], metavar="K=V")
    up.add_argument("--behind", action="append", default=[], metavar="GATEWAY=NODE,…",
                    help="nodes that the head reaches only through GATEWAY")  # fmt: skip
    up.add_argument("--agent", action="store_true", help="the key is in the head's ssh-agent only")
    up.add_argument("--tmp-size", default="512m", help="size of each node's /tmp")
    up.add_argument("--cable", action="append", default=[], metavar="NODE:PORT,…",
                    help="lay NODE:PORT,NODE:PORT[,RATE]; one to elsewhere: NODE:PORT,-; a free port: NODE:PORT")  # fmt: skip
    up.add_argument("--folder", action="append", default=[], metavar="/NAME",
                    help="a folder of each node's own below /, writable, in place of the machine's")  # fmt: skip
    up.add_argument("--boot", **{**each, "metavar": "[NODE=]COMMAND"},
                    help="runs in each node as root once it has its network, before sshd")  # fmt: skip
    up.add_argument("--lan-name", default="lan", help="name of the LAN interface")
    up.add_argument("--keep", action="append", default=[], metavar="PATH",
                    help="stays visible in nodes although it is below /tmp, /home …")  # fmt: skip
    up.add_argument("--owner", type=int, metavar="PID", help="end the cluster when this process ends")
    up.add_argument("--timings", action="store_true", help="print what took how long")


def _parser():
    parser = argparse.ArgumentParser(prog="cluster", description="Machines to test on, made of namespaces.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_up(commands)

    def command(name, run, text):
        made = commands.add_parser(name, help=text)
        made.set_defaults(run=run)
        if name not in ("down", "list"):
            made.add_argument("--dir", help="which cluster (default: $JACKAL_CLUSTER or the only one)")
        return made

    down = command("down", _down, "end a cluster and remove every trace")
    down.add_argument("directory", nargs="?", metavar="DIR")
    command("list", _list, "running clusters")
    execute = command("exec", _exec, "run a command in a node or in the head")
    execute.add_argument("--user", default="root")
    execute.add_argument("--env", action="append", default=[], metavar="K=V")
    execute.add_argument("node")
    execute.add_argument("argv", nargs=argparse.REMAINDER)
    ps = command("ps", _ps, "processes in nodes, other than the nodes' own")
    ps.add_argument("--all", action="store_true", help="the nodes' own too")
    ps.add_argument("--json", action="store_true", help="one object a line")
    ps.add_argument("node", nargs="?")
    cable = command("cable", _cable, "lay cables, each between two ends like n1:en2")
    cable.add_argument("--rate", help="such as 1gbit")
    cable.add_argument("ends", nargs="+", metavar="NODE:INTERFACE")
    uncable = command("uncable", _uncable, "remove cables")
    uncable.add_argument("ends", nargs="+", metavar="NODE:INTERFACE")
    for name, run, kind in (("fault", _fault, "kind"), ("heal", _heal, "?")):
        made = command(name, run, f"{name} a node: {', '.join(faults.KINDS)}")
        made.add_argument("node")
        made.add_argument("kind", nargs=None if kind == "kind" else "?")
        made.add_argument("arguments", nargs="*")
    return parser


def _interrupted(number, _frame):
    raise KeyboardInterrupt(number)


def main(argv):
    if argv[:1] == [state.MARKER]:
        from . import supervise

        directory, control, report, *owner = argv[1:]
        supervise.main(directory, int(control), int(report), int(owner[0]) if owner else None)
    options = _parser().parse_args(argv)
    if getattr(options, "argv", None) and options.argv[0] == "--":
        options.argv = options.argv[1:]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        return options.run(options)
    except (Unavailable, planning.MissingTool) as error:
        print(f"cluster: {error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    except planning.PlanError as error:
        print(f"cluster: {error}", file=sys.stderr)
        return EXIT_USAGE
    except (UpFailed, state.NoCluster, enter.NoNode, network.LinkError, faults.FaultError, OSError,
            RuntimeError) as error:  # fmt: skip
        print(f"cluster: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt as error:
        return 128 + (error.args[0] if error.args else signal.SIGINT)
