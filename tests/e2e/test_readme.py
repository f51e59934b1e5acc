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
# Times in the README are those of `validate --sensitivity`, with the ends of their ranges.
done = subprocess.run([binary, "validate", "--sensitivity"], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
ranges = {}
for row in done.stdout.splitlines():
    cells = [c.strip() for c in row.strip("|").split("|")]
    if len(cells) == 7 and cells[1].endswith("%"):
        base, low, high = (float(cells[i].rstrip(" %")) for i in (1, 4, 5))
        ranges.setdefault(cells[0], [base]).extend([low, high])
        assert not cells[6], f"a conclusion changes its sign, the README says that none does: {row}"
stated = {
    "two-step API against scatterlists, map and unmap rate of 32 scattered pages, strict":
        "link against legacy, map and unmap rate, 32 scattered pages, strict",
    "strict against lazy, map and unmap rate of one page": "strict against lazy, map and unmap rate, 1 page",
}
for words, name in stated.items():
    found = re.search(rf"^\| {re.escape(words)} \| (\S+) % \| (\S+) % \| (\S+) % \|$", text, re.M)
    assert found, f"the README does not state: {words}"
    want = [ranges[name][0], min(ranges[name]), max(ranges[name])]
    assert all(abs(float(a) - b) <= 0.55 for a, b in zip(found.groups(), want)), f"{words}: {found.groups()}, found {want}"

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

# Commands in the documents use options that exist and name scenarios that are there.
helps = {}
wrong = []
documents = ["README.md"] + [os.path.join("docs", n) for n in sorted(os.listdir(os.path.join(source, "docs"))) if n.endswith(".md")]
seen = 0
for document in documents:
    for line in re.findall(r"(?:^ {4}(?:\$ )?(?:build/release/)?|`)dmasim ([a-z][^`\n]*)", open(os.path.join(source, document)).read(), re.M):
        words = line.split("#")[0].split("|")[0].split()
        if words[0] not in commands:
            wrong.append(f"{document}: no command dmasim {words[0]}")
            continue
        if words[0] not in helps:
            helps[words[0]] = subprocess.run([binary, words[0], "--help"], capture_output=True, text=True).stdout
        options = [w.split("=")[0].rstrip(".,;:)") for w in words if w.startswith("--")]
        wrong += [f"{document}: dmasim {words[0]} has no {o}" for o in options if o not in helps[words[0]]]
        wrong += [f"{document}: {w} is not there" for w in words
                  if w.startswith("scenarios/") and not os.path.exists(os.path.join(source, w)) and w != "scenarios/"]
        seen += 1
assert seen > 40, f"only {seen} commands in the documents"
assert not wrong, "\n".join(wrong)
print(f"{len(blocks)} passed, 0 failed")
