"""Pid 1 of a node: gives itself files, a network and an sshd, then reaps.

A node sees the machine's file system read-only, except for what a machine of its own would have: /tmp,
/dev/shm, /run, /home, /root, /var/tmp, /proc, /sys and its accounts. The head sees everything as it is,
writable, but for /tmp, /dev/shm and /run. What must stay visible below those is bound back.
"""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time

from . import kernel, network, state
from .plan import HEAD

RUN = "/run/cluster"
PID_FILE = RUN + "/sshd.pid"
AUTHORIZED_KEYS = RUN + "/authorized_keys"
HOST_KEY = RUN + "/host_key"
AGENT_SOCKET = RUN + "/agent"
_SSHD_START_SECONDS = 30
_NEW_ROOT = "/boot"  # where the new root is put together: a folder that machines have and nodes can miss


def _hidden(name, tmp_size):
    """Where tmpfs goes: {path: options}."""
    hidden = {"/tmp": f"mode=1777,size={tmp_size}", "/dev/shm": "mode=1777", "/run": "mode=755,size=64m"}
    if name != HEAD:
        hidden.update({"/home": "mode=755", "/root": "mode=755", "/var/tmp": "mode=1777,size=64m"})
    return {path: options for path, options in hidden.items() if os.path.isdir(path)}


def _is_below(path, root):
    return path == root or path.startswith(root.rstrip("/") + "/")


def _bind_back(kept):
    for path, fd in kept.items():
        if not os.path.lexists(path):
            if os.path.isdir(f"/proc/self/fd/{fd}"):
                os.makedirs(path)
            else:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "xb"):
                    pass
        kernel.mount(f"/proc/self/fd/{fd}", path, flags=kernel.MS_BIND | kernel.MS_REC)
        os.close(fd)


def _make_root(folders):
    """A root directory of the node's own that shows the machine's, but for `folders`: new, empty, writable."""
    entries = {name: os.open(f"/{name}", os.O_PATH | os.O_NOFOLLOW) for name in os.listdir("/")}
    # Not nosuid: a folder may hold the node's own sudo.
    kernel.mount("tmpfs", _NEW_ROOT, "tmpfs", kernel.MS_NODEV, "mode=755,size=64m")
    for name, fd in entries.items():
        target = f"{_NEW_ROOT}/{name}"
        kind = os.fstat(fd).st_mode
        if f"/{name}" not in folders and stat.S_ISLNK(kind):
            os.symlink(os.readlink(f"/{name}"), target)
        elif f"/{name}" not in folders and stat.S_ISDIR(kind):
            os.mkdir(target)
            if f"/{name}" != _NEW_ROOT:
                kernel.mount(f"/proc/self/fd/{fd}", target, flags=kernel.MS_BIND | kernel.MS_REC)
        os.close(fd)
    for folder in folders:
        os.mkdir(_NEW_ROOT + folder, 0o755)
    kernel.change_root(_NEW_ROOT)


