# SPDX-License-Identifier: GPL-2.0-or-later
"""Sweeps: complete, resumable after kill -9, the same content however they ended; queries add up."""
import csv
import io
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

from support import BINARY, check, finish, run, scratch, sweep_content as content, wait_for

FULL = bool(os.environ.get("DMASIM_FULL"))
SCENARIO = "[scenario]\nname = s\n[compare]\niommu = strict\n[workload]\ngenerator = nvme\nrequests = 2000\n"

def axes():
    n = 250 if FULL else 20
    return ["--vary", f"iotlb.entries=16..{16 * n}+16", "--vary", "workload.sizes=4KiB;16KiB:1,128KiB:1"], 2 * n


def killed(scenario, folder, arguments, times):
    """Start, kill -9 at a random moment, again and again; then let it end."""
    rng = random.Random(int(os.environ.get("DMASIM_SEED", "1")))
    for _ in range(times):
        process = subprocess.Popen([BINARY, "sweep", scenario, "-o", folder, "-q", *arguments])
        time.sleep(rng.uniform(0.02, 6.0 if FULL else 0.25))
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = run("sweep", scenario, "-o", folder, *arguments)
    check(done.returncode == 0, "the sweep after the kills", done)


def resumes(tmp, scenario):
    arguments, points = axes()
    done = run("sweep", scenario, "-o", tmp / "calm", *arguments)
    check(done.returncode == 0 and f"{points} of {points} points".encode() in done.stderr, "undisturbed sweep", done)
    check(sorted(p.name for p in (tmp / "calm").iterdir()) == ["sweep.db"], "only the database is left")
    killed(scenario, tmp / "killed", arguments, 10)
    check(content(tmp / "calm") == content(tmp / "killed"), "killed and resumed: other content")
    before = content(tmp / "calm")
    done = run("sweep", scenario, "-o", tmp / "calm", *arguments)
    check(f"({points} were there)".encode() in done.stderr, "nothing is run twice", done)
    check(content(tmp / "calm") == before, "a second sweep changed the content")
    return points


def grows(tmp, scenario):
    """More values later: only the new points run."""
    first = run("sweep", scenario, "-o", tmp / "grow", "--vary", "iotlb.entries=16,32")
    second = run("sweep", scenario, "-o", tmp / "grow", "--vary", "iotlb.entries=16,32,64")
    check(b"2 of 2" in first.stderr and b"3 of 3 points (2 were there)" in second.stderr, "a grown sweep", second)


def equals_runs(tmp, scenario):
    """A point holds what `run` gives alone."""
    doc = json.loads(run("sweep", scenario, "-o", tmp / "calm", "--json", *axes()[0]).stdout)
    for entries in ("16", "64"):
        alone = json.loads(run("run", scenario, "--set", f"iotlb.entries={entries}", "--json").stdout)["runs"]
        mine = [r for r in doc["runs"] if r["varied"] == {"iotlb.entries": entries, "workload.sizes": "4KiB"}]
        for a, b in zip(alone, mine):
            check(a["stats"] == b["stats"] and a["memory"] == b["memory"], f"point iotlb.entries={entries}")
            full = {k: v for k, v in a["histograms"].items() if v}
            check(full == b["histograms"], f"histograms of point iotlb.entries={entries}")
        check(len(alone) == len(mine) == 2, f"runs of point iotlb.entries={entries}")


def queries(tmp, scenario):
    run("sweep", scenario, "-o", tmp / "seeds", "--vary", "workload.sizes=4KiB;64KiB", "--seeds", "4", "--set",
        "workload.read_share=0.5", "--set", "workload.flush_share=0.1")
    doc = json.loads(run("sweep", scenario, "-o", tmp / "seeds", "--vary", "workload.sizes=4KiB;64KiB", "--seeds", "4",
                         "--set", "workload.read_share=0.5", "--set", "workload.flush_share=0.1", "--json").stdout)
    text = run("query", tmp / "seeds", "flushes", "cpu.busy_ns", "--format", "csv").stdout.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    check(len(rows) == 2 * 2 * 2, f"rows of the query: {len(rows)}")
    for row in rows:
        values = [r["stats"] for r in doc["runs"]
                  if r["varied"]["workload.sizes"] == row["workload.sizes"] and r["api"] == row["api"]]
        numbers = [v["cpu.busy_ns"] if row["statistic"] == "cpu.busy_ns" else
                   v["qi.desc_iotlb_page"] + v["qi.desc_iotlb_domain"] + v["qi.desc_iotlb_global"] for v in values]
        mean = sum(numbers) / 4
        half = 3.182 * (sum((n - mean) ** 2 for n in numbers) / 3 / 4) ** 0.5
        check(int(row["n"]) == 4 and abs(float(row["mean"]) - mean) < 1e-6 * mean + 1e-9, f"mean of {row}")
        check(abs(float(row["high"]) - mean - half) < 1e-6 * mean + 1e-6, f"interval of {row}, want {half}")
        if row["api"] == "legacy":
            check(float(row["ratio"]) == 1, f"ratio of the first column {row}")
    for bad in (["flushs"], ["flushes", "--by", "nothing"], ["flushes", "--where", "x=1"], ["flushes", "--across", "x"]):
        done = run("query", tmp / "seeds", *bad)
        check(done.returncode == 2, f"query {bad}", done)
    done = run("query", tmp / "seeds", "flushs")
    check(b"'flushes'" in done.stderr, "the nearest statistic", done)


