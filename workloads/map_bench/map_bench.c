/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DMA API micro-benchmark: threads that map and unmap and do nothing else, as the kernel's
 * dma_map_benchmark (kernel/dma/map_benchmark.c) does, with more ways to map. No device touches the
 * buffers, so their physical addresses are made up.
 */
#include "workloads/load.h"

#include <math.h>
#include <string.h>

enum { HOW_API, HOW_SINGLE, HOW_SG, HOW_LINK, HOW_COHERENT };
enum { ORDER_FIFO, ORDER_LIFO };

struct map_bench_params {
	uint64_t pages, unit, threads, depth, iterations, warm_up;
	int how, order;
	bool contiguous, fixed_random;
	sim_time_t fixed;
};

static const char *const hows[] = {"api", "single", "sg", "link", "coherent", NULL};
static const char *const orders[] = {"fifo", "lifo", NULL};

#define PARAMS_OF struct map_bench_params
static const struct param_spec param_specs[] = {
    PARAM(pages, UINT, "1", .min = 1, .max = 65536, .help = "pieces that one operation maps"),
    PARAM(unit, SIZE, "4KiB", .min = 4096, .max = 1 << 30, .help = "bytes of one piece (power of two)"),
    PARAM(contiguous, BOOL, "false", .help = "the pieces of one operation are neighbours in memory"),
    PARAM(how, ENUM, "api", .choices = hows,
	  .help = "api: as the api compared would (legacy: single or sg; link: one linked range); else one "
		  "way for all"),
    PARAM(threads, UINT, "1", .min = 1, .max = 4096, .help = "threads, each on its own CPU"),
    PARAM(depth, UINT, "1", .min = 1, .max = 1 << 20, .help = "mappings that each thread keeps"),
    PARAM(order, ENUM, "fifo", .choices = orders, .help = "which of them is unmapped next"),
    PARAM(iterations, UINT, "10000", .min = 1, .max = 1e9, .help = "operations measured per thread"),
    PARAM(warm_up, UINT, "2000", .max = 1e9, .help = "operations before that"),
    PARAM(fixed, TIME, "0", .max = 1e12,
	  .help = "time outside the DMA layer per operation (the rest of a driver)"),
    PARAM(fixed_random, BOOL, "false",
	  .help = "that time is exponentially distributed around its mean: threads do not keep in step"),
};
const struct param_table map_bench_param_table = PARAM_TABLE(
    "map_bench", "threads that map and unmap buffers (workload map_bench)", param_specs);
#undef PARAMS_OF

struct map_bench_stats {
	uint64_t operations, failed, acquired, contended;
	sim_time_t map, unmap, pt_map, pt_unmap, iova_alloc, iova_free, lock_wait, elapsed;
};

static double per_op(sim_time_t t, const struct map_bench_stats *st)
{
	return st->operations ? (double)t / (double)st->operations / SIM_NS : NAN;
}
#define MEAN(member)                                                           \
	static double member##_mean(const void *v)                             \
	{                                                                      \
		return per_op(((const struct map_bench_stats *)v)->member, v); \
	}
MEAN(map)
MEAN(unmap)
MEAN(pt_map)
MEAN(pt_unmap)
MEAN(iova_alloc)
MEAN(iova_free)
MEAN(lock_wait)

static double rate(const void *v)
{
	const struct map_bench_stats *st = v;

	return st->elapsed ? (double)st->operations / ((double)st->elapsed / SIM_S) : NAN;
}

#define STATS_OF struct map_bench_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("map_bench.operations", operations, "operations measured and done, all threads"),
    STAT_COUNT("map_bench.failed", failed, "operations whose mapping failed"),
    STAT_COMPUTED("map_bench.map_ns", "ns", map_mean, "mean time to map"),
    STAT_COMPUTED("map_bench.unmap_ns", "ns", unmap_mean, "mean time to unmap"),
    STAT_COMPUTED("map_bench.pt_map_ns", "ns", pt_map_mean,
		  "page-table part of a map, cache flushes included, table allocation left out"),
    STAT_COMPUTED("map_bench.pt_unmap_ns", "ns", pt_unmap_mean,
		  "page-table part of an unmap, cache flushes included"),
    STAT_COMPUTED("map_bench.iova_alloc_ns", "ns", iova_alloc_mean,
		  "address allocation and release part, no lock wait"),
    STAT_COMPUTED("map_bench.iova_free_ns", "ns", iova_free_mean,
		  "release part alone where addresses are cached"),
    STAT_COMPUTED("map_bench.lock_wait_ns", "ns", lock_wait_mean, "waiting for locks, per operation"),
    STAT_COMPUTED("map_bench.rate", "1/s", rate, "operations per second, all threads together"),
};
const struct stat_table map_bench_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

