"""An MLX program as its users write them; nothing here knows who starts it, or over what it talks.

Usage: sums.py [BACKEND [DIR]]. Every line names the rank and holds all of a result that decides: its type, shape and
digest. With DIR the lines go to DIR/RANK.
"""

import hashlib
import socket
import sys

import mlx.core as mx

BACKEND = sys.argv[1] if len(sys.argv) > 1 else "any"
DTYPES = [mx.float32, mx.float16, mx.bfloat16, mx.int32, mx.int8, mx.bool_, mx.complex64]
SIZES = [1, 7, 1024, 100_003]

world = mx.distributed.init(strict=len(sys.argv) > 1, backend=BACKEND)
rank, size = world.rank(), world.size()


out = open(f"{sys.argv[2]}/{rank}", "w") if len(sys.argv) > 2 else sys.stdout


def say(text):
    # One write a line, where print() makes two: how lines of several ranks mix is not the question here.
    out.write(text + "\n")
    out.flush()


def mine(count, dtype, of=rank):
    return ((mx.arange(count) * 3 + of * 5) % 11).astype(dtype)


def report(name, array):
    mx.eval(array)
    bits = array.flatten().astype(mx.uint8) if array.dtype == mx.bool_ else array.flatten().view(mx.uint8)
    digest = hashlib.sha256(bytes(memoryview(bits))).hexdigest()[:16]
    first = array.flatten()[:3].tolist()
    say(f"{rank}/{size} {name} {array.dtype} {array.shape} {first} {digest}")


for dtype in DTYPES:
    for count in SIZES:
        if (BACKEND, dtype) != ("mpi", mx.bool_):  # Open MPI has no sum of truth values
            report("all_sum", mx.distributed.all_sum(mine(count, dtype)))
        report("all_gather", mx.distributed.all_gather(mine(count, dtype)))
report("all_sum", mx.distributed.all_sum(mx.ones((3, 5)) * rank))

# To the next rank and from the one before: the even ranks speak first.
if size > 1 and size % 2 == 0:
    after, before = (rank + 1) % size, (rank - 1) % size
    for dtype in (mx.float32, mx.float16):
        for count in SIZES:
            if rank % 2 == 0:
                mx.eval(mx.distributed.send(mine(count, dtype), after))
                got = mx.distributed.recv((count,), dtype, before)
                mx.eval(got)
            else:
                got = mx.distributed.recv((count,), dtype, before)
                mx.eval(got)
                mx.eval(mx.distributed.send(mine(count, dtype), after))
            report("recv", got)
            if not mx.array_equal(got, mine(count, dtype, before)):
                sys.exit(f"rank {rank} got something else from rank {before}")

say(f"{rank}/{size} done")
sys.stderr.write(f"host {socket.gethostname()}\n")
