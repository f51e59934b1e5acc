#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every scenario runs, opens with what it shows and what to expect, and the expectation holds."""
import json

from support import SOURCE, check, finish, run


class Runs:
    """Statistics of a result by API and mode: r("link", "strict", "qi.desc_iotlb_page")."""

    def __init__(self, document):
        self.runs = {(r["api"], r["iommu"]): r for r in document["runs"]}
        self.modes = sorted({m for _, m in self.runs})

    def __call__(self, api, mode, name):
        return self.runs[api, mode]["stats"][name]

    def peak(self, api, mode, account):
        return self.runs[api, mode]["memory"][account]["peak"]

    def curve(self, api, mode, column):
        """{window: value} of a measuring load."""
        c = self.runs[api, mode]["curve"]
        return {row[0]: row[c["columns"].index(column)] for row in c["rows"]}

    def same(self, *names):
        return all(self("legacy", m, n) == self("link", m, n) for m in self.modes for n in names)


FLUSHES = ("qi.desc_iotlb_page", "qi.desc_iotlb_domain")
PER_REQUEST = ("iova.allocs", "iommu.map_ops", "iommu.unmap_ops", *FLUSHES)


def share(r, api, mode):
    """Requests per second in proportion to passthrough."""
    return r(api, mode, "io.iops") / r(api, "passthrough", "io.iops")


def capacity_law(r):
    """Reads at random in N pages behind 64 entries and a miss of 400 ns, each within 1.5 % of the penalty."""
    seen = r.curve("legacy", "strict", "latency_mean_ns")
    return len(seen) == 6 and all(
        abs(mean - (482 + 400 * max(0, 1 - 64 * 4096 / window))) < 6 for window, mean in seen.items())


