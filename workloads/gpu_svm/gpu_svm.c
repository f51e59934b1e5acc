/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPU shared virtual memory: a GPU that faults on the process's own addresses gets a range of its pages
 * mapped, piece by piece as the process's folios lie; or the range is migrated to the device's memory and its
 * old pages are mapped for the copy. Ranges stay mapped until as many others have come.
 */
#include "gpu_svm.h"

#include <math.h>

/* struct drm_pagemap_addr: what the driver keeps per page of a range. */
#define PAGE_ENTRY_BYTES 16u

static const char *const op_names[] = {"fault", "migrate", NULL};

#define PARAMS_OF struct gpu_svm_params
static const struct param_spec param_specs[] = {
    PARAM(op, ENUM, "fault", .choices = op_names,
	  .help =
	      "fault: ranges that the GPU uses where they are; migrate: ranges whose pages it copies to its "
	      "own memory, each mapped for the copy alone"),
    PARAM(faults, UINT, "2000", .min = 1, .max = 1e9, .help = "faults"),
    PARAM(bytes, SIZE, "2MiB", .min = 4096, .max = 1 << 30,
	  .help = "range that one fault brings in (power of two)"),
    PARAM(folio, SIZE, "4KiB", .min = 4096, .max = 4 << 20,
	  .help = "the process's memory: each so large a folio, and one piece, of the range (power of two)"),
    PARAM(resident, UINT, "16", .min = 1, .max = 1 << 16,
	  .help = "ranges mapped at a time; the oldest one is then invalidated"),
    PARAM(write_share, DOUBLE, "0.5", .max = 1, .help = "share of faults of ranges that may be written"),
    PARAM(device_share, DOUBLE, "0", .max = 1,
	  .help =
	      "share of pieces in device memory already, which need no mapping (op = migrate: missing ones)"),
    PARAM(traffic, BOOL, "true", .help = "the GPU reads or writes the range once it is mapped"),
    PARAM(fault_fixed, TIME, "5us", .max = 1e12,
	  .help = "CPU time of a fault besides memory management and the DMA layer", .source = "E"),
    PARAM(hmm_fixed, TIME, "14us", .max = 1e12, .help = "CPU time of memory management per fault, fixed part",
	  .source = "E: as rnic.hmm_fixed"),
    PARAM(hmm_page, TIME, "85ns", .max = 1e12, .help = "... per page", .source = "B: as rnic.hmm_page"),
    PARAM(inval_fixed, TIME, "35us", .max = 1e12,
	  .help = "CPU time of an invalidation besides the DMA layer's", .source = "E: as rnic.inval_fixed"),
};
const struct param_table gpu_svm_param_table = PARAM_TABLE(
    "gpu_svm", "GPU shared virtual memory (workload gpu_svm)", param_specs);
#undef PARAMS_OF

#define ST ((const struct gpu_svm_stats *)v)
static double mean(sim_time_t sum, uint64_t n)
{
	return n ? (double)sum / (double)n / SIM_NS : NAN;
}
static double fault_mean(const void *v)
{
	return mean(ST->fault_time, ST->faults);
}
static double map_mean(const void *v)
{
	return mean(ST->map_time, ST->faults);
}
static double map_page(const void *v)
{
	return mean(ST->map_time, ST->pages);
}
static double unmap_page(const void *v)
{
	return mean(ST->unmap_time, ST->pages);
}
#undef ST

#define STATS_OF struct gpu_svm_stats
static const struct stat_spec stat_specs[] = {
    STAT_COUNT("gpu_svm.faults", faults, "faults handled"),
    STAT_COUNT("gpu_svm.pieces", pieces, "pieces of system memory in their ranges"),
    STAT_COUNT("gpu_svm.device_pieces", device_pieces, "pieces that were on the device (or missing)"),
    STAT_COUNT("gpu_svm.pages", pages, "4 KiB pages mapped"),
    STAT_COUNT("gpu_svm.windows", windows, "ranges mapped in one IOVA range"),
    STAT_COUNT("gpu_svm.links", links, "pieces linked into them"),
    STAT_COUNT("gpu_svm.singles", singles, "pieces mapped by themselves"),
    STAT_COUNT("gpu_svm.invalidations", invalidations, "ranges unmapped"),
    STAT_COMPUTED("gpu_svm.fault_ns", "ns", fault_mean, "mean CPU time of one fault"),
    STAT_COMPUTED("gpu_svm.map_ns", "ns", map_mean, "... of it, mapping the range"),
    STAT_COMPUTED("gpu_svm.map_page_ns", "ns", map_page, "mapping, per 4 KiB page"),
    STAT_COMPUTED("gpu_svm.unmap_page_ns", "ns", unmap_page, "unmapping, per 4 KiB page"),
};
const struct stat_table gpu_svm_stat_table = STAT_TABLE(stat_specs);
#undef STATS_OF

