/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sharing a buffer with another device: an exporter's memory of one of four kinds is mapped for an
 * importer, used, and unmapped; or stays mapped while pieces of it are converted between shared and
 * private, as a confidential guest's assigned device needs it (unmap, flush, map anew).
 */
#include "dmabuf.h"

#include "sim/cpu.h"
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
    PARAM(link_at_zero, BOOL, "false",
	  .help = "literal Linux 7.0: every range of a buffer is linked at offset 0 of the window"),
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
	struct workload base;
	struct machine *m;
	struct dmabuf_params p;
	struct dmabuf_stats st;
	const struct dma_api *api;
	const struct driver_path *path;
	struct device *dev; /* importer */
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
		phys_addr_t p = memory_alloc_pages(w->m->memory, w->dev->node, w->order);

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
			memory_free_pages(w->m->memory, w->vecs[i].paddr, w->order);
}

/* ---- what the importer does ---- */

static void use(struct dmabuf *w, struct cpu *cpu, uint64_t bytes)
{
	struct io_stats *io = &w->m->io;
	sim_time_t start = cpu->now, done = start;
	bool ok = true;

	for (unsigned i = 0; w->p.access != DMABUF_ACCESS_NONE && i < w->o.obj.nsegs; i++) {
		struct pcie_dma d = {.fn = w->dev->pci,
				     .op = w->p.access == DMABUF_ACCESS_READ ? PCIE_READ : PCIE_WRITE,
				     .addr = w->o.obj.segs[i].addr,
				     .len = w->o.obj.segs[i].len,
				     .pasid = VTD_NO_PASID};

		ok = pcie_dma(&d, start) == 0 && ok;
		done = MAX(done, d.done);
	}
	cpu_wait_until(cpu, done);
	io->last = MAX(io->last, cpu->now);
	if (!ok) {
		machine_io_failed(w->m);
		return;
	}
	io->completed++;
	io->bytes += bytes;
	hist_add(io->latency_ns, (cpu->now - start) / SIM_NS, 1);
}

