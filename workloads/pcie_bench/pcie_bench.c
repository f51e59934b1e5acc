/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A benchmark card: DMA to a window of one buffer that stays mapped, latency or throughput against
 * the window. Modelled on pcie-bench (Neugebauer et al., "Understanding PCIe performance for end host
 * networking", SIGCOMM 2018) and its NFP-6000 card, which issues transfers of up to 128 bytes as PCIe
 * commands whose completions it takes in order, and larger ones through a DMA engine.
 */
#include "workloads/load.h"

enum { OP_READ, OP_WRITE, OP_WRITE_READ };
enum { MEASURE_LATENCY, MEASURE_THROUGHPUT };
enum { ORDER_RANDOM, ORDER_SEQUENTIAL };
enum { TARGET_BUFFER, TARGET_HOLE };
#define HOLE UINT64_C(0x10000000) /* nothing is mapped there: IOVAs are handed out from 4 GiB downwards */
enum { WARMED_DEVICE, WARMED_HOST };

struct pcie_bench_params {
	char *windows;
	uint64_t size, piece, samples, warm_up;
	int op, measure, order, target, warmed_by;
	uint64_t node;
	bool cold;
	/* the card */
	uint64_t command_limit, command_window, engine_window;
	sim_time_t read_interval, write_interval, engine_latency;
	sim_time_t engine_read_interval, engine_write_interval, write_turn;
	double read_interval_byte, write_interval_byte, engine_latency_byte; /* ns per byte */
};

static const char *const ops[] = {"read", "write", "write_read", NULL};
static const char *const measures[] = {"latency", "throughput", NULL};
static const char *const targets[] = {"buffer", "hole", NULL};
static const char *const orders[] = {"random", "sequential", NULL};
static const char *const warmers[] = {"device", "host", NULL};

#define PARAMS_OF struct pcie_bench_params
static const struct param_spec param_specs[] = {
    PARAM(windows, STRING, "256KiB,512KiB,1MiB,1536KiB,2MiB,3MiB,4MiB,8MiB,16MiB,32MiB,64MiB",
	  .help = "parts of the buffer that are accessed, one measurement each"),
    PARAM(size, SIZE, "64", .min = 1, .max = 1 << 20, .help = "bytes of one transfer"),
    PARAM(piece, SIZE, "4KiB", .min = 4096, .max = 4 << 20,
	  .help = "physically contiguous pieces that the buffer is made of (power of two, at least one "
		  "transfer); from 2MiB on large pages map them unless iommu.superpages = false"),
    PARAM(samples, UINT, "30000", .min = 1, .max = 1e9, .help = "transfers measured per window"),
    PARAM(warm_up, UINT, "5000", .max = 1e9, .help = "transfers before that"),
    PARAM(op, ENUM, "read", .choices = ops, .help = "read, write, or write and then read of the same bytes"),
    PARAM(measure, ENUM, "latency", .choices = measures,
	  .help = "latency: one transfer at a time; throughput: as fast as the card can"),
    PARAM(order, ENUM, "random", .choices = orders, .help = "order of the addresses"),
    PARAM(
	target, ENUM, "buffer", .choices = targets,
	.help =
	    "buffer: a mapped one; hole: as a broken driver would, addresses that nobody mapped: each access "
	    "faults, and a card with a device TLB asks for the page (PCIe PRI), which nobody answers"),
    PARAM(cold, BOOL, "true", .help = "the buffer is not in the last-level cache"),
    PARAM(warmed_by, ENUM, "device", .choices = warmers,
	  .help = "cold = false: who wrote the window before, and so how much of it the last-level cache "
		  "holds (memory.llc_io or memory.llc_size)"),
    PARAM(node, UINT, "0", .max = 15, .help = "NUMA node of the buffer; the card is on node 0"),
    PARAM(command_limit, SIZE, "128", .max = 1 << 20,
	  .help = "largest transfer that is a PCIe command; larger ones use the DMA engine",
	  .source = "the card (C)"),
    PARAM(command_window, UINT, "30", .min = 1, .max = 4096, .help = "commands in flight, completed in order",
	  .source = "fitted: 64 B reads of a 512 KiB window on Broadwell; Little's law without translation, "
		    "54.9 M/s x 490 ns, gives 27 at least"),
    PARAM(engine_window, UINT, "21", .min = 1, .max = 4096, .help = "DMA engine transfers in flight",
	  .source = "fitted: 256 B reads of a 1 MiB window on Broadwell; Little's law without translation, "
		    "22.7 M/s x 700 ns, gives 16 at least"),
    PARAM(read_interval, TIME, "12100ps", .max = 1e9,
	  .help = "least time between two read commands, fixed part",
	  .source = "pcie-bench data without translation: 54.9 M/s at 64 B, 41.2 M/s at 128 B (B)"),
    PARAM(read_interval_byte, DOUBLE, "0.0953", .unit = "ns", .max = 1000, .help = "... per byte",
	  .source = "as read_interval (B)"),
    PARAM(write_interval, TIME, "18050ps", .max = 1e9,
	  .help = "least time between two write commands, fixed part",
	  .source = "pcie-bench data without translation: 47.4 M/s at 64 B, 41.4 M/s at 128 B (B)"),
    PARAM(write_interval_byte, DOUBLE, "0.0477", .unit = "ns", .max = 1000, .help = "... per byte",
	  .source = "as write_interval (B)"),
    PARAM(engine_read_interval, TIME, "19600ps", .max = 1e9,
	  .help = "least time between two reads of the DMA engine, fixed part; per byte as for commands",
	  .source = "pcie-bench data without translation: 22.7 M/s at 256 B (B)"),
    PARAM(
	engine_write_interval, TIME, "16150ps", .max = 1e9,
	.help = "least time between two writes of the DMA engine, fixed part; per byte as for read commands",
	.source = "pcie-bench data without translation: 24.7 M/s at 256 B (B)"),
    PARAM(write_turn, TIME, "44ns", .max = 1e9,
	  .help = "what a write that is read back costs the card besides both transfers",
	  .source = "pcie-bench data without translation: LAT_CMD_WRRD 564 ns, LAT_CMD_RD 412 ns, the write "
		    "on the link 11 ns (B)"),
    PARAM(engine_latency, TIME, "134ns", .max = 1e9, .help = "what the DMA engine adds to a 64-byte transfer",
	  .source = "pcie-bench data, LAT_DMA_RD 547 ns against LAT_CMD_RD 413 ns (A)"),
    PARAM(engine_latency_byte, DOUBLE, "0.16", .unit = "ns", .max = 1000, .help = "... per further byte",
	  .source = "pcie-bench data, LAT_DMA_RD from 64 to 2048 B, link time taken out (B)"),
};
const struct param_table pcie_bench_param_table = PARAM_TABLE(
    "pcie_bench", "a benchmark card that reads and writes a mapped buffer (workload pcie_bench)",
    param_specs);
#undef PARAMS_OF

struct pcie_bench_stats {
	uint64_t transfers, windows, pages;
};
#define STATS_OF struct pcie_bench_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("pcie_bench.transfers", transfers, "transfers measured, all windows, faulted ones too"),
    STAT_COUNT("pcie_bench.windows", windows, "windows measured"),
    STAT("pcie_bench.pages", STAT_GAUGE, "count", pages, "4 KiB pages of the largest window"),
};
const struct stat_table pcie_bench_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

