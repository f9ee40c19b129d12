"""The same job again and again in one boot, to find the one launch in many that hangs or fails. Run it in the guest:

tests/rdma-vm/run --ranks 4 --once -- python3 tests/rdma-vm/repeat.py TIMES COMMAND…

A line for each job that does not end well, and at the end how many did."""

import io
import sys

sys.path.insert(0, "/run/rdma-vm")
import guest  # noqa: E402


def main(times: int, command: list) -> int:
    plan = guest.load_plan()
    right = 0
    for number in range(1, times + 1):
        output = io.BytesIO()
        status = guest.run_ranks(plan, command, output)
        if status == 0:
            right += 1
        else:
            print(f"job {number} ended with {status}:\n{output.getvalue().decode(errors='replace')}", flush=True)
    print(f"{right} of {times} jobs ended well", flush=True)
    return 0 if right == times else 1


sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
