"""System calls that Python 3.9 does not offer: namespaces and mounts."""

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 2
MS_NODEV = 4
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 1
# One number on every architecture whose table was unified before Linux 5.12.
_SYS_MOUNT_SETATTR = 442
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15

_MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


def _check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    _check(_libc.unshare(flags), "unshare")


def setns(fd, kind=0):
    _check(_libc.setns(fd, kind), "setns")


def mount(source, target, kind=None, flags=0, data=None):
    def encoded(text):
        return None if text is None else os.fsencode(text)

    _check(
        _libc.mount(encoded(source), encoded(target), encoded(kind), ctypes.c_ulong(flags), encoded(data)),
        f"mount {source or kind} on {target}",
    )


def change_root(new):
    """Makes `new`, a mount point, the root of this mount namespace, and lets go of the old one."""
    os.chdir(new)
    # Twice the same place: the old root ends up on top of the new one, from where it is taken off.
    _check(_libc.pivot_root(b".", b"."), f"pivot_root {new}")
    _check(_libc.umount2(b".", _MNT_DETACH), "umount of the old root")
    os.chdir("/")


def set_read_only(path, read_only, recursive=False):
    attributes = _MountAttr()
    if read_only:
        attributes.attr_set = _MOUNT_ATTR_RDONLY
    else:
        attributes.attr_clr = _MOUNT_ATTR_RDONLY
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(path)),
        ctypes.c_uint(_AT_RECURSIVE if recursive else 0),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _check(result, f"mount_setattr {path} (needs Linux 5.12)")


def die_with_parent(number):
    _check(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(number), 0, 0, 0), "prctl")


def set_name(name):
    _check(_libc.prctl(_PR_SET_NAME, ctypes.c_char_p(os.fsencode(name)), 0, 0, 0), "prctl")
