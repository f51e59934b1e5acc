/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sharing a buffer with another device: an exporter's memory of one of four kinds is mapped for an
 * importer, used, and unmapped; or stays mapped while pieces of it are converted between shared and
 * private, as a confidential guest's assigned device needs it (unmap, flush, map anew).
 */
#include "dmabuf.h"

#include <string.h>

static const char *const kinds[] = {"dram", "p2p_pages", "p2p", "resource", NULL};
static const char *const ops[] = {"map", "convert", "matrix", "stream", NULL};
static const char *const accesses[] = {"none", "read", "write", NULL};

#define PARAMS_OF struct dmabuf_params
static const struct param_spec param_specs[] = {
    PARAM(kind, ENUM, "p2p", .choices = kinds,
	  .help = "exporter's memory: dram, BAR with struct pages, BAR without, device memory outside "
		  "peer-to-peer"),
    PARAM(op, ENUM, "map", .choices = ops,
	  .help = "map and unmap; convert pieces of a mapped buffer; matrix of all kinds and entry points; "
		  "stream from drives into the buffer"),
    PARAM(access, ENUM, "read", .choices = accesses, .help = "what the importer does with each mapping"),
    PARAM(bytes, SIZE, "1MiB", .min = 4096, .max = 1ull << 36, .help = "size of the buffer"),
    PARAM(ranges, UINT, "1", .min = 1, .max = 65536, .help = "physically separate parts of the buffer"),
    PARAM(count, UINT, "1000", .min = 1, .max = 1e12, .help = "mappings or conversions"),
    PARAM(piece, SIZE, "64KiB", .min = 4096, .max = 1 << 30,
	  .help = "what one conversion changes (op = convert)"),
    PARAM(exporter, STRING, "", .help = "PCI function that owns the memory; empty: a new one"),
    PARAM(importer, STRING, "", .help = "PCI function that uses it; empty: a new one"),
    PARAM(link_at_zero, BOOL, "true",
	  .help =
	      "as Linux 6.19 to 7.3: every range of a peer's memory is linked at offset 0 of the window, so "
	      "that a second one is refused; false: one behind the other, as intended"),
    PARAM(drives, UINT, "1", .min = 1, .max = 64, .help = "importers that fill the buffer (op = stream)"),
    PARAM(depth, UINT, "32", .min = 1, .max = 4096, .help = "transfers that each drive keeps under way"),
    PARAM(io_bytes, SIZE, "128KiB", .min = 512, .max = 1 << 30, .help = "bytes of one transfer"),
    PARAM(drive_lanes, UINT, "4", .min = 1, .max = 16, .help = "lanes of each drive's link"),
    PARAM(drive_bandwidth, DOUBLE, "0", .unit = "GB/s", .max = 1000,
	  .help = "what one drive delivers; 0: as much as its link takes"),
    PARAM(drive_iops, DOUBLE, "0", .unit = "1/s", .max = 1e12,
	  .help = "transfers per second of one drive; 0: no limit"),
    PARAM(drive_latency, TIME, "0ns", .max = 1e15, .help = "from a command to its first byte"),
};
const struct param_table dmabuf_p2p_param_table = PARAM_TABLE(
    "dmabuf_p2p", "shared buffers and peer-to-peer (workload dmabuf_p2p)", param_specs);
#undef PARAMS_OF

#define STATS_OF struct dmabuf_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("dmabuf.maps", maps, "mappings made"),
    STAT_COUNT("dmabuf.unmaps", unmaps, "mappings undone"),
    STAT_COUNT("dmabuf.refused", refused, "mappings refused"),
    STAT_COUNT("dmabuf.bus_address", bus_address,
	       "mappings by bus address: nothing to translate, nothing to undo"),
    STAT_COUNT("dmabuf.windows", windows, "mappings in one IOVA range"),
    STAT_COUNT("dmabuf.lists", lists, "mappings as scatterlist"),
    STAT_COUNT("dmabuf.singles", singles, "mappings range by range"),
    STAT_COUNT("dmabuf.leaked_windows", leaked, "IOVA ranges that a failed mapping forgot (link_at_zero)"),
    STAT_COUNT("dmabuf.conversions", conversions, "pieces converted between shared and private"),
    STAT_COUNT("dmabuf.converted_bytes", converted_bytes, "bytes of those pieces"),
    STAT_COUNT("dmabuf.late_flushes", late_flushes,
	       "conversions after which the device could still use the old translation (flush only queued)"),
};
const struct stat_table dmabuf_p2p_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