static const char *const columns[] = {"window_bytes",   "pages",      "latency_mean_ns", "latency_p50_ns",
				      "latency_p95_ns", "rate_per_s", "gbit_per_s",      "miss_fraction"};
enum { COLUMNS = G_N_ELEMENTS(columns) };

struct pcie_bench {
	struct load base;
	struct pcie_bench_params p;
	struct pcie_bench_stats st;
	uint64_t *windows;
	unsigned nwindows, npieces, order;
	struct piece {
		phys_addr_t phys;
		dma_addr_t addr;
	} * pieces;
	struct rng rng, cache;
	double hit_share; /* of the window: in the last-level cache */
	sim_time_t now;
	sim_time_t *flight; /* completion times of transfers in flight */
	unsigned window, head;
};

static void map_pieces(void *arg)
{
	struct pcie_bench *w = arg;

	for (unsigned i = 0; i < w->npieces; i++) {
		struct piece *p = &w->pieces[i];

		p->addr = HOLE + i * w->p.piece;
		if (w->p.target == TARGET_HOLE)
			continue;
		p->addr = DMA_MAPPING_ERROR;
		p->phys = memory_alloc_pages(w->base.m->memory, (unsigned)w->p.node, w->order);
		if (p->phys)
			p->addr = dma_map_phys(w->base.dev, p->phys, w->p.piece, DMA_BIDIRECTIONAL, 0);
	}
}

