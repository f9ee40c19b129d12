"""The verbs transport on the kernel's own verbs stack, in a virtual machine: cables, loss, faults."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RUN = HERE / "run"
TALK = Path(os.environ.get("JACKAL_BUILD", ROOT / "build")) / "tests" / "verbs_talk"
UNAVAILABLE = 77

sys.path.insert(0, str(HERE))
from rdmavm import cables, image  # noqa: E402


def in_guest(*words, seconds=150):
    """tests/rdma-vm/run with these words; its exit status and output. Skips where there can be no guest."""
    command = [str(RUN), "--timeout", str(seconds), *(str(word) for word in words)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=ROOT)
    if result.returncode == UNAVAILABLE:
        pytest.skip(result.stdout.strip())
    return result.returncode, result.stdout


def right(output: str) -> int:
    return len(re.findall(r"^\[\d\] \d+ bytes over \d+ channels: right", output, re.MULTILINE))


def repairs(output: str) -> int:
    return sum(int(number) for number in re.findall(r"repairs (\d+)", output))


def test_four_ranks_have_a_mesh_of_their_own_devices():
    matrix = cables.device_matrix(4, cables.lay_cables(4, "mesh", 1))
    assert matrix[0] == [None, "rdma_en2", "rdma_en3", "rdma_en4"]
    assert matrix[3] == ["rdma_en11", "rdma_en12", "rdma_en13", None]


def test_a_ring_reaches_only_neighbours_over_each_of_its_cables():
    matrix = cables.device_matrix(4, cables.lay_cables(4, "ring", 2))
    assert matrix[0] == [None, ["rdma_en2", "rdma_en3"], None, ["rdma_en4", "rdma_en5"]]
    names = [name for row in matrix for entry in row if entry for name in entry]
    assert len(set(names)) == len(names) == 16
    assert cables.neighbours(2, "ring") == [(0, 1)]


def test_the_ends_of_a_cable_share_a_network_with_nobody_else():
    ends = [[end.address for end in cable.ends] for cable in cables.lay_cables(8, "mesh", 3)]
    blocks = [address.rpartition(".") for pair in ends for address in pair]
    networks = [(net, int(last) // 4) for net, _, last in blocks]
    assert networks[::2] == networks[1::2] and len(set(networks)) == len(ends) == 84
    assert {int(last) % 4 for _, _, last in blocks} == {1, 2}


@pytest.mark.parametrize("text", ["loss=2", "loss=101%", "down=en2", "kill=x", "burn=1", "loss=2%@3"])
def test_a_fault_that_cannot_be_is_refused(text):
    with pytest.raises(ValueError):
        cables.parse_fault(text)


def test_modules_come_after_what_they_depend_on():
    depends = {"veth": [], "ib_core": ["crc"], "crc": [], "rdma_rxe": ["ib_core", "crc"]}
    assert image.module_order(["rdma_rxe", "veth", "built_in"], depends) == ["crc", "ib_core", "rdma_rxe", "veth"]


def test_what_runs_in_the_guest_says_how_it_ended():
    status, output = in_guest("--ranks", 3, "--", "sh", "-c", "echo rank $JACKAL_RANK of $JACKAL_SIZE; exit $((JACKAL_RANK * 5))")
    assert status in (5, 10)
    assert {"[0] rank 0 of 3", "[1] rank 1 of 3", "[2] rank 2 of 3"} <= set(output.splitlines())


@pytest.mark.long
@pytest.mark.timeout(200)
def test_two_ranks_talk_over_two_cables_that_lose_packets():
    status, output = in_guest("--cables", 2, "--fault", "loss=2%", "--", TALK, "check", "--most", 300001)
    assert status == 0, output
    assert right(output) == 2 * 7
    assert repairs(output) > 0


@pytest.mark.long
@pytest.mark.timeout(200)
def test_an_interface_that_goes_down_ends_the_talk_on_both_ranks():
    status, output = in_guest("--fault", "down=rdma_en3@2s", "--", TALK, "check", "--rounds", 1000, "--most", 65536)
    assert status == 1, output
    # What rank 0 sees first may be the silence of the other, which has ended.
    assert "[1] verbs_talk: the port of the RDMA device rdma_en3 went down" in output


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("cabling", ["mesh", "ring"])
@pytest.mark.parametrize("cable_count", [1, 2, 3])
def test_four_ranks_talk(cabling, cable_count):
    status, output = in_guest("--ranks", 4, "--cabling", cabling, "--cables", cable_count, "--", TALK, "check",
                              "--most", 1048576, "--patience", 60, seconds=380)  # fmt: skip
    assert status == 0, output
    assert right(output) == 4 * 8


@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_ranks_talk_in_messages_of_16_mib():
    status, output = in_guest("--", TALK, "check", seconds=280)
    assert status == 0, output
    assert right(output) == 2 * 9


@pytest.mark.long
@pytest.mark.timeout(300)
def test_four_ranks_talk_for_long_over_cables_that_lose_packets():
    status, output = in_guest("--ranks", 4, "--fault", "loss=2%", "--", TALK, "check", "--rounds", 5, "--most", 300001,
                              "--patience", 60, seconds=280)  # fmt: skip
    assert status == 0, output
    assert right(output) == 4 * 5 * 7
    assert repairs(output) > 0


@pytest.mark.long
@pytest.mark.timeout(200)
@pytest.mark.parametrize("fault", ["loss=100%@2s", "kill=1@2s"])
def test_a_talk_with_nobody_ends(fault):
    status, output = in_guest("--fault", fault, "--", TALK, "check", "--rounds", 1000, "--most", 65536, "--patience", 5)
    assert status == 1, output
    assert "[0] verbs_talk: " in output


@pytest.mark.long
@pytest.mark.timeout(400)
def test_round_trips_stand_beside_ibv_uc_pingpong():
    status, output = in_guest("--once", "--", "python3", HERE / "compare.py", TALK, seconds=380)
    assert status == 0, output
    sizes = re.findall(r"^(\d+) bytes: ours .* ratio [\d.]+", output, re.MULTILINE)
    assert sizes == ["64", "4096", "65536", "1048576"], output
    print(output)
