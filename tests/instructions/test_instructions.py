# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions per request of three reference runs, counted by callgrind: none may grow by more than 3 %.

test_instructions.py BENCH_REPLAY COMPILER [--record]

counts.txt holds them, per compiler and build (what CMake calls them), as these decide the number. --record writes the row of
this build anew: do so when a change is worth its instructions, or when it saves some.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

COUNTS = pathlib.Path(__file__).with_name("counts.txt")
RUNS = {"strict": ("legacy", "strict", "counts"), "link-lazy": ("link", "lazy", "counts"),
        "timing": ("legacy", "strict", "timing")}
GROWTH = 1.03
SKIP = 77
REQUESTS = 20000  # more in the longer of two runs: what start and end cost falls out
PER_TIMING = 4  # bench_replay makes that many times fewer requests in timing


def instructions(bench, millions, arguments):
    with tempfile.NamedTemporaryFile() as out:
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", bench, str(millions),
                               *arguments], capture_output=True, text=True, check=True)
    return int(re.search(r"Collected\s*:\s*(\d+)", done.stderr)[1])


def per_request(bench, arguments):
    step = REQUESTS / 1e6
    more = instructions(bench, 2 * step, arguments) - instructions(bench, step, arguments)
    return more / REQUESTS * (PER_TIMING if arguments[2] == "timing" else 1)


def recorded():
    """{(compiler, run): instructions}"""
    rows = (line.split() for line in COUNTS.read_text().splitlines() if line and not line.startswith("#"))
    return {(compiler, run): float(count) for compiler, run, count in rows}


def record(compiler, counts):
    rows = {**recorded(), **{(compiler, run): count for run, count in counts.items()}}
    text = "# compiler and build, reference run, instructions per request\n"
    COUNTS.write_text(text + "".join(f"{c} {r} {n:.0f}\n" for (c, r), n in sorted(rows.items())))


def main():
    bench, compiler = sys.argv[1:3]
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        return SKIP
    known = recorded()
    recording = "--record" in sys.argv
    if not recording and not any(c == compiler for c, _ in known):
        print(f"skipped: nothing is recorded for {compiler}")
        return SKIP
    counts = {run: per_request(bench, arguments) for run, arguments in RUNS.items()}
    if recording:
        record(compiler, counts)
        return 0
    grown = 0
    for run, count in counts.items():
        before = known[compiler, run]
        print(f"{run}: {count:.0f} instructions a request, recorded {before:.0f}")
        grown += count > before * GROWTH
    if grown:
        print(f"{grown} grew by more than 3 %: find out why, or record them anew with --record")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
