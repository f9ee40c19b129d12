"""The simulated Mac's output has the keys, lines and columns of the captures of real ones."""

import json
import re

import pytest
from fixture import ROOT

CAPTURES = ROOT / "tests" / "fixtures"
DESCRIPTION = {
    "machines": [
        {"model": "macbook", "docks": {"en2": "SB-XTM5"}, "drives": {"en1": "TBU405Pro"}},
        {"model": "macbook", "rdma": False, "bridge": True},
        {"bridge": ["en3"]},
    ],
    "cables": ["n1:en6 n2:en6", {"ends": "n3:en2 n2:en1", "gbps": 40, "hubs": ["Dock"]}, "n3:en3 n2:en2"],
    "commands": {"sudo": {"seconds": 0.01}},
}


@pytest.fixture(scope="module")
def macs(make_macs_for_module):
    macs = make_macs_for_module(DESCRIPTION)
    assert macs.ssh("n1", "sudo ifconfig en6 inet 169.254.7.1 netmask 255.255.0.0").returncode == 0
    return macs


@pytest.fixture(scope="module")
def said(macs):
    """said(node, command) → what it prints there."""
    return lambda node, command: macs.ssh(node, command).stdout


def capture(name):
    return (CAPTURES / name).read_text(encoding="utf-8")


