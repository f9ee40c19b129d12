"""The command line of tests/rdma-vm/run."""

import argparse
import json
import os
import secrets
import signal
import sys

from . import cables
from .image import Unavailable, image
from .machine import TIMED_OUT, GuestFailed, run_guest

USAGE, INTERNAL, UNAVAILABLE, INTERRUPTED = 64, 70, 77, 130
EPILOG = """faults, SECONDS after the ranks have started or once one has written LINE (without @: before):
  loss=2%[@3s]          each packet of every cable is lost with this chance
  down=rdma_en3[@2s]    the interface of a device goes down
  kill=RANK[@going]     SIGKILL; such a rank does not count as failed"""


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(USAGE, f"rdma-vm: {message}\n")


def main(argv: list) -> int:
    options = _parse(argv)
    try:
        plan, files = _job(options)
    except ValueError as error:
        print(f"rdma-vm: {error}", file=sys.stderr)
        return USAGE
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the guest on its way out
    try:
        status = run_guest(image(), {"plan.json": json.dumps(plan), **files}, options.timeout, sys.stdout)
    except Unavailable as error:
        print(f"rdma-vm: {error}", file=sys.stderr)
        return UNAVAILABLE
    except GuestFailed as error:
        print(f"rdma-vm: {error}", file=sys.stderr)
        return INTERNAL
    except KeyboardInterrupt:
        return INTERRUPTED
    if status == TIMED_OUT:
        print(f"rdma-vm: not done within {options.timeout:g} s", file=sys.stderr)
    return status


def _parse(argv: list):
    parser = Parser(
        prog="tests/rdma-vm/run", usage="%(prog)s [OPTIONS] -- COMMAND… | --list",
        description="Boots a virtual machine with RDMA devices in software and runs COMMAND there once a rank. It sees "
        "this machine's files, read-only; what it writes is gone afterwards.",
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--ranks", type=int, default=2, metavar="N")
    parser.add_argument("--cabling", choices=cables.NAMES, default="mesh")
    parser.add_argument("--cables", type=int, default=1, metavar="K", help="between each two neighbours")
    parser.add_argument("--fault", action="append", default=[], metavar="FAULT", help="see below; repeatable")
    parser.add_argument("--env", action="append", default=[], metavar="K=V", help="for every rank; repeatable")
    parser.add_argument("--once", action="store_true", help="COMMAND starts the ranks itself (guest.py has the means)")
    parser.add_argument("--list", action="store_true", help="show the guest's devices")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="boot included (default: 120)")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args(argv)
    if bool(options.command) == options.list:
        parser.error("either -- COMMAND or --list")
    if not 1 <= options.ranks <= 16 or not 1 <= options.cables <= 4:
        parser.error("1 to 16 ranks, 1 to 4 cables")
    return options


def _job(options) -> tuple:
    """What the guest is to do, and the files it needs for that."""
    laid = cables.lay_cables(options.ranks, options.cabling, options.cables)
    more = dict(word.partition("=")[::2] for word in options.env)
    plan = {
        "cables": [[[end.interface, end.address] for end in cable.ends] for cable in laid],
        "ranks": [{**cables.rank_environment(r, options.ranks, options.cabling), **more} for r in range(options.ranks)],
        "faults": [cables.parse_fault(text) for text in options.fault],
        "mode": "list" if options.list else "once" if options.once else "ranks",
        "command": options.command,
        "folder": os.getcwd(),
    }
    return plan, cables.job_files(options.ranks, laid, options.cabling, secrets.token_hex(32))