EXPECT = {
    "own-machine": lambda r: capacity_law(r) and set(r.curve("legacy", "off", "miss_fraction").values()) == {0},
    "rx-ring": lambda r: r("link", "strict", "rx_ring.gbit_per_s") > 0.95 * r("link", "off", "rx_ring.gbit_per_s")
    and r("legacy", "strict", "rx_ring.gbit_per_s") < 0.95 * r("legacy", "off", "rx_ring.gbit_per_s")
    and r("legacy", "strict", "qi.desc_iotlb_page") / r("legacy", "strict", "rx_ring.packets")
    > 8 * r("link", "strict", "qi.desc_iotlb_page") / r("link", "strict", "rx_ring.packets")
    # Bandwidth is that of the measured load, timers that fire after it left out.
    and all(abs(r(api, "lazy", "io.bandwidth") * 8e-9 / r(api, "lazy", "rx_ring.gbit_per_s") - 1) < 1e-6
            for api in ("legacy", "link")),
    "rx-page-cache": lambda r: 0.03 < r("legacy", "strict", "rx_ring.pwc_512g_misses_per_page") < 0.1
    and r("legacy", "strict", "rx_ring.pwc_2m_misses_per_page")
    > 3 * r("legacy", "strict", "rx_ring.pwc_512g_misses_per_page")
    and r("legacy", "strict", "qi.desc_iotlb_page") == 8932,
    "nvme-4k-rate": lambda r: r.same(*PER_REQUEST, "dma.map_calls", "dma.unmap_calls", "iova.tree_allocs")
    and r("link", "strict", "qi.desc_iotlb_page") == 50000,
    "nvme-4k-time": lambda r: all(share(r, a, "strict") < share(r, a, "lazy") < 1 for a in ("legacy", "link"))
    and abs(r("link", "strict", "io.iops") / r("legacy", "strict", "io.iops") - 1) < 0.05,
    "nvme-128k-scattered": lambda r: r.same("iova.allocs", "iommu.unmap_ops", *FLUSHES)
    and r("link", "strict", "qi.desc_iotlb_page") == 5000
    and r.peak("legacy", "strict", "sg.tables") == 32 * 4096
    and r.peak("link", "strict", "sg.tables") == 0,
    "nvme-gaps": lambda r: r("legacy", "strict", "qi.desc_iotlb_page") == 5000
    and r("link", "strict", "qi.desc_iotlb_page") == r("link", "strict", "iova.allocs") > 8 * 5000
    and r("link", "lazy", "flush_queue.entries") == r("link", "strict", "iova.allocs"),
    "nvme-vectored-recorded": lambda r: r("legacy", "strict", "qi.desc_iotlb_page") == 400
    and r("link", "strict", "qi.desc_iotlb_page") == 3266,
    "nvme-mixed-recorded": lambda r: r.same("iova.allocs", *FLUSHES)
    and r("link", "strict", "qi.desc_iotlb_page") == 1000
    and r.peak("link", "strict", "sg.tables") == 0 < r.peak("legacy", "strict", "sg.tables"),
    "nvme-large-io": lambda r: all(r(a, m, "nvme.commands") == (2000 if m == "passthrough" else 16000)
                                   for a, m in r.runs),
    "nvme-large-io-lifted": lambda r: all(r(a, m, "nvme.commands") == 2000 for a, m in r.runs)
    and r("link", "strict", "iova.tree_allocs") == 2000,
    "nvme-24-drives": lambda r: all(
        r(a, "strict", "io.iops") < 0.5 * r(a, "lazy", "io.iops")
        and r(a, "strict", "cpu.lock_wait_ns") > 10 * r(a, "lazy", "cpu.lock_wait_ns") for a in ("legacy", "link")),
    "nvme-huge-buffers": lambda r: r.same(*PER_REQUEST, "dma.map_calls")
    and r("link", "strict", "nvme.mapped_single") == 5000 and r.peak("legacy", "strict", "sg.tables") == 0,
    "nvme-lazy-burst": lambda r: all(r(a, "lazy", "flush_queue.ring_full") > 0 < r(a, "lazy", "flush_queue.timeouts")
                                     and r(a, "lazy", "qi.desc_iotlb_page") == 0
                                     and r(a, "lazy", "qi.desc_iotlb_domain") < 200 for a in ("legacy", "link")),
    "nvme-no-iommu": lambda r: all(r(a, m, "iova.allocs") == 0 for a, m in r.runs)
    and all(r("link", m, "dma.unmap_calls") == 0 < r("legacy", m, "dma.unmap_calls")
            and r.peak("legacy", m, "sg.tables") > 0 == r.peak("link", m, "sg.tables") for m in r.modes),
    "nvme-p2p-switch": lambda r: all(
        r(a, m, "p2p.bytes_direct") == 2000 * 65536 and r(a, m, "p2p.bytes_host_bridge") == 0
        and r(a, m, "iova.allocs") == r(a, m, "iommu.map_ops") == r(a, m, "qi.desc_total") == 0 for a, m in r.runs),
    "nvme-acs-redirect": lambda r: all(
        r(a, m, "p2p.bytes_direct") == 0 and r(a, m, "p2p.bytes_host_bridge") == 2000 * 65536
        and r(a, m, "iova.allocs") == r(a, m, "qi.desc_iotlb_page") == 2000 for a, m in r.runs),
    "nvme-ats": lambda r: all(
        r(a, m, "ats.lookups") == 18 * 1000 and r(a, m, "ats.requests") == 1020 == r(a, m, "walker.walks")
        and r(a, m, "ats.hits") == 18 * 1000 - 1020 and r(a, m, "fault.recorded") == 0
        and r(a, m, "qi.desc_iotlb_page") == r(a, m, "qi.desc_device_tlb") == r(a, m, "qi.desc_wait") == 1000
        for a, m in r.runs),
    "nested-cold-walk": lambda r: r("legacy", "strict", "walker.memory_reads") == 28
    and r("legacy", "strict", "context.memory_reads") == 4 and r("legacy", "strict", "walker.walks") == 1,
    "translation-faults": lambda r: r("legacy", "strict", "fault.recorded") == 100 == r("legacy", "strict", "walker.walks")
    and r("legacy", "strict", "fault.lost") == 92 and r("legacy", "off", "fault.recorded") in (0, None),
    "page-request-overflow": lambda r: r("legacy", "strict", "ats.page_requests") == 3000 == r("legacy", "strict", "ats.requests")
    and r("legacy", "strict", "ats.page_requests_lost") == 953 and r("legacy", "strict", "fault.recorded") == 0,
    "nvme-p2p-host-bridge": lambda r: all(
        r(a, m, "p2p.bytes_direct") == 0 and r(a, m, "p2p.bytes_host_bridge") == 2000 * 65536
        and r(a, m, "iova.allocs") == r(a, m, "qi.desc_iotlb_page") == 2000 for a, m in r.runs),
    "nvme-p2p-refused": lambda r: all(r(a, m, "io.failed") == 100 == r(a, m, "p2p.refused")
                                      and r(a, m, "io.completed") == 0 == r(a, m, "iova.allocs") for a, m in r.runs),
    "nvme-cmb": lambda r: all(
        r(a, m, "iova.allocs") == 5000 - r(a, m, "nvme.p2p_commands") == r(a, m, "qi.desc_iotlb_page")
        and 2000 < r(a, m, "nvme.p2p_commands") < 3000 for a, m in r.runs),
    "nvme-untrusted": lambda r: all(r(a, m, "swiotlb.bounces") >= 2000 and r(a, m, "flush_queue.entries") == 0
                                    and r(a, m, "qi.desc_iotlb_page") == 2000 for a, m in r.runs),
    "nvme-forced-bounce": lambda r: all(r(a, m, "swiotlb.bytes_copied") == 2 * r(a, m, "io.bytes")
                                        and r(a, m, "iova.allocs") == 0 for a, m in r.runs),
    "nvme-confidential": lambda r: r.same("swiotlb.bytes_copied", "swiotlb.bounces")
    and r("link", "passthrough", "swiotlb.bytes_copied") >= r("link", "passthrough", "io.bytes")
    and r("link", "passthrough", "cpu.step.swiotlb_copy_kib_ns") > 0.5 * r("link", "passthrough", "cpu.busy_ns"),
    "nvme-premapped": lambda r: all(r("premapped", m, "qi.desc_total") == 0 == r("premapped", m, "iommu.unmap_ops")
                                    and r.peak("premapped", m, "driver.registrations") > 0 for m in r.modes)
    and r("premapped", "strict", "iova.allocs") < 0.1 * r("link", "strict", "iova.allocs"),
    "nvme-polled": lambda r: all(r(a, m, "nvme.interrupts") == 0 and 3000 < r(a, m, "io.latency_p50_ns") < 20000
                                 for a, m in r.runs),
    "nvme-flash-bound": lambda r: all(share(r, a, "strict") > 0.9 for a in ("legacy", "link")),
    "nvme-metadata": lambda r: all(r(a, m, "iova.allocs") == 10000 == r(a, m, "qi.desc_iotlb_page")
                                   for a, m in r.runs),
    "nvme-caching-mode": lambda r: all(r(a, m, "qi.desc_iotlb_page") >= 2 * 5000 for a, m in r.runs),
    "odp-fault-storm": lambda r: r("link", "strict", "iova.allocs") == 2 < r("legacy", "strict", "iova.allocs")
    and r.peak("link", "strict", "driver.dma_addresses") == 0
    and r.peak("legacy", "strict", "driver.dma_addresses") == r.peak("legacy", "strict", "driver.page_lists"),
    "odp-huge-pages": lambda r: r.same("rnic.pages_mapped", "iommu.ptes_written")
    and r("legacy", "strict", "iova.tree_allocs") == r("legacy", "strict", "rnic.pages_mapped") <= 256
    and r("link", "strict", "iova.allocs") == 2
    and r.peak("legacy", "strict", "driver.page_lists") == 512 * r.peak("legacy", "strict", "driver.dma_addresses"),
    "odp-invalidation-storm": lambda r: r.same("rnic.invalidations")
    and r("link", "strict", "qi.desc_iotlb_page") == r("legacy", "strict", "qi.desc_iotlb_page")
    and r("link", "lazy", "qi.desc_iotlb_page") > 20 * r("legacy", "lazy", "qi.desc_iotlb_domain")
    and r("legacy", "lazy", "qi.desc_iotlb_page") == 0,
    "odp-implicit-terabyte": lambda r: r.same("rnic.children_created") and r("link", "strict", "rnic.children_created") > 50
    and r.peak("link", "strict", "driver.page_lists") == r.peak("legacy", "strict", "driver.page_lists")
    and r.peak("link", "strict", "driver.dma_addresses") == 0,
    "rdma-rw": lambda r: r("link", "strict", "rdma_rw.iova") == 2000 == r("link", "strict", "rdma_rw.work_requests")
    and r.same("iova.allocs", *FLUSHES),
    "rdma-rw-unaligned": lambda r: r("link", "strict", "io.failed") == 500 == r("legacy", "strict", "io.completed")
    and r("link", "passthrough", "io.completed") == 500 == r("legacy", "passthrough", "io.completed"),
    "dmabuf-convert": lambda r: r.same("dmabuf.conversions")
    and all(r("link", m, "iova.allocs") == 1 and r("link", m, "qi.desc_iotlb_page") == 2016
            and r("link", m, "dmabuf.late_flushes") == 0 for m in r.modes)
    and r("legacy", "lazy", "dmabuf.late_flushes") == 2000 and r("legacy", "strict", "dmabuf.late_flushes") == 0,
    "dmabuf-cacheable": lambda r: r("legacy", "strict", "dma.cacheable_mmio_pages") == 200 * 256
    and r("link", "strict", "dma.cacheable_mmio_pages") == 0,
    "dmabuf-matrix": lambda r: r("legacy", "strict", "dmabuf.refused") == 20 and r("link", "strict", "dmabuf.refused") == 4,
    "p2p-drives": lambda r: abs(r("legacy", "off", "io.bandwidth") / 7.1e9 - 1) < 0.02
    and r("legacy", "off", "p2p.bytes_host_bridge") == r("legacy", "off", "io.bytes"),
    "crypto": lambda r: r("legacy", "strict", "crypto.lists") == r("legacy", "strict", "iova.allocs")
    == r("legacy", "strict", "qi.desc_iotlb_page") == r("legacy", "lazy", "flush_queue.entries")
    and r("legacy", "passthrough", "iova.allocs") == 0,
    "gpu-svm": lambda r: all(r("legacy", m, "iova.allocs") == 400 * 512 and r("link", m, "iova.allocs") == 400
                             == r("link", m, "qi.desc_iotlb_page") for m in ("strict", "lazy"))
    and r("legacy", "strict", "qi.desc_iotlb_page") == r("legacy", "lazy", "flush_queue.entries") == 400 * 512
    and r("link", "lazy", "flush_queue.entries") == 0,
    "gpu-svm-noncoherent": lambda r: r("link", "strict", "qi.desc_iotlb_page") == 400
    and r("legacy", "strict", "gpu_svm.map_page_ns") > r("link", "strict", "gpu_svm.map_page_ns") + 35
    and r("legacy", "strict", "gpu_svm.unmap_page_ns") > 50 * r("link", "strict", "gpu_svm.unmap_page_ns"),
    "tso-send": lambda r: r("link", "strict", "tso.windows") == r("link", "strict", "tso.mappings")
    == r("link", "strict", "qi.desc_iotlb_page") == 4000 and r("legacy", "strict", "tso.mappings")
    == r("legacy", "strict", "qi.desc_iotlb_page") == r("legacy", "lazy", "flush_queue.entries") > 45 * 4000,
    "tso-many-sockets": lambda r: r("link", "strict", "tso.windows") == 0 and r("link", "strict", "tso.fallbacks") == 4000
    and r("link", "strict", "qi.desc_iotlb_page") == r("link", "strict", "tso.regions") + 4000,
    "dmabuf-two-ranges": lambda r: r("link", "strict", "io.refused") == r("link", "strict", "io.failed") == 200
    and r("link", "strict", "io.completed") == 0 and r("legacy", "strict", "io.completed") == 200,
    "map-bench": lambda r: all(r(a, "strict", "map_bench.unmap_ns") > 2 * r(a, "strict", "map_bench.map_ns")
                               > 0 and r(a, "strict", "map_bench.unmap_ns") > r(a, "lazy", "map_bench.unmap_ns")
                               for a in ("legacy", "link")),
    "dmabuf-p2p": lambda r: all(r(a, "strict", "p2p.bytes_host_bridge") == 200 << 20
                                and r(a, "strict", "qi.desc_iotlb_page") == 200 for a in ("legacy", "link"))
    and r("link", "strict", "dmabuf.windows") == 200 == r("legacy", "strict", "dmabuf.singles"),
    "migrate-4vf": lambda r: r.same("vfio.save_bytes", "vfio.track_entries", "vfio.downtime_ns")
    and all(r("link", m, "iova.allocs") == 12 < 2000 < r("legacy", m, "iova.allocs")
            and r.peak("link", m, "sg.tables") == 0 < r.peak("legacy", m, "sg.tables") for m in r.modes),
    "vfio-migration": lambda r: r.same("vfio.save_bytes", "vfio.mkeys")
    and r("link", "strict", "qi.desc_iotlb_page") == r("link", "strict", "vfio.mkeys") == r("link", "strict", "iova.allocs")
    and r("legacy", "strict", "qi.desc_iotlb_page") > 100 * r("link", "strict", "qi.desc_iotlb_page")
    and r.peak("legacy", "strict", "sg.tables") == 8 * 69632,
    "migrate-no-iommu": lambda r: r.same("vfio.save_bytes", "vfio.mtt_entries")
    and r("legacy", "passthrough", "iova.allocs") == 0 == r("link", "passthrough", "iova.allocs")
    and r.peak("legacy", "passthrough", "sg.tables") == 2 * 69632 and r.peak("link", "passthrough", "sg.tables") == 0,
    "dma-replay": lambda r: r.same("iova.allocs", "dma_replay.maps", "dma_replay.unmaps", *FLUSHES)
    and all(r(a, m, "dma_replay.maps") == r(a, m, "dma_replay.unmaps") == 138 and r(a, m, "dma_replay.links") == 13 * 64
            and r(a, m, "dma_replay.unknown_unmaps") == 10 for a, m in r.runs)
    and r("link", "strict", "iova.allocs") == 146 and r("link", "passthrough", "iova.allocs") == 0
    and r("legacy", "strict", "iommu.map_ops") < r("link", "strict", "iommu.map_ops")
    and r.peak("legacy", "strict", "sg.tables") > 0 == r.peak("link", "strict", "sg.tables"),
    "pcie-latency": lambda r: (lambda ns: ns[65536] == ns[262144]
                               and abs(ns[1 << 20] - ns[65536] - 289 * (1 - 118 / 256)) < 10
                               and abs(ns[4 << 20] - ns[65536] - 289 * (1 - 118 / 1024)) < 10)(
                                   r.curve("legacy", "strict", "latency_mean_ns")),
}


