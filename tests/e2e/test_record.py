# SPDX-License-Identifier: GPL-2.0-or-later
"""dmasim record against a folder that looks like tracefs, sysfs and procfs; tests/kernel does it with real kernels."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from support import BINARY, SOURCE, check, finish, run, scratch, wait_for

DATA = SOURCE / "tests" / "data" / "recordings"
SHIM = os.environ["DMASIM_FAKE_TRACEFS"]
README = """\t  accepts: event-definitions (one definition per line)
\t   Format: p[:[<group>/][<event>]] <place> [<args>]
\t           f[:[<group>/][<event>]] <func-name>[%return] [<args>]
\t           $stack<index>, $stack, $retval, $comm, $arg<N>,
\t           <argname>[->field[->field|.field...]],
"""
EVENTS = "dma/dma_map_page dma/dma_unmap_page iommu/map iommu/unmap nvme/nvme_setup_cmd intel_iommu/qi_submit".split()
STATS = "entries: 2\noverrun: {lost}\ncommit overrun: 0\nbytes: 1\noldest event ts: {oldest}\nnow ts: 9.0\ndropped events: 0\n"
TRACE = """# tracer: nop
#
          <idle>-0       [001] d..1.     1.000100: map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x1000 size=4096
              dd-7       [000] .....     1.000300: nvme_setup_cmd: nvme0: disk=nvme0n1, qid=1, cmdid=1, nsid=1, flags=0x0, meta=0x0
              dd-7       [000] .....     1.000500: unmap: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Machine:
    """proc and sys of a machine with one NVMe drive behind VT-d."""

    def __init__(self, folder, release="6.12.5-test", readme=README, trace=TRACE, lost=0, iommu=True, events=EVENTS):
        self.root = folder
        self.tracing = folder / "sys" / "kernel" / "tracing"
        template = self.tracing / "instance-template"
        write(folder / "proc/sys/kernel/osrelease", release + "\n")
        write(folder / "proc/sys/kernel/version", "#1 SMP test\n")
        write(folder / "proc/cmdline", "quiet intel_iommu=on iommu.strict=1\n")
        write(folder / "proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable:    1600000 kB\n")
        write(folder / "proc/messages", "pci 0000:00:01.0: Adding to iommu group 1\n")
        write(folder / f"boot/config-{release}", "CONFIG_HZ_250=y\nCONFIG_HZ=250\n")
        for name in ("possible", "online"):
            write(folder / "sys/devices/system/cpu" / name, "0-1\n")
        drive = folder / "sys/devices/pci0000:00/0000:00:01.0"
        write(drive / "class", "0x010802\n")
        write(drive / "dma_mask_bits", "64\n")
        write(drive / "resource", "0x00000000febf8000 0x00000000febfbfff 0x0000000000140204\n")
        (drive / "config").write_bytes(bytes(range(256)) * 16)
        (folder / "sys/bus/pci/devices").mkdir(parents=True)
        (folder / "sys/bus/pci/devices/0000:00:01.0").symlink_to(drive)
        (folder / "sys/class/iommu").mkdir(parents=True)
        if iommu:
            write(folder / "sys/class/iommu/dmar0/intel-iommu/cap", "d2008c222f0606\n")
            write(folder / "sys/kernel/iommu_groups/1/reserved_regions", "0x00000000fee00000 0x00000000feefffff msi\n")
            (folder / "sys/kernel/iommu_groups/1/devices/0000:00:01.0").mkdir(parents=True)
            (folder / "sys/firmware/acpi/tables").mkdir(parents=True)
            (folder / "sys/firmware/acpi/tables/DMAR").write_bytes(b"DMARtable")
        write(self.tracing / "README", readme)
        write(self.tracing / "dynamic_events", "p:other/theirs their_function\n")
        write(self.tracing / "kprobe_profile", "  iova_free   10   3\n  theirs  1  7\n")
        write(self.tracing / "available_filter_functions", "alloc_iova_fast\nfree_iova_fast\nfree_iova [module]\n"
              "calc_map_type_and_dist.isra.0\nalloc_iova_fast_other\n")
        (self.tracing / "instances").mkdir()
        for event in events:
            for place in (self.tracing, template):
                write(place / "events" / event / "enable", "0\n")
        (template / "events" / "options").mkdir(parents=True, exist_ok=True)
        (template / "options").mkdir()
        write(template / "trace", trace)
        for cpu in range(2):
            write(template / f"per_cpu/cpu{cpu}/stats", STATS.format(lost=lost if cpu == 0 else 0, oldest="    1.000200"))

    def environment(self):
        return {"DMASIM_RECORD_ROOT": str(self.root), "LD_PRELOAD": SHIM}

    def record(self, *args):
        return run("record", *args, env=self.environment())

    def start(self, *args):
        return subprocess.Popen([BINARY, "record", *map(str, args)], env={**os.environ, **self.environment()},
                                stderr=subprocess.PIPE)

    def definitions(self):
        return (self.tracing / "dynamic_events").read_text().split("\n")

    def removed(self):
        """How the instance was when it was removed; fails when it was not."""
        check(not any((self.tracing / "instances").iterdir()), f"{self.root}: an instance is left")
        return self.tracing / "removed-0"

    def restored(self, what):
        left = [line for line in self.definitions() if "dmasim_" in line and not line.startswith("-:")]
        gone = {line[2:].split(" ")[0] for line in self.definitions() if line.startswith("-:")}
        names = {line.split(":")[1].split(" ")[0] for line in left}
        check(names == gone, f"{what}: probes {names} are removed, not {gone}")
        check((self.removed() / "tracing_on").read_text() == "0", f"{what}: tracing is off")
        check((self.removed() / "events/enable").read_text() == "0", f"{what}: events are off")