struct gpu_svm {
	struct load base;
	struct gpu_svm_params p;
	struct gpu_svm_stats st;
	struct gpu_range *ranges; /* resident of them, used in turn */
	struct cpu_work work;
	struct rng rng;
	unsigned order; /* of a folio */
};

/* Which of the range's pieces are to be mapped. */
static void find_pieces(struct gpu_svm *w, struct gpu_range *r)
{
	r->n = 0;
	for (unsigned i = 0; i < r->nfolios; i++) {
		bool device = w->p.device_share > 0 && rng_double(&w->rng) < w->p.device_share;

		if (i == 0)
			r->starts_on_device = device;
		if (!device)
			r->vecs[r->n++] = r->folios[i];
	}
	w->st.pieces += r->n;
	w->st.device_pieces += r->nfolios - r->n;
}

static void invalidate(struct gpu_svm *w, struct gpu_range *r, struct cpu *cpu)
{
	sim_time_t start;

	if (!r->mapped)
		return;
	cpu_spend(cpu, w->p.inval_fixed);
	start = cpu->now;
	if (r->n)
		w->base.path->unmap(&r->obj, 0, r->obj.bytes);
	w->st.unmap_time += cpu->now - start;
	ledger_release(&w->base.m->sim.ledger, LEDGER_DRIVER_DMA_ADDRESSES,
		       (r->obj.bytes >> PAGE_SHIFT) * PAGE_ENTRY_BYTES);
	w->st.invalidations++;
	r->mapped = false;
}

/* false: refused. */
static bool map(struct gpu_svm *w, struct gpu_range *r, struct cpu *cpu)
{
	uint64_t entries = (r->obj.bytes >> PAGE_SHIFT) * PAGE_ENTRY_BYTES;
	sim_time_t start = cpu->now;

	r->obj.nsegs = 0;
	ledger_charge(&w->base.m->sim.ledger, LEDGER_DRIVER_DMA_ADDRESSES, entries);
	r->mapped = !r->n || !w->base.path->map(&r->obj, 0, r->vecs, r->n);
	w->st.map_time += cpu->now - start;
	if (!r->mapped)
		ledger_release(&w->base.m->sim.ledger, LEDGER_DRIVER_DMA_ADDRESSES, entries);
	for (unsigned i = 0; r->mapped && i < r->n; i++)
		w->st.pages += r->vecs[i].len >> PAGE_SHIFT;
	return r->mapped;
}

static void fault(struct gpu_svm *w, struct gpu_range *r, struct cpu *cpu)
{
	bool write = rng_double(&w->rng) < w->p.write_share, ok = true;
	sim_time_t start = cpu->now, done;

	r->obj.dir = write ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
	find_pieces(w, r);
	cpu_charge(cpu, COST_INTERRUPT);
	cpu_spend(cpu, w->p.fault_fixed + w->p.hmm_fixed + (r->obj.bytes >> PAGE_SHIFT) * w->p.hmm_page);
	if (!map(w, r, cpu)) {
		machine_io_refused(w->base.m);
		return;
	}
	cpu_charge_n(cpu, COST_DRIVER_DESCRIPTOR, r->nfolios); /* the GPU's own page table */
	cpu_charge(cpu, COST_DOORBELL);
	w->st.faults++;
	w->st.fault_time += cpu->now - start;
	done = cpu->now;
	if (w->p.traffic)
		ok = load_access_all(&w->base, &r->obj, write ? PCIE_WRITE : PCIE_READ, done, &done);
	cpu_wait_until(cpu, done);
	load_request_done(&w->base, ok, r->obj.bytes, start, done);
	if (w->p.op == GPU_SVM_MIGRATE)
		invalidate(w, r, cpu);
}

