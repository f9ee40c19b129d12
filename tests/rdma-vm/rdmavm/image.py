"""The guest's kernel, first file system and RDMA programs, from Debian's packages: downloaded and unpacked, not installed."""

import hashlib
import lzma
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / "build" / "rdma-vm"
GUEST = Path(__file__).resolve().parents[1] / "guest"
PACKAGES = (
    "busybox-static", "iproute2", "libibverbs1", "ibverbs-providers", "ibverbs-utils", "libnl-3-200", "libnl-route-3-200",
)  # fmt: skip
# Loaded in this order, each after what it depends on.
MODULES = (
    "virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay", "crc32_generic", "veth", "ib_uverbs", "rdma_rxe",
    "sch_netem",
)  # fmt: skip
QEMU = "qemu-system-x86_64"


class Unavailable(Exception):
    """Why no guest can be had on this machine."""


@dataclass(frozen=True)
class Image:
    kernel: Path
    initramfs: Path
    programs: Path  # laid over the machine's own files


def image() -> Image:
    """The image made of the packages that this machine's package lists name; built when it is not there yet."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise Unavailable("the guest is made of Debian's packages for x86-64 Linux")
    for tool in (QEMU, "apt-get", "dpkg-deb", "python3"):
        if not shutil.which(tool):
            raise Unavailable(f"no {tool} here; scripts/setup installs it")
    packages = [_kernel_package(), *PACKAGES]
    files = [GUEST / "init", Path(__file__)]
    key = hashlib.sha256(b"".join([_uris(packages).encode(), *(file.read_bytes() for file in files)])).hexdigest()[:16]
    folder = CACHE / key
    if not folder.is_dir():
        _build(packages, folder)
    return Image(folder / "vmlinux", folder / "initramfs", folder / "programs")


def _apt(*arguments, **options) -> subprocess.CompletedProcess:
    env = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(arguments, text=True, capture_output=True, env=env, timeout=300, check=False, **options)


def _kernel_package() -> str:
    for attempt in range(2):
        listing = _apt("apt-cache", "depends", "linux-image-amd64")
        for line in listing.stdout.splitlines():
            if line.strip().startswith("Depends: linux-image-"):
                return line.split()[1]
        if attempt == 0:
            _apt("apt-get", "-q", "update")  # a fresh container has no lists
    raise Unavailable("apt-cache knows no linux-image-amd64; run apt-get update")


def _uris(packages: list) -> str:
    """Which files the packages are; they name the versions."""
    listing = _apt("apt-get", "--print-uris", "download", *packages)
    if listing.returncode != 0:
        raise Unavailable(f"apt-get knows no {' '.join(packages)}: {listing.stderr.strip()}")
    return "\n".join(sorted(line.split()[1] for line in listing.stdout.splitlines()))


def _build(packages: list, folder: Path) -> None:
    """Made beside its place and renamed, so that what is there is whole."""
    CACHE.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=CACHE))
    try:
        _download(packages, making)
        (making / "kernel").mkdir()
        (making / "programs").mkdir()
        for package in sorted(making.glob("*.deb")):
            to = "kernel" if package.name.startswith("linux-image") else "programs"
            subprocess.run(["dpkg-deb", "--extract", package, making / to], check=True)
            package.unlink()
        _merge_usr(making / "programs")
        (making / "vmlinux").write_bytes(_uncompressed(next((making / "kernel" / "boot").glob("vmlinuz-*")).read_bytes()))
        (making / "initramfs").write_bytes(_initramfs(making))
        shutil.rmtree(making / "kernel")
        making.chmod(0o755)
        try:
            making.rename(folder)
        except OSError:
            if not folder.is_dir():  # another run has made the same
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _download(packages: list, folder: Path) -> None:
    # Another user, who may not write here, would do it otherwise.
    command = ("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages)
    result = _apt(*command, cwd=folder)
    if result.returncode != 0:
        _apt("apt-get", "-q", "update")  # the versions that the lists name are gone from the mirror
        result = _apt(*command, cwd=folder)
    if result.returncode != 0:
        raise Unavailable(f"cannot download the guest's packages: {result.stderr.strip()}")


def _merge_usr(programs: Path) -> None:
    """Debian 12 has /bin, /sbin and /lib below /usr; a folder of that name would hide the machine's link."""
    for name in ("bin", "sbin", "lib"):
        if (programs / name).is_dir():
            shutil.copytree(programs / name, programs / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(programs / name)


def _uncompressed(bz_image: bytes) -> bytes:
    """The kernel proper: unpacking itself under software emulation would take seconds at every boot."""
    at = bz_image.find(b"\xfd7zXZ\x00")
    if at < 0:
        raise Unavailable("the kernel is not packed with xz, as Debian's were")
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(bz_image[at:])


def _initramfs(making: Path) -> bytes:
    found = {file.stem.replace("-", "_"): file for file in (making / "kernel" / "lib" / "modules").rglob("*.ko")}
    order = module_order(MODULES, {name: _depends(found[name]) for name in _closure(MODULES, found)})
    archive = CpioArchive()
    for folder in ("bin", "dev", "host", "lib", "new", "proc", "programs", "sys", "upper"):
        archive.folder(folder)
    archive.file("init", (GUEST / "init").read_bytes(), 0o755)
    archive.file("bin/busybox", (making / "programs" / "usr" / "bin" / "busybox").read_bytes(), 0o755)
    for name in order:
        archive.file(f"lib/{name}.ko", found[name].read_bytes())
    archive.file("lib/order", "".join(f"{name}\n" for name in order).encode())
    return archive.bytes()


def _depends(module: Path) -> list:
    """What modinfo(8) shows as `depends`."""
    data = module.read_bytes()
    at = data.find(b"\0depends=")
    names = data[at + 9 : data.index(b"\0", at + 9)].decode() if at >= 0 else ""
    return [name.replace("-", "_") for name in names.split(",") if name]


def _closure(names, found: dict) -> set:
    seen, pending = set(), [name for name in names if name in found]  # others are built into the kernel
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += [other for other in _depends(found[name]) if other in found]
    return seen


def module_order(wanted, depends: dict) -> list:
    """`wanted` and all they depend on, each after its own; names that `depends` lacks are left out."""
    order = []

    def add(name):
        if name in order or name not in depends:
            return
        for other in depends[name]:
            add(other)
        order.append(name)

    for name in wanted:
        add(name)
    return order


class CpioArchive:
    """The format of an initial file system ("newc")."""

    def __init__(self):
        self._parts = []
        self._count = 0

    def folder(self, name: str) -> None:
        self._entry(name, b"", 0o040755)

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        self._entry(name, data, 0o100000 | mode)

    def bytes(self) -> bytes:
        self._entry("TRAILER!!!", b"", 0)
        return b"".join(self._parts)

    def _entry(self, name: str, data: bytes, mode: int) -> None:
        self._count += 1
        path = name.encode() + b"\0"
        fields = (self._count, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
        self._parts += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]