static void unmap_pieces(void *arg)
{
	struct pcie_bench *w = arg;

	for (unsigned i = 0; i < w->npieces; i++) {
		struct piece *p = &w->pieces[i];

		if (p->phys && p->addr != DMA_MAPPING_ERROR)
			dma_unmap_phys(w->base.dev, p->addr, w->p.piece, DMA_BIDIRECTIONAL, 0);
		if (p->phys)
			memory_free_pages(w->base.m->memory, p->phys, w->order);
	}
}

static void release(struct load *l)
{
	struct pcie_bench *w = (struct pcie_bench *)l;

	g_free(w->windows);
	g_free(w->pieces);
	g_free(w->flight);
}

static bool parse_windows(struct pcie_bench *w, GError **error)
{
	static const struct param_spec spec = {
	    .name = "windows", .type = PARAM_SIZE, .min = 4096, .max = 1e12};
	g_auto(GStrv) words = g_strsplit(w->p.windows, ",", -1);

	w->nwindows = g_strv_length(words);
	w->windows = g_new0(uint64_t, w->nwindows + 1);
	for (unsigned i = 0; i < w->nwindows; i++)
		if (!param_set(&spec, &w->windows[i], words[i], error)) {
			g_prefix_error(error, "pcie_bench.windows: ");
			return false;
		}
	if (w->nwindows)
		return true;
	g_set_error(error, PARAM_ERROR, 0, "pcie_bench.windows is empty: want sizes such as 256KiB,64MiB");
	return false;
}

/* What of the machine and of the windows the load cannot do without. */
static bool bench_check(const struct pcie_bench *w, GError **error)
{
	if (w->p.node >= memory_params(w->base.m->memory)->nodes) {
		g_set_error(error, PARAM_ERROR, 0,
			    "pcie_bench.node = %" G_GUINT64_FORMAT ", but memory.nodes = %" G_GUINT64_FORMAT
			    ": nodes are counted from 0; want a smaller node or more of them",
			    w->p.node, memory_params(w->base.m->memory)->nodes);
		return false;
	}
	for (unsigned i = 0; i < w->nwindows && w->p.target != TARGET_HOLE; i++)
		if (w->windows[i] < w->p.size) {
			g_set_error(error, PARAM_ERROR, 0,
				    "pcie_bench.windows: %" G_GUINT64_FORMAT
				    " bytes do not hold one transfer of pcie_bench.size = %" G_GUINT64_FORMAT
				    "; want larger windows or a smaller size",
				    w->windows[i], w->p.size);
			return false;
		}
	return true;
}

/* The buffer is mapped once: all APIs do the same. */
static bool set_up(struct load *l, GError **error)
{
	struct pcie_bench *w = (struct pcie_bench *)l;
	uint64_t largest = 0;

	rng_init(&w->rng, l->m->sim.seed, "pcie_bench");
	rng_init(&w->cache, l->m->sim.seed, "pcie_bench.cache");
	if (!load_device(l, NULL, 0, error) || !parse_windows(w, error) || !bench_check(w, error))
		return false;
	for (unsigned i = 0; i < w->nwindows; i++)
		largest = MAX(largest, w->windows[i]);
	/* A transfer lies within one piece: pieces need not be neighbours, neither here nor in memory. */
	w->order = order_base_2(div_round_up(MAX(w->p.piece, w->p.size), PAGE_SIZE));
	w->p.piece = (uint64_t)PAGE_SIZE << w->order;
	w->npieces = (unsigned)div_round_up(largest, w->p.piece);
	w->pieces = g_new0(struct piece, w->npieces);
	w->st.pages = largest >> PAGE_SHIFT;
	w->window = (unsigned)(w->p.size <= w->p.command_limit ? w->p.command_window : w->p.engine_window);
	w->flight = g_new0(sim_time_t, w->window);
	load_curve(l, columns, COLUMNS, w->nwindows);
	return true;
}

static dma_addr_t next_address(struct pcie_bench *w, uint64_t window, uint64_t i)
{
	uint64_t unit = (uint64_t)1 << order_base_2(MAX(w->p.size, 64)), slots = MAX(window / unit, 1);
	uint64_t slot = w->p.order == ORDER_RANDOM ? rng_below(&w->rng, slots) : i % slots;

	return w->pieces[slot * unit / w->p.piece].addr + (slot * unit & (w->p.piece - 1));
}

static inline bool uses_engine(const struct pcie_bench *w)
{
	return w->p.size > w->p.command_limit;
}

