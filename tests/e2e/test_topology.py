# SPDX-License-Identifier: GPL-2.0-or-later
"""dmasim topology: tree, groups, units, ATS, windows and routes, and what a run makes of the same machine."""
import json

from support import SOURCE, check, finish, run, scratch

TREE = ("bridge root id=8086:09a2; port 0000:00:01.0 on root acs=sv,rr,cr,uf; switch 0000:01:00.0 on 0000:00:01.0;"
        "port 0000:02:00.0 on 0000:01:00.0 acs={0}; port 0000:02:01.0 on 0000:01:00.0 acs={0};"
        "function 0000:03:00.0 on 0000:02:00.0 ats; function 0000:04:00.0 on 0000:02:01.0 bar0=64MiB;"
        "port 0000:00:02.0 on root; function 0000:05:00.0 on 0000:00:02.0 ats")
PAIR = "0000:03:00.0,0000:04:00.0"


def document(*args):
    done = run("topology", *args, "--json")
    check(done.returncode == 0 and not done.stderr, f"topology {args}", done)
    return json.loads(done.stdout)


def node(doc, name):
    return next(n for n in doc["nodes"] if n["name"] == name)


def test_routes():
    for acs, kind, bytes_key in (("none", "bus address", "p2p.bytes_direct"),
                                 ("rr,cr", "through the host bridge", "p2p.bytes_host_bridge")):
        doc = document("--pci", TREE.format(acs), "--route", PAIR)
        check(doc["route"]["linux"] == kind, f"acs={acs}: {doc['route']}")
        check("0000:01:00.0" in doc["route"]["why"], f"why: {doc['route']['why']}")
        done = run("run", SOURCE / "scenarios/nvme-p2p-switch.ini", "--set", f"pcie.topology={TREE.format(acs)}", "--json")
        stats = json.loads(done.stdout)["runs"][0]["stats"]
        check(stats[bytes_key] > 0, f"a run takes the route that topology names: {bytes_key}", done)
    doc = document("--pci", TREE.format("none"), "--route", "0000:05:00.0,0000:04:00.0", "--set", "p2p.host_bridge=8086:4c43")
    check("host bridge" in doc["route"]["why"], str(doc["route"]))


def test_ats():
    table = SOURCE / "tests/data/vtd/dmar.dsl"
    doc = document("--pci", TREE.format("none"), "--dmar", table)
    check(len(doc["units"]) == 2 and node(doc, "0000:03:00.0")["unit"] == 1, "unit of what no other names")
    check(node(doc, "0000:00:01.0")["ats"] == "forwarded" and node(doc, "0000:03:00.0")["ats"] == "used", "ATSR names it")
    check(node(doc, "0000:00:02.0")["ats"] == "not in ATSR" and node(doc, "0000:05:00.0")["ats"] == "not in ATSR",
          "ATSR does not name it")
    for function, expected in (("0000:03:00.0", True), ("0000:05:00.0", False)):
        done = run("run", SOURCE / "scenarios/nvme-ats.ini", "--set", f"pcie.topology={TREE.format('none')}", "--set",
                   f"nvme.functions={function}", "--set", f"iommu.dmar={table}", "--set", "ats.devices=listed", "--json")
        if done.returncode == 0:
            check((json.loads(done.stdout)["runs"][0]["stats"]["ats.requests"] > 0) == expected, f"ATS of {function}", done)
        else:
            check(False, f"run with ATS of {function}", done)


def test_groups_and_text():
    doc = document("--pci", TREE.format("none"))
    check(node(doc, "0000:03:00.0")["group"] != node(doc, "0000:05:00.0")["group"], "ports of the root complex isolate")
    check(node(doc, "0000:03:00.0")["group"] == node(doc, "0000:02:00.0")["group"], "a port without ACS is in the group")
    done = run("topology", "--pci", TREE.format("none"), "--route", PAIR)
    check(done.returncode == 0 and b"0: 64MiB" in done.stdout and b"bus address" in done.stdout, "text", done)


def test_errors():
    for args in (["--route", "a,b"], ["--route", PAIR], ["--pci", "/nonexistent"], ["--dmar", "/nonexistent"], ["a", "b"]):
        done = run("topology", *args)
        check(done.returncode in (2, 3) and not done.stdout and done.stderr, f"topology {args}", done)


def test_provider_of_a_dump():
    """Peer memory of a function that a dump describes, its window taken from there."""
    def function(bus, slot, header, kind, bars, secondary=0):
        c = bytearray(4096)
        c[0:4] = bytes([0x86, 0x80, 0xa2, 0x09])
        c[6], c[0x0e], c[0x34], c[0x40], c[0x42] = 0x10, header, 0x40, 0x10, 2 | kind << 4
        for i, bar in enumerate(bars):
            c[0x10 + 4 * i:0x14 + 4 * i] = bar.to_bytes(4, "little")
        if header:
            c[0x18:0x1b] = bytes([bus, secondary, secondary])
            c[0x20:0x28] = bytes([0xf0, 0xff, 0, 0, 0xf0, 0xff, 0, 0])
        lines = "".join(f"{i:02x}: {c[i:i + 16].hex(' ')}\n" for i in range(0, 4096, 16))
        return f"{bus:02x}:{slot:02x}.0 Class: test\n{lines}\n"

    keep, folder = scratch()
    with keep:
        dump = folder / "machine.txt"
        dump.write_text(function(0, 0, 0, 4, []) + function(0, 1, 1, 4, [], 1) + function(0, 2, 1, 4, [], 2) +
                        function(1, 0, 0, 0, []) + function(2, 0, 0, 0, [0x0000000c, 0x40]))
        done = run("run", SOURCE / "scenarios/nvme-p2p-switch.ini", "--set", f"pcie.topology={dump}", "--set",
                   "nvme.functions=0000:01:00.0", "--set", "nvme.p2p_provider=0000:02:00.0", "--json")
        check(done.returncode == 0, "a dumped provider", done)
        if done.returncode == 0:
            check(json.loads(done.stdout)["runs"][0]["stats"]["p2p.bytes_host_bridge"] > 0, "its memory is used", done)


for name, test in sorted(globals().copy().items()):
    if name.startswith("test_"):
        test()
finish()
