# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input of every kind: the documented exit status, and a message that names place and remedy."""
import json
import os
import resource
import signal
import subprocess

from support import BINARY, SOURCE, catches_sigint, check, finish, run, scratch, wait_for

GOOD = "[workload]\ngenerator = nvme\nrequests = 2000\n"


def scenario(folder, text, name="s.ini"):
    path = folder / name
    path.write_text(text)
    return path


def expect(what, done, status, *words):
    """Exit status, nothing on standard output, one message that holds all words."""
    message = done.stderr.decode()
    check(done.returncode == status, f"{what}: want status {status}", done)
    check(done.stdout == b"", f"{what}: standard output is not empty", done)
    check(message.startswith("dmasim: "), f"{what}: the message does not name the program", done)
    for word in words:
        check(word in message, f"{what}: the message does not say {word!r}", done)


def bad_scenarios(tmp):
    cases = [
        ("unknown section", "[iotbl]\nentries = 4\n", ["s.ini:1", "[iotbl]", "[iotlb]"]),
        ("unknown key", GOOD + "[iotlb]\nentires = 4\n", ["s.ini:5", "iotlb.entires", "iotlb.entries"]),
        ("wrong type", GOOD + "[iotlb]\nentries = many\n", ["s.ini:5", "iotlb.entries", "many"]),
        ("missing unit", GOOD + "[qi]\nservice = 100\n", ["s.ini:5", "qi.service", "ns"]),
        ("wrong unit", GOOD + "[qi]\nservice = 100KiB\n", ["s.ini:5", "qi.service"]),
        ("out of range", GOOD + "[cpu]\ncount = 0\n", ["s.ini:5", "cpu.count", "1"]),
        ("bad choice", GOOD + "[iotlb]\nreplacement = lro\n", ["s.ini:5", "iotlb.replacement", "lru"]),
        ("key before section", "entries = 4\n", ["s.ini:1", "section"]),
        ("neither key nor section", GOOD + "hello\n", ["s.ini:4", "hello"]),
        ("set twice", GOOD + "requests = 3\n", ["s.ini:4", "workload.requests", "s.ini:3"]),
        ("unknown API", GOOD + "[compare]\napi = legacy, lnik\n", ["s.ini:5", "lnik", "link"]),
        ("unknown mode", GOOD + "[compare]\niommu = strikt\n", ["s.ini:5", "strikt", "strict"]),
        ("API twice", GOOD + "[compare]\napi = link, link\n", ["s.ini:5", "twice"]),
        ("unknown preset", "[scenario]\npreset = broadwel-ep\n" + GOOD, ["s.ini:2", "broadwell-ep"]),
        ("unknown workload", "[workload]\nkind = nvem\n", ["s.ini:2", "nvem", "nvme"]),
        ("unknown generator", "[workload]\ngenerator = nvm\n", ["s.ini:2", "nvm", "nvme"]),
        ("trace and generator", GOOD + "trace = x.csv\n", ["s.ini:", "workload.generator", "trace"]),
        ("nothing to run", "[scenario]\nname = x\n", ["workload.trace", "workload.generator"]),
        ("link before 7.0", GOOD + "[kernel]\nversion = 6.12\n", ["s.ini:5", "link", "7.0", "as-shipped"]),
        ("inline comment", GOOD + "[iotlb]\nentries = 4 # few\n", ["s.ini:5", "comment"]),
    ]
    for what, text, words in cases:
        path = scenario(tmp, text)
        expect(what, run("run", path), 2, *words)
        expect(what + " (config check)", run("config", "check", path), 2, *words)
    path = tmp / "binary.ini"
    path.write_bytes(b"\0\1\2\xff")
    expect("binary scenario", run("run", path), 2, "binary.ini", "not a scenario")
    expect("missing scenario", run("run", tmp / "none.ini"), 2, "none.ini")
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    check(run("run", path, "-q").returncode == 0, "byte-order mark and CR LF, as some editors write")
    path.write_bytes(bytes(range(128, 256)) * 20)
    done = run("verify", path)
    expect("binary recording", done, 3, "binary.ini")
    check(done.stderr.isascii(), "bytes of a binary file on the terminal", done)
    scenario(tmp, GOOD, "queue-depth.ini")
    expect("misspelt file", run("run", tmp / "queue-detph.ini"), 2, f"did you mean '{tmp}/queue-depth.ini'")
    done = run("run", "queue-detph.ini", cwd=tmp)
    expect("misspelt file here", done, 2, "did you mean 'queue-depth.ini'")