/* One access: whether it faulted. A card with a device TLB then asks for the page (it has no rights). */
static bool faults(struct pcie_bench *w, struct pcie_dma *d, sim_time_t when)
{
	const struct iommu_page_request r = {
	    .addr = align_down(d->addr, PAGE_SIZE),
	    .pasid = NO_PASID,
	    .sid = w->base.dev->pci->sid,
	    .read = d->op == PCIE_READ,
	    .write = d->op == PCIE_WRITE,
	    .last = true,
	};

	if (G_LIKELY(!pcie_dma(d, when)))
		return false;
	if (w->base.dev->pci->iommu && w->base.dev->pci->ats)
		(void)iommu_page_request(w->base.dev->pci->iommu,
					 &r); /* lost if the queue is full: counted there */
	return true;
}

/* Share of a window that is in the last-level cache: all of it, or as much as there is room for. */
static double cached(const struct pcie_bench *w, uint64_t window)
{
	const struct memory_params *mp = memory_params(w->base.m->memory);
	uint64_t room = w->p.warmed_by == WARMED_DEVICE ? mp->llc_io : mp->llc_size;

	if (w->p.cold)
		return 0;
	return room && room < window ? (double)room / (double)window : 1;
}

/* What the DMA engine needs besides the link for size bytes. */
static sim_time_t engine_bytes(const struct pcie_bench *w)
{
	return (sim_time_t)(w->p.engine_latency_byte * (double)(w->p.size - MIN(w->p.size, 64)) * SIM_NS);
}

/* One transfer handed to the card at when: when it is over, as the card sees it, and whether it failed. */
static sim_time_t transfer(struct pcie_bench *w, dma_addr_t addr, sim_time_t when, bool *failed)
{
	bool engine = w->base.m->sim.timing && uses_engine(w);
	struct pcie_dma d = {.fn = w->base.dev->pci,
			     .astray = w->p.target == TARGET_HOLE,
			     .addr = addr,
			     .len = w->p.size,
			     .pasid = NO_PASID,
			     .cold = w->hit_share < 1 && rng_double(&w->cache) >= w->hit_share,
			     .op = w->p.op == OP_READ ? PCIE_READ : PCIE_WRITE};
	sim_time_t done;

	*failed = faults(w, &d, when);
	done = d.op == PCIE_READ ? d.done : d.accepted;
	if (w->p.op == OP_WRITE_READ) {
		/* A line that the cache lacks is fetched for the write: the read waits for that instead. */
		d.op = PCIE_READ;
		*failed |= faults(w, &d, done);
		done = d.done;
		if (w->base.m->sim.timing)
			done += w->p.write_turn + (engine ? engine_bytes(w) : 0);
	}
	return engine ? done + w->p.engine_latency + engine_bytes(w) : done;
}

/* When the card can start the next transfer of a throughput measurement. */
static sim_time_t next_start(struct pcie_bench *w, sim_time_t last, unsigned *slot)
{
	const struct pcie_bench_params *p = &w->p;
	bool read = p->op != OP_WRITE, engine = uses_engine(w);
	double byte = read || engine ? p->read_interval_byte : p->write_interval_byte;
	sim_time_t t = last + (sim_time_t)(byte * (double)p->size * SIM_NS);

	if (!engine) {
		t += read ? p->read_interval : p->write_interval;
		*slot = w->head;
		w->head = (w->head + 1) % w->window;
		return MAX(t, w->flight[*slot]);
	}
	t += read ? p->engine_read_interval : p->engine_write_interval;
	*slot = 0;
	for (unsigned i = 1; i < w->window; i++)
		if (w->flight[i] < w->flight[*slot])
			*slot = i;
	return MAX(t, w->flight[*slot]);
}

struct measurement {
	struct hist *latency;
	sim_time_t begin, end, last; /* of the measured part; last completion so far */
	uint64_t walks, lookups;     /* before it */
	uint64_t samples;            /* measured, faulted ones too */
};

static void one(struct pcie_bench *w, struct measurement *ms, uint64_t window, uint64_t i)
{
	dma_addr_t addr = next_address(w, window, i);
	sim_time_t start = w->now, done;
	unsigned slot = 0;
	bool failed;

	if (w->p.measure == MEASURE_LATENCY) {
		done = transfer(w, addr, start, &failed);
		w->now = done;
	} else {
		start = next_start(w, w->now, &slot);
		done = transfer(w, addr, start, &failed);
		/* Commands complete in order: one that waits for a walk holds up those behind it. */
		if (!uses_engine(w))
			done = MAX(done, ms->last);
		w->flight[slot] = done;
		w->now = start;
	}
	ms->last = MAX(ms->last, done);
	if (i >= w->p.warm_up) {
		ms->samples++;
		hist_add(ms->latency, (done - start) / SIM_PS, 1);
		load_request_done(&w->base, !failed, w->p.size, start, done);
	}
}