struct piece {
	struct phys_vec vec;
	struct dma_segment seg;
	bool mapped;
};

struct dmabuf {
	struct load base; /* its device is the importer */
	struct dmabuf_params p;
	struct dmabuf_stats st;
	struct pcie_node *exporter;
	struct dmabuf_object o;
	struct phys_vec *vecs;
	struct dma_segment *segs; /* of the whole buffer */
	struct piece *pieces;
	unsigned nranges, order;
	struct cpu_work work;
	struct rng rng;
};

/* ---- memory ---- */

static bool dram_ranges(struct dmabuf *w, uint64_t each)
{
	w->order = order_base_2(div_round_up(each, PAGE_SIZE));
	for (unsigned i = 0; i < w->nranges; i++) {
		phys_addr_t p = memory_alloc_pages(w->base.m->memory, w->base.dev->node, w->order);

		if (!p)
			return false;
		w->vecs[i] = (struct phys_vec){p, (uint32_t)each};
	}
	return true;
}

/* Ranges of a BAR with a page between each two, so that they stay apart. */
static bool bar_ranges(struct dmabuf *w, uint64_t each)
{
	uint64_t stride = each + (w->nranges > 1 ? PAGE_SIZE : 0);
	uint64_t size = (uint64_t)1 << order_base_2(stride * w->nranges);
	struct pcie_bar *bar = NULL;
	unsigned i = 0;

	/* The first that holds them; a dump says which an exporter has. */
	while (i < PCIE_BARS && w->exporter->bars[i] && w->exporter->bars[i]->size < stride * w->nranges)
		i++;
	if (i < PCIE_BARS)
		bar = w->exporter->bars[i] ? w->exporter->bars[i]
					   : pcie_add_bar(w->exporter, i, 0, size, MEMORY_MMIO);
	if (!bar)
		return false;
	if (w->p.kind == DMABUF_P2P_PAGES && pci_p2pdma_add_resource(w->exporter, i, 0, 0))
		return false;
	if (w->p.kind == DMABUF_P2P || w->p.kind == DMABUF_P2P_PAGES) {
		pcim_p2pdma_init(w->exporter);
		w->o.provider = pcim_p2pdma_provider(w->exporter, i);
	}
	for (i = 0; i < w->nranges; i++)
		w->vecs[i] = (struct phys_vec){bar->base + i * stride, (uint32_t)each};
	return true;
}

static void free_ranges(struct dmabuf *w)
{
	for (unsigned i = 0; w->vecs && w->p.kind == DMABUF_DRAM && i < w->nranges; i++)
		if (w->vecs[i].paddr)
			memory_free_pages(w->base.m->memory, w->vecs[i].paddr, w->order);
}

/* ---- what the importer does ---- */

static void use(struct dmabuf *w, struct cpu *cpu, uint64_t bytes)
{
	enum pcie_op op = w->p.access == DMABUF_ACCESS_READ ? PCIE_READ : PCIE_WRITE;
	sim_time_t start = cpu->now, done = start;
	bool ok = true;

	if (w->p.access != DMABUF_ACCESS_NONE)
		ok = load_access_all(&w->base, &w->o.obj, op, start, &done);
	cpu_wait_until(cpu, done);
	load_request_done(&w->base, ok, bytes, start, cpu->now);
}

/* A mapping that could not be made. */
static void refused(struct dmabuf *w)
{
	w->st.refused++;
	machine_io_refused(w->base.m);
}

static void map_and_unmap(struct dmabuf *w, struct cpu *cpu)
{
	struct dma_object *obj = &w->o.obj;

	obj->segs = w->segs;
	for (uint64_t i = 0; i < w->p.count && !sim_interrupted(cpu->sim); i++) {
		obj->nsegs = 0;
		if (w->base.path->map(obj, 0, w->vecs, w->nranges)) {
			refused(w);
			continue;
		}
		w->st.maps++;
		use(w, cpu, w->p.bytes);
		w->base.path->unmap(obj, 0, obj->bytes);
		w->st.unmaps++;
		cpu_sync(cpu);
	}
}

/* ---- conversion ---- */

