"""What runs in the guest: lays the cables, starts the ranks, does the faults, and ends with the first failure's code.

Only this file and plan.json reach the guest's shared folder; programs run with --once may import it from there."""

import json
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path

SHARED = Path("/run/rdma-vm")


def main() -> int:
    plan = load_plan()
    lay_cables(plan["cables"])
    for fault in plan["faults"]:
        if fault["at"] == 0 and fault["kind"] != "kill":
            break_something(fault, plan, None)
    os.chdir(plan["folder"])
    if plan["mode"] == "list":
        return subprocess.call(["ibv_devinfo", "-v"])
    if plan["mode"] == "once":
        return subprocess.call(plan["command"], env=environment(plan["ranks"][0]))
    return run_ranks(plan, plan["command"])


def load_plan() -> dict:
    return json.loads((SHARED / "plan.json").read_text())


def environment(more: dict) -> dict:
    return {"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **more}


def batch(tool: str, lines: list) -> None:
    subprocess.run([tool, "-b", "-"], input="".join(f"{line}\n" for line in lines), text=True, check=True)


def lay_cables(cables: list) -> None:
    """One pair of virtual interfaces a cable, an RDMA device on each end. All are in one network, as the driver asks."""
    batch("ip", ["link set lo up", *(line for a, b in cables for line in cable_lines(*a, *b))])
    for a, b in cables:
        for interface, _ in (a, b):
            settings = Path("/proc/sys/net/ipv4/conf") / interface
            (settings / "accept_local").write_text("1")
            (settings / "rp_filter").write_text("0")
            # Packets keep their order, as in a cable, from whichever processor they are sent.
            processor = int(interface.removeprefix("en")) % os.cpu_count()
            (Path("/sys/class/net") / interface / "queues/rx-0/rps_cpus").write_text(f"{1 << processor:x}")
    batch("rdma", [f"link add rdma_{name} type rxe netdev {name}" for cable in cables for name, _ in cable])


def cable_lines(a: str, address_a: str, b: str, address_b: str) -> list:
    def hardware(interface):
        number = int(interface.removeprefix("en"))
        return f"02:00:00:00:{number // 256:02x}:{number % 256:02x}"

    lines = [
        # For the largest packets that RDMA has, 4096 bytes and their headers.
        f"link add {a} address {hardware(a)} mtu 4200 type veth peer name {b} address {hardware(b)} mtu 4200"
    ]
    for name, own, other, other_address in ((a, address_a, b, address_b), (b, address_b, a, address_a)):
        lines += [
            f"address add {own}/30 dev {name}",
            f"link set {name} up",
            f"neighbour replace {other_address} dev {name} lladdr {hardware(other)} nud permanent",
        ]
    return lines


def break_something(fault: dict, plan: dict, ranks) -> None:
    kind = fault["kind"]
    if kind == "loss":
        names = [name for cable in plan["cables"] for name, _ in cable]
        batch("tc", [f"qdisc replace dev {name} root netem limit 100000 loss {fault['percent']}" for name in names])
    elif kind == "down":
        batch("ip", [f"link set {fault['interface']} down"])
    else:
        ranks[fault["rank"]].kill()


def run_ranks(plan: dict, command: list, output=None) -> int:
    """`command` once a rank, their lines prefixed "[RANK] "; the code of the first that failed, or 0."""
    output = output or sys.stdout.buffer
    start = time.monotonic()
    processes = [
        subprocess.Popen(command, env=environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
        for env in plan["ranks"]
    ]  # fmt: skip
    os.setpriority(os.PRIO_PROCESS, 0, -15)  # on time though the ranks take all there is
    pending = [f for f in plan["faults"] if f["at"] != 0 or f["kind"] == "kill"]
    faults = sorted((f for f in pending if not isinstance(f["at"], str)), key=lambda f: f["at"])
    awaited = [f for f in pending if isinstance(f["at"], str)]
    killed = {fault["rank"] for fault in pending if fault["kind"] == "kill"}

    def befall(fault: dict) -> None:
        break_something(fault, plan, processes)
        say(output, f"{describe(fault)} at {time.monotonic() - start:.2f} s")

    selector = selectors.DefaultSelector()
    for rank, process in enumerate(processes):
        os.set_blocking(process.stdout.fileno(), False)
        selector.register(process.stdout, selectors.EVENT_READ, rank)
    rest = [b""] * len(processes)
    first_failure = 0
    while selector.get_map():
        while faults and time.monotonic() - start >= faults[0]["at"]:
            befall(faults.pop(0))
        wait = max(0.0, start + faults[0]["at"] - time.monotonic()) if faults else None
        for key, _ in selector.select(wait):
            rank = key.data
            data = key.fileobj.read(65536)
            lines = (rest[rank] + (data or b"")).split(b"\n")
            rest[rank] = lines.pop()
            if not data and rest[rank]:
                lines, rest[rank] = [*lines, rest[rank]], b""
            output.write(b"".join(b"[%d] %s\n" % (rank, line) for line in lines))
            output.flush()
            for fault in [f for f in awaited if f["at"].encode() in lines]:
                awaited.remove(fault)
                befall(fault)
            if data:
                continue
            selector.unregister(key.fileobj)
            status = processes[rank].wait()
            status = 128 - status if status < 0 else status
            if status:
                say(output, f"rank {rank} ended with {status} at {time.monotonic() - start:.2f} s")
            if rank not in killed:
                first_failure = first_failure or status
    return first_failure


def describe(fault: dict) -> str:
    return f"{fault['kind']} {fault.get('percent') or fault.get('interface') or 'rank ' + str(fault.get('rank'))}"


def say(output, text: str) -> None:
    output.write(f"rdma-vm: {text}\n".encode())
    output.flush()


if __name__ == "__main__":
    sys.exit(main())
