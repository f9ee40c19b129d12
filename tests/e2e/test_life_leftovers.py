"""Ranks that end well and leave processes behind."""

from life import here, job_files  # noqa: F401


def test_a_child_that_finishes_writing_is_waited_for(here):
    result = here.run("--", "sh", "-c", "(sleep 0.5; echo late) & exit 0")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"late\n", b"")


def test_a_child_that_keeps_the_output_open_is_ended(here):
    result = here.run("--grace", "0.5", "--", "sh", "-c", "trap '' TERM; sleep 100 & exit 0")
    assert (result.returncode, result.stderr) == (0, b"")
    here.wait_until_nothing_runs(seconds=5)


def test_a_child_without_our_streams_is_ended_too(here):
    script = "sleep 100 </dev/null >/dev/null 2>&1 & exit 0"
    result = here.run("--grace", "0.5", "--", "sh", "-c", script)
    assert (result.returncode, result.stderr) == (0, b"")
    here.wait_until_nothing_runs(seconds=5)


def test_what_leaves_its_process_group_is_out_of_reach(here):
    """As the manual says; what matters is that launch does not wait for it for ever."""
    result = here.run("--grace", "0.5", "--", "sh", "-c", "setsid sleep 100 & exit 0")
    assert result.returncode == 0
    assert list(here.processes().values()) == [[b"sleep", b"100"]]
    here.kill_what_is_left()


def test_nothing_is_left_on_nodes(cluster4, bin_dir):
    script = "sleep 100 </dev/null >/dev/null 2>&1 & (sleep 100; echo never) & (sleep 0.5; echo late) & exit 0"
    result = cluster4.exec(
        "head",
        [bin_dir / "launch", "--hostfile", cluster4.hosts_json, "--grace", "1", "--", "sh", "-c", script],
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "late\n" * 4, "")
    cluster4.wait_until_idle()
    assert job_files(cluster4) == {}
