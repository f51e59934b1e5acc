# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures: every one that applies is drawn, its data adds up with the result, its script redraws it."""
import csv
import json
import shutil
import subprocess
import sys
import xml.dom.minidom

from support import check, finish, run, scratch

if not shutil.which("gnuplot"):
    print("SKIP: no gnuplot")
    sys.exit(77)

SCENARIO = """[scenario]
name = a_name with "quotes" & <signs>
fidelity = timing
[workload]
generator = nvme
requests = 400
sizes = 4KiB:1,64KiB:1
[nvme]
loop = closed
"""


def table(path):
    rows = list(csv.reader(open(path)))
    check(all(len(r) == len(rows[0]) for r in rows), f"{path.name}: rows of different length")
    return [dict(zip(rows[0], r)) for r in rows[1:]]


def drawn(folder, formats=("svg",)):
    names = {p.stem for p in folder.glob("*.gp")}
    for name in names:
        check((folder / f"{name}.csv").exists(), f"{name}: no data beside the picture")
        table(folder / f"{name}.csv")
        if "svg" in formats:
            xml.dom.minidom.parse(str(folder / f"{name}.svg"))
        if "png" in formats:
            check((folder / f"{name}.png").read_bytes().startswith(b"\x89PNG"), f"{name}.png")
        if "pdf" in formats:
            check((folder / f"{name}.pdf").read_bytes().startswith(b"%PDF"), f"{name}.pdf")
    return names


def numbers(result, plots):
    """The bars of `flushes` and `cpu-steps` are what result.json says."""
    runs = {(r["iommu"], r["api"]): r["stats"] for r in json.loads((result / "result.json").read_text())["runs"]}
    for row in table(plots / "flushes.csv"):
        s = runs[row["mode"], row["api"]]
        flushes = s["qi.desc_iotlb_page"] + s["qi.desc_iotlb_domain"] + s["qi.desc_iotlb_global"]
        check(abs(float(row["total"]) - flushes / s["io.completed"]) < 1e-9, f"flushes of {row}")
    for row in table(plots / "cpu-steps.csv"):
        s = runs[row["mode"], row["api"]]
        check(abs(float(row["total"]) * s["io.completed"] / s["cpu.busy_ns"] - 1) < 1e-6, f"steps add up to all: {row}")


def redraws(plots, name):
    before = (plots / f"{name}.svg").read_bytes()
    (plots / f"{name}.svg").unlink()
    done = subprocess.run(["gnuplot", f"{name}.gp"], cwd=plots, capture_output=True)
    check(done.returncode == 0 and (plots / f"{name}.svg").read_bytes() == before, f"{name}.gp by itself: {done.stderr}")


def sweep_figures(tmp, scenario):
    run("sweep", scenario, "-o", tmp / "sweep", "--vary", "nvme.queue_depth=1,8", "--vary", "workload.sizes=4KiB;64KiB",
        "--seeds", "2", "--set", "workload.requests=200")
    for name in ("sweep-throughput", "heat-cpu"):
        done = run("plot", tmp / "sweep", "--figure", name)
        check(done.returncode == 0, f"plot of {name}", done)
    drawn(tmp / "sweep" / "plots")
    curve = table(tmp / "sweep" / "plots" / "sweep-throughput.csv")
    check(len(curve) == 6 * 2 and all(r["n"] == "2" for r in curve), f"points of the curve: {curve}")


folder, tmp = scratch()
with folder:
    path = tmp / "s.ini"
    path.write_text(SCENARIO)
    run("run", path, "-o", tmp / "r", "--interval", "100us")
    listed = json.loads(run("plot", tmp / "r", "--list", "--json").stdout)
    done = run("plot", tmp / "r")
    check(done.returncode == 0, "plot", done)
    names = drawn(tmp / "r" / "plots")
    check(names == {f["name"] for f in listed if f["drawable"]}, f"drawn {names}")
    check({"flushes", "memory", "cpu-steps", "latency", "percentiles", "series"} <= names, f"too few figures: {names}")
    numbers(tmp / "r", tmp / "r" / "plots")
    redraws(tmp / "r" / "plots", "flushes")
    redraws(tmp / "r" / "plots", "latency")
    done = run("plot", tmp / "r", "--figure", "flushes", "--format", "png,pdf", "-o", tmp / "paper")
    check(done.returncode == 0 and drawn(tmp / "paper", ("png", "pdf")) == {"flushes"}, "png and pdf", done)
    sweep_figures(tmp, path)
    done = run("plot", tmp / "r", "--figure", "flushs")
    check(done.returncode == 2 and b"flushes" in done.stderr, "unknown figure", done)
    done = run("plot", tmp / "r", "--figure", "heat-cpu")
    check(done.returncode == 2 and b"heat-cpu" in done.stderr, "a figure without data", done)
    done = run("plot", tmp / "r", "--format", "bmp")
    check(done.returncode == 2, "unknown format", done)
finish()
