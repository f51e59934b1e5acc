#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Python side: frames equal the result files, pictures of a result and of a sweep are drawn."""
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile

SYSTEM_PYTHON = "/usr/bin/python3"
try:
    import matplotlib  # noqa: F401
    import pandas  # noqa: F401
except ImportError:
    # Debian's pandas belongs to Debian's Python, which may not be the one that runs the tests.
    if os.path.realpath(sys.executable) != os.path.realpath(SYSTEM_PYTHON) and os.path.exists(SYSTEM_PYTHON):
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON] + sys.argv)
    print("SKIP: no pandas or matplotlib (Debian packages python3-pandas python3-matplotlib)")
    sys.exit(77)

binary = os.path.abspath(sys.argv[1])
source = os.environ["DMASIM_SOURCE"]
sys.path.insert(0, os.path.join(source, "plots"))
import dmasim_results  # noqa: E402


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MPLCONFIGDIR": tempfile.gettempdir()})
    assert done.returncode == 0, f"{' '.join(command)}: status {done.returncode}\n{done.stderr}"


def documented_queries(database, frame):
    """The query of docs/sweeps.md, as written, through each reader that it names, against the frame."""
    text = open(os.path.join(source, "docs", "sweeps.md")).read()
    query = text[text.index("    SELECT v.value"):]
    query = query[:query.index(";")]
    strict = frame[frame["iommu"] == "strict"]
    want = strict.groupby(["iotlb.entries", "api"])["iotlb.misses"].mean()
    want = sorted((str(int(entries)), api, mean) for (entries, api), mean in want.items())
    assert len(want) == 4 and len({mean for _, _, mean in want}) > 1, want

    def same(rows, reader):
        found = sorted((str(entries), api, float(mean)) for entries, api, mean in rows)
        assert found == want, f"{reader}: {found}, not {want}"

    with sqlite3.connect(database) as db:
        same(db.execute(query).fetchall(), "sqlite3")
        same(pandas.read_sql(query, db).itertuples(index=False), "pandas")
        described = text[text.index("| table | columns |"):]
        described = set(re.findall(r"^\| `(\w+)` \|", described[:described.index("\n\n")], re.M))
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == described, f"tables {tables}, described {described}"
        for table in tables:
            row = re.search(rf"^\| `{table}` \| ([^|]*) \|", text, re.M).group(1)
            columns = {c[1] for c in db.execute(f"PRAGMA table_info({table})")}
            assert columns == set(re.findall(r"\w+", re.sub(r"\([^)]*\)", "", row))), f"{table}: {columns}, not {row}"
    try:
        import duckdb
    except ImportError:
        return  # not in Debian 12
    with duckdb.connect() as duck:
        duck.execute(f"ATTACH '{database}' AS sweep (TYPE sqlite); USE sweep")
        same(duck.execute(query).fetchall(), "DuckDB")


with tempfile.TemporaryDirectory() as tmp:
    trace = os.path.join(source, "scenarios/data/nvme-mixed.trace.txt.zst")
    result, sweep = os.path.join(tmp, "result"), os.path.join(tmp, "sweep")
    scenario = os.path.join(tmp, "s.ini")
    with open(scenario, "w") as f:
        f.write(f"[compare]\niommu = strict\n[workload]\ntrace = {trace}\n")
    run(binary, "replay", trace, "-q", "-o", result)
    run(binary, "sweep", scenario, "--vary", "iotlb.entries=16,64", "--seeds", "2", "-q", "-o", sweep)

    documented_queries(os.path.join(sweep, "sweep.db"), dmasim_results.load(sweep))

    frame = dmasim_results.load(result)
    doc = json.load(open(os.path.join(result, "result.json")))
    assert len(frame) == len(doc["runs"]) == 6
    for i, r in enumerate(doc["runs"]):
        assert frame["qi.desc_iotlb_page"][i] == r["stats"]["qi.desc_iotlb_page"]
        assert frame["memory.total.peak"][i] == r["memory"]["total"]["peak"]
    wide = dmasim_results.load(sweep)
    assert len(wide) == 2 * 2 * 2, len(wide)
    assert sorted(set(wide["iotlb.entries"])) == [16, 64]
    few, many = (wide[wide["iotlb.entries"] == n]["iotlb.misses"].mean() for n in (16, 64))
    assert few >= many, (few, many)
    ratio = dmasim_results.paired_ratio(frame, "iommu.unmap_ops")
    assert (ratio.dropna() > 0).all()

    script = os.path.join(source, "plots/compare.py")
    for words in ([result, "qi.desc_iotlb_page", "--per", "io.completed", "-o", os.path.join(tmp, "bars.pdf")],
                  [sweep, "iotlb.misses", "--over", "iotlb.entries", "-o", os.path.join(tmp, "curve.svg")]):
        run(sys.executable, script, *words)
        assert os.path.getsize(words[-1]) > 4000
    bad = subprocess.run([sys.executable, script, result, "no.such", "-o", os.path.join(tmp, "x.pdf")], capture_output=True, text=True)
    assert bad.returncode == 1 and "no.such" in bad.stderr
print("1 passed, 0 failed")
