#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every figure in the README is one that the command above it prints."""
import os
import re
import subprocess
import sys

binary = os.path.abspath(sys.argv[1])
source = os.environ["DMASIM_SOURCE"]
text = open(os.path.join(source, "README.md")).read()
blocks = re.findall(r"```console\n\$ dmasim ([^\n]*)\n(.*?)```", text, re.S)
assert len(blocks) >= 5, f"only {len(blocks)} commands in the README"
for command, shown in blocks:
    done = subprocess.run([binary] + command.split(), cwd=source, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stderr}"
    # Padding may differ: the table is as wide as its widest cell.
    printed = {" ".join(line.split()) for line in done.stdout.splitlines()}
    for line in shown.splitlines():
        assert " ".join(line.split()) in printed, f"dmasim {command} does not print:\n  {line}\nbut:\n{done.stdout}"
links = re.findall(r"\]\(([^)#:]+)\)", text)
for link in links:
    assert os.path.exists(os.path.join(source, link)), f"README links to {link}, which is not there"

# Every command is in the README, every workload on a page of its model.
shown = subprocess.run([binary, "--help"], capture_output=True, text=True).stdout
commands = re.findall(r"^  ([a-z]+)  +\S", shown, re.M)
assert len(commands) >= 19, f"commands in --help: {commands}"
quoted = " ".join(re.findall(r"`([^`\n]*)`", text)).split()
for command in commands:
    assert command in quoted, f"the README does not name dmasim {command}"
pages = "".join(open(os.path.join(source, "docs", "models", p)).read() for p in os.listdir(os.path.join(source, "docs", "models")))
for workload in os.listdir(os.path.join(source, "workloads")):
    if os.path.isdir(os.path.join(source, "workloads", workload)) and workload not in ("api", "trace", "dma_replay"):
        assert f"workloads/{workload}`" in pages, f"no page in docs/models on workloads/{workload}"
print(f"{len(blocks)} passed, 0 failed")
