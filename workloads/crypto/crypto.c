/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Crypto accelerator: each request reads a source list and writes a destination list, or works in place.
 * Requests of the crypto subsystem carry scatterlists to this day, also where only the CPU looks at them;
 * no driver has moved to linked ranges, so the workload has a path in the old API only.
 */
#include "sim/cpu.h"
#include <dmasim/workload.h>

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

struct buffer {
	struct dma_object obj;
	struct phys_vec *vecs;
	unsigned n; /* entries in use */
};

struct crypto {
	struct workload base;
	struct machine *m;
	struct crypto_params p;
	struct crypto_stats st;
	const struct dma_api *api;
	const struct driver_path *path;
	struct device *dev;
	struct buffer src, dst;
	struct cpu_work work;
	struct rng rng;
	unsigned order;
	void *instance;
};

static bool map(struct crypto *w, struct buffer *b, unsigned n, enum dma_data_direction dir)
{
	b->n = n;
	b->obj.dir = dir;
	b->obj.nsegs = 0;
	b->obj.bytes = n * w->p.entry_bytes;
	if (w->path->map(&b->obj, 0, b->vecs, n))
		return false;
	w->st.lists++;
	w->st.entries += n;
	return true;
}

/* The engine moves a list; false when an access failed. */
static bool access_all(struct crypto *w, struct buffer *b, enum pcie_op op, sim_time_t *when)
{
	sim_time_t start = *when;
	bool ok = true;

	for (unsigned i = 0; i < b->obj.nsegs; i++) {
		struct pcie_dma d = {.fn = w->dev->pci,
				     .op = op,
				     .addr = b->obj.segs[i].addr,
				     .len = b->obj.segs[i].len,
				     .pasid = VTD_NO_PASID};

		ok = !pcie_dma(&d, start) && ok;
		*when = MAX(*when, d.done);
	}
	return ok;
}

static void one(struct crypto *w, struct cpu *cpu)
{
	struct io_stats *io = &w->m->io;
	bool in_place = rng_double(&w->rng) < w->p.in_place;
	unsigned n = 1 + (unsigned)rng_below(&w->rng, w->p.entries);
	struct buffer *to = in_place ? &w->src : &w->dst;
	sim_time_t start = cpu->now, done;
	bool ok;

	cpu_charge(cpu, COST_DRIVER_SUBMIT);
	if (!map(w, &w->src, n, in_place ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE)) {
		machine_io_refused(w->m);
		return;
	}
	if (!in_place && !map(w, &w->dst, n, DMA_FROM_DEVICE)) {
		w->path->unmap(&w->src.obj, 0, w->src.obj.bytes);
		machine_io_refused(w->m);
		return;
	}
	cpu_charge(cpu, COST_DOORBELL);
	done = cpu->now;
	ok = access_all(w, &w->src, PCIE_READ, &done);
	if (w->m->sim.timing)
		done += w->p.latency +
			(sim_time_t)((double)w->src.obj.bytes / w->p.bandwidth * (double)SIM_NS);
	ok = access_all(w, to, PCIE_WRITE, &done) && ok;
	cpu_wait_until(cpu, done);
	cpu_charge(cpu, COST_DRIVER_COMPLETE);
	w->path->unmap(&w->src.obj, 0, w->src.obj.bytes);
	if (!in_place)
		w->path->unmap(&w->dst.obj, 0, w->dst.obj.bytes);
	w->st.in_place += in_place;
	io->last = MAX(io->last, cpu->now);
	if (!ok) {
		machine_io_failed(w->m);
		return;
	}
	io->completed++;
	io->bytes += w->src.obj.bytes;
	hist_add(io->latency_ns, (done - start) / SIM_NS, 1);
}

static void run(struct cpu_work *work, struct cpu *cpu)
{
	struct crypto *w = container_of(work, struct crypto, work);

	w->m->io.first = cpu->now;
	for (uint64_t i = 0; i < w->p.requests && !sim_interrupted(cpu->sim); i++) {
		one(w, cpu);
		cpu_sync(cpu);
	}
	if (w->path->close) {
		w->path->close(&w->src.obj);
		w->path->close(&w->dst.obj);
	}
}

static bool open_buffer(struct crypto *w, struct buffer *b)
{
	unsigned n = (unsigned)w->p.entries;

	b->vecs = g_new0(struct phys_vec, n);
	b->obj = (struct dma_object){.dev = w->dev, .path = w->path, .instance = w->instance};
	b->obj.max_segs = n * (2 + (unsigned)(w->p.entry_bytes / PAGE_SIZE) + 1);
	b->obj.segs = g_new0(struct dma_segment, b->obj.max_segs);
	b->obj.state = g_malloc0(MAX(w->path->state_size, 1));
	for (unsigned i = 0; i < n; i++) {
		phys_addr_t page = memory_alloc_pages(w->m->memory, w->dev->node, w->order);

		if (!page)
			return false;
		b->vecs[i] = (struct phys_vec){page + w->p.offset, (uint32_t)w->p.entry_bytes};
	}
	return !w->path->open || w->path->open(&b->obj, n * w->p.entry_bytes) == 0;
}

static void close_buffer(struct crypto *w, struct buffer *b)
{
	for (unsigned i = 0; b->vecs && i < w->p.entries; i++)
		if (b->vecs[i].paddr)
			memory_free_pages(w->m->memory, b->vecs[i].paddr & PAGE_MASK, w->order);
	g_free(b->vecs);
	g_free(b->obj.segs);
	g_free(b->obj.state);
}

static void crypto_destroy(struct workload *base)
{
	struct crypto *w = (struct crypto *)base;

	if (!w)
		return;
	close_buffer(w, &w->src);
	close_buffer(w, &w->dst);
	dma_api_instance_free(w->api, w->m, w->instance);
	g_free(w);
}

static struct workload *crypto_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct crypto *w = g_new0(struct crypto, 1);

	w->base.stats = &w->st;
	w->m = m;
	w->api = api;
	w->path = dma_api_path(api, WORKLOAD_CRYPTO);
	w->p = *(const struct crypto_params *)config_get(m->config, &crypto_param_table);
	w->work.fn = run;
	w->order = order_base_2(div_round_up(w->p.offset + w->p.entry_bytes, PAGE_SIZE));
	rng_init(&w->rng, m->sim.seed, "crypto");
	w->dev = machine_add_device(m, NULL, error);
	if (!w->dev) {
		crypto_destroy((struct workload *)w);
		return NULL;
	}
	dma_set_mask(w->dev, UINT64_MAX);
	w->instance = dma_api_instance_new(api, m, w->dev);
	if (!open_buffer(w, &w->src) || !open_buffer(w, &w->dst)) {
		g_set_error(error, PARAM_ERROR, 0,
			    "no memory for the buffers: want a larger memory.size or fewer crypto.entries");
		crypto_destroy((struct workload *)w);
		return NULL;
	}
	return (struct workload *)w;
}

static bool crypto_finish(struct workload *base, GError **error)
{
	struct crypto *w = (struct crypto *)base;
	struct sim *s = &w->m->sim;

	(void)error;
	cpu_post(&s->cpus[0], &w->work, s->now);
	sim_run(s);
	return true;
}

const struct workload_ops crypto_workload = {
    .kind = WORKLOAD_CRYPTO,
    .name = "crypto",
    .help = "crypto accelerator: source and destination scatterlists (old API only)",
    .params = &crypto_param_table,
    .stats = &crypto_stat_table,
    .create = crypto_create,
    .finish = crypto_finish,
    .destroy = crypto_destroy,
};
