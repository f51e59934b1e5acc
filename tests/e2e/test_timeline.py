# SPDX-License-Identifier: GPL-2.0-or-later
"""--timeline: valid Chrome trace events, every stage on a track of its own, slices of a row apart."""
import collections
import json

from support import check, finish, run, scratch

SCENARIO = """[scenario]
fidelity = timing
[compare]
iommu = strict, lazy
[workload]
generator = nvme
requests = 300
sizes = 4KiB:1,64KiB:1
"""
TRACKS = {"map", "link", "sync", "unmap", "invalidation", "walk", "transfer"}
# The two APIs differ in what they call; a lazy run of this length may not flush at all.
EXPECTED = {"legacy": TRACKS - {"link", "sync"}, "link": TRACKS}


def well_formed(event):
    check(event["ph"] in ("X", "i", "C", "M"), f"phase of {event}")
    check(isinstance(event["pid"], int) and isinstance(event["name"], str), f"pid and name of {event}")
    if event["ph"] == "X":
        check(event["ts"] >= 0 and event["dur"] >= 0 and isinstance(event["tid"], int), f"slice {event}")


def examine(doc):
    check(doc["displayTimeUnit"] == "ns", "displayTimeUnit")
    process, thread, rows = {}, {}, collections.defaultdict(list)
    for event in doc["traceEvents"]:
        well_formed(event)
        if event["ph"] == "M" and event["name"] == "process_name":
            process[event["pid"]] = event["args"]["name"]
        elif event["ph"] == "M" and event["name"] == "thread_name":
            thread[event["tid"]] = event["args"]["name"]
        elif event["ph"] == "X":
            rows[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    check(len(process) == 4, f"one process per run: {process}")
    for slices in rows.values():
        slices.sort()
        for (_, end), (start, _) in zip(slices, slices[1:]):
            check(start >= end - 1e-6, f"slices overlap on one row: {end} and {start}")
    return process, thread, rows


folder, tmp = scratch()
with folder:
    path = tmp / "s.ini"
    path.write_text(SCENARIO)
    done = run("run", path, "-o", tmp / "a", "--timeline")
    check(done.returncode == 0, "run", done)
    process, thread, rows = examine(json.loads((tmp / "a" / "timeline.json").read_text()))
    for pid, name in process.items():
        shown = {thread[tid].split(" (")[0].split(" #")[0] for p, tid in rows if p == pid}
        want = EXPECTED[name.split()[0]] - ({"invalidation"} if "lazy" in name else set())
        check(want <= {s.split()[0] for s in shown}, f"{name}: {want} on tracks, there are {shown}")
    plain = json.loads(run("run", path, "--json").stdout)
    check(plain == json.loads((tmp / "a" / "result.json").read_text()), "the timeline changes the result")
    run("run", path, "-o", tmp / "b", "--timeline")
    check((tmp / "a" / "timeline.json").read_bytes() == (tmp / "b" / "timeline.json").read_bytes(), "other bytes")
    done = run("run", path, "--timeline")
    check(done.returncode == 2 and b"-o" in done.stderr, "--timeline without -o", done)
finish()