static const char *const columns[] = {"threads", "pages", "map_ns", "unmap_ns", "lock_wait_ns", "rate_per_s"};

/* One mapping that is alive. */
struct mapping {
	bool ok;
	dma_addr_t addr; /* single of one piece, coherent */
	dma_addr_t *addrs;
	phys_addr_t coherent;
	struct sg_table sgt;
	struct dma_iova_state state;
	unsigned linked;
};

struct map_bench;
struct thread {
	struct cpu_work work;
	struct map_bench *b;
	struct cpu *cpu;
	phys_addr_t base;
	struct mapping *ring;
	struct rng rng;
	uint64_t head, alive, done;
	/* at the end of the warm-up */
	uint64_t steps[COST_COUNT];
	sim_time_t lock_wait, begin, end;
	sim_time_t map, unmap;
};

struct map_bench {
	struct load base;
	struct map_bench_params p;
	struct map_bench_stats st;
	int how;
	struct thread *threads;
};

static phys_addr_t piece(const struct thread *t, uint64_t i)
{
	/* Every other unit where pieces must not touch. */
	return t->base + i * t->b->p.unit * (t->b->p.contiguous ? 1 : 2);
}

static bool map_single(struct thread *t, struct mapping *m)
{
	struct map_bench *b = t->b;

	for (uint64_t i = 0; i < b->p.pages; i++) {
		m->addrs[i] = dma_map_phys(b->base.dev, piece(t, i), b->p.unit, DMA_FROM_DEVICE, 0);
		if (dma_mapping_error(b->base.dev, m->addrs[i])) {
			while (i--)
				dma_unmap_phys(b->base.dev, m->addrs[i], b->p.unit, DMA_FROM_DEVICE, 0);
			return false;
		}
	}
	return true;
}

static bool map_sg(struct thread *t, struct mapping *m)
{
	struct map_bench *b = t->b;
	struct scatterlist *sg;
	unsigned i;

	if (sg_alloc_table(&b->base.m->sim, &m->sgt, (unsigned)b->p.pages))
		return false;
	for_each_sg (m->sgt.sgl, sg, m->sgt.orig_nents, i)
		sg_set_phys(sg, piece(t, i), (uint32_t)b->p.unit);
	if (dma_map_sgtable(b->base.dev, &m->sgt, DMA_FROM_DEVICE, 0) == 0)
		return true;
	sg_free_table(&b->base.m->sim, &m->sgt);
	return false;
}

static bool map_link(struct thread *t, struct mapping *m)
{
	struct map_bench *b = t->b;
	uint64_t n = b->p.contiguous ? 1 : b->p.pages, size = b->p.unit * (b->p.pages / n);

	m->state = (struct dma_iova_state){0};
	m->linked = 0;
	if (!dma_iova_try_alloc(b->base.dev, &m->state, piece(t, 0), b->p.unit * b->p.pages))
		return map_single(t, m);
	for (uint64_t i = 0; i < n; i++, m->linked++)
		if (dma_iova_link(b->base.dev, &m->state, piece(t, i), i * size, size, DMA_FROM_DEVICE, 0))
			break;
	if (m->linked == n && !dma_iova_sync(b->base.dev, &m->state, 0, b->p.unit * b->p.pages))
		return true;
	dma_iova_destroy(b->base.dev, &m->state, m->linked * size, DMA_FROM_DEVICE, 0);
	return false;
}

static bool do_map(struct thread *t, struct mapping *m)
{
	struct map_bench *b = t->b;

	switch (b->how) {
	case HOW_SG:
		return map_sg(t, m);
	case HOW_LINK:
		return map_link(t, m);
	case HOW_COHERENT:
		m->coherent = dma_alloc_coherent(b->base.dev, b->p.unit * b->p.pages, &m->addr);
		return m->coherent != 0;
	default:
		return map_single(t, m);
	}
}

static void do_unmap(struct thread *t, struct mapping *m)
{
	struct map_bench *b = t->b;
	uint64_t bytes = b->p.unit * b->p.pages;

	if (!m->ok)
		return;
	m->ok = false;
	if (b->how == HOW_SG) {
		dma_unmap_sgtable(b->base.dev, &m->sgt, DMA_FROM_DEVICE, 0);
		sg_free_table(&b->base.m->sim, &m->sgt);
	} else if (b->how == HOW_COHERENT) {
		dma_free_coherent(b->base.dev, bytes, m->coherent, m->addr);
	} else if (b->how == HOW_LINK && dma_use_iova(&m->state)) {
		dma_iova_destroy(b->base.dev, &m->state, bytes, DMA_FROM_DEVICE, 0);
	} else {
		for (uint64_t i = 0; i < b->p.pages; i++)
			dma_unmap_phys(b->base.dev, m->addrs[i], b->p.unit, DMA_FROM_DEVICE, 0);
	}
}

