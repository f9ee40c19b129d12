"""Round trips and all-reduces of two ranks beside ibv_uc_pingpong's round trips, turn by turn in one boot, each rank on
a processor of its own. Run it in the guest:

tests/rdma-vm/run --once -- python3 tests/rdma-vm/compare.py build [SIZE…]

A line a size and kind: the median of ours and of the other in µs, their ratio, and all figures."""

import io
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, "/run/rdma-vm")
import guest  # noqa: E402

RUNS = 5
PORT = 18515  # ibv_uc_pingpong's
SIZES = (64, 4096, 65536, 1048576)


def iterations(size: int) -> int:
    return 300 if size <= 4096 else 60 if size <= 65536 else 15


def on_ranks(plan: dict, command: list) -> str:
    """What both ranks wrote. Where the scheduler would put them is chance, and decides half of the time."""
    output = io.BytesIO()
    status = guest.run_ranks(plan, ["sh", "-c", 'exec taskset -c $JACKAL_RANK "$@"', "sh", *command], output)
    text = output.getvalue().decode()
    if status:
        sys.exit(f"{command} ended with {status}:\n{text}")
    return text


def our_round_trip(plan: dict, build: Path, size: int, number: str) -> float:
    text = on_ranks(plan, [build / "tests" / "verbs_talk", "latency", "--bytes", str(size), "--iterations",
                           str(iterations(size)), "--meet", f"/tmp/{number}"])  # fmt: skip
    return float(re.search(r"([\d.]+) usec/iter", text)[1])


def our_all_reduce(plan: dict, build: Path, size: int, number: str) -> float:
    rows = f"/tmp/{number}.json"
    on_ranks(plan, [build / "bin" / "jackal-bench", "all_reduce", "--sizes", str(size), "-n", str(iterations(size)),
                    "--no-check", "--json", rows])  # fmt: skip
    return json.loads(Path(rows).read_text())[0]["median_us"]


def wait_for_server() -> None:
    deadline = time.monotonic() + 10
    # Connections of the run before may still be there, closed: 0A is LISTEN.
    listening = re.compile(rf":{PORT:04X} [0-9A-F]+:0000 0A ")
    while not any(listening.search(Path(f"/proc/net/{table}").read_text()) for table in ("tcp", "tcp6")):
        if time.monotonic() > deadline:
            sys.exit("ibv_uc_pingpong does not listen")
        time.sleep(0.02)


def their_round_trip(size: int) -> float:
    """Without a message in 10 s it gives up on one that was lost, and is run again."""
    for _ in range(5):
        def command(processor, device):
            return ["taskset", "-c", processor, "ibv_uc_pingpong", "-d", device, "-g", "1", "-s", str(size), "-n", str(iterations(size))]

        server = subprocess.Popen(command("1", "rdma_en3"), stdout=subprocess.DEVNULL)
        try:
            wait_for_server()
            client = subprocess.run([*command("0", "rdma_en2"), "127.0.0.1"], capture_output=True, text=True, timeout=15)
            if client.returncode == 0:
                server.wait(15)
                return float(re.search(r"([\d.]+) usec/iter", client.stdout)[1])
        except subprocess.TimeoutExpired:
            pass
        finally:
            server.kill()
            server.wait()
    sys.exit(f"ibv_uc_pingpong does not get through with {size} bytes")


def main(build: Path, sizes: list) -> None:
    plan = guest.load_plan()
    for size in sizes:
        theirs, trips, sums = [], [], []
        for run in range(RUNS):
            theirs.append(their_round_trip(size))
            trips.append(our_round_trip(plan, build, size, f"{size}.{run}"))
            sums.append(our_all_reduce(plan, build, size, f"{size}.{run}"))
        other = statistics.median(theirs)
        for kind, ours in (("round trip", trips), ("all_reduce", sums)):
            mine = statistics.median(ours)
            print(f"{size} bytes, {kind}: ours {mine:.0f} us, ibv_uc_pingpong {other:.0f} us, ratio {mine / other:.2f}"
                  f"   ({[round(us) for us in ours]} {[round(us) for us in theirs]})", flush=True)


main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]] or list(SIZES))
