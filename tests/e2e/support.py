# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the end-to-end tests: run the program, collect failures, work in a scratch folder."""
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

BINARY = os.path.abspath(sys.argv[1])
SOURCE = pathlib.Path(os.environ.get("DMASIM_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
failures = []


def run(*args, stdin=None, env=None, cwd=None, timeout=300):
    environment = {k: v for k, v in os.environ.items() if k != "LC_ALL"}
    environment.update(env or {})
    return subprocess.run([BINARY, *map(str, args)], input=stdin, capture_output=True, env=environment, cwd=cwd,
                          timeout=timeout)


def check(condition, what, done=None):
    if condition:
        return
    if done is not None:
        what += f"\n  status {done.returncode}\n  stdout {done.stdout[-400:]!r}\n  stderr {done.stderr[-600:]!r}"
    failures.append(what)
    print("FAILED:", what, file=sys.stderr)


def sweep_content(folder):
    """Every table of a sweep's database, in a fixed order."""
    tables = "points varied parameters provenance runs statistics memory histograms".split()
    with sqlite3.connect(folder / "sweep.db") as db:
        check(db.execute("pragma integrity_check").fetchone() == ("ok",), f"{folder}: integrity")
        rows = {t: db.execute(f"select * from {t} order by 1, 2, 3").fetchall() for t in tables}
        rows["meta"] = db.execute("select * from meta order by 1").fetchall()
        return rows


def wait_for(condition, seconds=60):
    """Until condition() holds; a loaded machine only takes longer."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def catches_sigint(pid):
    """Has the process installed its handler?"""
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("SigCgt:"):
            return int(line.split()[1], 16) >> 1 & 1
    return False


def scratch():
    folder = tempfile.TemporaryDirectory(prefix="dmasim-e2e-")
    return folder, pathlib.Path(folder.name)


def finish():
    sys.exit(1 if failures else 0)