static void map_and_unmap(struct dmabuf *w, struct cpu *cpu)
{
	struct dma_object *obj = &w->o.obj;

	obj->segs = w->segs;
	for (uint64_t i = 0; i < w->p.count && !sim_interrupted(cpu->sim); i++) {
		obj->nsegs = 0;
		if (w->path->map(obj, 0, w->vecs, w->nranges)) {
			w->st.refused++;
			machine_io_refused(w->m);
			continue;
		}
		w->st.maps++;
		use(w, cpu, w->p.bytes);
		w->path->unmap(obj, 0, obj->bytes);
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
	p->mapped = w->path->map(obj, i * w->p.piece, &p->vec, 1) == 0;
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
	w->path->unmap(obj, i * w->p.piece, w->p.piece);
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
		uint64_t queued = w->m->dma_stats.fq_entries;

		unmap_piece(w, at);
		w->st.late_flushes += w->m->dma_stats.fq_entries != queued;
		w->st.conversions++;
		w->st.converted_bytes += w->p.piece;
		if (map_piece(w, at)) {
			obj->segs = &w->pieces[at].seg;
			obj->nsegs = 1;
			use(w, cpu, w->p.piece);
		} else {
			machine_io_refused(w->m);
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
	phys_addr_t dram = memory_alloc_pages(w->m->memory, 0, 0);
	struct pcie_bar *bar[3];
	double *row = w->base.curve.values;

	for (unsigned i = 0; i < 3; i++)
		bar[i] = e->bars[i] ? e->bars[i] : pcie_add_bar(e, i, 0, 64 * KIB, MEMORY_MMIO);
	pci_p2pdma_add_resource(e, 0, 0, 0);
	for (int kind = DMABUF_DRAM; kind <= DMABUF_RESOURCE; kind++)
		for (unsigned entry = 0; entry < dmabuf_matrix_entries(); entry++) {
			struct p2pdma_provider *provider = NULL;

			if (kind == DMABUF_P2P_PAGES || kind == DMABUF_P2P)
				provider = pcim_p2pdma_provider(e, kind == DMABUF_P2P);
			dmabuf_matrix_row(w->m, w->dev, kind, entry,
					  kind == DMABUF_DRAM ? dram : bar[kind - 1]->base, PAGE_SIZE,
					  provider, row);
			w->st.refused += row[2] != 0;
			row += DMABUF_MATRIX_COLUMNS;
		}
	w->base.curve.nrows = dmabuf_matrix_rows();
	w->m->io.completed = w->base.curve.nrows - w->st.refused;
	memory_free_pages(w->m->memory, dram, 0);
}

static void run(struct cpu_work *work, struct cpu *cpu)
{
	struct dmabuf *w = container_of(work, struct dmabuf, work);

	w->m->io.first = cpu->now;
	if (w->p.op == DMABUF_OP_MATRIX) {
		matrix(w);
		return;
	}
	if (w->p.op == DMABUF_OP_STREAM) {
		if (!dmabuf_stream(w->m, &w->o, w->vecs, w->nranges, cpu)) {
			w->st.refused++;
			machine_io_refused(w->m);
		}
		return;
	}
	if (w->path->open && w->path->open(&w->o.obj, w->o.obj.bytes)) {
		w->st.refused++;
		machine_io_refused(w->m);
		return;
	}
	if (w->p.op == DMABUF_OP_CONVERT)
		convert(w, cpu);
	else
		map_and_unmap(w, cpu);
	if (w->path->close)
		w->path->close(&w->o.obj);
}

/* ---- set-up ---- */

static void dmabuf_destroy(struct workload *base)
{
	struct dmabuf *w = (struct dmabuf *)base;

	if (!w)
		return;
	free_ranges(w);
	dma_api_instance_free(w->api, w->m, w->o.obj.instance);
	g_free(w->vecs);
	g_free(w->segs);
	g_free(w->pieces);
	g_free(w->base.curve.values);
	g_free(w->o.obj.state);
	g_free(w);
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

static bool set_up(struct dmabuf *w, GError **error)
{
	const struct dmabuf_params *p = &w->p;
	uint64_t each = align_up(div_round_up(p->bytes, p->ranges), PAGE_SIZE);
	struct device *exporter;
	uint64_t most;

	w->dev = machine_add_device(w->m, *p->importer ? p->importer : NULL, error);
	exporter = w->dev ? machine_add_device(w->m, *p->exporter ? p->exporter : NULL, error) : NULL;
	if (!exporter)
		return false;
	w->exporter = exporter->pci;
	dma_set_mask(w->dev, UINT64_MAX);
	dma_set_max_seg_size(w->dev, UINT32_MAX);
	w->nranges = (unsigned)p->ranges;
	w->p.bytes = each * p->ranges;
	w->vecs = g_new0(struct phys_vec, w->nranges);
	most = w->nranges + w->p.bytes / PAGE_SIZE;
	w->segs = g_new0(struct dma_segment, most);
	w->o.obj = (struct dma_object){.dev = w->dev, .path = w->path, .dir = DMA_BIDIRECTIONAL};
	w->o.obj.bytes = w->p.bytes;
	w->o.obj.segs = w->segs;
	w->o.obj.max_segs = (unsigned)most;
	w->o.obj.state = g_malloc0(MAX(w->path->state_size, 1));
	w->o.w = w;
	w->o.p = &w->p;
	w->o.st = &w->st;
	if (p->op == DMABUF_OP_MATRIX) {
		w->base.curve = (struct workload_curve){.columns = dmabuf_matrix_columns,
							.ncolumns = DMABUF_MATRIX_COLUMNS};
		w->base.curve.values = g_new0(double, (size_t)dmabuf_matrix_rows() * DMABUF_MATRIX_COLUMNS);
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

static struct workload *dmabuf_create(struct machine *m, const struct dma_api *api, GError **error)
{
	struct dmabuf *w = g_new0(struct dmabuf, 1);

	w->base.stats = &w->st;
	w->m = m;
	w->api = api;
	w->path = dma_api_path(api, WORKLOAD_DMABUF_P2P);
	w->p = *(const struct dmabuf_params *)config_get(m->config, &dmabuf_p2p_param_table);
	w->work.fn = run;
	rng_init(&w->rng, m->sim.seed, "dmabuf_p2p");
	if (!set_up(w, error)) {
		dmabuf_destroy((struct workload *)w);
		return NULL;
	}
	w->o.obj.instance = dma_api_instance_new(api, m, w->dev);
	return (struct workload *)w;
}

static bool dmabuf_finish(struct workload *base, GError **error)
{
	struct dmabuf *w = (struct dmabuf *)base;
	struct sim *s = &w->m->sim;

	(void)error;
	cpu_post(&s->cpus[0], &w->work, s->now);
	sim_run(s);
	return true;
}

const struct workload_ops dmabuf_p2p_workload = {
    .kind = WORKLOAD_DMABUF_P2P,
    .name = "dmabuf_p2p",
    .help = "a buffer of one device mapped for another; conversions of assigned memory",
    .params = &dmabuf_p2p_param_table,
    .stats = &dmabuf_p2p_stat_table,
    .create = dmabuf_create,
    .finish = dmabuf_finish,
    .destroy = dmabuf_destroy,
};
