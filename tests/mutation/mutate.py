#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants one fault at a time in models/ and sim/ and sees whether the quick suites notice.

   tests/mutation/mutate.py [--count N] [--seed S] [--folder models/dma] [--jobs N] [--minutes M]
   tests/mutation/mutate.py --table

The faults are a random sample of all places where an operator fits, fixed by the seed; the same command goes on where
it was stopped (build/mutation/results.jsonl). The tree is copied to build/mutation/tree and built there without the
link probes. For each fault the tests of its file run first, then those of its folder, then all unit, property, golden and exactness
tests: the first that fails has caught it. Survivors that cannot be told from the original stand in equivalent.txt beside
this script, one "file: original line" each, with the reason behind a tab; they count as equivalent, not as caught.
"""
import argparse
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
WORK = SOURCE / "build" / "mutation"
TREE, BUILD, RESULTS = WORK / "tree", WORK / "tree" / "build", WORK / "results.jsonl"
FOLDERS = ["sim", "models/memory", "models/vtd", "models/pcie", "models/dma", "models/device"]

# name, what it looks for, what it puts there
OPERATORS = [
    ("equal", r"(?<![=!<>+\-*/&|^])==(?!=)", "!="),
    ("unequal", r"!=", "=="),
    ("less", r"(?<![<\-=])<(?![<=])(?= )", "<="),
    ("at most", r"<=", "<"),
    ("more", r"(?<![>\-=])>(?![>=])(?= )", ">="),
    ("at least", r">=", ">"),
    ("and", r"&&", "||"),
    ("or", r"\|\|", "&&"),
    ("plus", r"(?<=[\w)\]]) \+ (?=[\w(])", " - "),
    ("minus", r"(?<=[\w)\]]) - (?=[\w(])", " + "),
    ("add", r"\+=", "-="),
    ("subtract", r"-=", "+="),
    ("not", r"(?<=[(&|] )!(?=\w)|(?<=\()!(?=\w)", ""),
    ("up", r"\+\+", "--"),
    ("one", r"(?<=[ (])1(?=[;),])", "2"),
    ("zero", r"(?<=[ (])0(?=[;),])", "1"),
    ("shift left", r"<<", ">>"),
    ("minimum", r"\bMIN\(", "MAX("),
    ("maximum", r"\bMAX\(", "MIN("),
    ("true", r"\btrue\b", "false"),
    ("false", r"\bfalse\b", "true"),
    ("no call", r"^\t+[a-z_]+\([^;{}]*\);$", ";"),
    ("no count", r"^\t+[\w>.\-]+(\+\+|\s\+=\s[^;]+);$", ";"),
]


def code_lines(path):
    """Line numbers of statements: no comment, no table of names, no assertion, no declaration of a function."""
    inside, comment = False, False
    for number, line in enumerate(path.read_text().splitlines()):
        if line == "{":
            inside = True
        elif line == "}":
            inside = False
        start = line.strip().startswith(("/*", "*", "//"))
        comment = (comment or start) and "*/" not in line
        if inside and not comment and not start and "g_assert" not in line and '"' not in line and not line.startswith("#"):
            yield number, line


def places(folders):
    found = []
    for folder in folders:
        for path in sorted((SOURCE / folder).glob("*.c")):
            if path.name in ("dma_debug.c", "dma_debug_table.c"):
                continue  # what watches is tested by what it catches
            for number, line in code_lines(path):
                for name, pattern, put in OPERATORS:
                    for match in re.finditer(pattern, line):
                        new = line[: match.start()] + put + line[match.end():]
                        found.append(dict(file=str(path.relative_to(SOURCE)), line=number + 1, operator=name, old=line, new=new))
    return found


def prepare(jobs):
    WORK.mkdir(parents=True, exist_ok=True)
    TREE.mkdir(exist_ok=True)
    files = subprocess.run(["git", "ls-files"], cwd=SOURCE, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, files):
        target = TREE / name
        if not (SOURCE / name).is_file():
            continue
        if not target.exists() or target.read_bytes() != (SOURCE / name).read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SOURCE / name, target)
            target.touch()
    subprocess.run(["cmake", "-G", "Ninja", "-S", TREE, "-B", BUILD, "-DCMAKE_BUILD_TYPE=", "-DCMAKE_C_FLAGS=-O1",
                    "-DDMASIM_PROBES=OFF"], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run(["ninja", "-C", BUILD, f"-j{jobs}"], stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit("the tree does not build without a fault")


def tests_for(file):
    """Names of test programs: of the file, of its folder, all others; the slow property tests last."""
    stem, folder = pathlib.Path(file).stem, pathlib.Path(file).parent
    own = [f"test_{stem}"]
    near = sorted(p.stem for p in (TREE / "tests" / "unit" / folder).glob("test_*.c"))
    far = sorted(p.stem for p in (TREE / "tests" / "unit").rglob("test_*.c"))
    rest = sorted(p.stem for kind in ("golden", "exact", "property") for p in (TREE / "tests" / kind).glob("test_*.c"))
    seen = []
    for name in own + near + rest + far:
        if name not in seen and any((TREE / "tests").rglob(f"{name}.c")):
            seen.append(name)
    return seen


def judge(fault, jobs):
    path = TREE / fault["file"]
    original = path.read_text()
    lines = original.split("\n")
    lines[fault["line"] - 1] = fault["new"]
    path.write_text("\n".join(lines))
    try:
        names = tests_for(fault["file"])
        near = len([n for n in names if (TREE / "tests/unit" / pathlib.Path(fault["file"]).parent / f"{n}.c").exists()])
        for group in (names[:1], names[1:near], names[near:]):
            if not group:
                continue
            built = subprocess.run(["ninja", "-C", BUILD, f"-j{jobs}", *group], capture_output=True, text=True)
            if built.returncode:
                return "does not build", ""
            for name in group:
                try:
                    done = subprocess.run([BUILD / "tests" / name], cwd=BUILD, capture_output=True, timeout=150)
                except subprocess.TimeoutExpired:
                    return "caught", f"{name} (hangs)"
                if done.returncode not in (0, 77):
                    return "caught", name
        return "survived", ""
    finally:
        path.write_text(original)


def equivalents():
    path = pathlib.Path(__file__).with_name("equivalent.txt")
    rows = [r.split("\t") for r in path.read_text().splitlines() if r and not r.startswith("#")] if path.exists() else []
    return {r[0] for r in rows}


def table():
    results = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    known = equivalents()
    print(f"{'folder':16} {'faults':>6} {'caught':>6} {'equivalent':>10} {'survived':>8} {'caught of the rest':>18}")
    for folder in [*FOLDERS, "all"]:
        mine = [r for r in results if r["verdict"] != "does not build" and folder in (str(pathlib.Path(r["file"]).parent), "all")]
        caught = sum(r["verdict"] == "caught" for r in mine)
        same = sum(r["verdict"] == "survived" and f"{r['file']}: {r['old'].strip()}" in known for r in mine)
        left = len(mine) - same
        if mine:
            print(f"{folder:16} {len(mine):6} {caught:6} {same:10} {left - caught:8} {100 * caught / left if left else 100:17.1f}%")
    for r in results:
        if r["verdict"] == "survived" and f"{r['file']}: {r['old'].strip()}" not in known:
            print(f"{r['file']}:{r['line']}: {r['operator']}\n  - {r['old'].strip()}\n  + {r['new'].strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if not options.table:
        prepare(options.jobs)
        all_places = places(options.folder or FOLDERS)
        sample = random.Random(options.seed).sample(all_places, min(options.count, len(all_places)))
        done = {json.dumps([r["file"], r["operator"], r["old"], r["new"]]) for r in map(json.loads, RESULTS.read_text().splitlines())} if RESULTS.exists() else set()
        end = time.monotonic() + 60 * options.minutes
        for number, fault in enumerate(sample):
            if time.monotonic() > end:
                break
            if json.dumps([fault["file"], fault["operator"], fault["old"], fault["new"]]) in done:
                continue
            verdict, by = judge(fault, options.jobs)
            with open(RESULTS, "a") as out:
                out.write(json.dumps({**fault, "verdict": verdict, "by": by}) + "\n")
            print(f"{number + 1}/{len(sample)} {fault['file']}:{fault['line']} {fault['operator']}: {verdict} {by}", file=sys.stderr, flush=True)
    table()


main()
