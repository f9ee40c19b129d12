"""--backend mpi: a real mpirun starts the ranks, here and over SSH, and MLX's mpi backend sums."""

import json
import os
import shutil
import subprocess

import pytest
from clients import PYTHON, SHOW, SUMS, folder, lines, need_mlx, need_open_mpi, run, shown

# mpirun wants to be told that root knows what it does; to everybody else the flag says nothing.
AS_ROOT = ["--mpi-arg", "--allow-run-as-root"]
# The machine under the test has few processors, and spinning ranks keep each other from them.
PATIENT = ["--mpi-arg", "--oversubscribe --mca mpi_yield_when_idle 1"]


@pytest.fixture(scope="module")
def mpi_path(tmp_path_factory):
    """A PATH whose mpirun is Open MPI's."""
    mpirun = need_open_mpi()
    links = tmp_path_factory.mktemp("mpi")
    (links / "mpirun").symlink_to(mpirun)
    return f"{links}:{os.environ['PATH']}"


@pytest.fixture
def launch_mpi(bin_dir, mpi_path):
    def launch(*words, **options):
        env = {**os.environ, "PATH": mpi_path, **options.pop("env", {})}
        return run([bin_dir / "launch", "--backend", "mpi", *AS_ROOT, *PATIENT, *words], env=env, **options)

    return launch


@pytest.fixture(scope="module")
def over_ring(bin_dir):
    need_mlx()
    ring = lines(run([bin_dir / "launch", "-n", "2", "--", PYTHON, SUMS, "ring"]))
    return [line for line in ring if "all_sum mlx.core.bool" not in line]


def written(target, ranks):
    """What the ranks wrote; on standard output mpirun mixes the lines of several ranks."""
    return sorted(line for rank in range(ranks) for line in (target / str(rank)).read_text().splitlines())


def test_mlx_sums_here_as_over_its_ring(launch_mpi, over_ring, tmp_path):
    result = launch_mpi("-n", "2", "--", PYTHON, SUMS, "mpi", tmp_path)
    assert result.returncode == 0, result
    assert written(tmp_path, 2) == over_ring


def test_mlx_sums_on_two_nodes_over_ssh(cluster4, bin_dir, mpi_path, over_ring):
    flags = ["--backend", "mpi", "--ssh-config", cluster4.ssh_config, "--hosts", "n1,n2", *AS_ROOT, *PATIENT]
    target = folder(cluster4.shared, f"mpi-{os.getpid()}")
    result = cluster4.exec("head", [bin_dir / "launch", *flags, "--", PYTHON, SUMS, "mpi", target],
                           env={"PATH": mpi_path}, stdin=subprocess.DEVNULL)  # fmt: skip
    assert result.returncode == 0, result
    assert written(target, 2) == over_ring
    shutil.rmtree(target)
    assert sorted(line for line in result.stderr.splitlines() if line.startswith("host ")) == ["host n1", "host n2"]
    cluster4.wait_until_idle()


def test_what_the_ranks_are_given(launch_mpi, tmp_path):
    target = folder(tmp_path, "out")
    there = folder(tmp_path, "a directory")
    result = launch_mpi("-n", "3", "--cwd", there, "--env", "A=b c", "--env", "E=x=äö\nz", "--python", PYTHON, "--", SHOW,
                        target, "a word", "")  # fmt: skip
    assert result.returncode == 0, result
    for rank in shown(target, 3):
        assert (rank["argv"], rank["cwd"]) == (["a word", ""], str(there))
        assert (rank["env"]["A"], rank["env"]["E"]) == ("b c", "x=äö\nz")
        assert rank["env"]["JACKAL_SIZE"] == "3"
        assert "libmpi" in rank["env"]["MLX_MPI_LIBNAME"]
        assert len(json.loads(rank["files"]["JACKAL_HOSTFILE"])["hosts"]) == 3
        assert len(rank["files"]["JACKAL_SECRET_FILE"]) == 32
        assert rank["modes"]["JACKAL_SECRET_FILE"] == "0o600"


def test_our_library_meets_under_mpirun(bin_dir, launch_mpi):
    assert sum("sum = [6, 6, 6, 6]" in line for line in lines(launch_mpi("-n", "3", "--", bin_dir / "all_sum"))) == 3


def test_the_hosts_repeat_as_slots(launch_mpi):
    said = lines(launch_mpi("--hosts", "127.0.0.1", "-n", "3", "--", "sh", "-c", "echo $OMPI_COMM_WORLD_RANK"))
    assert said == ["0", "1", "2"]


def test_a_rank_that_fails_ends_the_job(launch_mpi):
    result = launch_mpi("-n", "2", "--", "sh", "-c", "exit 7")
    assert result.returncode == 7
    assert result.stderr.splitlines()[-1].startswith("launch: mpirun exited with code 7")


def test_input_goes_to_rank_0_as_mpirun_does(launch_mpi):
    result = launch_mpi("-n", "2", "--", "sh", "-c", "cat; echo end", input="typed\n")
    assert lines(result) == ["end", "end", "typed"]


def test_without_mpirun_it_says_so(bin_dir):
    result = run([bin_dir / "launch", "--backend", "mpi", "--", "true"], env={"PATH": "/nonexistent"})
    assert result.returncode == 127
    assert "needs mpirun" in result.stderr and "PATH=/nonexistent" in result.stderr


def test_another_mpirun_is_refused(bin_dir, tmp_path):
    mpich = shutil.which("mpirun.mpich") or shutil.which("mpiexec.hydra")
    if mpich is None:
        pytest.skip("no MPICH: scripts/setup --bench installs it")
    (tmp_path / "mpirun").symlink_to(mpich)
    path = f"{tmp_path}:{os.environ['PATH']}"
    result = run([bin_dir / "launch", "--backend", "mpi", "-n", "2", "--", "true"], env={**os.environ, "PATH": path})
    assert result.returncode == 64
    assert "is not Open MPI's" in result.stderr
    assert result.stdout == ""
