# SPDX-License-Identifier: GPL-2.0-or-later
"""Results and sweeps of dmasim as pandas frames.

    from dmasim_results import load
    runs = load("results/mine")      # result directory, result.json, sweep directory or sweep.db
    runs.groupby(["iommu", "api"])["qi.desc_iotlb_page"].mean()

One row per run. Columns: api, iommu, kernel, workload, fidelity, seed, the varied parameters of a sweep,
every statistic by its name, memory.ACCOUNT.peak and memory.ACCOUNT.current. A null statistic is NaN.
"""
import json
import os
import sqlite3

import pandas as pd

LABELS = ["api", "iommu", "kernel", "workload", "fidelity", "seed"]


def _number(text):
    """A varied value as a number if it is a plain one, so that it sorts and plots as such."""
    try:
        return float(text)
    except ValueError:
        return text


def _row(run):
    row = {k: run[k] for k in LABELS}
    row.update({k: _number(v) for k, v in run.get("varied", {}).items()})
    row.update(run["stats"])
    for account, value in run["memory"].items():
        row[f"memory.{account}.peak"] = value["peak"]
        row[f"memory.{account}.current"] = value["current"]
    return row


def _load_json(path):
    with open(path) as f:
        doc = json.load(f)
    if doc.get("schema") != "dmasim-result":
        raise ValueError(f"{path}: not a result of dmasim")
    return pd.DataFrame([_row(run) for run in doc["runs"]])


def _load_database(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        frame = pd.read_sql(f"SELECT run, point, {', '.join('runs.' + c for c in LABELS)} FROM runs"
                            " JOIN points USING (point) ORDER BY points.position, runs.position", db, index_col="run")
        stats = pd.read_sql("SELECT run, name, value FROM statistics", db)
        memory = pd.read_sql("SELECT run, account, peak, current FROM memory", db)
        varied = pd.read_sql("SELECT point, key, value FROM varied", db)
    frame = frame.join(stats.pivot(index="run", columns="name", values="value"))
    for kind in ("peak", "current"):
        wide = memory.pivot(index="run", columns="account", values=kind)
        frame = frame.join(wide.rename(columns=lambda account: f"memory.{account}.{kind}"))
    if len(varied):
        wide = varied.pivot(index="point", columns="key", values="value").applymap(_number)
        frame = frame.join(wide, on="point")
    return frame.drop(columns="point").reset_index(drop=True)


def load(path):
    """The runs of a result or sweep as a DataFrame."""
    if os.path.isdir(path):
        for name, reader in (("sweep.db", _load_database), ("result.json", _load_json)):
            file = os.path.join(path, name)
            if os.path.exists(file):
                return reader(file)
        raise FileNotFoundError(f"{path}: neither sweep.db nor result.json in it")
    return _load_json(path) if path.endswith(".json") else _load_database(path)


def paired_ratio(frame, column, by=("iommu", "seed"), base="legacy", other="link"):
    """other's value over base's for equal values of the columns by."""
    wide = frame.pivot_table(index=list(by), columns="api", values=column)
    return wide[other] / wide[base]