/* The mapping to give up when depth are alive. */
static struct mapping *victim(struct thread *t)
{
	uint64_t depth = t->b->p.depth;

	return &t->ring[t->b->p.order == ORDER_FIFO ? (t->head + depth - t->alive) % depth
						    : (t->head + depth - 1) % depth];
}

static void one(struct thread *t, bool measured)
{
	struct map_bench *b = t->b;
	struct cpu *c = t->cpu;
	sim_time_t start = c->now;
	struct mapping *m;

	m = &t->ring[t->head];
	m->ok = do_map(t, m);
	t->head = (t->head + 1) % b->p.depth;
	t->alive++;
	if (measured) {
		if (m->ok) {
			t->map += c->now - start;
			b->st.operations++;
		} else {
			b->st.failed++;
			machine_io_refused(b->base.m);
		}
	}
	cpu_spend(c,
		  b->p.fixed_random ? (sim_time_t)rng_exponential(&t->rng, (double)b->p.fixed) : b->p.fixed);
	cpu_sync(c);
	if (t->alive < b->p.depth)
		return;
	start = c->now;
	m = victim(t);
	do_unmap(t, m);
	t->alive--;
	if (b->p.order == ORDER_LIFO)
		t->head = (uint64_t)(m - t->ring);
	if (measured)
		t->unmap += c->now - start;
	cpu_sync(c);
}

static void measured_part_begins(struct thread *t, const struct cpu *c)
{
	memcpy(t->steps, c->steps, sizeof(t->steps));
	t->lock_wait = c->lock_wait;
	t->begin = c->now;
}

static void measured_part_ends(struct thread *t, const struct cpu *c)
{
	t->end = c->now;
	for (unsigned i = 0; i < COST_COUNT; i++)
		t->steps[i] = c->steps[i] - t->steps[i];
	t->lock_wait = c->lock_wait - t->lock_wait;
}

/* Operations until all are done, or an interrupt is due on this CPU: a timer of the kernel. */
static void run_thread(struct cpu_work *w, struct cpu *c)
{
	struct thread *t = (struct thread *)w;
	const struct map_bench_params *p = &t->b->p;
	uint64_t unmeasured = p->warm_up + p->depth, total = unmeasured + p->iterations;

	while (t->done < total && !sim_interrupted(c->sim)) {
		if (t->done == unmeasured)
			measured_part_begins(t, c);
		one(t, t->done >= unmeasured);
		if (++t->done == total)
			measured_part_ends(t, c);
		if (cpu_work_due(c)) {
			cpu_post(c, w, c->now);
			return;
		}
	}
	while (t->alive) {
		struct mapping *m = victim(t);

		do_unmap(t, m);
		t->alive--;
		if (p->order == ORDER_LIFO)
			t->head = (uint64_t)(m - t->ring);
	}
}

static void release(struct load *l)
{
	struct map_bench *b = (struct map_bench *)l;

	for (uint64_t i = 0; b->threads && i < b->p.threads; i++) {
		for (uint64_t k = 0; b->threads[i].ring && k < b->p.depth; k++)
			g_free(b->threads[i].ring[k].addrs);
		g_free(b->threads[i].ring);
	}
	g_free(b->threads);
}

static int way(const struct map_bench *b, const struct dma_api *api)
{
	if (b->p.how != HOW_API)
		return b->p.how;
	if (api->needs_iova_api)
		return HOW_LINK;
	return b->p.pages > 1 ? HOW_SG : HOW_SINGLE;
}

static void open_thread(struct map_bench *b, uint64_t i)
{
	struct sim *s = &b->base.m->sim;
	g_autofree char *stream = g_strdup_printf("map_bench.%" G_GUINT64_FORMAT, i);
	uint64_t span = 2 * b->p.unit * b->p.pages;
	struct thread *t = &b->threads[i];

	*t = (struct thread){.work = {.fn = run_thread}, .b = b, .cpu = &s->cpus[i]};
	t->base = align_up(8 * GIB + i * span, GIB);
	rng_init(&t->rng, s->seed, stream);
	t->ring = g_new0(struct mapping, b->p.depth);
	for (uint64_t k = 0; k < b->p.depth; k++)
		t->ring[k].addrs = g_new0(dma_addr_t, b->p.pages);
}

