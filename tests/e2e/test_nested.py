"""launch in a rank of launch, and on machines that allow few open files."""

import json

import pytest
from life import here  # noqa: F401

PREFIXES = ("JACKAL_", "MLX_", "NCCL_")


def names(env):
    """Of the variables that say which job and rank this is."""
    found = {line.split(b"=")[0].decode() for line in env.splitlines() if b"=" in line}
    return sorted(name for name in found if name.startswith(PREFIXES) and name != "JACKAL_LIFE_TEST")


@pytest.mark.parametrize("backend", ["ring", "nccl", "jaccl", "jaccl-ring", "jackal"])
def test_a_job_in_a_rank_sees_nothing_of_the_outer_one(here, tmp_path, backend):
    host = {"ssh": "127.0.0.1", "ips": ["127.0.0.1"]}
    hosts = [{**host, "rdma": [None, "rdma_en2"]}, {**host, "rdma": ["rdma_en2", None]}]
    (tmp_path / "hosts.json").write_text(json.dumps(hosts))
    plain = here.run("-n", "1", "--", "env")
    inner = f"{here.launch} -n 1 -- env"
    script = f'echo "$JACKAL_JOB" >>"$0"; [ "$MLX_RANK" = 0 ] || exit 0; {inner}'
    nested = here.run(
        "--hostfile", tmp_path / "hosts.json", "--backend", backend, "--verbose",
        "--", "sh", "-c", script, tmp_path / "job",
    )  # fmt: skip
    assert nested.returncode == 0, nested.stderr
    assert names(nested.stdout) == names(plain.stdout)
    outer = (tmp_path / "job").read_text().split()[0]
    assert f"JACKAL_JOB={outer}".encode() not in nested.stdout


def test_a_variable_of_the_user_stays_where_there_is_no_outer_job(here):
    result = here.run("-n", "1", "--", "sh", "-c", "echo $MLX_RING_VERBOSE", env={**here.env, "MLX_RING_VERBOSE": "1"})
    assert result.stdout == b"1\n"


def limited(here, limit, *arguments):
    """launch ARGUMENTS… under `ulimit LIMIT`."""
    shell = here.argv(*arguments)
    here.launch, launch = "/bin/sh", here.launch
    try:
        return here.run("-c", f'ulimit {limit} && exec "$@"', "sh", *shell)
    finally:
        here.launch = launch


def test_a_soft_limit_of_open_files_is_not_in_the_way_and_stays_the_ranks_own(here):
    result = limited(here, "-Sn 64", "-n", "40", "--", "sh", "-c", "ulimit -n")
    assert (result.returncode, result.stdout) == (0, b"64\n" * 40), result.stderr


def test_a_hard_limit_of_open_files_is_named_with_what_to_do(here):
    result = limited(here, "-n 64", "-n", "40", "--", "sleep", "100")
    stderr = result.stderr.decode()
    assert result.returncode == 69, stderr
    assert "Too many open files; the limit is 64 file descriptors" in stderr.splitlines()[-1]
    assert "start fewer ranks here" in stderr
    assert stderr.count("Too many open files") == 1