static bool map_piece(struct dmabuf *w, unsigned i)
{
	struct dma_object *obj = &w->o.obj;
	struct piece *p = &w->pieces[i];

	obj->segs = &p->seg;
	obj->nsegs = 0;
	obj->max_segs = 1;
	p->mapped = w->base.path->map(obj, i * w->p.piece, &p->vec, 1) == 0;
	w->st.maps += p->mapped;
	w->st.refused += !p->mapped;
	return p->mapped;
}

static void unmap_piece(struct dmabuf *w, unsigned i)
{
	struct dma_object *obj = &w->o.obj;
	struct piece *p = &w->pieces[i];

	if (!p->mapped)
		return;
	obj->segs = &p->seg;
	obj->nsegs = 1;
	w->base.path->unmap(obj, i * w->p.piece, w->p.piece);
	p->mapped = false;
	w->st.unmaps++;
}

static void convert(struct dmabuf *w, struct cpu *cpu)
{
	struct dma_object *obj = &w->o.obj;
	unsigned n = w->o.npieces;

	for (unsigned i = 0; i < n; i++)
		map_piece(w, i);
	for (uint64_t i = 0; i < w->p.count && !sim_interrupted(cpu->sim); i++) {
		unsigned at = (unsigned)rng_below(&w->rng, n);
		uint64_t queued = w->base.m->dma_stats.fq_entries;

		unmap_piece(w, at);
		w->st.late_flushes += w->base.m->dma_stats.fq_entries != queued;
		w->st.conversions++;
		w->st.converted_bytes += w->p.piece;
		if (map_piece(w, at)) {
			obj->segs = &w->pieces[at].seg;
			obj->nsegs = 1;
			use(w, cpu, w->p.piece);
		} else {
			machine_io_refused(w->base.m);
		}
		cpu_sync(cpu);
	}
	for (unsigned i = 0; i < n; i++)
		unmap_piece(w, i);
}

/* ---- matrix ---- */

static void matrix(struct dmabuf *w)
{
	struct pcie_node *e = w->exporter;
	phys_addr_t dram = memory_alloc_pages(w->base.m->memory, 0, 0);
	struct pcie_bar *bar[3];
	double *row = w->base.base.curve.values;

	for (unsigned i = 0; i < 3; i++)
		bar[i] = e->bars[i] ? e->bars[i] : pcie_add_bar(e, i, 0, 64 * KIB, MEMORY_MMIO);
	pci_p2pdma_add_resource(e, 0, 0, 0);
	for (int kind = DMABUF_DRAM; kind <= DMABUF_RESOURCE; kind++)
		for (unsigned entry = 0; entry < dmabuf_matrix_entries(); entry++) {
			struct p2pdma_provider *provider = NULL;

			if (kind == DMABUF_P2P_PAGES || kind == DMABUF_P2P)
				provider = pcim_p2pdma_provider(e, kind == DMABUF_P2P);
			dmabuf_matrix_row(w->base.m, w->base.dev, kind, entry,
					  kind == DMABUF_DRAM ? dram : bar[kind - 1]->base, PAGE_SIZE,
					  provider, row);
			w->st.refused += row[2] != 0;
			row += DMABUF_MATRIX_COLUMNS;
		}
	w->base.base.curve.nrows = dmabuf_matrix_rows();
	w->base.m->io.completed = w->base.base.curve.nrows - w->st.refused;
	memory_free_pages(w->base.m->memory, dram, 0);
}

static void importer(struct cpu_work *work, struct cpu *cpu)
{
	struct dmabuf *w = container_of(work, struct dmabuf, work);

	if (w->p.op == DMABUF_OP_MATRIX) {
		matrix(w);
		return;
	}
	if (w->p.op == DMABUF_OP_STREAM) {
		if (!dmabuf_stream(&w->base, &w->o, w->vecs, w->nranges, cpu))
			refused(w);
		return;
	}
	if (w->base.path->open && w->base.path->open(&w->o.obj, w->o.obj.bytes)) {
		refused(w);
		return;
	}
	if (w->p.op == DMABUF_OP_CONVERT)
		convert(w, cpu);
	else
		map_and_unmap(w, cpu);
	if (w->base.path->close)
		w->base.path->close(&w->o.obj);
}

static bool run(struct load *l, GError **error)
{
	(void)error;
	load_run_on_first_cpu(l, &((struct dmabuf *)l)->work);
	return true;
}

