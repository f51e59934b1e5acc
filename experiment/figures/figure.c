/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of figures: a row is all that names one. */
#include "figure_internal.h"

#include <string.h>

#define PEAK(account) "memory." account ".peak"

static const struct bar_spec flushes = {
    .y_label = "IOTLB flushes per request",
    .scale = 1,
    .per_request = true,
    .unit = "IOTLB flushes per request",
    .parts = {{"page-selective", {"qi.desc_iotlb_page"}},
	      {"domain-selective", {"qi.desc_iotlb_domain"}},
	      {"global", {"qi.desc_iotlb_global"}}},
};
static const struct bar_spec descriptors = {
    .y_label = "queued descriptors per request",
    .scale = 1,
    .per_request = true,
    .unit = "queued descriptors per request",
    .parts = {{"page-selective", {"qi.desc_iotlb_page"}},
	      {"domain-selective", {"qi.desc_iotlb_domain"}},
	      {"global", {"qi.desc_iotlb_global"}},
	      {"device TLB", {"qi.desc_device_tlb"}},
	      {"wait", {"qi.desc_wait"}}},
};
static const struct bar_spec misses = {
    .y_label = "IOTLB lookups per request",
    .scale = 1,
    .per_request = true,
    .unit = "IOTLB lookups per request",
    .parts = {{"misses", {"iotlb.misses"}}, {"hits", {"iotlb.hits"}}},
};
/* A walk that finds the 2M entry cached reads one table, the 1G entry two, and so on. */
static const struct bar_spec walks = {
    .y_label = "IOTLB misses per request",
    .scale = 1,
    .per_request = true,
    .unit = "IOTLB misses per request",
    .parts = {{"1 read (2M entry cached)", {"pwc.hits_2m"}},
	      {"2 reads (1G)", {"pwc.hits_1g"}},
	      {"3 reads (512G)", {"pwc.hits_512g"}},
	      {"whole walk", {"walker.walks", "-pwc.hits_2m", "-pwc.hits_1g", "-pwc.hits_512g"}}},
};
static const struct bar_spec walk_reads = {
    .y_label = "page-table reads per request",
    .scale = 1,
    .per_request = true,
    .unit = "page-table reads per request",
    .parts = {{"walker reads", {"walker.memory_reads"}}},
};
static const struct bar_spec memory = {
    .y_label = "kernel memory, peak (KiB)",
    .scale = 1.0 / 1024,
    .unit = "KiB of kernel memory at the peaks of its accounts",
    .parts = {{"page tables", {PEAK("iommu.page_tables")}},
	      {"IOVA ranges", {PEAK("iova.ranges")}},
	      {"IOVA magazines", {PEAK("iova.magazines")}},
	      {"scatterlists", {PEAK("sg.tables")}},
	      {"DMA addresses", {PEAK("driver.dma_addresses"), PEAK("driver.page_lists")}},
	      {"command buffers", {PEAK("driver.command_buffers")}},
	      {"IOVA state", {PEAK("iova.state")}},
	      {"flush queue", {PEAK("flush_queue.rings")}}},
};
static const struct bar_spec memory_current = {
    .y_label = "kernel memory at the end (KiB)",
    .scale = 1.0 / 1024,
    .unit = "KiB of kernel memory at the end",
    .parts = {{"page tables", {"memory.iommu.page_tables.current"}},
	      {"IOVA ranges", {"memory.iova.ranges.current"}},
	      {"IOVA magazines", {"memory.iova.magazines.current"}},
	      {"flush queue", {"memory.flush_queue.rings.current"}}},
};
static const struct bar_spec bounce = {
    .y_label = "bounced bytes per request",
    .scale = 1,
    .per_request = true,
    .unit = "bounced bytes per request",
    .parts = {{"copied", {"swiotlb.bytes_copied"}}},
};
static const struct bar_spec cpu = {
    .y_label = "CPU time per request (ns)",
    .scale = 1,
    .per_request = true,
    .unit = "ns of CPU time per request",
    .parts = {{"map", {"cpu.map_ns"}}, {"unmap", {"cpu.unmap_ns"}}, {"driver", {"cpu.driver_ns"}}},
};
static const struct bar_spec cpu_steps = {
    .y_label = "CPU time per request (ns)",
    .scale = 1,
    .per_request = true,
    .unit = "ns of CPU time per request",
};
static const struct bar_spec exposure = {
    .y_label = "stale reach per request (KiB x us)",
    .scale = 1.0 / 1024 / 1000,
    .per_request = true,
    .unit = "KiB x us that a device could still reach after unmap, per request",
    .parts = {{"stale", {"exposure.stale_ns_bytes"}}},
};
static const struct bar_spec overmapped = {
    .y_label = "bytes mapped beyond the buffers, per request",
    .scale = 1,
    .per_request = true,
    .unit = "bytes mapped beyond the buffers, per request",
    .parts = {{"beyond the buffer", {"exposure.overmapped_bytes"}}},
};
static const struct bar_spec p2p = {
    .y_label = "peer-to-peer bytes (MiB)",
    .scale = 1.0 / 1048576,
    .unit = "MiB between peers",
    .parts = {{"direct through a switch", {"p2p.bytes_direct"}}, {"host bridge", {"p2p.bytes_host_bridge"}}},
};
static const struct sweep_spec sweep_flushes = {"IOTLB flushes per request", "flushes", 1, true, false};
static const struct sweep_spec sweep_throughput = {"requests per second", "io.iops", 1, false, true};
static const struct sweep_spec sweep_bandwidth = {"bandwidth (GB/s)", "io.bandwidth", 1e-9, false, false};
static const struct sweep_spec sweep_latency = {"p99 latency (us)", "io.latency_p99_ns", 1e-3, false, false};
static const struct sweep_spec sweep_misses = {"IOTLB misses per request", "iotlb.misses", 1, true, false};
/* Without the bounce pool, whose fixed size would hide the rest; as the bars. */
static const struct sweep_spec sweep_memory = {"kernel memory, peak (KiB)", "memory", 1.0 / 1024, false,
					       false};