def page_cache():
    """Invalidations that another 40000 packets bring: those of acknowledgements, and without the cache each page's."""
    def invalidations(cache, packets):
        done = run("run", SOURCE / "scenarios/rx-page-cache.ini", "--json", "--iommu", "strict",
                   "--set", f"rx_ring.page_cache={cache}", "--set", f"rx_ring.packets={packets}")
        check(done.returncode == 0, "rx-page-cache, other values", done)
        return Runs(json.loads(done.stdout))("legacy", "strict", "qi.desc_iotlb_page")

    whole = invalidations(0, 40000)
    check(whole == 68415, f"rx-page-cache: {whole} invalidations without the cache")
    for cache, first, expected in (255, invalidations(255, 40000), 0.044), (0, whole, 1.05):
        more = (invalidations(cache, 80000) - first) / 40000
        check(abs(more / expected - 1) < 0.05, f"rx-page-cache: page_cache={cache}: {more} invalidations per packet")

# What these show is a refusal: the status says that nothing was done.
NOTHING_SUCCEEDS = {"nvme-p2p-refused", "page-request-overflow"}


def main():
    names = sorted(p.stem for p in (SOURCE / "scenarios").glob("*.ini"))
    check(len(names) >= 20, f"only {len(names)} scenarios")
    check(set(names) == set(EXPECT), f"without expectation, or without file: {set(names) ^ set(EXPECT)}")
    for name in names:
        path = SOURCE / "scenarios" / f"{name}.ini"
        head = path.read_text().split("[", 1)[0]
        check("# What: " in head and "# Expect: " in head, f"{name}: no opening comment on what it shows")
        done = run("run", path, "--json", "--check")
        wanted = 1 if name in NOTHING_SUCCEEDS else 0
        check(done.returncode == wanted, f"{name}: run", done)
        if done.returncode == wanted and name in EXPECT:
            check(EXPECT[name](Runs(json.loads(done.stdout))), f"{name}: the expectation of its comment")
    page_cache()
    finish()


main()
