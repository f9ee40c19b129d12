"""An MLX program that nobody wrote for us runs under launch as it does under MLX's own mlx.launch."""

import pytest
from clients import MLX_LAUNCH, PYTHON, SUMS, free_ports, lines, need_mlx, run

pytestmark = pytest.mark.usefixtures("mlx")


@pytest.fixture(scope="module")
def mlx():
    need_mlx()


@pytest.fixture(scope="module")
def expected():
    """expected(ranks): what the program prints under mlx.launch, or alone, sorted; each is asked once."""
    known = {}

    def ask(ranks):
        if ranks not in known:
            # MLX does not start alone under mlx.launch -n 1: it refuses the empty file that it is given.
            flags = ["-n", str(ranks), "-p", str(free_ports(ranks)), "--"]
            known[ranks] = lines(run([*([MLX_LAUNCH, *flags] if ranks > 1 else []), PYTHON, SUMS]))
            assert known[ranks].count(f"0/{ranks} done") == 1
        return known[ranks]

    return ask


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_it_prints_here_what_it_prints_under_mlx_launch(bin_dir, expected, ranks):
    result = run([bin_dir / "launch", "-n", str(ranks), "--", PYTHON, SUMS])
    assert lines(result) == expected(ranks)
    assert result.stderr.count("host ") == ranks


def test_several_connections_for_every_address(bin_dir, expected):
    port = str(free_ports(6))
    result = run([bin_dir / "launch", "-n", "2", "--connections-per-ip", "3", "-p", port, "--", PYTHON, SUMS, "ring"])
    assert lines(result) == expected(2)


def test_on_two_nodes_over_ssh(cluster4, bin_dir, expected):
    result = cluster4.exec("head", [bin_dir / "launch", "--hosts", "n1,n2", "--", PYTHON, SUMS, "ring"])
    assert lines(result) == expected(2)
    assert sorted(line for line in result.stderr.splitlines() if line.startswith("host ")) == ["host n1", "host n2"]
    cluster4.wait_until_idle()


def test_two_ranks_on_each_of_two_nodes(cluster4, bin_dir, expected):
    result = cluster4.exec("head", [bin_dir / "launch", "--hosts", "n3,n4", "-n", "2", "--", PYTHON, SUMS])
    assert lines(result) == expected(4)
    cluster4.wait_until_idle()


def test_a_host_file_with_addresses(cluster4, bin_dir, expected):
    result = cluster4.exec(
        "head", [bin_dir / "launch", "--hostfile", cluster4.hosts_json, "--exclude", "n2,n3", "--", PYTHON, SUMS]
    )
    assert lines(result) == expected(2)


def test_a_script_finds_its_interpreter_by_itself(bin_dir, tmp_path):
    """mlx.launch's users write `mlx.launch script.py`; PATH says which Python that is."""
    script = tmp_path / "sums.py"
    script.write_text(SUMS.read_text())
    here = run([bin_dir / "launch", "-n", "2", script], env={"PATH": f"{PYTHON.parent}:/usr/bin:/bin"})
    assert sorted(here.stdout.splitlines())[-1].startswith("1/2 ")
    assert here.returncode == 0, here


def test_a_rank_that_raises_ends_the_job_with_its_code(bin_dir, tmp_path):
    script = tmp_path / "fails.py"
    script.write_text(
        "import mlx.core as mx\n"
        "world = mx.distributed.init(strict=True, backend='ring')\n"
        "if world.rank() == 1: raise SystemExit(9)\n"
        "mx.eval(mx.distributed.all_sum(mx.ones(10)))\n"  # waits for a rank that is gone, or fails
        "import signal; signal.pause()\n"
    )
    result = run([bin_dir / "launch", "-n", "2", "-p", str(free_ports(2)), "--", PYTHON, script])
    assert result.returncode != 0
    assert result.stderr.splitlines()[-1].startswith("launch: rank ")
