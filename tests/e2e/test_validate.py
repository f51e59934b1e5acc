#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dmasim validate: blocks, verdicts, documents, exit statuses."""
import json

from support import check, finish, run, scratch


def main():
    keep, folder = scratch()
    done = run("validate", "--only", "P1", "--json")
    check(done.returncode == 0, "P1 is within its tolerances at every window", done)
    document = json.loads(done.stdout)
    points = document["blocks"][0]["points"]
    check(document["judged"] == len(points) == 134 and document["failed"] == 0, "134 points of P1")
    check(all(abs(p["model"] - p["measured"]) <= p["tolerance"] * p["measured"] for p in points), "errors as judged")

    # A machine that is wrong is found out: half the cache.
    done = run("validate", "--only", "P1", "--json", "--set", "iotlb.entries=60")
    check(done.returncode == 1 and json.loads(done.stdout)["failed"] > 0, "a wrong constant fails", done)

    # Page tables, mapping guest memory, migration downtime and bounce buffers hold; the faulting run is
    # known not to in one point.
    for block, judged, failed in (("P11", 16, 0), ("P14", 4, 0), ("P15", 12, 1), ("P16", 2, 0), ("P17", 6, 0),
                                  ("E4R", 25, 0)):
        document = json.loads(run("validate", "--only", block, "--json").stdout)
        check((document["judged"], document["failed"]) == (judged, failed),
              f"{block}: {document['failed']} of {document['judged']} points fail")

    report, figures = folder / "validation.md", folder / "figures"
    done = run("validate", "--only", "P1", "--write", report, "--figures", figures)
    check(done.returncode == 0, "documents", done)
    check("| Broadwell, 4 KiB mappings | 1MiB |" in report.read_text(), "a row of the document")
    check((figures / "P1.csv").read_text().startswith("curve,point,x,model,measured"), "data of the figure")

    done = run("validate", "--only", "P99")
    check(done.returncode == 2 and b"P99" in done.stderr, "an unknown block", done)
    done = run("validate", "--only", "P1", "--set", "iotlb.entires=60")
    check(done.returncode == 2 and b"iotlb.entries" in done.stderr, "an unknown key names the nearest", done)
    keep.cleanup()
    finish()


main()
