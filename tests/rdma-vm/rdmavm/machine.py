"""One guest, from boot to end: its output goes where the caller wants it, and nothing of it is left behind."""

import ctypes
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from .image import GUEST, QEMU, Image

TIMED_OUT = 124  # as timeout(1)


class GuestFailed(Exception):
    """The guest ended without a word on how its command did."""


def run_guest(image: Image, files: dict, timeout: float, output=sys.stdout, processors: int = 2) -> int:
    """Boots, with `files` (name to text) in the guest's /run/rdma-vm; the exit status of the guest's program. What
    the guest prints goes to `output`, a file with a descriptor. TIMED_OUT after `timeout` seconds."""
    folder = Path(tempfile.mkdtemp(prefix="rdma-vm-"))
    try:
        run = folder / "run"
        run.mkdir()
        for name, text in files.items():
            (run / name).write_text(text)
        shutil.copy(GUEST / "guest.py", run)
        console = folder / "console"
        output.flush()
        complaints = folder / "complaints"
        # Its input stays open: at its end QEMU would take nobody to be listening to the guest's output.
        with complaints.open("w") as errors, subprocess.Popen(
            _command(image, run, console, processors), stdin=subprocess.PIPE, stdout=output.fileno(), stderr=errors,
            start_new_session=True, preexec_fn=_end_with_parent,
        ) as process:  # fmt: skip
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                return TIMED_OUT
            finally:
                process.kill()
        status = run / "status"
        if not status.exists() or not status.read_text().strip():
            tail = console.read_text(errors="replace").splitlines()[-15:] if console.exists() else []
            raise GuestFailed("\n".join(["the guest ended early", complaints.read_text().strip(), *tail]))
        return int(status.read_text())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_with_parent() -> None:
    """A guest whose starter is killed ends, too."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _command(image: Image, run: Path, console: Path, processors: int) -> list:
    def share(tag, path, *more):
        options = ["local", f"path={str(path).replace(',', ',,')}", f"mount_tag={tag}", "security_model=none", *more]
        return ["-virtfs", ",".join(options)]

    return [
        QEMU, "-accel", "tcg,thread=multi", "-smp", str(processors), "-M", "pc", "-cpu", "max", "-m", "2G",
        "-nodefaults", "-display", "none", "-no-reboot",
        "-kernel", str(image.kernel), "-initrd", str(image.initramfs),
        "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable random.trust_cpu=on",
        "-serial", f"file:{console}",
        "-chardev", "stdio,id=out,signal=off", "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=out",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=0x01",
        *share("host", "/", "readonly=on", "multidevs=remap"),
        *share("programs", image.programs, "readonly=on"),
        *share("run", run),
    ]  # fmt: skip
