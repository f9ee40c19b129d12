"""Every flag of launch(1) at work, and the dry run held against what the job really gets."""

import json
import os
import pty
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from clients import DEADLINE, SHOW, folder, free_ports, lines, run, shown

HERE = Path(__file__).parent


def test_every_flag_has_a_test_here(bin_dir):
    """What --help lists stands as a word of a command line in some end-to-end test."""
    flags = re.findall(r"^  (?:-\w,|   ) (--[a-z-]+)", run([bin_dir / "launch", "--help"]).stdout, re.MULTILINE)
    assert len(flags) >= 23 and "--hosts" in flags and "--help" in flags
    words = set()
    for path in HERE.glob("test_*.py"):
        words.update(re.findall(r"(?<=[\"' ])--[a-z-]+(?=[\"'= ])", path.read_text()))
    assert [flag for flag in flags if flag not in words] == []


# The dry run.


def placeholder_pattern(text):
    """`text` as a pattern that takes anything for <what only the hosts can tell>."""
    return re.compile("(.+)".join(re.escape(part) for part in re.split(r"<[^<>]*>", text)), re.DOTALL)


def hold_plan_against_job(launch, flags, target, before, words):
    """Runs the dry run and the job; `before` is the environment of a host without a job."""
    command = [*flags, "--", "/usr/bin/python3", SHOW, target, *words]
    planned = launch(["--dry-run", "--json", *command])
    assert planned.returncode == 0, planned
    plan = json.loads(planned.stdout)
    assert [path.name for path in target.iterdir()] == []  # nothing ran
    assert launch(command).returncode == 0
    job = shown(target, plan["size"])
    for rank, (wanted, got) in enumerate(zip(plan["ranks"], job)):
        assert wanted["rank"] == rank
        assert wanted["argv"] == ["/usr/bin/python3", str(SHOW), str(target), *got["argv"]]
        assert got["argv"] == list(words)
        assert got["cwd"] == wanted["directory"]
        for name, value in wanted["environment"].items():
            assert placeholder_pattern(value).fullmatch(got["env"][name]), (name, value, got["env"][name])
        for file in wanted["files"]:
            assert got["modes"][file["variable"]] == "0o600"
            bytes_ = got["files"][file["variable"]]
            if file.get("secret"):
                assert len(bytes_) == 32 and "bytes" not in file
            else:
                assert placeholder_pattern(file["bytes"]).fullmatch(bytes_), (file, bytes_)
        # And nothing else: what is neither planned nor there anyway nor a shell's own.
        more = set(got["env"]) - set(wanted["environment"]) - {file["variable"] for file in wanted["files"]}
        assert more - set(before) - {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"} == set()
    return plan, job


FLAG_SETS = [
    [],
    ["-n", "3", "--verbose", "--env", "A=b c", "--env", "U=ä\n="],
    ["-n", "2", "--backend", "nccl", "--cwd", "/usr/lib"],
    ["-n", "2", "--backend", "jackal"],
    ["-n", "2", "--connections-per-ip", "2", "--starting-port", "PORT"],
]


@pytest.mark.parametrize("flags", FLAG_SETS, ids=lambda flags: " ".join(flags[:4]) or "none")
def test_the_plan_is_what_ranks_here_get(bin_dir, tmp_path, flags):
    flags = [str(free_ports(8)) if flag == "PORT" else flag for flag in flags]
    if "nccl" in flags:
        flags += ["--nccl-port", str(free_ports(1))]
    elif "--starting-port" not in flags and "jackal" not in flags:
        flags += ["-p", str(free_ports(8))]
    target = folder(tmp_path, "out")
    hold_plan_against_job(lambda words: run([bin_dir / "launch", *words]), flags, target, os.environ, ["", "a'b", "$x"])


def test_the_plan_is_what_ranks_on_nodes_get(cluster4, bin_dir, tmp_path_factory):
    target = folder(cluster4.shared, f"plan-{os.getpid()}")
    before = dict(line.split("=", 1) for line in cluster4.ssh("n1", "env").stdout.splitlines() if "=" in line)
    flags = ["--hosts", "n[1-2],n3", "-n", "2", "--env", "A=b 'c'", "--cwd", "/usr"]
    plan, job = hold_plan_against_job(lambda words: cluster4.exec("head", [bin_dir / "launch", *words]), flags, target,
                                      before, ["x y"])  # fmt: skip
    assert [rank["host"] for rank in plan["ranks"]] == ["n1", "n1", "n2", "n2", "n3", "n3"]
    assert [rank["host"] for rank in job] == ["n1", "n1", "n2", "n2", "n3", "n3"]
    addresses = [json.loads(rank["files"]["JACKAL_HOSTFILE"])["hosts"][4]["ips"] for rank in job]
    assert addresses == [[cluster_address(cluster4, "n3")]] * 6
    subprocess.run(["rm", "-rf", target], check=True)


def cluster_address(cluster, node):
    return next(host["ips"][0] for host in json.loads(cluster.hosts_json.read_text()) if host["ssh"] == node)


def test_the_plan_in_words(bin_dir):
    result = run([bin_dir / "launch", "--dry-run", "--hosts", "far[1-2]", "--", "echo", "a b"])
    assert result.returncode == 0
    assert "rank 1 on far2" in result.stdout and "echo 'a b'" in result.stdout
    assert "<address of far1>" in result.stdout
    assert run([bin_dir / "launch", "--json", "--", "true"]).returncode == 64


def test_the_plan_of_mpirun_is_a_script_that_runs(bin_dir):
    plan = json.loads(run([bin_dir / "launch", "--dry-run", "--json", "--backend", "mpi", "--", "true"]).stdout)
    assert plan["through_mpirun"] is True
    assert plan["ranks"][0]["argv"][-2:] == ["--", "true"]


# The rest, one by one.


def test_version_and_help(bin_dir):
    assert re.fullmatch(r"launch \d+\.\d+\.\d+.*\n", run([bin_dir / "launch", "--version"]).stdout)
    for flag in ("-h", "--help"):
        assert run([bin_dir / "launch", flag]).stdout.startswith("Usage: launch ")


def test_flags_may_be_cut_short_and_end_where_the_command_begins(bin_dir):
    result = run([bin_dir / "launch", "--repeat", "2", "--stdi=none", "echo", "-n", "--verbose", "x"])
    assert lines(result) == ["--verbose x--verbose x"]  # echo has its own -n


def test_verbose_says_what_happens_and_errors_stay_apart(bin_dir):
    quiet, loud = (run([bin_dir / "launch", *flags, "--", "echo", "x"]) for flags in ([], ["--verbose"]))
    assert (quiet.stdout, loud.stdout, quiet.stderr) == ("x\n", "x\n", "")
    assert "launch: host 127.0.0.1" in loud.stderr


@pytest.mark.parametrize("who, got", [("all", ["0: a b", "1: a b"]), ("none", ["0:", "1:"])])
def test_stdin(bin_dir, who, got):
    script = 'echo "$JACKAL_RANK:$(sed "s/^/ /")"'
    assert lines(run([bin_dir / "launch", "-n", "2", "--stdin", who, "--", "sh", "-c", script], input="a b\n")) == got


def test_a_timeout_stops_the_job(bin_dir):
    result = run([bin_dir / "launch", "-n", "2", "--timeout", "0.5", "--", "sleep", "1000"])
    assert result.returncode == 124
    assert "timeout" in result.stderr


def test_the_grace_is_given_and_then_the_kill(bin_dir):
    script = 'trap "" TERM; echo up; [ $JACKAL_RANK = 1 ] && exit 5; while :; do sleep 1; done'
    result = run([bin_dir / "launch", "-n", "2", "--grace", "0.2", "--", "sh", "-c", script])
    assert result.returncode == 5
    assert "rank 1 on 127.0.0.1 exited with code 5" in result.stderr.splitlines()[-1]


def test_a_terminal_for_rank_0_alone(bin_dir):
    script = "test -t 0 && test -t 1 && echo $JACKAL_RANK has a terminal of $(stty size); true"
    ours, theirs = pty.openpty()
    try:
        job = subprocess.Popen([bin_dir / "launch", "--pty", "-n", "2", "--", "sh", "-c", script], stdin=theirs,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        out, err = job.communicate(timeout=DEADLINE)
    finally:
        os.close(ours)
        os.close(theirs)
    assert job.returncode == 0, err
    assert [line for line in out.split("\n") if line.strip()][0].startswith("0 has a terminal")
    assert "1 has a terminal" not in out


@pytest.mark.parametrize("way", ["libssh", "system"])
def test_ssh_and_its_configuration(cluster4, bin_dir, tmp_path, way):
    config = cluster4.shared / "elsewhere.config"
    config.write_text(f"Host other\n  HostName {cluster_address(cluster4, 'n2')}\nInclude {cluster4.ssh_config}\n"
                      f"Host other\n  User jackal\n  IdentityFile {cluster4.id}\n  StrictHostKeyChecking accept-new\n"
                      f"  UserKnownHostsFile {cluster4.shared}/known-{way}\n")  # fmt: skip
    result = cluster4.exec("head", [bin_dir / "launch", "--ssh", way, "--ssh-config", config, "--hosts", "other", "uname", "-n"])
    assert (result.returncode, result.stdout) == (0, "n2\n"), result


def test_connections_and_ports_that_are_taken(bin_dir):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        given = run([bin_dir / "launch", "-n", "2", "-p", port, "--", "true"])
        assert given.returncode == 64
        assert f"port {port} is taken on 127.0.0.1" in given.stderr
        given = run([bin_dir / "launch", "-n", "2", "--backend", "nccl", "--nccl-port", port, "--", "true"])
        assert given.returncode == 64


def test_a_port_that_is_taken_on_another_host(cluster4, bin_dir):
    """Seen also where sshd is the only other listener, and at an address of the host's own."""
    address = cluster_address(cluster4, "n2")
    ring = [bin_dir / "launch", "--hosts", "n1,n2", "--", "sh", "-c", "cat $MLX_HOSTFILE"]
    free = cluster4.exec("head", ring)
    assert (free.returncode, free.stderr) == (0, ""), free
    assert free.stdout.count(f'"{address}:32324"') == 2
    listening = (f"import socket; s = socket.create_server(({address!r}, 32324)); print('listens', flush=True);"
                 " input()")  # fmt: skip
    with cluster4.popen("n2", ["/usr/bin/python3", "-c", listening], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, text=True) as server:  # fmt: skip
        assert server.stdout.readline() == "listens\n"
        taken = cluster4.exec("head", ring)
        server.stdin.write("\n")
    assert taken.returncode == 0, taken
    assert "port 32324 is taken on n2: using 32324 in place of 32323" in taken.stderr
    assert taken.stdout.count(f'"{address}:32325"') == 2


def test_the_interpreter(bin_dir, tmp_path):
    script = tmp_path / "a script.py"
    script.write_text("import sys; print(sys.executable, sys.argv[1:])\n")
    result = run([bin_dir / "launch", "--python", sys.executable, "--", script, "x y"])
    assert result.stdout == f"{sys.executable} ['x y']\n"
