#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tutorial's five commands, exactly as written, in a fresh clone with a fio log in hand."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

source = os.environ["DMASIM_SOURCE"]
if not os.environ.get("DMASIM_FULL"):
    print("SKIP: builds the whole project again; set DMASIM_FULL=1 (./check --full does)")
    sys.exit(77)
for tool in ("git", "gnuplot"):
    if not shutil.which(tool):
        print(f"SKIP: no {tool}")
        sys.exit(77)

text = open(os.path.join(source, "docs/tutorial.md")).read()
block = re.search(r"## Five commands.*?```sh\n(.*?)```", text, re.S).group(1)
commands = [line for line in block.splitlines() if line.strip()]
assert len(commands) == 5, commands

with tempfile.TemporaryDirectory() as tmp:
    clone = os.path.join(tmp, "dmasim")
    if os.path.isdir(os.path.join(source, ".git")) or os.path.isfile(os.path.join(source, ".git")):
        subprocess.run(["git", "clone", "-q", source, clone], check=True)
    else:
        shutil.copytree(source, clone, ignore=shutil.ignore_patterns("build"))
    shutil.copy(os.path.join(source, "tests/data/trace/fio-v3.iolog"), os.path.join(clone, "my.iolog"))
    for command in commands:
        done = subprocess.run(["bash", "-c", command], cwd=clone, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    plots = os.path.join(clone, "results/mine/plots")
    pdfs = [f for f in os.listdir(plots) if f.endswith(".pdf")]
    assert "flushes.pdf" in pdfs and open(os.path.join(plots, "flushes.pdf"), "rb").read(4) == b"%PDF", pdfs
    page = open(os.path.join(clone, "results/mine.html")).read()
    assert "<svg" in page and "dmasim-result" in page
print("1 passed, 0 failed")
