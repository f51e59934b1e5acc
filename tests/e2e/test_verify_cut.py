#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording may begin anywhere: whatever is thrown away in front, nothing that is left contradicts the model.

Each shipped recording is cut at random lines and the rest verified, without the summary, which counts the whole.
Other boots: DMASIM_RECORDINGS=DIRECTORY of boots, DMASIM_CUTS=places per recording (20)."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

dmasim = sys.argv[1]
source = Path(os.environ["DMASIM_SOURCE"])
boots = Path(os.environ.get("DMASIM_RECORDINGS", source / "tests/data/recordings"))
cuts = int(os.environ.get("DMASIM_CUTS", "4"))
# One place inside the first call, one at its end, the others anywhere.
rng = random.Random(1)
failed = pieces = 0

if not shutil.which("zstdcat"):
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="dmasim-cut-") as tmp:
    piece = Path(tmp) / "piece.trace.txt"
    for boot in sorted(p for p in boots.iterdir() if p.is_dir()):
        for f in sorted(boot.glob("*.trace.txt.zst")):
            text = subprocess.run(["zstdcat", f], capture_output=True, check=True).stdout.splitlines(True)
            head = [line for line in text if line.startswith(b"#")]
            body = [line for line in text if not line.startswith(b"#")]
            shutil.copy(boot / "environment.txt", tmp)
            for _ in range(cuts):
                at = rng.randrange(len(body))
                piece.write_bytes(b"".join(head + body[at:]))
                run = subprocess.run([dmasim, "verify", piece], capture_output=True, text=True)
                pieces += 1
                if run.returncode:
                    failed += 1
                    print(f"{f} from line {at} on: status {run.returncode}\n{run.stdout[:1500]}{run.stderr[:300]}")
print(f"{pieces} pieces, {failed} with a contradiction")
sys.exit(failed != 0)