/* ---- set-up ---- */

static void release(struct load *l)
{
	struct dmabuf *w = (struct dmabuf *)l;

	free_ranges(w);
	g_free(w->vecs);
	g_free(w->segs);
	g_free(w->pieces);
	g_free(w->o.obj.state);
}

/* Conversion works on pieces of the ranges; each piece must lie in one of them. */
static bool cut_pieces(struct dmabuf *w, GError **error)
{
	uint64_t each = w->vecs[0].len;

	if (each % w->p.piece) {
		g_set_error(error, PARAM_ERROR, 0,
			    "dmabuf_p2p.piece must divide each of the %u ranges of %" G_GUINT64_FORMAT
			    " bytes",
			    w->nranges, each);
		return false;
	}
	w->o.npieces = (unsigned)(each / w->p.piece * w->nranges);
	w->pieces = g_new0(struct piece, w->o.npieces);
	for (unsigned i = 0; i < w->o.npieces; i++) {
		uint64_t at = i * w->p.piece;

		w->pieces[i].vec = (struct phys_vec){w->vecs[at / each].paddr + at % each,
						     (uint32_t)w->p.piece};
	}
	return true;
}

/* The object that the importer maps. */
static void make_object(struct dmabuf *w)
{
	unsigned most = (unsigned)(w->nranges + w->p.bytes / PAGE_SIZE);

	w->vecs = g_new0(struct phys_vec, w->nranges);
	w->segs = g_new0(struct dma_segment, most);
	w->o.obj = (struct dma_object){.dev = w->base.dev,
				       .path = w->base.path,
				       .instance = w->base.instance,
				       .dir = DMA_BIDIRECTIONAL,
				       .bytes = w->p.bytes,
				       .segs = w->segs,
				       .max_segs = most};
	w->o.obj.state = g_malloc0(MAX(w->base.path->state_size, 1));
	w->o.w = w;
	w->o.p = &w->p;
	w->o.st = &w->st;
}

static bool set_up(struct load *l, GError **error)
{
	struct dmabuf *w = (struct dmabuf *)l;
	const struct dmabuf_params *p = &w->p;
	uint64_t each = align_up(div_round_up(p->bytes, p->ranges), PAGE_SIZE);
	struct device *exporter;

	w->work.fn = importer;
	rng_init(&w->rng, l->m->sim.seed, "dmabuf_p2p");
	if (!load_device(l, p->importer, UINT32_MAX, error))
		return false;
	exporter = machine_add_device(l->m, *p->exporter ? p->exporter : NULL, error);
	if (!exporter)
		return false;
	w->exporter = exporter->pci;
	w->nranges = (unsigned)p->ranges;
	w->p.bytes = each * p->ranges;
	make_object(w);
	if (p->op == DMABUF_OP_MATRIX) {
		load_curve(l, dmabuf_matrix_columns, DMABUF_MATRIX_COLUMNS, dmabuf_matrix_rows());
		return true;
	}
	if (each > UINT32_MAX || !(p->kind == DMABUF_DRAM ? dram_ranges(w, each) : bar_ranges(w, each))) {
		g_set_error(error, PARAM_ERROR, 0,
			    "no room for %u ranges of %" G_GUINT64_FORMAT
			    " bytes: want a smaller dmabuf_p2p.bytes, or more memory or a larger BAR",
			    w->nranges, each);
		return false;
	}
	return p->op != DMABUF_OP_CONVERT || cut_pieces(w, error);
}

extern const struct workload_ops dmabuf_p2p_workload;
static const struct load_ops load_ops = {
    .workload = &dmabuf_p2p_workload,
    .size = sizeof(struct dmabuf),
    .stats = offsetof(struct dmabuf, st),
    .params = offsetof(struct dmabuf, p),
    .set_up = set_up,
    .run = run,
    .release = release,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	return load_new(&load_ops, m, api, error);
}

const struct workload_ops dmabuf_p2p_workload = {
    .kind = WORKLOAD_DMABUF_P2P,
    .name = "dmabuf_p2p",
    .help = "a buffer of one device mapped for another; conversions of assigned memory",
    .params = &dmabuf_p2p_param_table,
    .stats = &dmabuf_p2p_stat_table,
    .create = create,
    .finish = load_finish,
    .destroy = load_destroy,
};