def impossible_machines(tmp):
    """What a register or a file does not allow: an error before anything runs, in config check, too."""
    good = scenario(tmp, GOOD)
    (tmp / "junk.dmar").write_bytes(b"hello")
    cases = [
        ("no table width", "iommu.cap=0", 2, ["iommu.cap", "SAGAW"]),
        ("width not there", "iommu.levels=3", 2, ["iommu.levels = 3", "SAGAW"]),
        ("no scalable mode", "iommu.scalable=true", 2, ["iommu.scalable", "SMTS"]),
        ("no nesting", "iommu.nested=true", 2, ["iommu.nested", "NEST"]),
        ("bad DMAR", f"iommu.dmar={tmp}/junk.dmar", 3, ["junk.dmar", "acpidump"]),
        ("no DMAR", f"iommu.dmar={tmp}/none.dmar", 3, ["none.dmar"]),
        ("no bounce pool", "swiotlb.size=64KiB", 2, ["swiotlb.size"]),
        ("bad topology", f"pcie.topology={tmp}/none.txt", 2, ["pcie.topology"]),
        ("too many threads", "map_bench.threads=9", 2, ["cpu.count"]),
    ]
    bench = scenario(tmp, "[workload]\nkind = map_bench\n", "m.ini")
    for what, setting, status, words in cases:
        path = bench if "map_bench" in setting else good
        expect(what, run("run", path, "--set", setting), status, *words)
        expect(what + " (config check)", run("config", "check", path, "--set", setting), status, *words)
    large = scenario(tmp, "[workload]\ngenerator = nvme\nrequests = 2000\nsizes = 512KiB\n", "l.ini")
    for fidelity in ("counts", "timing"):  # the run stops half way, with requests under way
        done = run("run", large, "--fidelity", fidelity, "--set", "memory.size=32MiB", "--set", "nvme.queue_depth=64")
        expect(f"memory exhausted, {fidelity}", done, 3, "memory.size")
    drives = scenario(tmp, "[workload]\ngenerator = nvme\ndevices = 15\nrequests = 100\n", "d.ini")
    done = run("run", drives, "--iommu", "strict", "--set", "iommu.cap=8d2078c106f0460")
    expect("no domain left", done, 2, "domain id", "ND")
    done = run("run", drives, "--set", "workload.devices=300", "--set", "workload.requests=300")
    expect("more devices than buses", done, 2, "no PCI bus")
    done = run("run", drives, "--iommu", "strict", "--set", "iommu.cap=8d2078c106f0460", "--set", "workload.devices=14")
    check(done.returncode == 0, "as many devices as there are domains", done)


def bad_usage(tmp):
    good = scenario(tmp, GOOD)
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {BINARY} params | head -2; echo $?"], capture_output=True)
    check(done.stderr == b"" and done.stdout.endswith(b"141\n"), "a reader that leaves", done)
    expect("explain what nothing resembles", run("explain", "xyzzyplugh"), 2, "iotlb", "swiotlb")
    done = run("manual", "-o", tmp / "pages")
    check(done.returncode == 0 and (tmp / "pages/man5/dmasim-result.5").exists(), "manual -o", done)
    done = run("run", good, "--json", "--set", "workload.warmup=50", "--fidelity", "timing")
    rates = [r["stats"]["io.iops"] for r in json.loads(done.stdout)["runs"]] if done.returncode == 0 else [None]
    check(all(rates), f"rates behind a warm-up: {rates}", done)
    expect("unknown command", run("rnu"), 2, "rnu", "'run'")
    expect("unknown option", run("run", good, "--jsn"), 2, "--jsn", "--json")
    expect("option without value", run("run", good, "--api"), 2, "--api", "LIST")
    expect("no scenario", run("run"), 2, "scenario")
    expect("bad number", run("run", good, "--seeds", "many"), 2, "--seeds", "many")
    expect("--set without =", run("run", good, "--set", "iotlb.entries"), 2, "KEY=VALUE")
    expect("--set unknown", run("run", good, "--set", "iotlb.entris=4"), 2, "--set", "iotlb.entries")
    expect("--set range", run("run", good, "--set", "cpu.count=0"), 2, "--set", "cpu.count")
    expect("--api unknown", run("run", good, "--api", "legasy"), 2, "--api", "legacy")
    expect("--iommu unknown", run("run", good, "--iommu", "off,lasy"), 2, "--iommu", "lazy")
    expect("--fidelity", run("run", good, "--fidelity", "time"), 2, "timing")
    expect("--preset unknown", run("run", good, "--preset", "skylake"), 2, "--preset", "skylake-sp")
    trace = SOURCE / "scenarios" / "data" / "nvme-mixed.trace.txt.zst"
    expect("--format unknown", run("replay", trace, "--format", "ftrase"), 2, "ftrase", "ftrace")
    expect("trace --format unknown", run("trace", "info", trace, "--format", "nosuch"), 2, "nosuch", "ftrace")
    expect("generator key", run("trace", "generate", "nvme", "request=5"), 2, "unknown key", "requests")
    expect("explain unknown", run("explain", "flushs"), 2, "'flushes'")
    expect("too many points", run("sweep", good, "--vary", "iotlb.entries=1..9000", "--vary", "qi.entries=1..9000", "-o",
                                  tmp / "many"), 2, "points", "1000000")
    expect("too many shards", run("shards", good, "--shards", "2000000000", "-o", tmp / "many"), 2, "pieces")
    bare = run()
    check(bare.returncode == 2 and not bare.stdout and b"usage" in bare.stderr, "bare dmasim", bare)