static const struct sweep_spec sweep_cpu = {"CPU time per request (ns)", "cpu.busy_ns", 1, true, false};

#define BARS(id, name_, title_, help_)                            \
	{                                                         \
		name_, title_, help_, "bars.gp", build_bars, &id, \
	}
#define SWEEP(id, name_, title_, help_)                             \
	{                                                           \
		name_, title_, help_, "lines.gp", build_sweep, &id, \
	}

const struct figure figures[] = {
    BARS(flushes, "flushes", "IOTLB flushes", "IOTLB invalidations per request by kind"),
    BARS(descriptors, "descriptors", "Invalidation-queue descriptors",
	 "queued descriptors per request by kind"),
    BARS(misses, "iotlb", "IOTLB lookups", "IOTLB hits and misses per request"),
    BARS(walks, "walks", "Page walks",
	 "walks per request by how far the paging-structure caches shorten them"),
    BARS(walk_reads, "walk-reads", "Page-walk reads", "memory reads of the walker per request"),
    BARS(memory, "memory", "Kernel memory for DMA", "memory by account, peak (without the bounce pool)"),
    BARS(memory_current, "memory-end", "Kernel memory after the run",
	 "memory by account that stays after the last request"),
    BARS(bounce, "bounce", "Bounce buffering", "bytes copied through bounce buffers per request"),
    BARS(cpu, "cpu", "CPU time", "CPU time per request: map, unmap, driver"),
    {"cpu-steps", "CPU time by step", "CPU time per request: the seven largest steps, and waiting", "bars.gp",
     build_steps, &cpu_steps},
    BARS(exposure, "exposure", "Exposure after unmap", "bytes x time a device could still reach after unmap"),
    BARS(overmapped, "overmapped", "Bytes mapped beyond the buffers",
	 "page rounding and segment padding per request"),
    BARS(p2p, "p2p", "Peer-to-peer routes", "bytes between peers by route"),
    {"latency", "Request latency", "cumulative distribution of request latency", "lines.gp",
     build_latency_cdf, NULL},
    {"percentiles", "Latency percentiles", "latency by percentile", "lines.gp", build_latency_percentiles,
     NULL},
    {"series", "IOTLB flushes over time", "flushes per interval (needs --interval)", "lines.gp", build_series,
     NULL},
    SWEEP(sweep_flushes, "sweep-flushes", "IOTLB flushes",
	  "flushes per request over the first swept parameter"),
    SWEEP(sweep_throughput, "sweep-throughput", "Throughput",
	  "requests per second over the first swept parameter"),
    SWEEP(sweep_bandwidth, "sweep-bandwidth", "Bandwidth", "bandwidth over the first swept parameter"),
    SWEEP(sweep_latency, "sweep-latency", "Tail latency",
	  "99th percentile of latency over the first swept parameter"),
    SWEEP(sweep_misses, "sweep-misses", "IOTLB misses",
	  "IOTLB misses per request over the first swept parameter"),
    SWEEP(sweep_memory, "sweep-memory", "Kernel memory", "peak kernel memory over the first swept parameter"),
    SWEEP(sweep_cpu, "sweep-cpu", "CPU time", "CPU time per request over the first swept parameter"),
    {"heat-cpu", "CPU time, last API against first",
     "ratio of CPU time per request over two swept parameters", "heat.gp", build_heat, &sweep_cpu},
    {"heat-flushes", "IOTLB flushes, last API against first", "ratio of flushes over two swept parameters",
     "heat.gp", build_heat, &sweep_flushes},
    {0},
};

const struct figure *figure_find(const char *name)
{
	for (const struct figure *f = figures; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}
