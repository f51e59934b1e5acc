# SPDX-License-Identifier: GPL-2.0-or-later
"""dmasim verify as users call it, and the page it makes."""
import json
import os
import shutil
import subprocess

from support import BINARY, SOURCE, check, finish, run, scratch

DATA = SOURCE / "tests" / "data" / "recordings"

# The page is what the program says today.
done = subprocess.run([SOURCE / "docs" / "regenerate-exactness", "--check"], capture_output=True,
                      env={**os.environ, "DMASIM": BINARY})
check(done.returncode == 0, "docs/exactness.md is out of date: run docs/regenerate-exactness", done)

done = run("verify", DATA / "7.0-strict-map", "--json")
check(done.returncode == 0, "verify of an equal recording", done)
result = json.loads(done.stdout)
totals = result["boots"][0]["totals"]
check(result["equal"] and totals["predicted"] == totals["addresses"] == 1500, "totals of a strict map list", done)
check(totals["divergences"] == 0 and totals["counts"] > 80, "counts are compared", done)

# Files in order are the same boot as their directory.
files = sorted((DATA / "7.0-strict-map").glob("*.trace.txt.zst"))
done = run("verify", *files, "--json")
check(done.returncode == 0 and json.loads(done.stdout)["boots"][0]["totals"] == totals, "files in order", done)

done = run("verify", DATA / "6.12-strict-map", "--set", "kernel.version=6.1")
check(done.returncode == 1 and b"recorded" in done.stdout and b"allocator of" in done.stdout,
      "a divergence: status 1, both sides and the state of the allocator", done)

# Two CPUs search the allocator's tree at once, and the one that began later is done first.
done = run("verify", SOURCE / "tests" / "data" / "two-searches", "--set", "kernel.version=6.12", "--set", "iommu.mode=lazy")
check(done.returncode == 0 and b"equal" in done.stdout, "two searches at once", done)

for args, status, text in (
        (["/nonexistent"], 3, b"/nonexistent"),
        ([SOURCE / "LICENSE"], 3, b"not a line of tracing text"),
        ([DATA / "7.0-strict-map", "--set", "iova.nosuch=1"], 2, b"iova.nosuch"),
        ([DATA / "7.0-strict-map", "--preset", "nosuch"], 2, b"nosuch"),
        ([], 2, b"verify --help")):
    done = run("verify", *args)
    check(done.returncode == status and text in done.stderr, f"verify {args}", done)

folder, tmp = scratch()
with folder:
    # Nothing beside the recording: the events tell kernel and mode.
    plain = os.path.join(tmp, "plain.trace.txt.zst")
    shutil.copy(files[0], plain)
    done = run("verify", plain, "--json")
    check(done.returncode == 0 and json.loads(done.stdout)["boots"][0]["mode"] == "strict", "no summary", done)
    for cut in range(1, 40):
        with open(files[0], "rb") as source, open(plain, "wb") as out:
            data = source.read()
            out.write(data[:len(data) * cut // 40])
        done = run("verify", plain)
        check(done.returncode == 3, f"cut at {cut}/40", done)

finish()
