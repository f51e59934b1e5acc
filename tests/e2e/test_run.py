# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run writes: the same bytes each time, whole JSON and nothing else, every promised name."""
import csv
import json
import shutil

from support import SOURCE, check, finish, run, scratch

NAMES = """
    dma.map_calls dma.unmap_calls dma.link_calls dma.sync_calls dma.bytes_mapped
    iova.allocs iova.frees iova.rcache_hits iova.depot_refills iova.tree_allocs
    iommu.map_ops iommu.unmap_ops iommu.ptes_written iommu.walks_software
    iommu.iotlb_syncs iommu.flush_all flush_queue.entries flush_queue.timeouts
    qi.desc_iotlb_page qi.desc_iotlb_domain qi.desc_iotlb_global qi.desc_device_tlb
    qi.desc_wait qi.desc_total qi.wait_ns
    iotlb.lookups iotlb.hits iotlb.misses walker.walks walker.memory_reads
    pwc.hits_256t pwc.hits_512g pwc.hits_1g pwc.hits_2m context.hits
    swiotlb.bounces swiotlb.bytes_copied swiotlb.slots_peak
    p2p.bytes_direct p2p.bytes_host_bridge p2p.refused
    cpu.map_ns cpu.unmap_ns cpu.driver_ns cpu.lock_wait_ns
    io.completed io.bytes io.iops io.bandwidth io.latency_p50_ns io.latency_p99_ns io.latency_p999_ns
    exposure.stale_ns_bytes exposure.stale_max_ns exposure.overmapped_bytes
    sim.events sim.records""".split()
ACCOUNTS = """iommu.page_tables iova.ranges iova.magazines sg.tables driver.dma_addresses driver.page_lists
    driver.command_buffers iova.state flush_queue.rings swiotlb.pool total""".split()
HISTOGRAMS = "qi.page_span iommu.map_size iommu.unmap_size iova.alloc_pages io.latency_ns".split()
PER_REQUEST = "sg.tables driver.dma_addresses driver.page_lists driver.command_buffers iova.state".split()
SCENARIO = """[scenario]
name = mixed sizes
seed = 7
[compare]
iommu = strict, lazy, passthrough, off
[workload]
generator = nvme
requests = 3000
sizes = 4KiB:3,64KiB:2,512KiB
read_share = 0.7
[cpu]
count = 4
"""


def result(path):
    return json.loads((path / "result.json").read_text())


def same_bytes(a, b, what):
    names = sorted(p.name for p in a.iterdir() if p.is_file() and p.name != "timing.json")
    other = sorted(p.name for p in b.iterdir() if p.is_file() and p.name != "timing.json")
    check(names == other, f"{what}: files {names} and {other}")
    for name in names:
        check((a / name).read_bytes() == (b / name).read_bytes(), f"{what}: {name} differs")


