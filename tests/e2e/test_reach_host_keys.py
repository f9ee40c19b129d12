"""A host is who we know, or we do not talk to it."""

import pytest
from fixture import start_cluster
from reach import Hosts, on_head, refuses, remedy

pytestmark = pytest.mark.usefixtures("cluster_possible")


@pytest.fixture(scope="module")
def cluster():
    made = start_cluster(3, port=["n2=2222"], behind=["n1=n3"])
    yield made
    made.down()


@pytest.fixture
def hosts(cluster):
    folder = cluster.dir / f"hosts-{len(list(cluster.dir.iterdir()))}"
    folder.mkdir()
    return Hosts(cluster, folder)


@pytest.fixture(params=["libssh", "system"])
def way(request):
    return f"--ssh={request.param}"


def key_of(cluster, node):
    for line in cluster.known_hosts.read_text().splitlines():
        if line.split()[0].strip("[").split(",")[0].split("]")[0] == node:
            return " ".join(line.split()[1:3])
    raise KeyError(node)


def new_host(hosts, name, node, *lines):
    """A host whose known_hosts file is one of its own, empty."""
    known = hosts.folder / f"known-{name}"
    hosts.add(name, f"UserKnownHostsFile {known}", *lines, node=node, known=False)
    return known


@pytest.mark.parametrize("strict", ["yes", "ask"])
@pytest.mark.parametrize("node", ["n1", "n2"])
def test_an_unknown_key_is_refused_and_the_remedy_works(hosts, bin_dir, strict, node):
    lines = [f"StrictHostKeyChecking {strict}", *(["Port 2222"] if node == "n2" else [])]
    known = new_host(hosts, "studio", node, *lines)
    result = hosts.launch(bin_dir, "studio")
    refuses(result, "studio: its host key is not known here (ssh-ed25519 SHA256:")
    assert not known.exists()
    on_head(hosts.cluster, remedy(result, "record it with: "))
    assert hosts.launch(bin_dir, "studio").stdout == f"{node}\n"


def test_the_remedy_works_for_a_host_with_an_alias_for_its_key(hosts, bin_dir):
    new_host(hosts, "studio", "n2", "Port 2222", "HostKeyAlias the-studio")
    result = hosts.launch(bin_dir, "studio")
    refuses(result, "not known")
    on_head(hosts.cluster, remedy(result, "record it with: "))
    assert hosts.launch(bin_dir, "studio").stdout == "n2\n"


def test_the_remedy_behind_a_jump_host_names_the_configuration_file(hosts, bin_dir):
    hosts.add("gate", node="n1")
    new_host(hosts, "studio", "n3", "ProxyJump gate")
    result = hosts.launch(bin_dir, "studio")
    refuses(result, "not known")
    command = remedy(result, "record it with: ")
    assert command == f"ssh -F {hosts.file} studio"
    # The same command, with nobody there to say yes.
    on_head(hosts.cluster, command.replace("ssh ", "ssh -o StrictHostKeyChecking=accept-new ") + " true")
    assert hosts.launch(bin_dir, "studio").stdout == "n3\n"


def start_other_sshd(cluster, node, port, kind):
    key = f"/tmp/host-key-{kind}"
    script = (
        f"ssh-keygen -q -t {kind} -N '' -f {key} && sed '/^HostKey/d; /^Port/d; /^PidFile/d'"
        f" /run/cluster/sshd_config >/tmp/config-{kind} && exec /usr/sbin/sshd -h {key} -p {port}"
        f" -o PidFile=/tmp/pid-{kind} -f /tmp/config-{kind}"
    )
    made = cluster.exec(node, ["sh", "-c", script])
    assert made.returncode == 0, made.stderr
    return f"/tmp/pid-{kind}"


@pytest.mark.parametrize("kind, port", [("rsa", 2301), ("ecdsa", 2302)])
def test_the_remedy_works_for_other_kinds_of_keys(cluster, hosts, bin_dir, kind, port):
    pid_file = start_other_sshd(cluster, "n1", port, kind)
    try:
        new_host(hosts, "studio", "n1", f"Port {port}")
        result = hosts.launch(bin_dir, "studio")
        refuses(result, "not known here", kind)
        on_head(cluster, remedy(result, "record it with: "))
        assert hosts.launch(bin_dir, "studio").stdout == "n1\n"
    finally:
        cluster.exec("n1", ["sh", "-c", f"kill $(cat {pid_file})"])


@pytest.mark.parametrize("strict", ["accept-new", "no"])
def test_a_new_key_is_recorded_once_and_announced_once(hosts, bin_dir, strict):
    known = new_host(hosts, "studio", "n2", "Port 2222", f"StrictHostKeyChecking {strict}")
    result = hosts.launch(bin_dir, "studio", arguments=["-n", "32"])
    assert (result.returncode, result.stdout) == (0, "n2\n" * 32), result.stderr
    assert known.read_text() == f"[10.77.0.2]:2222 {key_of(hosts.cluster, 'n2')}\n"
    assert result.stderr.count("recorded its new host key ssh-ed25519 SHA256:") == 1
    again = hosts.launch(bin_dir, "studio")
    assert (again.stdout, again.stderr) == ("n2\n", "")


def test_two_names_of_one_new_host_are_recorded_once_each(hosts, bin_dir):
    known = hosts.folder / "known"
    for name in ("one", "two"):
        lines = [f"UserKnownHostsFile {known}", "StrictHostKeyChecking accept-new", f"HostKeyAlias {name}"]
        hosts.add(name, *lines, node="n1", known=False)
    assert hosts.launch(bin_dir, "one,two", arguments=["-n", "2"]).returncode == 0
    key = key_of(hosts.cluster, "n1")
    assert sorted(known.read_text().splitlines()) == [f"one {key}", f"two {key}"]


