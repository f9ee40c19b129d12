"""What ~/.ssh/config says about the way to a host is what happens."""

import subprocess

import pytest
from fixture import start_cluster
from reach import DEADLINE, Hosts, address, launch, on_head, refuses, under_terminal

pytestmark = pytest.mark.usefixtures("cluster_possible")


@pytest.fixture(scope="module")
def cluster():
    """n1, n2 with a user and port of its own, n3 behind n1, n4 behind n3."""
    made = start_cluster(4, user=["n2=ada"], port=["n2=2222"], behind=["n1=n3", "n3=n4"])
    yield made
    made.wait_until_idle()
    made.down()


@pytest.fixture
def hosts(cluster, tmp_path_factory):
    return make_hosts(cluster)


def make_hosts(cluster):
    folder = cluster.dir / f"hosts-{len(list(cluster.dir.iterdir()))}"
    folder.mkdir()
    return Hosts(cluster, folder)


@pytest.fixture(params=["libssh", "system"])
def way(request):
    return f"--ssh={request.param}"


@pytest.fixture
def agent(cluster):
    """An ssh-agent of the head: agent(key file…) → its socket."""
    started = []

    def start(*keys):
        path = f"/tmp/agent-{len(started)}-{len(list(cluster.dir.iterdir()))}"
        process = cluster.popen("head", ["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert path in process.stdout.readline()
        for key in keys:
            added = cluster.exec("head", ["ssh-add", "-q", key], env={"SSH_AUTH_SOCK": path})
            assert added.returncode == 0, added.stderr
        return path

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=DEADLINE)


def authorize(cluster, node, public_key):
    keys = cluster.exec(node, ["cat", "/run/cluster/authorized_keys"]).stdout
    cluster.write_file(node, "/run/cluster/authorized_keys", keys + public_key.read_text())


def make_key(path, passphrase="", kind="ed25519"):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", path],
        check=True,
        timeout=DEADLINE,
    )
    return path


# --- names, ports, users, ways through -----------------------------------------------------------------