def golden(tmp, scenario):
    """Twice the same bytes; with another locale; again from the result itself; in another folder."""
    done = run("run", scenario, "-o", tmp / "one", "--interval", "1ms")
    check(done.returncode == 0, "run", done)
    run("run", scenario, "-o", tmp / "two", "--interval", "1ms", env={"LC_NUMERIC": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"})
    same_bytes(tmp / "one", tmp / "two", "second run")
    done = run("run", tmp / "one", "-o", tmp / "again", "--interval", "1ms")
    check(done.returncode == 0, "run from a result", done)
    same_bytes(tmp / "one", tmp / "again", "run from the result")
    moved = tmp / "moved"
    moved.mkdir()
    shutil.copy(scenario, moved / "s.ini")
    run("run", "s.ini", "-o", "out", "--interval", "1ms", cwd=moved)
    same_bytes(tmp / "one", moved / "out", "run elsewhere")


def contents(tmp):
    doc = result(tmp / "one")
    check(doc["schema_version"] == 1 and len(doc["runs"]) == 8, "eight runs")
    for r in doc["runs"]:
        where = f"{r['api']} {r['iommu']}"
        for name in NAMES:
            check(name in r["stats"], f"{where}: statistic {name} is missing")
        for name in HISTOGRAMS:
            check(name in r["histograms"], f"{where}: histogram {name} is missing")
        for name in ACCOUNTS:
            check(set(r["memory"][name]) == {"current", "peak"}, f"{where}: memory account {name}")
        check(r["kernel"] == {"legacy": "6.12", "link": "7.0"}[r["api"]], f"{where}: kernel as shipped")
        identities(r, where)
    moved = {r["stats"]["io.bytes"] for r in doc["runs"]}
    check(len(moved) == 1, f"the APIs move different numbers of bytes: {moved}")


def identities(r, where):
    s = r["stats"]
    check(s["iotlb.hits"] + s["iotlb.misses"] == s["iotlb.lookups"], f"{where}: hits + misses = lookups")
    check(s["iova.allocs"] == s["iova.frees"], f"{where}: IOVA allocated = freed")
    check(s["io.completed"] == s["sim.records"] == 3000, f"{where}: every request completes")
    check(s["io.iops"] is None and s["io.latency_p50_ns"] is None, f"{where}: times are null in counts")
    for name in PER_REQUEST:
        check(r["memory"][name]["current"] == 0, f"{where}: {name} is not 0 at the end")
    if r["iommu"] in ("strict", "lazy"):
        spans = r["histograms"]["qi.page_span"]
        check(sum(spans.values()) == s["qi.desc_iotlb_page"], f"{where}: page spans = page-selective descriptors")


def csv_matches(tmp):
    doc = result(tmp / "one")
    rows = list(csv.DictReader(open(tmp / "one" / "summary.csv")))
    check(len(rows) == len(doc["runs"]), "summary.csv has one row per run")
    for row, r in zip(rows, doc["runs"]):
        for name, value in r["stats"].items():
            text = row[name]
            check((text == "") == (value is None) and (value is None or float(text) == value),
                  f"summary.csv: {name} is {text!r}, result.json has {value!r}")
    series = list(csv.DictReader(open(tmp / "one" / "timeseries.csv")))
    for r in doc["runs"]:
        mine = [row for row in series if row["api"] == r["api"] and row["iommu"] == r["iommu"]]
        total = sum(int(row["qi.desc_total"]) for row in mine)
        check(total == r["stats"]["qi.desc_total"], f"{r['api']} {r['iommu']}: intervals sum to the whole")


def json_is_pure(tmp, scenario):
    """One document on standard output, the same as result.json, and nothing else there."""
    done = run("run", scenario, "--json", "-v")
    check(json.loads(done.stdout) == result(tmp / "one"), "--json differs from result.json", done)
    for args in (["params"], ["stats"], ["presets"], ["presets", "qemu"], ["apis"], ["workloads"],
                 ["config", "show", scenario], ["config", "check", scenario], ["plot", "--list"]):
        done = run(*args, "--json")
        try:
            json.loads(done.stdout)
        except ValueError:
            check(False, f"{args} --json is not JSON", done)


def interleaving(tmp, scenario):
    """Machines that run beside one another give what each gives alone."""
    together = {(r["api"], r["iommu"]): r for r in result(tmp / "one")["runs"]}
    for (api, mode), r in together.items():
        done = run("run", scenario, "--api", api, "--iommu", mode, "--json")
        check(json.loads(done.stdout)["runs"] == [r], f"{api} {mode} alone differs")


def seeds(scenario):
    doc = json.loads(run("run", scenario, "--seeds", "3", "--iommu", "strict", "--json").stdout)
    check([r["seed"] for r in doc["runs"]] == [7, 7, 8, 8, 9, 9], "seeds count up")
    alone = json.loads(run("run", scenario, "--set", "scenario.seed=8", "--iommu", "strict", "--json").stdout)
    check(doc["runs"][2:4] == alone["runs"], "a seed among others differs from the same alone")


def origins(tmp, scenario):
    rows = {r["name"]: r for r in json.loads(run("config", "show", scenario, "--json", "--set", "iotlb.entries=64",
                                                   "--set", "scenario.preset=broadwell-ep").stdout)}
    check(rows["iotlb.entries"]["origin"] == "--set" and rows["iotlb.entries"]["value"] == "64", "--set beats preset")
    check(rows["walker.concurrency"]["origin"] == "preset broadwell-ep", "preset beats default")
    check(rows["cpu.count"] == {"name": "cpu.count", "value": "4", "origin": f"{scenario}:12"}, "file and line")
    check(rows["qi.entries"]["origin"] == "default", "default")


def standard_input(tmp):
    """A trace through a pipe gives what the file gives."""
    trace = SOURCE / "scenarios" / "data" / "nvme-mixed.trace.txt.zst"
    first = run("replay", trace, "--preset", "qemu", "--json")
    check(first.returncode == 0, "replay of the shipped recording", first)
    piped = run("replay", "-", "--preset", "qemu", "--json", stdin=trace.read_bytes())
    check(piped.returncode == 0, "replay from standard input", piped)
    if not first.returncode and not piped.returncode:
        check(json.loads(first.stdout)["runs"] == json.loads(piped.stdout)["runs"], "file and pipe differ")


def perf_names(tmp):
    """A result under the names of Intel's counters has the numbers of the statistics they stand for."""
    names = {r.get("perf_uncore", r.get("perf_dmar")): r["name"]
             for r in json.loads(run("stats", "--perf-names", "--json").stdout)}
    check(names.get("UNC_IIO_IOMMU0.MISSES") == "iotlb.misses" and names.get("iotlb_hit") == "iotlb.hits", f"{names}")
    shown = json.loads(run("query", tmp / "one", "--perf-names", "--where", "iommu=strict", "--json").stdout)
    stats = {r["api"]: r["stats"] for r in result(tmp / "one")["runs"] if r["iommu"] == "strict"}
    check(len(shown) == 2 * len(names), f"{len(shown)} cells of {len(names)} counters")
    for cell in shown:
        value = stats[cell["api"]][names[cell["statistic"]]]
        check(cell["mean"] == value, f"{cell['statistic']} is {cell['mean']}, {names[cell['statistic']]} {value}")
    done = run("explain", "UNC_IIO_IOMMU0.MISSES", "--json")
    check(json.loads(done.stdout)[0]["name"] == "iotlb.misses", "explain of an event", done)
    one = json.loads(run("query", tmp / "one", "iommu_mrds", "--json").stdout)
    check({c["statistic"] for c in one} == {"walker.memory_reads"}, "an event as statistic of a query")


def curves(tmp):
    """What a measuring workload found is in curve.csv, row by row what --json has; other loads leave none."""
    scenarios = {
        "pcie_bench": "[pcie_bench]\nwindows = 64KiB,1MiB\nsamples = 300\n",
        "map_bench": "[map_bench]\niterations = 200\n",
        "rx_ring": "[rx_ring]\npackets = 500\nwarm_up = 200\n",
    }
    for kind, text in scenarios.items():
        path, out = tmp / f"{kind}.ini", tmp / kind
        path.write_text(f"[scenario]\nfidelity = timing\n[compare]\niommu = strict, off\n[workload]\nkind = {kind}\n{text}")
        done = run("run", path, "-o", out, "--preset", "icelake-sp")
        check(done.returncode == 0, f"{kind} with --preset", done)
        doc = result(out)
        check(doc["scenario"]["scenario.preset"] == "icelake-sp", f"{kind}: --preset is in the result")
        rows = list(csv.DictReader(open(out / "curve.csv")))
        want = [(r, v) for r in doc["runs"] for v in r["curve"]["rows"]]
        check(len(rows) == len(want) > 0, f"{kind}: {len(rows)} rows in curve.csv, {len(want)} in result.json")
        for row, (r, values) in zip(rows, want):
            check(all(row[k] == str(r[k]) for k in ("api", "iommu", "kernel", "workload", "fidelity", "seed")),
                  f"{kind}: {row} is not the row of {r['api']} {r['iommu']}")
            found = [float(row[c]) for c in r["curve"]["columns"]]
            check(found == values, f"{kind}: curve.csv has {found}, result.json {values}")
        done = run("run", path, "-o", tmp / "series", "--preset", "icelake-sp", "--interval", "20us")
        check(done.returncode == 0, f"{kind} with --interval", done)
        check((tmp / "series" / "result.json").read_bytes() == (out / "result.json").read_bytes(), f"{kind}: looking changes it")
        strict = [row for row in csv.DictReader(open(tmp / "series" / "timeseries.csv")) if row["iommu"] == "strict"]
        name = "qi.desc_iotlb_page" if kind == "map_bench" else "iotlb.lookups"
        busy = [int(row[name]) for row in strict if int(row[name])]
        total = sum(r["stats"][name] for r in doc["runs"] if r["iommu"] == "strict")
        check(len(busy) > 4 and sum(busy) == total, f"{kind}: {len(busy)} busy intervals, {sum(busy)} of {total} {name}")
    check(not (tmp / "one" / "curve.csv").exists(), "a curve of a load that measures none")


def shown_to_people():
    """Ranges in plain numbers and units; quantiles of sizes that occur; common words of the field."""
    lines = {w[0]: w for w in (l.split() for l in run("params").stdout.decode().splitlines()) if w}
    check(lines["iotlb.entries"][2] == "0..16777216", f"{lines['iotlb.entries']}")
    check(lines["pcie_bench.piece"][2] == "4KiB..4MiB", f"{lines['pcie_bench.piece']}")
    check(lines["qi.service"][2] == "0..1ms", f"{lines['qi.service']}")
    check(lines["cpu.cost_doorbell"][2] == "0..1000000000", f"{lines['cpu.cost_doorbell']}")
    trace = SOURCE / "scenarios" / "data" / "nvme-mixed.trace.txt.zst"
    sizes = json.loads(run("trace", "info", trace, "--json").stdout)["size_bytes"]
    check((sizes["p50"], sizes["p90"], sizes["p99"]) == (32768, 61440, 65536), f"quantiles of sizes: {sizes}")
    cap, ecap = json.loads(run("explain", "iommu.cap=c90780106f0462", "iommu.ecap=3ee9e86f050df", "--json").stdout)
    check(cap["domains (ND)"] == "256" and cap["second-stage levels (SAGAW)"].split() == ["4"], f"{cap}")
    check(cap["largest page-selective invalidation (MAMV)"].startswith("2^9 pages"), f"{cap}")
    check(cap["second-stage pages (SSLPS)"] == "4 KiB" and cap["fault records (NFR)"] == "8", f"{cap}")
    check("SMTS" in ecap["has"] and "NEST" in ecap["has"] and ecap["PASID width (PSS)"] == "20 bits", f"{ecap}")
    found = {r["name"] for r in json.loads(run("explain", "cap", "iotlb", "hit_latency", "--json").stdout)}
    check(found == {"iommu.cap", "iotlb", "iotlb.hit_latency"}, f"explain of parts of names: {found}")
    facts = json.loads(run("explain", "qi.page_span", "--json").stdout)[0]
    check(facts["kind"] == "histogram" and facts["unit"] == "pages", f"explain of a histogram: {facts}")
    done = run("explain", "iommu.cap=xyz")
    check(done.returncode == 2, "explain of no register", done)
    done = run("explain", "flushes", "--json")
    names = {r["name"] for r in json.loads(done.stdout)}
    check({"qi.desc_iotlb_page", "qi.desc_iotlb_domain", "qi.desc_iotlb_global"} <= names, "explain flushes", done)


def explains_everything():
    """Every name that a listing shows, and every CPU step, has an explanation."""
    listings = [[r["name"] for r in json.loads(run(c, "--json").stdout)] for c in ("params", "stats", "apis", "workloads")]
    names = [n for group in listings for n in group] + ["strict", "lazy", "passthrough", "off"]
    done = run("explain", *names, "--json")
    check(done.returncode == 0, "explain of every name", done)
    found = {r["name"] for r in json.loads(done.stdout)} if done.returncode == 0 else set()
    check(found == set(names), f"explained and asked differ: {sorted(found ^ set(names))[:5]}")


folder, tmp = scratch()
with folder:
    path = tmp / "s.ini"
    path.write_text(SCENARIO)
    golden(tmp, path)
    contents(tmp)
    csv_matches(tmp)
    json_is_pure(tmp, path)
    interleaving(tmp, path)
    seeds(path)
    origins(tmp, path)
    standard_input(tmp)
    perf_names(tmp)
    explains_everything()
    curves(tmp)
    shown_to_people()
finish()