static void fill_row(struct pcie_bench *w, const struct measurement *ms, unsigned row)
{
	double *v = &w->base.base.curve.values[(size_t)row * COLUMNS];
	const struct vtd_stats *st = &w->base.m->vtd_stats;
	double seconds = (double)(ms->end - ms->begin) / SIM_S;
	uint64_t lookups = st->iotlb_lookups - ms->lookups;

	*v++ = (double)w->windows[row];
	*v++ = (double)(w->windows[row] >> PAGE_SHIFT);
	*v++ = hist_mean(ms->latency) / SIM_NS;
	*v++ = (double)hist_quantile(ms->latency, 0.5) / SIM_NS;
	*v++ = (double)hist_quantile(ms->latency, 0.95) / SIM_NS;
	*v++ = seconds > 0 ? (double)w->p.samples / seconds : 0;
	*v++ = seconds > 0 ? (double)(w->p.samples * w->p.size) * 8e-9 / seconds : 0;
	*v++ = lookups ? (double)(st->walks - ms->walks) / (double)lookups : 0;
}

static void measure(struct pcie_bench *w, unsigned row)
{
	struct measurement ms = {.latency = hist_new_log(), .last = w->now};
	uint64_t n = w->p.warm_up + w->p.samples;

	w->hit_share = cached(w, w->windows[row]);
	for (unsigned i = 0; i < w->window; i++)
		w->flight[i] = w->now;
	for (uint64_t i = 0; i < n && !sim_interrupted(&w->base.m->sim); i++) {
		if (i == w->p.warm_up) {
			ms.begin = ms.last;
			ms.walks = w->base.m->vtd_stats.walks;
			ms.lookups = w->base.m->vtd_stats.iotlb_lookups;
		}
		one(w, &ms, w->windows[row], i);
		if (G_UNLIKELY(w->base.m->sim.between))
			sim_advance(&w->base.m->sim,
				    w->now); /* somebody looks at the time, which no event moves here */
	}
	ms.end = ms.last;
	fill_row(w, &ms, row);
	hist_free(ms.latency);
	w->now = ms.last;
	sim_advance(&w->base.m->sim, w->now);
	w->st.windows++;
	w->st.transfers += ms.samples;
}

static bool run(struct load *l, GError **error)
{
	struct pcie_bench *w = (struct pcie_bench *)l;
	struct cpu *cpu = &l->m->sim.cpus[0];
	bool ok = true;

	cpu_run(cpu, map_pieces, w);
	for (unsigned i = 0; i < w->npieces; i++)
		ok = ok && w->pieces[i].addr != DMA_MAPPING_ERROR;
	w->now = MAX(cpu->now, l->m->sim.now);
	l->m->io.first = w->now;
	for (unsigned i = 0; ok && i < w->nwindows; i++)
		measure(w, i);
	l->m->io.last = w->now;
	l->base.curve.nrows = w->nwindows;
	cpu_run(cpu, unmap_pieces, w);
	if (!ok)
		g_set_error(
		    error, PARAM_ERROR, 0,
		    "the buffer could not be allocated or mapped: want a larger memory.size or a smaller "
		    "pcie_bench.piece");
	return ok;
}

extern const struct workload_ops pcie_bench_workload;
static const struct load_ops load_ops = {
    .workload = &pcie_bench_workload,
    .size = sizeof(struct pcie_bench),
    .stats = offsetof(struct pcie_bench, st),
    .params = offsetof(struct pcie_bench, p),
    .set_up = set_up,
    .run = run,
    .release = release,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	return load_new(&load_ops, m, api, error);
}

const struct workload_ops pcie_bench_workload = {
    .kind = WORKLOAD_PCIE_BENCH,
    .name = "pcie_bench",
    .help = "DMA latency or throughput of a benchmark card against the buffer window",
    .any_api = true,
    .params = &pcie_bench_param_table,
    .stats = &pcie_bench_stat_table,
    .create = create,
    .finish = load_finish,
    .destroy = load_destroy,
};