def bad_traces(tmp):
    empty, text, short = tmp / "empty.csv", tmp / "text.csv", tmp / "short.csv"
    empty.write_bytes(b"")
    text.write_text("hello\nworld\n")
    short.write_text("# dmasim-trace v1\ntime_ns,cpu,device,queue,op,offset,bytes\n0,0,nvme0,1,R,0,4096\n5,0,nvme0,1,R\n")
    expect("missing trace", run("replay", tmp / "none.csv"), 3, "none.csv")
    expect("empty trace", run("replay", empty), 3, "empty.csv")
    expect("wrong format", run("replay", text), 3, "text.csv")
    expect("bad line", run("replay", short), 3, "short.csv:4")
    expect("a folder", run("replay", tmp), 3, tmp.name)
    header = tmp / "header.csv"
    header.write_text("# dmasim-trace v1\ntime_ns,cpu,device,queue,op,offset,bytes\n")
    expect("no records", run("replay", header), 3, "header.csv")
    cut = tmp / "cut.csv.gz"
    whole = subprocess.run(["gzip", "-c"], input=short.read_bytes() * 200, capture_output=True, check=True).stdout
    cut.write_bytes(whole[: len(whole) // 2])
    expect("truncated compression", run("replay", cut), 3, "cut.csv.gz")
    one = tmp / "one.csv"
    one.write_text("# dmasim-trace v1\ntime_ns,cpu,device,queue,op,offset,bytes\n0,0,nvme0,1,R,0,4096\n")
    done = run("replay", one, "--json")
    check(done.returncode == 0 and b'"io.completed": 1' in done.stdout, "one request", done)
    expect("format", run("replay", one, "--format", "natve-csv"), 2, 'did you mean "native-csv"')
    expect("trace of a scenario", run("run", scenario(tmp, "[workload]\ntrace = none.csv\n")), 3, "none.csv")
    expect("result of no run", run("plot", tmp), 3, "result.json")


def nothing_succeeds(tmp):
    """Status 1, the reason, rows of what failed, and no time per request of none."""
    path = scenario(tmp, """[compare]
iommu = strict, passthrough
[workload]
generator = nvme
requests = 100
sizes = 64KiB
[nvme]
functions = 0000:0e:00.0
p2p_provider = 0000:12:00.0
[pcie]
topology = bridge root id=8086:4c43; port 0000:00:01.0 on root; port 0000:00:06.0 on root; function 0000:0e:00.0 on 0000:00:01.0; function 0000:12:00.0 on 0000:00:06.0 bar0=16GiB
""")
    done = run("run", path, "-o", tmp / "refused")
    text = done.stdout.decode()
    check(done.returncode == 1 and b"no request succeeded" in done.stderr, "a run in which nothing succeeds", done)
    check("failed requests" in text and "first failed request: " in text and "inf" not in text, "rows of what failed", done)
    done = run("report", tmp / "refused", "-o", tmp / "refused.html")
    page = (tmp / "refused.html").read_text()
    check("failed requests" in page and "first failed request" in page and ">inf" not in page, "report of what failed", done)
    done = run("sweep", path, "--vary", "iotlb.entries=16,32", "-q", "-o", tmp / "refused-sweep")
    check(done.returncode == 1, "a sweep in which nothing succeeds", done)
    check(run("query", tmp / "refused-sweep", "io.failed").returncode == 0, "its points are kept")


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def bad_output(tmp):
    good = scenario(tmp, GOOD)
    blocked = tmp / "file"
    blocked.write_text("x")
    expect("output under a file", run("run", good, "-o", blocked / "dir"), 4, "-o")
    expect("output is a file", run("run", good, "-o", blocked), 4, "-o")
    if os.geteuid() != 0:
        closed = tmp / "closed"
        closed.mkdir(mode=0o500)
        expect("not writable", run("run", good, "-o", closed / "dir"), 4, "-o")
    full = tmp / "full"
    done = subprocess.run([BINARY, "run", good, "-o", full], capture_output=True, preexec_fn=limit_file_size)
    check(done.returncode == 4, "disk full: want status 4", done)
    check(not full.exists(), "disk full: something was left behind", done)
    with open("/dev/full", "wb") as sink:
        done = subprocess.run([BINARY, "run", good, "--json"], stdout=sink, stderr=subprocess.PIPE)
    check(done.returncode == 4, f"full standard output: want 4, not {done.returncode}")
    old = tmp / "old"
    run("run", good, "-o", old)
    before = (old / "result.json").read_bytes()
    subprocess.run([BINARY, "run", good, "-o", old, "--seeds", "3"], capture_output=True, preexec_fn=limit_file_size)
    check((old / "result.json").read_bytes() == before, "a failed run changed the result that was there")


def series_without_room(tmp):
    """Rows of --interval that cannot be kept are an error, not a shorter file."""
    path, out = scenario(tmp, "[workload]\ngenerator = nvme\nrequests = 5\n"), tmp / "series"
    command = [BINARY, "run", path, "--interval", "1us", "-o", out]
    done = subprocess.run(command, capture_output=True, preexec_fn=limit_file_size)
    expect("time series without room", done, 4, "--interval", "TMPDIR")
    done = subprocess.run(command, capture_output=True, env={**os.environ, "TMPDIR": str(tmp / "none")})
    expect("time series without a place", done, 4, "TMPDIR")
    check(not (out / "result.json").exists(), "a result without its time series")


def special_output(tmp):
    """A pipe or device is written in place; a rename would put a file there instead. Links keep devices safe here."""
    run("run", scenario(tmp, GOOD), "-o", tmp / "result")
    for command in (["trace", "generate", "nvme", "requests=1000", "-o"], ["report", tmp / "result", "-o"]):
        link = tmp / f"{command[0]}-full"
        link.symlink_to("/dev/full")
        done = run(*command, link)
        check(done.returncode == 4 and str(link).encode() in done.stderr, f"{command[0]} to a full device", done)
        check(link.is_symlink(), f"{command[0]} replaced a device's name")
        pipe, plain = tmp / f"{command[0]}-pipe", tmp / f"{command[0]}-plain"
        os.mkfifo(pipe)
        writer = subprocess.Popen([BINARY, *map(str, command), pipe], stderr=subprocess.PIPE)
        reader = subprocess.Popen(["timeout", "20", "cat", pipe], stdout=subprocess.PIPE)
        through = reader.communicate()[0]
        writer.communicate(timeout=60)
        run(*command, plain)
        check(writer.returncode == 0 and through == plain.read_bytes(), f"{command[0]} through a pipe")
        check(pipe.is_fifo(), f"{command[0]} replaced a pipe")
    leftovers = [p.name for p in tmp.iterdir() if ".tmp" in p.name]
    check(not leftovers, f"left behind: {leftovers}")


def interrupted(tmp):
    long = scenario(tmp, "[workload]\ngenerator = nvme\nrequests = 100000000\n")
    out = tmp / "interrupted"
    odp = scenario(tmp, "[workload]\ngenerator = rdma_odp\n", "odp.ini")
    loads = [("records", long, ()), ("records with time", long, ("--fidelity", "timing")),
             ("faults with time", odp, ("--fidelity", "timing"))]
    for kind, key in [("pcie_bench", "samples"), ("map_bench", "iterations"), ("rx_ring", "packets"),
                      ("rdma_rw", "requests"), ("dmabuf_p2p", "count"), ("crypto", "requests")]:
        path = scenario(tmp, f"[workload]\nkind = {kind}\n[compare]\napi = legacy\n[{kind}]\n{key} = 1000000000\n",
                        f"{kind}.ini")
        loads.append((kind, path, ("--fidelity", "timing" if kind in ("rx_ring", "rdma_rw") else "counts")))
    for what, path, options in loads:
        process = subprocess.Popen([BINARY, "run", path, "-o", out, *options], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        wait_for(lambda: catches_sigint(process.pid))
        process.send_signal(signal.SIGINT)
        try:
            _, message = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            _, message = process.communicate()
        check(process.returncode == 130, f"SIGINT, {what}: want 130, not {process.returncode}: {message!r}")
        check(not out.exists(), f"SIGINT, {what}: something was left")


folder, tmp = scratch()
with folder:
    bad_scenarios(tmp)
    impossible_machines(tmp)
    bad_usage(tmp)
    bad_traces(tmp)
    nothing_succeeds(tmp)
    bad_output(tmp)
    series_without_room(tmp)
    special_output(tmp)
    interrupted(tmp)
finish()
