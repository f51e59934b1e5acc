# SPDX-License-Identifier: GPL-2.0-or-later
"""A result of someone else is data: its texts run nothing, break no page and no table, whatever they hold."""
import csv
import html.parser
import io
import json
import shutil
import sys
import xml.dom.minidom

from support import check, finish, run, scratch

if not shutil.which("gnuplot"):
    print("SKIP: no gnuplot")
    sys.exit(77)

SCENARIO = "[scenario]\nname = victim\n[compare]\napi = legacy, link\niommu = strict\n[workload]\ngenerator = nvme\nrequests = 200\n"
# Each ends every kind of string it may stand in, and what follows would leave a file.
TEXTS = ["`touch MARK`$(touch MARK)", "'; system('touch MARK'); x='", '"; system("touch MARK"); x="', "\\\"`touch MARK`\\",
         "''; system('touch MARK'); x=''", "x\n!touch MARK\n`touch MARK`", "</script><!-- <script><img src=x onerror=alert(1)>",
         "a,\"b\",c {/:Bold %s%n%d @x \x1b]0;owned\x07"]


def hostile(doc, text):
    """The text in the place of every text that a figure, a table or the page shows."""
    for run_ in doc["runs"]:
        for key in ("iommu", "workload", "kernel", "fidelity"):
            run_[key] = text
        run_["api"] += text
        run_["stats"]["cpu.step." + text + "_ns"] = 1e9
    for key in doc["scenario"]:
        doc["scenario"][key] = text
    doc["scenario"][text] = text
    doc["provenance"].update(version=text, workload=text, inputs=[dict(name=text, format=text, sha256=text, bytes=1)])
    return doc


def swept(doc, text):
    """As if it came from a sweep over two keys: ticks, axes and heat maps."""
    runs = []
    for x in "123":
        for y in ("4", "5"):
            for run_ in doc["runs"]:
                runs.append({**run_, "varied": {"x" + text: x + text, "y" + text: y + text}})
    return {**doc, "runs": runs}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.data, self.inside = [], "", False

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.inside = tag == "script"
        check(not any(name.startswith("on") for name, _ in attrs), f"an event handler in the page: {attrs}")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.data += data


def one(tmp, original, number, text):
    mark = tmp / f"mark{number}"
    text = text.replace("MARK", str(mark))
    for kind, make in (("plain", lambda d, t: d), ("swept", swept))[number % 2:]:
        folder = tmp / f"{number}-{kind}"
        folder.mkdir()
        doc = make(hostile(json.loads(original), text), text)
        (folder / "result.json").write_text(json.dumps(doc))
        done = run("plot", folder)
        check(done.returncode == 0, f"{text!r}: plot", done)
        for picture in (folder / "plots").glob("*.svg"):
            xml.dom.minidom.parse(str(picture))
        for table in (folder / "plots").glob("*.csv"):
            rows = list(csv.reader(open(table, newline="")))
            check(all(len(r) == len(rows[0]) for r in rows), f"{text!r}: {table.name} has rows of other lengths")
        done = run("report", folder, "-o", folder / "page.html")
        check(done.returncode == 0, f"{text!r}: report", done)
        page = Page()
        page.feed((folder / "page.html").read_text())
        check(json.loads(page.data) == doc, f"{text!r}: the data in the page is not the document")
        check(page.tags.count("script") == 1 and "img" not in page.tags, f"{text!r}: tags of a value in the page")
        done = run("query", folder, "io.completed", "--by", "kernel", "--format", "csv")
        rows = list(csv.reader(io.StringIO(done.stdout.decode(), newline="")))
        check(done.returncode == 0 and all(len(r) == len(rows[0]) for r in rows), f"{text!r}: query as csv", done)
        check(any(text == field for row in rows for field in row), f"{text!r}: query lost the text", done)
        done = run("query", folder, "io.completed", "--by", "kernel")
        check(b"\x1b" not in done.stdout, f"{text!r}: an escape sequence on the terminal", done)
    check(not list(tmp.glob("mark*")), f"{text!r} was run")


folder, tmp = scratch()
with folder:
    (tmp / "s.ini").write_text(SCENARIO)
    run("run", tmp / "s.ini", "-o", tmp / "result")
    for number, text in enumerate(TEXTS):
        one(tmp, (tmp / "result" / "result.json").read_text(), number, text)
finish()
