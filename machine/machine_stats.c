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
	return m->io.last > m->io.first ? (double)(m->io.last - m->io.first) / (double)SIM_S : NAN;
}

static double io_iops(const void *v)
{
	const struct machine *m = v;

	return (double)m->io.completed / seconds(m);
}

static double io_bandwidth(const void *v)
{
	const struct machine *m = v;

	return (double)m->io.bytes / seconds(m);
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
	{.name = "cpu.step." key "_ns",    \
	 .kind = STAT_FORMULA,             \
	 .unit = "ns",                     \
	 .formula = step_##id,             \
	 .help = "CPU time: " what},

#define COUNTER(text, member, unit_, help_)                               \
	{                                                                 \
		.name = text, .kind = STAT_COUNTER, .unit = unit_,        \
		.offset = offsetof(struct machine, member), .help = help_ \
	}
#define FORMULA(text, fn, unit_, timing, help_)                                                           \
	{                                                                                                 \
		.name = text, .kind = STAT_FORMULA, .unit = unit_, .formula = fn, .needs_timing = timing, \
		.help = help_                                                                             \
	}
#define TIME(text, member, help_)                                         \
	{                                                                 \
		.name = text, .kind = STAT_TIME_NS, .unit = "ns",         \
		.offset = offsetof(struct machine, member), .help = help_ \
	}

static const struct stat_spec specs[] = {
    COUNTER("io.completed", io.completed, "count", "requests completed"),
    COUNTER("io.bytes", io.bytes, "bytes", "payload bytes of completed requests"),
    COUNTER("io.failed", io.failed, "count", "requests that ended with an error"),
    COUNTER("io.refused", io.refused, "count", "... whose memory could not be mapped"),
    FORMULA("io.iops", io_iops, "1/s", true, "completed requests per simulated second"),
    FORMULA("io.bandwidth", io_bandwidth, "bytes/s", true, "payload bytes per simulated second"),
    FORMULA("io.latency_mean_ns", latency_mean, "ns", true, "mean request latency"),
    FORMULA("io.latency_p50_ns", latency_p50, "ns", true, "median request latency"),
    FORMULA("io.latency_p99_ns", latency_p99, "ns", true, "99th percentile of request latency"),
    FORMULA("io.latency_p999_ns", latency_p999, "ns", true, "99.9th percentile of request latency"),
    FORMULA("io.latency_max_ns", latency_max, "ns", true, "longest request latency"),
    TIME("cpu.map_ns", dma_stats.map_time, "CPU time in DMA map calls (map, link, sync)"),
    TIME("cpu.unmap_ns", dma_stats.unmap_time, "CPU time in DMA unmap calls (unmap, unlink, destroy)"),
    FORMULA("cpu.driver_ns", driver_ns, "ns", false, "CPU time of the driver outside the DMA API"),
    FORMULA("cpu.busy_ns", busy_ns, "ns", false, "all CPU time charged or waited"),
    FORMULA("swiotlb.copy_share", copy_share, "ratio", false,
	    "part of all CPU time that copying to and from bounce buffers takes"),
    FORMULA("cpu.lock_wait_ns", lock_wait_ns, "ns", true, "CPU time spent waiting for locks"),
    COST_STEPS(STEP_ROW)
	COUNTER("exposure.overmapped_bytes", dma_stats.overmapped_bytes, "bytes",
		"bytes mapped beyond the buffers (page granularity, segment padding), summed over mappings"),
    COUNTER("sim.events", sim.events_run, "count", "events the simulator ran"),
    COUNTER("sim.records", io.records, "count", "trace records consumed"),
};

const struct stat_table machine_stat_table = {specs, G_N_ELEMENTS(specs), sizeof(struct machine)};