def _mount_files(config, name, part):
    directory, shared = config["directory"], os.path.join(config["directory"], "shared")
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    hidden = _hidden(name, config["plan"]["tmp_size"])
    keep = [*config["keep"], *([directory] if name == HEAD else [])]
    kept = {}
    for path in sorted(set(keep)):
        if any(_is_below(path, root) for root in hidden) and path not in hidden:
            kept[path] = os.open(path, os.O_PATH)
    shared_fd = os.open(shared, os.O_PATH)
    if name != HEAD:
        kernel.set_read_only("/", True, recursive=True)
    for path, options in hidden.items():
        kernel.mount("tmpfs", path, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)
    _bind_back(kept)
    if name != HEAD:
        # A node is another machine: of DIR, with the login key in it, it sees the common folder alone.
        os.makedirs(directory, exist_ok=True)
        kernel.mount("tmpfs", directory, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755,size=64k")
        _bind_back({shared: shared_fd})
        kernel.set_read_only(shared, False)
        kernel.mount("devpts", "/dev/pts", "devpts", 0, "newinstance,gid=5,mode=620,ptmxmode=666")
    kernel.mount("sysfs", "/sys", "sysfs", 0)
    kernel.mount("proc", "/proc", "proc", 0)
    if part["folders"]:
        _make_root(part["folders"])


def _write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def _replace(path, text, mode=0o644):
    """Shows `text` at `path`, a file of the machine that stays as it is."""
    target = os.path.realpath(path)
    if not os.path.isfile(target):
        return
    own = f"{RUN}/etc/{os.path.basename(path)}"
    _write(own, text, mode)
    kernel.mount(own, target, flags=kernel.MS_BIND)


def _lines_without(path, names, uid=None):
    kept = []
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.split(":")
            if fields[0] not in names and not (len(fields) > 2 and fields[2] == str(uid)):
                kept.append(line)
    return "".join(kept)


def _login_shell(part):
    """busybox is a shell only under the name sh."""
    if os.path.basename(part["shell"]) != "busybox":
        return part["shell"]
    os.mkdir(f"{RUN}/bin")
    os.symlink(part["shell"], f"{RUN}/bin/sh")
    return f"{RUN}/bin/sh"


def home(name, user):
    if name == HEAD:
        return "/run/root"
    return "/root" if user == "root" else f"/home/{user}"


def _make_accounts(name, part):
    user, uid, shell = part["user"], part["uid"], _login_shell(part)
    folder = home(name, user)
    os.makedirs(folder, exist_ok=True)
    passwd, shadow = "", ""
    if user != "root":
        os.chown(folder, uid, uid)
        passwd = f"{user}:x:{uid}:{uid}::{folder}:{shell}\n"
        shadow = f"{user}:*:19000:0:99999:7:::\n"
    root_shell = shell if user == "root" else "/bin/sh"
    passwd = f"root:x:0:0:root:{home(name, 'root')}:{root_shell}\n{passwd}"
    kept_uid = uid if uid else None
    _replace("/etc/passwd", passwd + _lines_without("/etc/passwd", {"root", user}, kept_uid))
    _replace("/etc/shadow", f"root:*:19000:0:99999:7:::\n{shadow}", 0o600)
    group = f"{user}:x:{uid}:\n" if uid else ""
    _replace("/etc/group", group + _lines_without("/etc/group", {user} if uid else set(), kept_uid))


def _make_identity(config, name, part):
    for folder in (RUN, f"{RUN}/etc", "/run/sshd", "/run/lock"):
        os.mkdir(folder, 0o755)
    _replace("/etc/hostname", name + "\n")
    _replace("/etc/hosts", config["etc_hosts"])
    # The machine's own name servers cannot be reached; asking nobody fails at once.
    _replace("/etc/resolv.conf", "")
    with open("/proc/sys/kernel/random/uuid", encoding="ascii") as file:
        _replace("/proc/sys/kernel/random/boot_id", file.read(), 0o444)
    _make_accounts(name, part)


def _system_setting(path, value):
    with open(f"/proc/sys/{path}", "w", encoding="ascii") as file:
        file.write(value)


def sshd_config(part):
    lines = [option.replace("=", " ", 1) for option in part["sshd_options"]]
    if part["path_dir"]:
        path = "/usr/local/bin:/usr/bin:/bin:/usr/games"
        if part["uid"] == 0:
            path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        lines.append(f"SetEnv PATH={part['path_dir']}:{path}")
    # sshd takes the first value of a keyword, so these are only defaults.
    lines += [
        f"Port {part['port']}",
        "ListenAddress 0.0.0.0",
        f"HostKey {HOST_KEY}",
        f"PidFile {PID_FILE}",
        f"AuthorizedKeysFile {AUTHORIZED_KEYS}",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "PrintMotd no",
        "Subsystem sftp internal-sftp",
    ]
    return "\n".join(lines) + "\n"


def make_host_key():
    for path in (HOST_KEY, HOST_KEY + ".pub"):
        if os.path.exists(path):
            os.unlink(path)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", HOST_KEY],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    with open(HOST_KEY + ".pub", encoding="utf-8") as file:
        return file.read().strip()


def sshd_pid():
    """The listening sshd's pid as this node's namespace counts, or None."""
    try:
        with open(PID_FILE, encoding="ascii") as file:
            pid = int(file.read())
        os.kill(pid, 0)
        return pid
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None


def start_sshd(log_fd):
    """Starts the node's sshd and returns once it listens."""
    if os.path.exists(PID_FILE):
        os.unlink(PID_FILE)
    log_start = os.fstat(log_fd).st_size
    sshd = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    child = subprocess.Popen(
        [sshd, "-D", "-e", "-f", f"{RUN}/sshd_config"], start_new_session=True, cwd="/",
        stdin=subprocess.DEVNULL, stdout=log_fd, stderr=log_fd, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    # sshd writes its pid once it listens. It is our child or, when started again later, pid 1's.
    deadline = time.monotonic() + _SSHD_START_SECONDS
    while sshd_pid() is None:
        if child.poll() is not None:
            said = os.pread(log_fd, 2000, log_start).decode("utf-8", "replace").strip()
            raise RuntimeError(f"sshd ended at its start with code {child.returncode}: {said}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"sshd does not listen after {_SSHD_START_SECONDS} s")
        time.sleep(0.002)
    child.returncode = 0  # not ours to wait for: pid 1 reaps it


def _start_agent(directory):
    """An ssh-agent in the head that holds the login key."""
    subprocess.run(
        ["ssh-agent", "-a", AGENT_SOCKET], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    subprocess.run(
        ["ssh-add", "-q", f"{directory}/id"],
        check=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "SSH_AUTH_SOCK": AGENT_SOCKET},
    )


def _set_up_head(config):
    directory = config["directory"]
    os.makedirs("/run/root/.ssh", 0o700)
    _write("/run/root/.ssh/config", f'Include "{directory}/ssh_config"\n', 0o600)
    if config["plan"]["agent"]:
        _start_agent(directory)


def _set_up(config, name, part, orders, answers, log_fd):
    """Everything before the life of a reaper, in step with the supervisor."""
    identity = state.outer_identity()
    kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC)
    os.write(answers, json.dumps({"identity": identity}).encode() + b"\n")
    socket.sethostname(name)
    _mount_files(config, name, part)
    _make_identity(config, name, part)
    ready = {}
    if name != HEAD:
        _write(AUTHORIZED_KEYS, config["authorized_key"])
        _write(f"{RUN}/sshd_config", sshd_config(part))
        ready["host_key"] = make_host_key()
    if os.read(orders, 1) != b"n":
        raise RuntimeError("the supervisor ended")
    network.configure(part)
    _system_setting("net/ipv4/ping_group_range", "0 2147483647")
    if part["forward"]:
        _system_setting("net/ipv4/ip_forward", "1")
    if part["boot"]:
        _boot(part["boot"])
    if name == HEAD:
        _set_up_head(config)
    else:
        start_sshd(log_fd)
    os.write(answers, json.dumps(ready).encode() + b"\n")


def _boot(argv):
    done = subprocess.run(argv, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.strip()}")


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def run(config, name, part, orders, answers):
    """Never returns: we are pid 1 of a new PID namespace."""
    try:
        kernel.set_name(f"init-{name}")
        os.setsid()
        log_fd = os.open(f"{config['directory']}/log/{name}", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        _set_up(config, name, part, orders, answers, log_fd)
        for fd in (orders, answers, log_fd):
            os.close(fd)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        while True:
            reap()
            signal.sigwait({signal.SIGCHLD})
    except BaseException as error:  # reported by the supervisor, which then ends us all
        os.write(answers, json.dumps({"error": str(error) or repr(error)}).encode() + b"\n")
        os._exit(1)
