"""One rank fails: the others are stopped, whatever they do about it."""

import pytest
from life import here, last_line, job_files  # noqa: F401

STUBBORN = "trap '' TERM INT HUP; echo up >{up}.$MLX_RANK; while :; do sleep 1; done"
FAILS_WHEN_UP = "until [ -e {up}.1 ]; do sleep 0.05; done; echo cause >&2; exit 3"


def job(up, others):
    return f'if [ "$MLX_RANK" = 0 ]; then {FAILS_WHEN_UP}; fi; {others}'.replace("{up}", str(up))


@pytest.mark.parametrize(
    "others",
    [
        STUBBORN,
        "(" + STUBBORN + ") & wait",  # a grandchild
        "echo up >{up}.$MLX_RANK; kill -STOP $$; sleep 60",
        "(kill -STOP $(sh -c 'echo $PPID'); sleep 60) & echo up >{up}.$MLX_RANK; wait",
    ],
    ids=["ignores TERM", "grandchild ignores TERM", "stopped", "grandchild stopped"],
)
def test_the_others_are_ended(here, tmp_path, others):
    result = here.run("-n", "3", "--grace", "0.5", "--", "sh", "-c", job(tmp_path / "up", others))
    assert result.returncode == 3
    lines = result.stderr.decode().splitlines()
    assert "launch: the last lines of rank 0 on 127.0.0.1 on stderr:" in lines
    assert "  cause" in lines
    assert "launch: ranks 1 and 2 were stopped because of rank 0" in lines
    assert lines[-1].startswith("launch: rank 0 on 127.0.0.1 exited with code 3 after ")
    here.wait_until_nothing_runs(seconds=5)


def test_others_may_say_goodbye_within_the_grace(here, tmp_path):
    polite = "trap 'echo goodbye $MLX_RANK; exit 0' TERM; echo up >{up}.$MLX_RANK; while :; do sleep 0.05; done"
    result = here.run("-n", "2", "--grace", "30", "--", "sh", "-c", job(tmp_path / "up", polite))
    assert result.returncode == 3
    assert result.stdout == b"goodbye 1\n"


def test_the_others_are_ended_on_every_node(cluster4, bin_dir):
    others = "(" + STUBBORN.replace("{up}", "/tmp/up") + ") & wait"
    script = f'if [ "$MLX_RANK" = 2 ]; then sleep 0.5; echo cause >&2; exit 3; fi; {others}'
    result = cluster4.exec(
        "head",
        [bin_dir / "launch", "--hostfile", cluster4.hosts_json, "--grace", "1", "--", "sh", "-c", script],
    )
    assert result.returncode == 3
    assert "launch: ranks 0, 1 and 3 were stopped because of rank 2\n" in result.stderr
    assert last_line(result.stderr).startswith("launch: rank 2 on n3 exited with code 3 after ")
    cluster4.wait_until_idle()
    for node in cluster4.nodes:
        cluster4.exec(node, ["sh", "-c", "rm -f /tmp/up.*"])
    assert job_files(cluster4) == {}
