# SPDX-License-Identifier: GPL-2.0-or-later
"""One trace in pieces: exact where the records alone decide, close elsewhere, the merge adds up."""
import json
import os

from support import check, finish, run, scratch

FULL = bool(os.environ.get("DMASIM_FULL"))
REQUESTS = 10_000_000 if FULL else 300_000
# What is still unflushed at the end of a lazy run weighs less, the longer the run.
LIMIT = 0.01 if FULL else 0.10
SCENARIO = f"""[compare]
iommu = strict, lazy
[workload]
generator = nvme
requests = {REQUESTS}
sizes = 4KiB:8,16KiB:1
"""
RECORDS_DECIDE = ["io.completed", "io.bytes", "dma.map_calls", "dma.unmap_calls", "dma.link_calls", "dma.bytes_mapped",
                  "qi.desc_iotlb_page", "iommu.ptes_written", "iommu.ptes_cleared"]

folder, tmp = scratch()
with folder:
    path = tmp / "s.ini"
    path.write_text(SCENARIO)
    done = run("shards", path, "--shards", "3", "--warmup", "20000", "-o", tmp / "out", "--compare", "--json", timeout=1800)
    check(done.returncode == 0, "shards", done)
    report = json.loads(done.stdout)
    check(report["exact"] > 50 and abs(report["error"]) < LIMIT, f"error against the whole: {report}")
    merged = json.loads((tmp / "out" / "result.json").read_text())["runs"]
    whole = json.loads(run("run", path, "--json", timeout=1800).stdout)["runs"]
    for a, b in zip(whole, merged):
        where = f"{a['api']} {a['iommu']}"
        check((a["api"], a["iommu"], a["seed"]) == (b["api"], b["iommu"], b["seed"]), f"order of runs: {where}")
        for name in RECORDS_DECIDE:
            if a["iommu"] == "strict":
                check(a["stats"][name] == b["stats"][name], f"{where}: {name} {a['stats'][name]} {b['stats'][name]}")
        spans = (a["histograms"]["qi.page_span"], b["histograms"].get("qi.page_span", {}))
        check(a["iommu"] != "strict" or spans[0] == spans[1], f"{where}: page spans")
        check(b["memory"]["total"]["peak"] <= a["memory"]["total"]["peak"], f"{where}: peak of a piece")
    one = run("shards", path, "--set", "workload.requests=5000", "--shards", "1", "-o", tmp / "one", "--compare", "--json")
    check(json.loads(one.stdout)["error"] == 0, "a single piece is the whole", one)
    # Of a trace: pieces pass over what is before them, and no record is run twice.
    trace = tmp / "t.dmt"
    run("trace", "generate", "nvme", "requests=400", "-o", trace)
    path.write_text("[workload]\ntrace = t.dmt\n")
    for pieces in (64, 400):
        done = run("shards", path, "--shards", pieces, "--warmup", "400", "-o", tmp / f"trace{pieces}", "--json")
        check(done.returncode == 0, f"{pieces} pieces of a trace", done)
        merged = json.loads(done.stdout)
        check(all(r["stats"]["io.completed"] == 400 for r in merged["runs"]), f"{pieces} pieces: 400 requests")
    for many in (401, 2_000_000_000):
        done = run("shards", path, "--shards", many, "-o", tmp / "many")
        check(done.returncode == 2 and b"1 to 400 pieces" in done.stderr, f"{many} pieces of 400 records", done)
    for bad in (["--shards", "0"], []):
        done = run("shards", path, "-o", tmp / "bad", *bad)
        check(done.returncode == 2, f"shards {bad}", done)
finish()