static bool set_up(struct load *l, GError **error)
{
	struct map_bench *b = (struct map_bench *)l;

	b->p.unit = (uint64_t)1 << order_base_2(b->p.unit);
	b->how = way(b, l->api);
	if (b->p.threads > l->m->sim.ncpus) {
		g_set_error(error, PARAM_ERROR, 0,
			    "map_bench.threads = %" G_GUINT64_FORMAT ": want at most cpu.count = %u",
			    b->p.threads, l->m->sim.ncpus);
		return false;
	}
	if (!load_device(l, NULL, 0, error))
		return false;
	b->threads = g_new0(struct thread, b->p.threads);
	for (uint64_t i = 0; i < b->p.threads; i++)
		open_thread(b, i);
	load_curve(l, columns, G_N_ELEMENTS(columns), 1);
	return true;
}

/* Time of the steps of a thread that belong to one part of an operation. */
static sim_time_t time_of(const struct thread *t, const enum cost *steps, size_t n)
{
	const struct sim *s = &t->b->base.m->sim;
	sim_time_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += t->steps[steps[i]] * s->cost[steps[i]];
	return sum;
}

static void collect(struct map_bench *b)
{
	static const enum cost pt_map[] = {COST_PT_MAP_CALL,     COST_PT_MAP_PAGE,     COST_PT_MAP_LEVEL,
					   COST_PT_OLD_MAP_CALL, COST_PT_OLD_MAP_PAGE, COST_PT_OLD_MAP_LARGE,
					   COST_PT_CACHE_FLUSH},
			       pt_unmap[] = {COST_PT_UNMAP_CALL,      COST_PT_UNMAP_PAGE,
					     COST_PT_UNMAP_LARGE,     COST_PT_UNMAP_LEVEL,
					     COST_PT_OLD_UNMAP_CALL,  COST_PT_OLD_UNMAP_PAGE,
					     COST_PT_OLD_UNMAP_LARGE, COST_PT_UNMAP_FLUSH},
			       alloc[] = {COST_IOVA_ALLOC_HIT,  COST_IOVA_DEPOT_SWAP, COST_IOVA_TREE_FIXED,
					  COST_IOVA_TREE_LEVEL, COST_IOVA_TREE_STEP,  COST_IOVA_RANGE},
			       free_[] = {COST_IOVA_FREE_HIT};
	sim_time_t begin = SIM_TIME_NEVER, end = 0;
	struct io_stats *io = &b->base.m->io;
	double *row = b->base.base.curve.values;

	for (uint64_t i = 0; i < b->p.threads; i++) {
		const struct thread *t = &b->threads[i];

		begin = MIN(begin, t->begin);
		end = MAX(end, t->end);
		b->st.map += t->map;
		b->st.unmap += t->unmap;
		b->st.lock_wait += t->lock_wait;
		b->st.pt_map += time_of(t, pt_map, G_N_ELEMENTS(pt_map));
		b->st.pt_unmap += time_of(t, pt_unmap, G_N_ELEMENTS(pt_unmap));
		b->st.iova_alloc += time_of(t, alloc, G_N_ELEMENTS(alloc));
		b->st.iova_free += time_of(t, free_, G_N_ELEMENTS(free_));
	}
	b->st.elapsed = end - begin;
	io->completed = b->st.operations;
	io->bytes = b->st.operations * b->p.unit * b->p.pages;
	io->first = begin;
	io->last = end;
	*row++ = (double)b->p.threads;
	*row++ = (double)b->p.pages;
	*row++ = map_mean(&b->st);
	*row++ = unmap_mean(&b->st);
	*row++ = lock_wait_mean(&b->st);
	*row++ = rate(&b->st);
	b->base.base.curve.nrows = 1;
}

static bool run(struct load *l, GError **error)
{
	struct map_bench *b = (struct map_bench *)l;
	struct sim *s = &l->m->sim;

	(void)error;
	for (uint64_t i = 0; i < b->p.threads; i++)
		cpu_post(b->threads[i].cpu, &b->threads[i].work, s->now);
	sim_run(s);
	collect(b);
	return true;
}

extern const struct workload_ops map_bench_workload;
static const struct load_ops ops = {
    .workload = &map_bench_workload,
    .size = sizeof(struct map_bench),
    .stats = offsetof(struct map_bench, st),
    .params = offsetof(struct map_bench, p),
    .set_up = set_up,
    .run = run,
    .release = release,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	return load_new(&ops, m, api, error);
}

const struct workload_ops map_bench_workload = {
    .kind = WORKLOAD_MAP_BENCH,
    .name = "map_bench",
    .help = "map and unmap in a loop: single, scatterlist, linked range or coherent",
    .any_api = true,
    .params = &map_bench_param_table,
    .stats = &map_bench_stat_table,
    .create = create,
    .finish = load_finish,
    .destroy = load_destroy,
};