def errors(tmp, scenario):
    for arguments, word in ((["--vary", "iotlb.entris=1,2"], b"iotlb.entries"), (["--vary", "iotlb.entries"], b"KEY=V1"),
                            (["--vary", "iotlb.entries=0..4*2"], b"above 0"), (["--vary", "iotlb.entries=4,4"], b"twice"),
                            (["--vary", "iotlb.entries=4,-1"], b"-1"), ([], b"[sweep]")):
        done = run("sweep", scenario, "-o", tmp / "bad", *arguments)
        check(done.returncode == 2 and word in done.stderr, f"sweep {arguments}", done)
        check(not (tmp / "bad").exists(), f"sweep {arguments} made something")
    blocked = tmp / "file"
    blocked.write_text("x")
    done = run("sweep", scenario, "-o", blocked / "d", "--vary", "iotlb.entries=4,8")
    check(done.returncode == 4, "sweep under a file", done)
    junk = tmp / "junk"
    junk.mkdir()
    (junk / "sweep.db").write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    done = run("query", junk, "flushes")
    check(done.returncode == 3 and b"sweep.db" in done.stderr, "not a database", done)


def in_file(tmp):
    path = tmp / "with-sweep.ini"
    path.write_text(SCENARIO + "[sweep]\niotlb.entries = 16, 32\nworkload.requests = 100..200+50\n")
    done = run("sweep", path, "-o", tmp / "infile")
    check(b"6 of 6 points" in done.stderr, "axes in the file", done)
    done = run("sweep", path, "-o", tmp / "infile", "--vary", "workload.requests=100", "--dry-run")
    check(len(done.stdout.splitlines()) == 2, "--vary beats the file; --dry-run prints commands", done)


def finished_points(folder):
    try:
        with sqlite3.connect(f"file:{folder}/sweep.db?mode=ro", uri=True) as db:
            return db.execute("select count(*) from points").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # not there yet


def interrupted(tmp, scenario):
    """SIGINT: status 130, finished points are kept."""
    arguments = ["--vary", "iotlb.entries=16..4096+16", "--set", "workload.requests=20000"]
    process = subprocess.Popen([BINARY, "sweep", scenario, "-o", tmp / "int", *arguments], stderr=subprocess.PIPE)
    check(wait_for(lambda: finished_points(tmp / "int") > 0), "no point ends")
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=60)
    check(process.returncode == 130, f"SIGINT: want 130, not {process.returncode}: {message!r}")
    check(message.count(b"interrupted") == 1, f"SIGINT: said by each worker: {message!r}")
    check(finished_points(tmp / "int") > 0, "finished points are kept")


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))


def full_disk(tmp, scenario):
    """No room: status 4, the database stays whole, and the sweep goes on when there is room again."""
    command = [BINARY, "sweep", scenario, "-o", tmp / "full", "--vary", "iotlb.entries=16,32,48"]
    done = subprocess.run(command, capture_output=True, preexec_fn=limit_file_size)
    check(done.returncode == 4, "a full disk", done)
    check(b"interrupted" not in done.stderr, "a full disk is no interruption", done)
    done = subprocess.run(command, capture_output=True)
    check(done.returncode == 0 and b"3 of 3 points" in done.stderr, "room again", done)
    run("sweep", scenario, "-o", tmp / "roomy", "--vary", "iotlb.entries=16,32,48")
    check(content(tmp / "full") == content(tmp / "roomy"), "after the full disk: other content")


def parallel(tmp, scenario):
    if not shutil.which("parallel"):
        return
    done = run("sweep", scenario, "-o", tmp / "gnu", "--on", "parallel", "--vary", "iotlb.entries=16,32,48")
    check(done.returncode == 0, "GNU parallel", done)
    run("sweep", scenario, "-o", tmp / "own", "--vary", "iotlb.entries=16,32,48")
    check(content(tmp / "gnu") == content(tmp / "own"), "GNU parallel gives the same content")


folder, tmp = scratch()
with folder:
    path = tmp / "s.ini"
    path.write_text(SCENARIO)
    resumes(tmp, path)
    grows(tmp, path)
    equals_runs(tmp, path)
    queries(tmp, path)
    errors(tmp, path)
    in_file(tmp)
    interrupted(tmp, path)
    full_disk(tmp, path)
    parallel(tmp, path)
finish()