def test_a_recorded_key_is_refused_where_it_cannot_be_written(hosts, bin_dir):
    folder = hosts.folder / "a-file"
    folder.write_text("")
    lines = [f"UserKnownHostsFile {folder}/known", "StrictHostKeyChecking accept-new"]
    hosts.add("studio", *lines, node="n1", known=False)
    refuses(hosts.launch(bin_dir, "studio"), "studio", f"{folder}/known")


def test_the_key_may_stand_in_any_of_several_files(hosts, bin_dir, way):
    empty = hosts.folder / "empty"
    empty.write_text("")
    files = f"UserKnownHostsFile {hosts.folder}/missing {empty} {hosts.cluster.known_hosts}"
    hosts.add("studio", files, node="n1", known=False)
    result = hosts.launch(bin_dir, "studio", arguments=[way])
    assert (result.returncode, result.stdout) == (0, "n1\n"), result.stderr


def test_the_kind_of_key_that_any_file_knows_is_asked_for(cluster, hosts, bin_dir):
    """The server has keys of two kinds; the second file knows the kind that we would not ask for first."""
    pid_file = start_other_sshd(cluster, "n2", 2303, "rsa")
    other = hosts.folder / "sshd"
    try:
        config = cluster.exec("n2", ["cat", "/tmp/config-rsa"]).stdout
        cluster.exec("n2", ["sh", "-c", f"kill $(cat {pid_file})"])
        cluster.write_file("n2", "/tmp/config-two", config + "HostKey /run/cluster/host_key\nHostKey /tmp/host-key-rsa\n")
        pid_file = "/tmp/pid-two"
        made = cluster.exec("n2", ["/usr/sbin/sshd", "-p", "2304", "-o", f"PidFile={pid_file}", "-f", "/tmp/config-two"])
        assert made.returncode == 0, made.stderr
        public = cluster.exec("n2", ["cat", "/tmp/host-key-rsa.pub"]).stdout
        (hosts.folder / "second").write_text("[10.77.0.2]:2304 " + " ".join(public.split()[:2]) + "\n")
        (hosts.folder / "first").write_text("")
        files = f"UserKnownHostsFile {hosts.folder}/first {hosts.folder}/second"
        hosts.add("studio", files, "Port 2304", node="n2", known=False)
        result = hosts.launch(bin_dir, "studio")
        assert (result.returncode, result.stdout) == (0, "n2\n"), result.stderr
    finally:
        cluster.exec("n2", ["sh", "-c", f"kill $(cat {pid_file})"])
        assert not other.exists()


def test_hashed_names_and_wildcards_are_known(cluster, hosts, bin_dir):
    hashed = hosts.folder / "hashed"
    hashed.write_text(cluster.known_hosts.read_text())
    on_head(cluster, f"ssh-keygen -q -H -f {hashed} 2>/dev/null")
    hosts.add("one", f"UserKnownHostsFile {hashed}", node="n1", known=False)
    assert hosts.launch(bin_dir, "one").stdout == "n1\n"
    pattern = hosts.folder / "pattern"
    pattern.write_text(f"10.77.0.* {key_of(cluster, 'n1')}\n")
    hosts.add("two", f"UserKnownHostsFile {pattern}", node="n1", known=False)
    assert hosts.launch(bin_dir, "two").stdout == "n1\n"


def test_a_revoked_key_is_refused_even_where_it_is_also_known(cluster, hosts, bin_dir, way):
    known = hosts.folder / "known"
    key = key_of(cluster, "n1")
    known.write_text(f"10.77.0.1 {key}\n@revoked * {key}\n")
    hosts.add("studio", f"UserKnownHostsFile {known}", node="n1", known=False)
    refuses(hosts.launch(bin_dir, "studio", arguments=[way]), "studio", "REVOKED" if "system" in way else "revoked")


@pytest.mark.parametrize("strict", ["yes", "ask", "accept-new", "no"])
def test_a_changed_key_is_always_refused_and_the_remedy_removes_the_old_one(cluster, hosts, bin_dir, strict):
    known = hosts.folder / "known"
    known.write_text(cluster.known_hosts.read_text())
    lines = [f"UserKnownHostsFile {known}", f"StrictHostKeyChecking {strict}", "Port 2222"]
    hosts.add("studio", *lines, node="n2", known=False)
    cluster.fault("n2", "host-key-change")
    try:
        result = hosts.launch(bin_dir, "studio")
        refuses(result, "studio: its host key has CHANGED (now ssh-ed25519 SHA256:")
        assert known.read_text() == cluster.known_hosts.read_text()
        on_head(cluster, remedy(result, "(a new installation): ") + " 2>/dev/null")
        refused = strict in ("yes", "ask")
        after = hosts.launch(bin_dir, "studio")
        assert (after.returncode == 0) == (not refused), after
    finally:
        cluster.heal("n2", "host-key-change")


def test_a_changed_key_is_refused_over_system_ssh_too(cluster, hosts, bin_dir):
    hosts.add("studio", node="n1")
    cluster.fault("n1", "host-key-change")
    try:
        refuses(hosts.launch(bin_dir, "studio", arguments=["--ssh=system"]), "studio", "IDENTIFICATION HAS CHANGED")
    finally:
        cluster.heal("n1", "host-key-change")