VALUES = [
    (r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", "UUID"),
    (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC"),
    (r"\b([0-9a-f]{4}:){3}[0-9a-f]{4}\b", "GUID"),
    (r"fe80:[0-9a-f:]+", "LINK-LOCAL"),
    (r"\b[0-9]{1,3}(\.[0-9]{1,3}){3}\b", "IP"),
    (r"(rdma_)?\ben[0-9]+\b", "EN"),
    (r"0x[0-9a-fA-F]+", "HEX"),
    (r"(link#|port |lid:\t+|scopeid )[0-9]+", r"\1N"),
    (r"\b[0-9a-f]{16}\b", "GUID"),
]


def shape(line):
    """A line without its values; blanks that only align and those at the end do not count."""
    for pattern, name in VALUES:
        line = re.sub(pattern, name, line)
    return re.sub(r"^( {4}| {8})(?=\S)", "\t", line).rstrip()


def shapes_of(text):
    return [shape(line) for line in text.splitlines() if line.strip()]


def paths(value, at=""):
    """Every key of a JSON value with the way to it; the elements of a list are alike."""
    if isinstance(value, dict):
        for key, element in value.items():
            yield f"{at}/{key}"
            yield from paths(element, f"{at}/{key}")
    elif isinstance(value, list):
        for element in value:
            yield from paths(element, at + "[]")


def buses(text):
    return json.loads(text)["SPThunderboltDataType"]


def kind(bus):
    """What is attached: nothing, a Mac with or without RDMA, a device by its mode."""
    items = bus.get("_items")
    if not items:
        return "nothing"
    if "services_title" in items[0]:
        return f"a Mac with {len(items[0]['services_title'])} services"
    return items[0]["mode_key"] + (" and more behind" if "_items" in items[0] else "")


def test_system_profiler_json_has_the_keys_of_the_captures_and_no_others(said):
    command = "system_profiler SPThunderboltDataType -json"
    simulated = {kind(bus): bus for node in ("n1", "n2", "n3") for bus in buses(said(node, command))}
    compared = set()
    for name in ("mbp-m5max-local-rdma-off-dock-and-peer", "mbp-m5max-peer-rdma-on-tb3drive-and-peer"):
        for real in buses(capture(f"system_profiler_json/{name}.json")):
            ours = simulated[kind(real)]
            assert set(paths(ours)) == set(paths(real)), kind(real)
            compared.add(kind(real))
    assert compared == {"nothing", "a Mac with 1 services", "a Mac with 2 services", "thunderbolt_three", "usb_four_v2"}
    # Laid out as macOS does, buses from the last to the first.
    lines = said("n1", command).splitlines()
    real = capture("system_profiler_json/FRAGMENT-mbp-tb4-unplugged-bus2.json").splitlines()
    assert lines[:2] == [real[0].strip(), real[1][8:]]
    assert [bus["_name"] for bus in buses("\n".join(lines))] == [f"thunderboltusb4_bus_{n}" for n in (2, 1, 0)]


def text_blocks(text):
    """The field names of each titled block of the text form."""
    blocks = []
    for line in text.splitlines():
        if re.fullmatch(r" +Thunderbolt/USB4 Bus \d:", line) or re.fullmatch(r" {8}\S.*:", line):
            blocks.append([])
        elif line.strip() and blocks:
            blocks[-1].append(re.sub(r": .*", "", line))
    return blocks


def test_system_profiler_text_has_the_fields_of_the_captures(said):
    ours = [block for node in ("n1", "n2", "n3") for block in text_blocks(said(node, "system_profiler SPThunderboltDataType"))]
    studio = text_blocks(capture("system_profiler_text/studio-m4max-4port-dock-raid.txt"))
    mini = text_blocks(capture("system_profiler_text/FRAGMENT-mini-m4pro-peer-studio-rdma-service-key.txt"))
    # The fragment ends within its last bus; a Pegasus has a second port, our drive is like the PRO-G40.
    for real in [*(block for block in studio if block.count("          Port:") != 1), *mini[:-1]]:
        assert real in ours


def test_hardware_ports_and_services_are_listed_as_captured(said):
    for node, name in (("n2", "mbp-m5max-en1-en6-en2-bridge-present"), ("n1", "mac-6port-macA-bridge-deleted-redacted")):
        ours, real = said(node, "networksetup -listallhardwareports"), capture(f"networksetup/{name}.txt")
        assert ("Thunderbolt Bridge" in ours) == ("Thunderbolt Bridge" in real)
        known = {re.sub(r"\d+", "N", line) for line in shapes_of(real)} | {"Hardware Port: Thunderbolt Ethernet Slot N", "Hardware Port: Ethernet"}
        assert {re.sub(r"\d+", "N", line) for line in shapes_of(ours)} <= known
        assert ours.endswith("\n\nVLAN Configurations\n===================\n")
    order = said("n2", "networksetup -listnetworkserviceorder")
    real = capture("networksetup/listnetworkserviceorder-macB-bridge-owns-ports-redacted.txt")
    assert order.splitlines()[0] == real.splitlines()[0]
    assert "(Hardware Port: Thunderbolt Bridge, Device: bridge0)\n\n" in order and "Thunderbolt Bridge, Device: bridge0)\n\n" in real
    # The bridge has the ports: they have no services of their own.
    assert "Thunderbolt 1" not in order


def test_verbs_tools_print_the_captured_lines(said):
    real = capture("ibv/ibv_devices-mbp-m5max-en1-en6-en2.txt")
    assert shapes_of(said("n1", "ibv_devices")) == shapes_of(real)
    assert [line.split()[0] for line in said("n1", "ibv_devices").splitlines()] == [line.split()[0] for line in real.splitlines()]
    assert said("n2", "ibv_devices") == capture("ibv/ibv_devices-rdma-disabled-header-only.txt")
    real = capture("ibv/ibv_devinfo-mbp-m5max-all-port-down-peer-rdma-disabled.txt")
    assert shapes_of(said("n1", "ibv_devinfo")) == shapes_of(real)
    verbose = said("n3", "ibv_devinfo -v")
    for line in ("active_width:\t\t8X (4)", "active_speed:\t\t10.0 Gbps (4)", "GID[  0]:\t\tfe80::3400:ff:fe00:200"):
        assert f"\t\t\t{line}\n" in verbose
    assert said("n1", "rdma_ctl status") == capture("ibv/rdma_ctl_status-enabled.txt")


def test_ifconfig_prints_the_captured_stanzas(said):
    assert shapes_of(said("n1", "ifconfig en6")) == shapes_of(capture("ifconfig/en2-tb5-apipa-active-tn3205.txt"))
    real = capture("ifconfig/FRAGMENT-en1-en2-promisc-bridge0-inactive.txt")
    member, _, bridge = real.partition("en2: ")[0], None, real[real.index("bridge0:") :]
    ours = [line.replace("status: active", "status: inactive") for line in shapes_of(said("n2", "ifconfig en1"))]
    assert ours == shapes_of(member)
    ours = [
        line.replace("status: active", "status: inactive").replace("media: autoselect", "media: <unknown type>")
        for line in shapes_of(said("n2", "ifconfig bridge0"))
    ]
    assert ours == shapes_of(bridge)


def test_netstat_has_the_captured_columns(said):
    ours = said("n1", "netstat -rn -f inet").splitlines()
    real = capture("routes/netstat-rn-macA-tb-dhcp-second-default-redacted.txt").splitlines()
    assert ours[:4] == real[:4]
    patterns = [
        r"\S.{17} \S.{17} \S{1,6} {6,11} {0,9}[a-z]+[0-9]+ {7}",
        r"\S.{17} link#[0-9]+ {6,12} \S{1,6} {6,11} {0,9}[a-z]+[0-9]+ {6}!",
    ]
    for line in [*ours[4:], *real[4:]]:
        assert any(re.fullmatch(pattern, line) for pattern in patterns), line
    # Networks are shortened in the same way.
    assert [line for line in ours if line.startswith("169.254 ")][0].split()[2:] == ["UCS", "en6", "!"]
