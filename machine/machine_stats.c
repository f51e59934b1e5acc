/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics of the machine as a whole: requests, CPU time by step, exposure, the simulator itself. */
#include "internal.h"

#include <math.h>

static double in_ns(sim_time_t t)
{
	return (double)t / (double)SIM_NS;
}

static double seconds(const struct machine *m)
{
	sim_time_t first = MAX(m->io.first, m->io.warmup.end);

	return m->io.last > first ? (double)(m->io.last - first) / (double)SIM_S : NAN;
}

static double io_iops(const void *v)
{
	const struct machine *m = v;

	return (double)(m->io.completed - m->io.warmup.completed) / seconds(m);
}

static double io_bandwidth(const void *v)
{
	const struct machine *m = v;

	return (double)(m->io.bytes - m->io.warmup.bytes) / seconds(m);
}

static double latency(const struct machine *m, double q)
{
	return hist_count(m->io.latency_ns) ? (double)hist_quantile(m->io.latency_ns, q) : NAN;
}

static double latency_mean(const void *v)
{
	const struct machine *m = v;

	return hist_count(m->io.latency_ns) ? hist_mean(m->io.latency_ns) : NAN;
}

static double latency_max(const void *v)
{
	const struct machine *m = v;

	return hist_count(m->io.latency_ns) ? (double)hist_max(m->io.latency_ns) : NAN;
}

static double latency_p50(const void *v)
{
	return latency(v, 0.5);
}

static double latency_p99(const void *v)
{
	return latency(v, 0.99);
}

static double latency_p999(const void *v)
{
	return latency(v, 0.999);
}

static double step_ns(const struct machine *m, enum cost step)
{
	sim_time_t sum = 0;

	for (unsigned i = 0; i < m->sim.ncpus; i++)
		sum += cpu_step_time(&m->sim.cpus[i], step);
	return in_ns(sum);
}

static double driver_ns(const void *v)
{
	static const enum cost steps[] = {COST_DRIVER_SUBMIT, COST_DRIVER_COMPLETE, COST_DRIVER_DESCRIPTOR,
					  COST_DOORBELL,      COST_SG_ALLOC,        COST_KMALLOC};
	double sum = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
		sum += step_ns(v, steps[i]);
	return sum;
}

static double busy_ns(const void *v)
{
	const struct machine *m = v;
	sim_time_t sum = 0;

	for (unsigned i = 0; i < m->sim.ncpus; i++)
		sum += cpu_busy(&m->sim.cpus[i]);
	return in_ns(sum);
}

static double copy_share(const void *v)
{
	double busy = busy_ns(v);

	return busy > 0 ? step_ns(v, COST_SWIOTLB_COPY_KIB) / busy : NAN;
}

static double lock_wait_ns(const void *v)
{
	const struct machine *m = v;
	sim_time_t sum = 0;

	for (unsigned i = 0; i < m->sim.ncpus; i++)
		sum += m->sim.cpus[i].lock_wait;
	return in_ns(sum);
}

#define STEP_FUNCTION(id, key, ns, where, what) \
	static double step_##id(const void *v)  \
	{                                       \
		return step_ns(v, COST_##id);   \
	}
COST_STEPS(STEP_FUNCTION)

#define STEP_ROW(id, key, ns, where, what) \
	STAT_COMPUTED("cpu.step." key "_ns", "ns", step_##id, "CPU time: " what, .summed = true),

#define STATS_OF struct machine
/* clang-format off */
static const struct stat_spec specs[] = {
    STAT_COUNT("io.completed", io.completed, "requests completed"),
    STAT_BYTES("io.bytes", io.bytes, "payload bytes of completed requests"),
    STAT_COUNT("io.failed", io.failed, "requests that ended with an error"),
    STAT_COUNT("io.refused", io.refused, "... whose memory could not be mapped"),
    STAT_COMPUTED("io.iops", "1/s", io_iops, "completed requests per simulated second of the measured part", .needs_timing = true, .measured = true),
    STAT_COMPUTED("io.bandwidth", "bytes/s", io_bandwidth, "payload bytes per simulated second of the measured part",
		  .needs_timing = true, .measured = true),
    STAT_COMPUTED("io.latency_mean_ns", "ns", latency_mean, "mean request latency", .needs_timing = true),
    STAT_COMPUTED("io.latency_p50_ns", "ns", latency_p50, "median request latency", .needs_timing = true),
    STAT_COMPUTED("io.latency_p99_ns", "ns", latency_p99, "99th percentile of request latency",
		  .needs_timing = true),
    STAT_COMPUTED("io.latency_p999_ns", "ns", latency_p999, "99.9th percentile of request latency",
		  .needs_timing = true),
    STAT_COMPUTED("io.latency_max_ns", "ns", latency_max, "longest request latency", .needs_timing = true),
    STAT_TIME("cpu.map_ns", dma_stats.map_time, "CPU time in DMA map calls (map, link, sync)"),
    STAT_TIME("cpu.unmap_ns", dma_stats.unmap_time, "CPU time in DMA unmap calls (unmap, unlink, destroy)"),
    STAT_COMPUTED("cpu.driver_ns", "ns", driver_ns, "CPU time of the driver outside the DMA API", .summed = true),
    STAT_COMPUTED("cpu.busy_ns", "ns", busy_ns, "all CPU time charged or waited", .summed = true),
    STAT_COMPUTED("swiotlb.copy_share", "ratio", copy_share,
		  "part of all CPU time that copying to and from bounce buffers takes"),
    STAT_COMPUTED("cpu.lock_wait_ns", "ns", lock_wait_ns, "CPU time spent waiting for locks",
		  .needs_timing = true, .summed = true),
    COST_STEPS(STEP_ROW)
    STAT_BYTES(
	"exposure.overmapped_bytes", dma_stats.overmapped_bytes,
	"bytes mapped beyond the buffers (page granularity, segment padding), summed over mappings"),
    STAT_HIST("iommu.map_size", "bytes", dma_stats.map_size, "sizes of the IOMMU core's map calls"),
    STAT_HIST("iommu.unmap_size", "bytes", dma_stats.unmap_size, "sizes of its unmap calls"),
    STAT_HIST("iova.alloc_pages", "pages", dma_stats.iova_pages, "sizes of the IOVA ranges allocated"),
    STAT_LATENCY("io.latency_ns", io.latency_ns, "request latencies"),
    STAT_COUNT("sim.events", sim.events_run, "events the simulator ran"),
    STAT_COUNT("sim.records", io.records, "trace records consumed"),
};
/* clang-format on */
const struct stat_table machine_stat_table = STAT_TABLE(specs);
#undef STATS_OF
