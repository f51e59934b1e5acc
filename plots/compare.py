#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bars or curves of any statistic with matplotlib, for those who prefer it to gnuplot.

    plots/compare.py results/mine qi.desc_iotlb_page --per io.completed -o flushes.pdf
    plots/compare.py results/sweep iotlb.misses --per io.completed --over iotlb.entries -o misses.pdf

Reads result.json or sweep.db only. Bars show the mean of all seeds, whiskers the 95 % interval.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from dmasim_results import load  # noqa: E402

# Okabe and Ito: safe for colour-blind readers, distinct in grey.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"]
DASHES = ["-", "--", "-.", ":"]
MARKS = ["o", "s", "^", "D", "v", "P"]
MODES = ["strict", "lazy", "passthrough", "off"]
# Two-sided 95 % points of Student's t for 1 to 10 degrees of freedom, then nearly the normal's.
STUDENT = [12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]


def interval(values):
    """Half width of the 95 % confidence interval of the mean."""
    n = len(values)
    if n < 2:
        return 0.0
    return (STUDENT[n - 2] if n - 2 < len(STUDENT) else 1.96) * values.std(ddof=1) / n ** 0.5


def series(frame, by):
    """(mean, half width) of the value column for each combination of by."""
    groups = frame.groupby(by, sort=False)["value"]
    return groups.mean(), groups.apply(interval)


def bars(ax, frame):
    apis = list(dict.fromkeys(frame["api"]))
    modes = [m for m in MODES if m in set(frame["iommu"])]
    mean, half = series(frame, ["iommu", "api"])
    width = 0.8 / len(apis)
    for i, api in enumerate(apis):
        places = [m + (i - (len(apis) - 1) / 2) * width for m in range(len(modes))]
        heights = [mean.get((m, api), float("nan")) for m in modes]
        ax.bar(places, heights, width * 0.92, label=api, color=COLOURS[i % 6], hatch=["", "//", "..", "xx"][i % 4],
               edgecolor="white", yerr=[half.get((m, api), 0) for m in modes], capsize=2)
    ax.set_xticks(range(len(modes)), modes)


def curves(ax, frame, over):
    for i, ((mode, api), part) in enumerate(frame.groupby(["iommu", "api"], sort=False)):
        mean, half = series(part, over)
        mean, half = mean.sort_index(), half.sort_index()
        ax.errorbar(mean.index, mean, yerr=half, label=f"{api}, {mode}", color=COLOURS[i % 6], linestyle=DASHES[i % 4],
                    marker=MARKS[i % 6], markersize=4, capsize=2)
    ax.set_xlabel(over)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("result")
    parser.add_argument("statistic")
    parser.add_argument("--per", help="divide by this statistic")
    parser.add_argument("--over", help="swept parameter on the x axis")
    parser.add_argument("-o", "--output", required=True, help="picture; the suffix gives the format")
    args = parser.parse_args()
    frame = load(args.result)
    for column in filter(None, (args.statistic, args.per, args.over)):
        if column not in frame:
            sys.exit(f"compare.py: {args.result} has no column {column}; try dmasim stats")
    frame["value"] = frame[args.statistic] / (frame[args.per] if args.per else 1)
    plt.rcParams.update({"font.size": 8, "pdf.fonttype": 42, "svg.hashsalt": "dmasim", "axes.spines.top": False,
                         "axes.spines.right": False, "axes.grid": True, "axes.grid.axis": "y", "grid.alpha": 0.4})
    fig, ax = plt.subplots(figsize=(3.4, 2.2), layout="constrained")
    if args.over:
        curves(ax, frame, args.over)
    else:
        bars(ax, frame)
    seeds = frame["seed"].nunique()
    ax.set_ylabel(args.statistic + (f" / {args.per}" if args.per else ""))
    ax.set_title(f"{frame['workload'].iloc[0]}, {frame['fidelity'].iloc[0]}, n = {seeds}", loc="left", fontsize=8)
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, fontsize=7)
    date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(args.output.rsplit(".", 1)[-1], {})
    fig.savefig(args.output, metadata=date, dpi=200)


main()