static void run_faults(struct cpu_work *work, struct cpu *cpu)
{
	struct gpu_svm *w = container_of(work, struct gpu_svm, work);

	for (uint64_t i = 0; i < w->p.faults && !sim_interrupted(cpu->sim); i++) {
		struct gpu_range *r = &w->ranges[i % w->p.resident];

		invalidate(w, r, cpu);
		fault(w, r, cpu);
		cpu_sync(cpu);
	}
	for (uint64_t i = 0; i < w->p.resident; i++)
		invalidate(w, &w->ranges[i], cpu);
}

static bool run(struct load *l, GError **error)
{
	(void)error;
	load_run_on_first_cpu(l, &((struct gpu_svm *)l)->work);
	return true;
}

static bool open_range(struct gpu_svm *w, struct gpu_range *r)
{
	struct load *l = &w->base;

	r->p = &w->p;
	r->st = &w->st;
	r->nfolios = (unsigned)(w->p.bytes / w->p.folio);
	r->folios = g_new0(struct phys_vec, r->nfolios);
	r->vecs = g_new0(struct phys_vec, r->nfolios);
	r->obj = (struct dma_object){.dev = l->dev, .path = l->path, .instance = l->instance};
	r->obj.bytes = w->p.bytes;
	r->obj.max_segs = (unsigned)(w->p.bytes >> PAGE_SHIFT); /* a generic path may go page by page */
	r->obj.segs = g_new0(struct dma_segment, r->obj.max_segs);
	r->obj.state = g_malloc0(MAX(l->path->state_size, 1));
	for (unsigned i = 0; i < r->nfolios; i++) {
		phys_addr_t phys = memory_alloc_pages(l->m->memory, l->dev->node, w->order);

		if (!phys)
			return false;
		r->folios[i] = (struct phys_vec){phys, (uint32_t)w->p.folio};
	}
	return true;
}

static bool set_up(struct load *l, GError **error)
{
	struct gpu_svm *w = (struct gpu_svm *)l;

	w->work.fn = run_faults;
	rng_init(&w->rng, l->m->sim.seed, "gpu_svm");
	w->p.bytes = (uint64_t)1 << order_base_2(w->p.bytes);
	/* A piece is clipped to the range (drm_gpusvm_hmm_pfn_to_order). */
	w->p.folio = MIN((uint64_t)1 << order_base_2(w->p.folio), w->p.bytes);
	w->order = order_base_2(w->p.folio >> PAGE_SHIFT);
	if (!load_device(l, NULL, UINT32_MAX, error))
		return false;
	w->ranges = g_new0(struct gpu_range, w->p.resident);
	for (uint64_t i = 0; i < w->p.resident; i++)
		if (!open_range(w, &w->ranges[i])) {
			g_set_error(error, PARAM_ERROR, 0,
				    "no memory for the ranges: want a larger memory.size, or a smaller "
				    "gpu_svm.resident or gpu_svm.bytes");
			return false;
		}
	return true;
}

static void release(struct load *l)
{
	struct gpu_svm *w = (struct gpu_svm *)l;

	for (uint64_t i = 0; w->ranges && i < w->p.resident; i++) {
		struct gpu_range *r = &w->ranges[i];

		for (unsigned k = 0; k < r->nfolios && r->folios[k].paddr; k++)
			memory_free_pages(l->m->memory, r->folios[k].paddr, w->order);
		g_free(r->folios);
		g_free(r->vecs);
		g_free(r->obj.segs);
		g_free(r->obj.state);
	}
	g_free(w->ranges);
}

extern const struct workload_ops gpu_svm_workload;
static const struct load_ops ops = {
    .workload = &gpu_svm_workload,
    .size = sizeof(struct gpu_svm),
    .stats = offsetof(struct gpu_svm, st),
    .params = offsetof(struct gpu_svm, p),
    .set_up = set_up,
    .run = run,
    .release = release,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	return load_new(&ops, m, api, error);
}

const struct workload_ops gpu_svm_workload = {
    .kind = WORKLOAD_GPU_SVM,
    .name = "gpu_svm",
    .help = "GPU shared virtual memory: ranges faulted in or migrated, piece by piece or in one window",
    .params = &gpu_svm_param_table,
    .stats = &gpu_svm_stat_table,
    .create = create,
    .finish = load_finish,
    .destroy = load_destroy,
};