def machines():
    """A new machine each time."""
    number = 0
    while True:
        number += 1
        yield tmp / f"machine-{number}"


folder, tmp = scratch()
with folder:
    places = machines()

    def machine(**what):
        return Machine(next(places), **what)

    # A recording.
    m, out = machine(), tmp / "out"
    done = m.record("-o", out, "--json", "--", "sh", "-c", "exit 0")
    check(done.returncode == 0, "a recording", done)
    result = json.loads(done.stdout)
    check(result["events"] == 3 and result["lost"] == 0 and result["missed"] == 3, "counts of a recording", done)
    text = subprocess.run(["zstd", "-dc", out / "recording.trace.txt.zst"], capture_output=True, text=True).stdout
    check(text == TRACE, "the lines as the kernel gave them")
    environment = (out / "environment.txt").read_text()
    for line in ("Linux - 6.12.5-test #1 SMP test", "quiet intel_iommu=on iommu.strict=1", "kernel hz=250",
                 "cpus possible=0-1 online=0-1", "pci 0000:00:01.0 class=0x010802", "dmar0 cap=d2008c222f0606",
                 "path pci0000:00/0000:00:01.0", "bars=0x00000000febf8000-0x00000000febfbfff,", "group 1 0000:00:01.0",
                 "  reserved 0x00000000fee00000", "Adding to iommu group 1"):
        check(line in environment, f"environment.txt has {line!r}: {environment}")
    check((out / "dmar.dat").read_bytes() == b"DMARtable", "the DMAR table as it is")
    pci = (out / "pci.txt").read_text()
    check("\n00: 00 01 02 03" in pci and "\nff0: f0 f1" in pci, f"configuration space: {pci[:200]}")
    check((m.removed() / "trace_clock").read_text() == "mono", "one clock for all CPUs")
    check(all((m.removed() / "events" / event / "enable").read_text() == "1" for event in EVENTS), "tracepoints are on")
    check((m.removed() / "buffer_size_kb").read_text() == str(1600000 // 8 // os.cpu_count()), "an eighth of the memory")
    m.restored("a recording")
    check("p:other/theirs their_function" in m.definitions(), "probes of others stay")
    probes = (out / "probes.txt").read_text()
    check("iova_alloc alloc_iova_fast size=size:u64 limit=limit_pfn:x64" in probes and probes.startswith("f:"), probes)
    check("p2p_calc calc_map_type_and_dist.isra.0%return" in probes, "a function with a suffix, where no argument is read")
    check("dma_map_page_attrs" not in probes, "no probe where there is a tracepoint")
    notes = (out / "notes.txt").read_text()
    check("cache_tag_flush_range" in notes and "alloc_iova cannot" in notes and "alloc_iova_fast" not in notes, f"what is missing is noted: {notes}")
    check("iova_free left no line 3 times" in notes and "theirs" not in notes, f"missed probes are noted: {notes}")

    # Refusals.
    before = sorted(p.name for p in out.iterdir())
    done = m.record("-o", out, "--", "true")
    check(done.returncode == 4 and b"never overwritten" in done.stderr, "an existing directory is refused", done)
    check(before == sorted(p.name for p in out.iterdir()), "and left alone")
    done = m.record("--", "true")
    check(done.returncode == 2 and b"-o DIR" in done.stderr, "no directory given", done)
    done = m.record("-o", tmp / "never", "--duration", "soon")
    check(done.returncode == 2 and b"--duration soon" in done.stderr and not (tmp / "never").exists(), "a bad duration", done)
    done = run("record", "-o", tmp / "never", env={"DMASIM_RECORD_ROOT": str(tmp / "nothing")})
    expected = b"has no tracefs" if os.geteuid() == 0 else b"needs root"
    check(done.returncode == 3 and expected in done.stderr and not (tmp / "never").exists(), "no tracefs", done)
    if os.geteuid() == 0:
        m = machine()
        m.tracing.chmod(0o700)
        with tempfile.TemporaryDirectory() as home:
            pathlib.Path(home).chmod(0o777)
            binary = pathlib.Path(home) / "dmasim"  # the build tree may be closed to others
            shutil.copy(BINARY, binary)
            tmp.chmod(0o755)
            for args, status in ((["-o", f"{home}/mine"], 3), (["--print"], 0)):
                done = subprocess.run([binary, "record", *args], capture_output=True, user=65534, group=65534,
                                      extra_groups=[], env={"DMASIM_RECORD_ROOT": str(m.root)})
                check(done.returncode == status and b"needs root" in done.stderr, f"an ordinary user: {args}", done)
            check(not (pathlib.Path(home) / "mine").exists(), "nothing is made for an ordinary user")
            check(b"alloc_iova_fast" in done.stdout, "the script is printed all the same", done)
    m = machine(readme="nothing\n", events=[])
    done = m.record("-o", tmp / "never", "--", "true")
    check(done.returncode == 3 and b"none of the events" in done.stderr and not (tmp / "never").exists(),
          "a kernel without any event", done)
    m.removed()
    m = machine()
    done = m.record("-o", tmp / "never", "--", "/no/such/program")
    check(done.returncode != 0 and b"did not start" in done.stderr and not (tmp / "never").exists(), "no such command", done)
    m.restored("no such command")

    # Machines that lack something.
    m = machine(iommu=False)
    done = m.record("-o", tmp / "no-iommu", "--", "true")
    check(done.returncode == 0 and b"no IOMMU is at work" in done.stderr and b"no ACPI table DMAR" in done.stderr,
          "without an IOMMU", done)
    m = machine(readme="nothing\n")
    done = m.record("-o", tmp / "no-probes", "--", "true")
    check(done.returncode == 0 and b"no probes" in done.stderr, "without kprobes", done)
    check(m.definitions() == ["p:other/theirs their_function", ""], "no probe is written")
    m = machine(readme=README.replace("f[:", "x[:").replace("<argname>", "x"), release="6.1.0-test",
                events=["iommu/map"])
    done = m.record("-o", tmp / "old", "--", "true")
    probes = (tmp / "old" / "probes.txt").read_text()
    check("p:" in probes and "size=$arg2:u64" in probes and "%return" not in probes, f"an older kernel: {probes}", done)

    # Commands, time, signals.
    m = machine()
    done = m.record("-o", tmp / "failed", "--", "sh", "-c", "exit 7")
    check(done.returncode == 1 and b"status 7" in done.stderr and (tmp / "failed").is_dir(), "a failing command", done)
    m = machine()
    done = m.record("-o", tmp / "timed", "--duration", "200ms")
    check(done.returncode == 0 and (tmp / "timed").is_dir(), "a duration", done)
    m.restored("a duration")
    for what in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for command in ([], ["--", "sleep", "100"]):
            m, name = machine(), tmp / f"signal-{what}-{len(command)}"
            process = m.start("-o", name, *command)
            on = m.tracing / "instances" / f"dmasim-{process.pid}" / "tracing_on"
            check(wait_for(lambda: on.exists() and on.read_text() == "1"), f"{what}: recording begins")
            process.send_signal(what)
            process.send_signal(what)  # the second one must not kill it
            error = process.communicate(timeout=60)[1]
            check(process.returncode == 0 and b"3 events" in error and (name / "environment.txt").exists(),
                  f"{what} {command}: status {process.returncode}, {error}")
            m.restored(f"{what} {command}")
    m = machine()
    gone = subprocess.Popen(["true"])
    gone.wait()
    shutil.copytree(m.tracing / "instance-template", m.tracing / "instances" / f"dmasim-{gone.pid}")
    with open(m.tracing / "dynamic_events", "a") as f:
        f.write(f"f:dmasim_{gone.pid}/iova_free free_iova_fast\n")
    done = m.record("-o", tmp / "after-kill", "--", "true")
    m.restored("what a killed recorder left")
    check(f"-:dmasim_{gone.pid}/iova_free" in m.definitions(), "its probes are removed", done)

    # A buffer that was too small: the recording begins where all CPUs are complete.
    m = machine(lost=40)
    done = m.record("-o", tmp / "small", "--json", "--", "true")
    result = json.loads(done.stdout)
    check((result["events"], result["lost"], result["cut"]) == (2, 40, 1), "events lost", done)
    check(b"--buffer" in m.record("-o", tmp / "small2", "--", "true").stderr, "and a hint")

    # What is recorded can be verified and replayed.
    source = DATA / "7.0-strict-dev"
    name = next(source.glob("*rr4k_short.trace.txt.zst"))
    lines = subprocess.run(["zstd", "-dc", name], capture_output=True, text=True).stdout
    m = machine(trace=lines, release="7.0.0-test")
    done = m.record("-o", tmp / "real", "--", "true")
    done = run("verify", tmp / "real", "--json")
    check(done.returncode == 0 and json.loads(done.stdout)["boots"][0]["totals"]["addresses"] == 200, "verify", done)
    done = run("replay", tmp / "real", "--iommu", "strict", "--json")
    check(done.returncode == 0, "replay of a directory", done)
    done = run("replay", tmp / "machine-1", "--json")
    check(done.returncode == 3 and b"holds no recording" in done.stderr, "replay of another directory", done)

    # By hand.
    script = tmp / "record.sh"
    script.write_bytes(run("record", "--print").stdout)
    check(subprocess.run(["sh", "-n", script]).returncode == 0, "the printed script is a shell script")
    check(b"@" not in script.read_bytes().replace(b'"$@"', b""), "nothing is left to be filled in")
    done = subprocess.run(["sh", script], capture_output=True)
    check(done.returncode == 2 and b"usage" in done.stderr, "the printed script explains itself", done)

finish()
