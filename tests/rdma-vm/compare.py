"""Round trips of our connections beside ibv_uc_pingpong's, turn by turn in one boot. Run it in the guest:

tests/rdma-vm/run --once -- python3 tests/rdma-vm/compare.py build/tests/verbs_talk [SIZE…]

A line a size: bytes, the median of ours and of the other in µs, their ratio, and all figures."""

import io
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


def our_round_trip(plan: dict, talk: str, size: int, number: str) -> float:
    command = [talk, "latency", "--bytes", str(size), "--iterations", str(iterations(size)), "--meet", f"/tmp/{number}"]
    output = io.BytesIO()
    status = guest.run_ranks(plan, command, output)
    text = output.getvalue().decode()
    if status:
        sys.exit(f"verbs_talk ended with {status}:\n{text}")
    return float(re.search(r"([\d.]+) usec/iter", text)[1])


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
        def command(device):
            return ["ibv_uc_pingpong", "-d", device, "-g", "1", "-s", str(size), "-n", str(iterations(size))]

        server = subprocess.Popen(command("rdma_en3"), stdout=subprocess.DEVNULL)
        try:
            wait_for_server()
            client = subprocess.run([*command("rdma_en2"), "127.0.0.1"], capture_output=True, text=True, timeout=15)
            if client.returncode == 0:
                server.wait(15)
                return float(re.search(r"([\d.]+) usec/iter", client.stdout)[1])
        except subprocess.TimeoutExpired:
            pass
        finally:
            server.kill()
            server.wait()
    sys.exit(f"ibv_uc_pingpong does not get through with {size} bytes")


def main(talk: str, sizes: list) -> None:
    plan = guest.load_plan()
    for size in sizes:
        ours, theirs = [], []
        for run in range(RUNS):
            theirs.append(their_round_trip(size))
            ours.append(our_round_trip(plan, talk, size, f"{size}.{run}"))
        mine, other = statistics.median(ours), statistics.median(theirs)
        print(f"{size} bytes: ours {mine:.0f} us, ibv_uc_pingpong {other:.0f} us, ratio {mine / other:.2f}"
              f"   ({ours} {theirs})", flush=True)


main(sys.argv[1], [int(word) for word in sys.argv[2:]] or list(SIZES))
