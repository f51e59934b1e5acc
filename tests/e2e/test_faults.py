# SPDX-License-Identifier: GPL-2.0-or-later
"""The n-th allocation, read, write, rename, fsync or open of a command fails: it ends right, or it says that it did not.

Each command runs once without a fault, which tells how often it calls what; then with the fault at every place (a sample of places
unless DMASIM_FULL is set). Status 0 with other output than without the fault, a crash, a hang, or something half written are
failures. An allocation that fails ends the program by GLib's abort: that is one of the ways to say so.
"""
import errno
import os
import shutil
import signal
import subprocess
import sys

from support import BINARY, check, finish, run, scratch

SHIM = os.environ.get("DMASIM_FAULT_SHIM", "")
if not SHIM or not os.path.exists(SHIM):
    print("SKIP: no shim to preload")
    sys.exit(77)
FULL = "DMASIM_FULL" in os.environ
# Per command and kind: as many faults as spread over its calls, the first and last among them.
SAMPLE = 60 if FULL else 9
FAULTS = {"malloc": [errno.ENOMEM], "read": [errno.EIO, errno.EINTR, 0], "write": [errno.ENOSPC, errno.EINTR, 0],
          "rename": [errno.EIO], "fsync": [errno.EIO], "open": [errno.EMFILE]}
ABORTS = (-signal.SIGABRT, -signal.SIGTRAP)


def content(folder):
    """Files and their bytes; what tells of the host is left out."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.name not in ("timing.json", "sweep.db") else b""
            for p in sorted(folder.rglob("*")) if p.is_file()}


def one(command, folder, fault=None):
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    counts = folder.parent / "counts"
    environment = {**os.environ, "LD_PRELOAD": SHIM, "DMASIM_FAULT": fault or "malloc:0", "DMASIM_FAULT_COUNTS": str(counts)}
    done = subprocess.run([BINARY, *(c.replace("OUT", str(folder)) for c in command)], capture_output=True, env=environment,
                          timeout=120)
    return done, content(folder), counts


def places(n):
    if n <= SAMPLE:
        return range(1, n + 1)
    return sorted({1 + i * (n - 1) // (SAMPLE - 1) for i in range(SAMPLE)})


def sweep(name, command, tmp):
    whole, files, counts = one(command, tmp / "out")
    check(whole.returncode == 0, f"{name}: without a fault", whole)
    calls = {k: int(n) for k, n in (line.split() for line in counts.read_text().splitlines())}
    check(calls["malloc"] > 0 and calls["open"] > 0, f"{name}: the shim sees no calls: it is not in their way")
    tried = 0
    for kind, errors in FAULTS.items():
        for number in errors:
            for n in places(calls[kind]):
                fault = f"{kind}:{n}:{number}"
                try:
                    done, found, _ = one(command, tmp / "out", fault)
                except subprocess.TimeoutExpired:
                    check(False, f"{name}, {fault}: hangs")
                    continue
                tried += 1
                if done.returncode == 0:
                    check(done.stdout == whole.stdout and found == files, f"{name}, {fault}: status 0 with less", done)
                elif done.returncode == 70 and name == "sweep":
                    pass  # a worker's abort
                elif done.returncode < 0:
                    check(done.returncode in ABORTS and kind == "malloc", f"{name}, {fault}: crash", done)
                else:
                    check(done.stderr, f"{name}, {fault}: no message", done)
                    # Of a sweep, what its next start goes on from; of an abort, files under temporary names.
                    kept = {f for f in found if "sweep.db" not in f and "/points/" not in f and not ("/." in f and kind == "malloc")}
                    check(not kept or kept <= files.keys() and all(found[f] == files[f] for f in kept),
                          f"{name}, {fault}: something half written: {kept}", done)
    print(f"{name}: {tried} faults")


folder, tmp = scratch()
with folder:
    scenario, trace = tmp / "s.ini", tmp / "t.csv"
    scenario.write_text("[compare]\niommu = strict\n[workload]\ngenerator = nvme\nrequests = 60\n")
    run("trace", "generate", "nvme", "requests=60", "-o", trace)
    run("run", scenario, "-o", tmp / "result")
    run("sweep", scenario, "--vary", "iotlb.entries=16,32", "-q", "-o", tmp / "swept")
    commands = {
        "run": ["run", str(scenario), "-q", "-o", "OUT/r", "--timeline", "--interval", "1ms", "--threads", "1"],
        "run --json": ["run", str(scenario), "--json", "--no-progress"],
        "replay": ["replay", str(trace), "--iommu", "strict", "-q", "-o", "OUT/r"],
        "trace convert": ["trace", "convert", str(trace), "-o", "OUT/t.dmt"],
        "query": ["query", str(tmp / "swept"), "io.completed", "--format", "csv"],
        "query --json": ["query", str(tmp / "result"), "io.completed", "--json"],
        "sweep": ["sweep", str(scenario), "--vary", "iotlb.entries=16", "-q", "-j", "1", "-o", "OUT/w"],
    }
    if shutil.which("gnuplot"):
        commands["plot"] = ["plot", str(tmp / "result"), "--figure", "flushes", "-o", "OUT/p"]
        commands["report"] = ["report", str(tmp / "result"), "-o", "OUT/page.html"] if FULL else ["plot", "--list", str(tmp / "swept")]
    for name, command in commands.items():
        sweep(name, command, tmp)
finish()
