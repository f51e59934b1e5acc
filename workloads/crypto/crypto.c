/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Crypto accelerator: each request reads a source list and writes a destination list, or works in place.
 * Requests of the crypto subsystem carry scatterlists to this day, also where only the CPU looks at them;
 * no driver has moved to linked ranges, so the workload has a path in the old API only.
 */
#include "workloads/load.h"

struct crypto_params {
	uint64_t requests, entries, entry_bytes, offset;
	double in_place, bandwidth;
	sim_time_t latency;
};

#define PARAMS_OF struct crypto_params
static const struct param_spec param_specs[] = {
    PARAM(requests, UINT, "10000", .min = 1, .max = 1e12, .help = "requests to run"),
    PARAM(entries, UINT, "4", .min = 1, .max = 2048,
	  .help = "most entries of one list; each has 1 to this many"),
    PARAM(entry_bytes, SIZE, "1500", .min = 16, .max = 1 << 20, .help = "bytes of one entry"),
    PARAM(offset, SIZE, "64", .max = 4095,
	  .help = "where an entry starts inside its page (behind packet headers)"),
    PARAM(in_place, DOUBLE, "0.5", .max = 1, .help = "share of requests whose destination is the source"),
    PARAM(bandwidth, DOUBLE, "5", .unit = "GB/s", .min = 0.001, .max = 1000, .help = "rate of the engine",
	  .source = "one engine of a current accelerator, order of magnitude (E)"),
    PARAM(latency, TIME, "5us", .max = 1e12, .help = "fixed time of one request",
	  .source = "order of magnitude (E)"),
};
const struct param_table crypto_param_table = PARAM_TABLE(
    "crypto", "crypto accelerator with scatterlists (workload crypto)", param_specs);
#undef PARAMS_OF

struct crypto_stats {
	uint64_t in_place, lists, entries;
};
#define STATS_OF struct crypto_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("crypto.in_place", in_place, "requests in place"),
    STAT_COUNT("crypto.lists", lists, "lists mapped"),
    STAT_COUNT("crypto.entries", entries, "entries of those lists"),
};
const struct stat_table crypto_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

struct crypto {
	struct load base;
	struct crypto_params p;
	struct crypto_stats st;
	struct load_buffer src, dst;
	struct cpu_work work;
	struct rng rng;
};

static bool map(struct crypto *w, struct load_buffer *b, unsigned n, enum dma_data_direction dir)
{
	if (!load_buffer_map(&w->base, b, n, dir))
		return false;
	w->st.lists++;
	w->st.entries += n;
	return true;
}

/* Source and destination, which may be one list. false: refused, and nothing is mapped. */
static bool map_both(struct crypto *w, unsigned n, bool in_place)
{
	if (!map(w, &w->src, n, in_place ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE))
		return false;
	if (in_place || map(w, &w->dst, n, DMA_FROM_DEVICE))
		return true;
	load_buffer_unmap(&w->base, &w->src);
	return false;
}

static void one(struct crypto *w, struct cpu *cpu)
{
	struct load *l = &w->base;
	bool in_place = rng_double(&w->rng) < w->p.in_place, ok;
	unsigned n = 1 + (unsigned)rng_below(&w->rng, w->p.entries);
	struct load_buffer *to = in_place ? &w->src : &w->dst;
	sim_time_t start = cpu->now, done;

	cpu_charge(cpu, COST_DRIVER_SUBMIT);
	if (!map_both(w, n, in_place)) {
		machine_io_refused(l->m);
		return;
	}
	cpu_charge(cpu, COST_DOORBELL);
	done = cpu->now;
	ok = load_access_all(l, &w->src.obj, PCIE_READ, done, &done);
	if (l->m->sim.timing)
		done += w->p.latency +
			(sim_time_t)((double)w->src.obj.bytes / w->p.bandwidth * (double)SIM_NS);
	ok = load_access_all(l, &to->obj, PCIE_WRITE, done, &done) && ok;
	cpu_wait_until(cpu, done);
	cpu_charge(cpu, COST_DRIVER_COMPLETE);
	load_buffer_unmap(l, &w->src);
	if (!in_place)
		load_buffer_unmap(l, &w->dst);
	w->st.in_place += in_place;
	load_request_done(l, ok, w->src.obj.bytes, start, done);
	l->m->io.last = MAX(l->m->io.last, cpu->now); /* the driver's part, too */
}

static void run_requests(struct cpu_work *work, struct cpu *cpu)
{
	struct crypto *w = container_of(work, struct crypto, work);

	for (uint64_t i = 0; i < w->p.requests && !sim_interrupted(cpu->sim); i++) {
		one(w, cpu);
		cpu_sync(cpu);
	}
}

static bool run(struct load *l, GError **error)
{
	(void)error;
	load_run_on_first_cpu(l, &((struct crypto *)l)->work);
	return true;
}

static bool set_up(struct load *l, GError **error)
{
	struct crypto *w = (struct crypto *)l;
	const struct crypto_params *p = &w->p;
	unsigned n = (unsigned)p->entries;

	w->work.fn = run_requests;
	rng_init(&w->rng, l->m->sim.seed, "crypto");
	if (!load_device(l, NULL, 0, error))
		return false;
	if (load_buffer_open(l, &w->src, n, p->entry_bytes, p->offset, p->offset) &&
	    load_buffer_open(l, &w->dst, n, p->entry_bytes, p->offset, p->offset))
		return true;
	g_set_error(error, PARAM_ERROR, 0,
		    "no memory for the buffers: want a larger memory.size or fewer crypto.entries");
	return false;
}

static void release(struct load *l)
{
	struct crypto *w = (struct crypto *)l;

	load_buffer_close(l, &w->src);
	load_buffer_close(l, &w->dst);
}

extern const struct workload_ops crypto_workload;
static const struct load_ops ops = {
    .workload = &crypto_workload,
    .size = sizeof(struct crypto),
    .stats = offsetof(struct crypto, st),
    .params = offsetof(struct crypto, p),
    .set_up = set_up,
    .run = run,
    .release = release,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	return load_new(&ops, m, api, error);
}

const struct workload_ops crypto_workload = {
    .kind = WORKLOAD_CRYPTO,
    .name = "crypto",
    .help = "crypto accelerator: source and destination scatterlists (old API only)",
    .params = &crypto_param_table,
    .stats = &crypto_stat_table,
    .create = create,
    .finish = load_finish,
    .destroy = load_destroy,
};
