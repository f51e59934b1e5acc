# SPDX-License-Identifier: GPL-2.0-or-later
"""dmasim trace: info, convert, generate, validate; each workload generated and replayed from a pipe."""
import json

from support import SOURCE, check, finish, run, scratch

DATA = SOURCE / "tests" / "data" / "trace"


def ok(what, done):
    check(done.returncode == 0, what, done)
    return done


def conversions(tmp):
    """Any format to text, to binary, back to the same text."""
    for name in ["msr.csv", "fio-v3.iolog", "nvme.blkparse.txt", "k70-d06.trace.txt.xz", "sg.trace.dat"]:
        first, binary, second = tmp / "1.csv", tmp / "2.dmt", tmp / "3.csv.zst"
        ok(name, run("trace", "convert", DATA / name, first))
        ok(name, run("trace", "convert", first, binary))
        ok(name, run("trace", "convert", binary, second))
        back = ok(name, run("trace", "convert", second, "-", "-q"))
        check(back.stdout == first.read_bytes(), f"{name}: text, binary and back differ", back)
        told = [json.loads(ok(name, run("trace", "info", "--json", p)).stdout) for p in (DATA / name, first, binary)]
        for key in ("records", "bytes", "duration_ns", "events", "common_sizes", "footprint_bytes", "with_segments"):
            check(told[0][key] == told[1][key] == told[2][key], f"{name}: {key} differs after conversion")


def generation(tmp):
    listing = json.loads(ok("list", run("trace", "generate", "--json")).stdout)
    check(set(listing["generators"]) >= {"nvme", "rdma_odp", "vfio_migration"}, "generators are missing")
    short = {"nvme": "requests=500", "rdma_odp": "messages=300", "vfio_migration": "state_bytes=16MiB"}
    for name, preset in listing["presets"].items():
        path = tmp / f"{name}.dmt"
        ok(name, run("trace", "generate", name, short[preset["generator"]], "-o", path, "--seed", "5"))
        done = ok(name, run("trace", "validate", "--json", path))
        check(json.loads(done.stdout)[0]["workload"] == preset["generator"], f"{name}: wrong workload")
    for kind, setting in short.items():
        text = ok(kind, run("trace", "generate", kind, setting, "-q")).stdout
        done = ok(kind, run("replay", "-", "--json", "--iommu", "strict", stdin=text))
        runs = json.loads(done.stdout)["runs"]
        check({r["api"] for r in runs} == {"legacy", "link"}, f"{kind}: both APIs must run")
        check(all(r["stats"]["io.completed"] > 0 for r in runs), f"{kind}: nothing was completed")
        check(all(r["workload"] == kind for r in runs), f"{kind}: replayed as something else")


def mistakes(tmp):
    cases = [
        (["trace", "info", tmp / "none.csv"], 3, "none.csv"),
        (["trace", "convert", DATA / "msr.csv"], 2, "input and an output"),
        (["trace", "convert", DATA / "msr.csv", "/nonexistent/x.csv"], 4, "/nonexistent/x.csv"),
        (["trace", "generate", "nvmee"], 2, "nvme"),
        (["trace", "generate", "nvme", "raet=5"], 2, "rate"),
        (["trace", "generate", "nvme", "rate=fast"], 2, "rate"),
        (["trace", "generate", "nvme", "sizes=3"], 2, "sizes"),
        (["trace", "inform", DATA / "msr.csv"], 2, "info"),
        (["trace", "info", "--format", "xml", DATA / "msr.csv"], 2, "native-csv"),
        (["trace", "info", "--time-scale", "no", DATA / "msr.csv"], 2, "--time-scale"),
        (["trace", "info", "--as", "nvme", DATA / "msr.csv"], 2, "dma_replay"),
    ]
    for args, status, word in cases:
        done = run(*args)
        check(done.returncode == status, f"{args}: want status {status}", done)
        check(word in done.stderr.decode(), f"{args}: the message does not say {word!r}", done)
        check(done.stdout == b"", f"{args}: standard output is not empty", done)
    # One bad line among many: counted by info, the end for validate; a cut file is an error for both.
    lines = (DATA / "msr.csv").read_text().splitlines(keepends=True) * 5
    bad = tmp / "bad.csv"
    bad.write_text("".join(lines[:150]) + "oops\n" + "".join(lines[150:]))
    told = json.loads(ok("one bad line", run("trace", "info", "--json", bad)).stdout)
    check(told["records"] == 300 and told["reading"]["bad"]["malformed"] == 1, "the bad line is not counted")
    check(f"{bad}:151:1" in told["reading"]["first_bad"], "the bad line is not named")
    done = run("trace", "validate", bad)
    check(done.returncode == 3 and f"{bad}:151:1" in done.stderr.decode(), "validate must name the line", done)
    cut = tmp / "cut.csv"
    cut.write_text("".join(lines)[:-30])
    done = run("trace", "info", cut)
    check(done.returncode == 3 and f"{cut}:300" in done.stderr.decode(), "a cut file must be an error", done)
    left = [p.name for p in tmp.iterdir() if p.name.endswith(".tmp")]
    check(left == [], f"temporary files are left: {left}")


def calls(tmp):
    """A recording read as its mapping calls, directly and through the native form, gives the same runs."""
    recording, native = SOURCE / "tests/data/calls/7.0-windows.trace.txt.zst", tmp / "calls.dmt"
    ok("calls", run("trace", "convert", "--as", "dma_replay", recording, native))
    stats = []
    for args in ([recording, "--as", "dma_replay"], [native]):
        done = ok("calls", run("replay", *args, "--json", "--iommu", "strict"))
        stats.append({r["api"]: r["stats"] for r in json.loads(done.stdout)["runs"]})
    for api in ("legacy", "link"):
        a, b = stats[0][api], stats[1][api]
        check(a["dma_replay.links"] == 832 and a["iova.allocs"] == 13, f"{api}: not the recorded calls")
        check(all(a[k] == b[k] for k in a if k.startswith(("dma_replay.", "iova.", "iommu.", "qi."))),
              f"{api}: the native form runs differently")


keep, folder = scratch()
conversions(folder)
calls(folder)
generation(folder)
mistakes(folder)
finish()
