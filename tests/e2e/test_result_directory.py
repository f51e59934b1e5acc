# SPDX-License-Identifier: GPL-2.0-or-later
"""A result directory holds one result, whole: nothing of an older one, nothing of two, nothing half."""
import fcntl
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from support import BINARY, catches_sigint, check, finish, run, scratch, wait_for

SCENARIO = "[scenario]\nfidelity = timing\n[workload]\ngenerator = nvme\nrequests = 300\n"


def limit(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def replaced_whole(tmp, path):
    out = tmp / "result"
    run("run", path, "-o", out, "--interval", "10us", "--timeline")
    first = {p.name for p in out.iterdir()}
    check({"timeseries.csv", "timeline.json", "latency.hgrm"} <= first, f"files of the first run: {first}")
    if shutil.which("gnuplot"):
        run("plot", out)
        check((out / "plots" / "series.svg").exists(), "no figure of the time series")
    run("run", path, "-o", out, "--fidelity", "counts")
    names = {p.name for p in out.iterdir()} - {"plots"}
    check(names == {"result.json", "summary.csv", "timing.json"}, f"left of an older result: {names}")
    if shutil.which("gnuplot"):
        run("plot", out)
        check(not list((out / "plots").glob("series.*")), "a figure of the older result")


def full_disk(tmp, path):
    """Status 4, and the older result is there as it was; every size at which the disk can be full."""
    out = tmp / "kept"
    run("run", path, "-o", out, "--interval", "10us", "--timeline")
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    for size in (0, 100, 4096, 20000):
        for extra in ((), ("--timeline",)):
            done = subprocess.run([BINARY, "run", path, "-o", out, "--seeds", "2", *extra], capture_output=True,
                                  preexec_fn=limit(size))
            check(done.returncode == 4, f"disk full at {size} {extra}: want 4", done)
            check({p.name: p.read_bytes() for p in out.iterdir()} == before, f"disk full at {size} {extra}: changed")
            done = subprocess.run([BINARY, "run", path, "-o", tmp / "new", *extra], capture_output=True, preexec_fn=limit(size))
            check(done.returncode == 4 and not (tmp / "new").exists(), f"disk full at {size} {extra}: left behind", done)
    if not shutil.which("gnuplot"):
        return
    for size in (0, 500, 6000):
        done = subprocess.run([BINARY, "plot", out, "-o", tmp / "plots"], capture_output=True, preexec_fn=limit(size))
        check(done.returncode == 4, f"plot, disk full at {size}: want 4", done)
        pictures = list((tmp / "plots").glob("*.svg")) if (tmp / "plots").exists() else []
        check(all(p.read_text().endswith("</svg>\n\n") or p.read_text().rstrip().endswith("</svg>") for p in pictures),
              f"plot, disk full at {size}: a cut picture")
        done = subprocess.run([BINARY, "report", out, "-o", tmp / "page.html"], capture_output=True, preexec_fn=limit(size))
        check(done.returncode == 4 and not (tmp / "page.html").exists(), f"report, disk full at {size}", done)


def at_once(tmp, path):
    """Runs into one directory: one of the results, whole. A sweep into a directory where one is at work: refused."""
    out = tmp / "shared"
    runs = [subprocess.Popen([BINARY, "run", path, "-q", "-o", out, "--set", f"scenario.name=n{i}"]) for i in range(4)]
    check(all(r.wait() == 0 for r in runs), "runs into one directory failed")
    name = json.loads((out / "result.json").read_text())["scenario"]["scenario.name"]
    check(name in {f"n{i}" for i in range(4)}, f"name {name}")
    check({p.name for p in out.iterdir()} == {"result.json", "summary.csv", "timing.json", "latency.hgrm"},
          f"files of one result: {sorted(p.name for p in out.iterdir())}")
    sweep = tmp / "sweep"
    sweep.mkdir()
    lock = os.open(sweep, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    command = ["sweep", path, "--vary", "iotlb.entries=16,32", "-o", sweep]
    done = run(*command)
    check(done.returncode == 4 and b"another dmasim" in done.stderr, "two sweeps in one directory", done)
    os.close(lock)
    done = run(*command)
    check(done.returncode == 0, "the sweep after the other one", done)


def ignored_children(tmp, path):
    """A parent that ignores SIGCHLD hands that on; the sweep still sees its workers end."""
    command = [BINARY, "sweep", path, "--vary", "iotlb.entries=16,32", "-q", "-o", tmp / "orphans"]
    done = subprocess.run(command, capture_output=True, timeout=120,
                          preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    check(done.returncode == 0, "sweep under a parent that ignores SIGCHLD", done)


def signals(tmp, path):
    if not shutil.which("gnuplot"):
        return
    out = tmp / "signals"
    run("run", path, "-o", out)
    for command in ("report", "plot"):
        for number in (signal.SIGINT, signal.SIGTERM):
            target = tmp / f"{command}-{number}"
            process = subprocess.Popen([BINARY, command, out, "-o", target], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            wait_for(lambda: catches_sigint(process.pid))
            start = time.monotonic()
            process.send_signal(number)
            process.communicate(timeout=60)
            check(process.returncode == 130, f"{command}, signal {number}: want 130, not {process.returncode}")
            check(command == "plot" or not target.exists(), f"{command}, signal {number}: a page was left")


def other_schema(tmp, path):
    folder = tmp / "schema"
    run("sweep", path, "--vary", "iotlb.entries=16,32", "-q", "-o", folder)
    with sqlite3.connect(folder / "sweep.db") as db:
        db.execute("update meta set value = '2' where key = 'schema_version'")
    for command in (["query", folder, "io.completed"], ["plot", folder, "-o", tmp / "p"],
                    ["sweep", path, "--vary", "iotlb.entries=16", "-o", folder]):
        done = run(*command)
        check(done.returncode == 3 and b"version 2" in done.stderr, f"{command[0]}: a database of a later version", done)
    with sqlite3.connect(folder / "sweep.db") as db:
        db.execute("drop table meta")
    done = run("query", folder, "io.completed")
    check(done.returncode == 3 and b"not a sweep database" in done.stderr, "a database of something else", done)


folder, tmp = scratch()
with folder:
    path = tmp / "s.ini"
    path.write_text(SCENARIO)
    replaced_whole(tmp, path)
    full_disk(tmp, path)
    at_once(tmp, path)
    ignored_children(tmp, path)
    signals(tmp, path)
    other_schema(tmp, path)
finish()