def test_a_whole_cluster_with_ports_users_and_jump_hosts_from_its_host_file(cluster, bin_dir, way):
    result = launch(
        cluster, bin_dir, "--hostfile", cluster.hosts_json, way, "--", "sh", "-c", "echo $(id -un)@$(uname -n)"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert sorted(result.stdout.split()) == ["ada@n2", "jackal@n1", "jackal@n3", "jackal@n4"]
    cluster.wait_until_idle()


def test_another_configuration_file_with_an_alias(hosts, bin_dir, way):
    hosts.add("studio", node="n1")
    result = hosts.launch(bin_dir, "studio", arguments=[way])
    assert (result.returncode, result.stdout) == (0, "n1\n"), result.stderr


def test_user_and_port_typed_with_the_host(cluster, hosts, bin_dir):
    hosts.add("*", f"HostName {address(cluster, 'n2')}", "Port 2222")
    assert hosts.launch(bin_dir, "ada@anything").stdout == "n2\n"


def test_no_configuration_file_at_all(cluster, bin_dir):
    result = launch(cluster, bin_dir, "--ssh-config", "none", "--hosts", "10.77.0.1", "--", "true")
    refuses(result, "10.77.0.1", "host key is not known", "ssh-keyscan")


def test_include_and_match_blocks(cluster, hosts, bin_dir, way):
    (hosts.folder / "more").write_text("Match host studio exec \"test 1 = 1\"\n  HostName 10.77.0.1\n")
    hosts.add_text(f"Include {hosts.folder}/more\n")
    hosts.add("studio", "User jackal")
    assert hosts.launch(bin_dir, "studio", arguments=[way]).stdout == "n1\n"


def test_a_jump_host_with_its_own_user_and_port(hosts, bin_dir, way):
    # n2 forwards for nobody but can reach n1; its sshd has another user and port.
    hosts.add("gate", "Port 2222", "User ada", f"HostName {address(hosts.cluster, 'n2')}")
    hosts.add("studio", "ProxyJump gate", node="n1")
    result = hosts.launch(bin_dir, "studio", arguments=[way])
    assert (result.returncode, result.stdout) == (0, "n1\n"), result.stderr


def test_a_jump_host_in_the_line_itself(hosts, bin_dir):
    gate = address(hosts.cluster, "n2")
    hosts.add("studio", f"ProxyJump ada@{gate}:2222", node="n1")
    hosts.add(gate)
    assert hosts.launch(bin_dir, "studio").stdout == "n1\n"


def test_two_jump_hosts(hosts, bin_dir, way):
    cluster = hosts.cluster
    hosts.add("gate", node="n1")
    hosts.add("inner", node="n3")
    hosts.add("studio", "ProxyJump gate,inner", node="n4")
    result = hosts.launch(bin_dir, "studio", arguments=[way])
    assert (result.returncode, result.stdout) == (0, "n4\n"), result.stderr
    cluster.wait_until_idle()


def test_a_proxy_command(hosts, bin_dir, way):
    gate = f"ssh -F {hosts.cluster.ssh_config} -W %h:%p n1"
    hosts.add("studio", f"ProxyCommand {gate}", node="n3")
    result = hosts.launch(bin_dir, "studio", arguments=[way])
    assert (result.returncode, result.stdout) == (0, "n3\n"), result.stderr


def test_a_proxy_command_that_talks_too_much_does_not_stop_the_job(hosts, bin_dir):
    gate = f"ssh -F {hosts.cluster.ssh_config} -W %h:%p n1"
    hosts.add("studio", f"ProxyCommand sh -c 'yes | head -c 300000 >&2; exec {gate}'", node="n3")
    result = hosts.launch(bin_dir, "studio")
    assert (result.returncode, result.stdout) == (0, "n3\n"), result.stderr


def test_a_proxy_command_that_fails_is_quoted(hosts, bin_dir):
    hosts.add("studio", "ProxyCommand echo no such way >&2; exit 3", node="n3")
    refuses(hosts.launch(bin_dir, "studio"), "studio", "cannot connect through its ProxyCommand: no such way")


# --- keys ----------------------------------------------------------------------------------------------


def test_of_several_identity_files_the_good_one_is_used(cluster, hosts, bin_dir):
    wrong = make_key(hosts.folder / "wrong")
    missing = hosts.folder / "missing"
    hosts.add("studio", f"IdentityFile {missing}", f"IdentityFile {wrong}", "IdentitiesOnly yes", node="n1")
    assert hosts.launch(bin_dir, "studio").stdout == "n1\n"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_keys_of_other_kinds(cluster, hosts, bin_dir, kind):
    key = make_key(hosts.folder / "key", kind=kind)
    authorize(cluster, "n1", hosts.folder / "key.pub")
    hosts.add("studio", f"IdentityFile {key}", node="n1", key=False)
    assert hosts.launch(bin_dir, "studio").stdout == "n1\n"


def test_an_encrypted_key_whose_plain_form_is_in_the_agent(cluster, hosts, bin_dir, agent, way):
    key = make_key(hosts.folder / "key")
    authorize(cluster, "n1", hosts.folder / "key.pub")
    socket = agent(key)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-N", "secret", "-P", "", "-f", key],
        check=True, timeout=DEADLINE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    hosts.add("studio", f"IdentityFile {key}", "IdentitiesOnly yes", node="n1", key=False)
    result = hosts.launch(bin_dir, "studio", arguments=[way], env={"SSH_AUTH_SOCK": socket})
    assert (result.returncode, result.stdout) == (0, "n1\n"), result.stderr


def test_a_key_that_is_in_the_agent_only(cluster, hosts, bin_dir, agent, way):
    socket = agent(cluster.id)
    hosts.add("studio", node="n1", key=False)
    result = hosts.launch(bin_dir, "studio", arguments=[way], env={"SSH_AUTH_SOCK": socket})
    assert (result.returncode, result.stdout) == (0, "n1\n"), result.stderr


def test_the_agent_of_the_configuration(cluster, hosts, bin_dir, agent):
    hosts.add("studio", f"IdentityAgent {agent(cluster.id)}", node="n1", key=False)
    assert hosts.launch(bin_dir, "studio").stdout == "n1\n"


def test_an_agent_that_is_gone_is_no_error_when_a_file_does(cluster, hosts, bin_dir):
    hosts.add("studio", node="n1")
    result = hosts.launch(bin_dir, "studio", env={"SSH_AUTH_SOCK": "/tmp/no-agent"})
    assert (result.returncode, result.stdout) == (0, "n1\n"), result.stderr


def test_a_passphrase_is_not_asked_for(cluster, hosts, bin_dir, way):
    key = make_key(hosts.folder / "key", passphrase="secret")
    authorize(cluster, "n1", hosts.folder / "key.pub")
    hosts.add("studio", f"IdentityFile {key}", node="n1", key=False)
    argv = [bin_dir / "launch", way, "--ssh-config", hosts.file, "--hosts", "studio", "--", "hostname"]
    shown, code = under_terminal(cluster.command("head", argv, env={"SSH_AUTH_SOCK": "/tmp/no-agent"}))
    assert code == 69
    assert "Enter passphrase" not in shown
    if way == "--ssh=libssh":
        assert f"{key} has a passphrase (add it to the agent: ssh-add {key})" in shown


def test_a_jump_host_that_would_ask_is_said_and_not_asked(cluster, hosts, bin_dir, way):
    key = make_key(hosts.folder / "key", passphrase="secret")
    authorize(cluster, "n1", hosts.folder / "key.pub")
    hosts.add("gate", f"IdentityFile {key}", node="n1", key=False)
    hosts.add("studio", "ProxyJump gate", node="n3")
    argv = [bin_dir / "launch", way, "--ssh-config", hosts.file, "--hosts", "studio", "--", "hostname"]
    shown, code = under_terminal(cluster.command("head", argv, env={"SSH_AUTH_SOCK": "/tmp/no-agent"}))
    assert code == 69
    assert "Enter passphrase" not in shown and "'s password:" not in shown
    assert "Permission denied" in shown and "studio" in shown


def test_a_jump_host_that_takes_passwords_is_not_given_one(make_cluster, bin_dir):
    cluster = make_cluster(2, behind=["n1=n2"], sshd_option=["PasswordAuthentication=yes"])
    hosts = make_hosts(cluster)
    wrong = make_key(hosts.folder / "wrong")
    hosts.add("gate", f"IdentityFile {wrong}", node="n1", key=False)
    hosts.add("studio", "ProxyJump gate", node="n2")
    for names, words in (("studio", "Permission denied"), ("gate", "refuses the login of jackal")):
        argv = [bin_dir / "launch", "--ssh-config", hosts.file, "--hosts", names, "--", "hostname"]
        shown, code = under_terminal(cluster.command("head", argv))
        assert code == 69
        assert "'s password:" not in shown
        assert words in shown


@pytest.mark.parametrize("named", [True, False])
def test_a_certificate_opens_an_sshd_that_trusts_its_signer(cluster, hosts, bin_dir, way, named):
    signer = make_key(hosts.folder / "signer")
    key = make_key(hosts.folder / "key")
    sign = ["ssh-keygen", "-q", "-s", signer, "-I", "me", "-n", "jackal", f"{key}.pub"]
    subprocess.run(sign, check=True, timeout=DEADLINE)
    line = f"IdentityFile {key}"
    if named:
        (hosts.folder / "key-cert.pub").rename(hosts.folder / "certificate")
        line += f"\n  CertificateFile {hosts.folder}/certificate"
    cluster.write_file("n1", "/run/signer.pub", (hosts.folder / "signer.pub").read_text())
    start = ("sed '/^Port/d; /^PidFile/d; /^AuthorizedKeysFile/d' /run/cluster/sshd_config >/run/certified &&"
             " exec /usr/sbin/sshd -p 2207 -o TrustedUserCAKeys=/run/signer.pub -o PidFile=/run/certified.pid"
             " -o AuthorizedKeysFile=none -f /run/certified")  # fmt: skip
    assert cluster.exec("n1", ["sh", "-c", start]).returncode == 0
    try:
        hosts.add("studio", line, "Port 2207", "HostKeyAlias n1", node="n1", key=False)
        result = hosts.launch(bin_dir, "studio", arguments=[way])
        assert (result.returncode, result.stdout, result.stderr) == (0, "n1\n", "")
    finally:
        cluster.exec("n1", ["sh", "-c", "kill $(cat /run/certified.pid)"])


# --- time, addresses, the rest -------------------------------------------------------------------------


def test_a_host_that_answers_nothing_is_given_up_within_its_connect_timeout(cluster, hosts, bin_dir, way):
    hosts.add("studio", "ConnectTimeout 1", "HostName 10.77.0.99", "User jackal")
    refuses(hosts.launch(bin_dir, "studio", arguments=[way]), "studio", "10.77.0.99")


def test_an_address_family_without_an_address_says_so(hosts, bin_dir):
    hosts.add("studio", "AddressFamily inet6", node="n1")
    refuses(hosts.launch(bin_dir, "studio"), "studio", "cannot look up 10.77.0.1", "AddressFamily inet6")


def test_keywords_that_are_not_honoured_are_said_once(hosts, bin_dir):
    hosts.add_text("Host *\n  ForwardAgent yes\n  SetEnv COLOR=red\n")
    hosts.add("one", node="n1").add("two", node="n1").add("three", node="n1")
    result = hosts.launch(bin_dir, "one,two,three", arguments=["-n", "4"])
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("ForwardAgent") == 1 and result.stderr.count("SetEnv") == 1
    assert f"ForwardAgent ({hosts.file}:2) is not honoured; --ssh=system honours it" in result.stderr
    silent = hosts.launch(bin_dir, "one", "sh", "-c", "echo $COLOR", arguments=["--ssh=system"])
    assert "is not honoured" not in silent.stderr


def test_a_bad_configuration_file_is_shown_with_its_line(hosts, bin_dir):
    hosts.add("studio", node="n1")
    hosts.add_text("Host other\n  Prot 22\n")
    lines = hosts.text.count("\n")
    refuses(hosts.launch(bin_dir, "studio"), f"{hosts.file}:{lines}: bad configuration option Prot", code=65)


def test_a_configuration_file_that_is_not_there(cluster, bin_dir):
    result = launch(cluster, bin_dir, "--ssh-config", "/no/such/file", "--hosts", "n1", "--", "true")
    refuses(result, "/no/such/file", code=65)


def test_a_host_that_no_ssh_would_take_is_a_usage_error(cluster, bin_dir):
    for name in ("-oProxyCommand=x", "a b", "n1;id", "@n1"):
        result = launch(cluster, bin_dir, f"--hosts={name}", "--", "true")
        assert result.returncode in (64, 65), result


def test_a_name_like_an_option_in_a_host_file_is_no_option(cluster, hosts, bin_dir, way):
    file = hosts.folder / "hosts.json"
    file.write_text('[{"ssh": "-oProxyCommand=touch /tmp/pwned", "ips": ["10.77.0.1"]}]')
    result = launch(cluster, bin_dir, way, "--hostfile", file, "--", "true")
    assert result.returncode in (64, 65, 69), result
    assert on_head(cluster, "ls /tmp").find("pwned") == -1


def test_algorithms_of_the_configuration(hosts, bin_dir):
    hosts.add("studio", "KexAlgorithms curve25519-sha256", "Ciphers aes256-ctr", "MACs hmac-sha2-256",
              "HostKeyAlgorithms ssh-ed25519", "Compression yes", "PubkeyAcceptedAlgorithms ssh-ed25519",
              "RequiredRSASize 2048", node="n1")  # fmt: skip
    result = hosts.launch(bin_dir, "studio")
    assert (result.returncode, result.stdout) == (0, "n1\n"), result.stderr


@pytest.mark.parametrize("sign", "+-^")
def test_algorithms_added_to_the_usual_ones_taken_away_or_put_first(hosts, bin_dir, sign):
    for keyword, algorithm in (("KexAlgorithms", "diffie-hellman-group14-sha256"), ("Ciphers", "aes128-ctr"),
                               ("MACs", "hmac-sha2-512"), ("HostKeyAlgorithms", "rsa-sha2-256"),
                               ("PubkeyAcceptedAlgorithms", "rsa-sha2-256")):  # fmt: skip
        hosts.add(keyword, f"{keyword} {sign}{algorithm}", node="n1")
    names = "KexAlgorithms,Ciphers,MACs,HostKeyAlgorithms,PubkeyAcceptedAlgorithms"
    result = hosts.launch(bin_dir, names)
    assert (result.returncode, result.stdout) == (0, "n1\n" * 5), result.stderr


def test_algorithms_the_server_lacks_are_told(hosts, bin_dir):
    hosts.add("studio", "Ciphers aes128-cbc", node="n1")
    refuses(hosts.launch(bin_dir, "studio"), "studio", "aes128-cbc")
