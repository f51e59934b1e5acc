/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probing a drive: DMA limits, rings in coherent memory, descriptor pools (nvme_probe, nvme_alloc_queue,
 * nvme_setup_prp_pools of drivers/nvme/host/pci.c), and the way back.
 *
 * Statistics cover what requests cause. Probing and removing a drive are left out of them and cost no
 * CPU time, so that the first request meets an idle machine; the descriptor pools start with a block for
 * every request in flight, as they have in a kernel that has been running for a while.
 */
#include "request.h"

#include "sim/cpu.h"
#include <dmasim/p2pdma.h>
#include <string.h>

#define MAX_WARM_BLOCKS 1024u

/* The models' counters as they were before a quiet phase; histograms are set aside whole. */
struct quiet {
	struct dma_stats dma;
	struct vtd_stats vtd;
	struct pcie_stats pcie;
	struct nvme_device_stats drive;
	sim_time_t cost[COST_COUNT], start;
	uint64_t steps[COST_COUNT];
	sim_time_t step_extra[COST_COUNT];
};

static void quiet_begin(struct nvme_workload *w, struct quiet *q)
{
	struct machine *m = w->base.m;
	const struct cpu *cpu = &m->sim.cpus[0];

	*q = (struct quiet){.dma = m->dma_stats,
			    .vtd = m->vtd_stats,
			    .pcie = m->pcie_stats,
			    .drive = w->st.drive,
			    .start = cpu->now};
	memcpy(q->cost, m->sim.cost, sizeof(q->cost));
	memcpy(q->steps, cpu->steps, sizeof(q->steps));
	memcpy(q->step_extra, cpu->step_extra, sizeof(q->step_extra));
	memset(m->sim.cost, 0, sizeof(m->sim.cost));
	m->dma_stats.map_size = hist_new_exact();
	m->dma_stats.unmap_size = hist_new_exact();
	m->dma_stats.iova_pages = hist_new_exact();
	m->vtd_stats.page_span = hist_new_exact();
}

static void quiet_end(struct nvme_workload *w, const struct quiet *q)
{
	struct machine *m = w->base.m;
	struct cpu *cpu = &m->sim.cpus[0];

	memcpy(m->sim.cost, q->cost, sizeof(q->cost));
	memcpy(cpu->steps, q->steps, sizeof(q->steps));
	memcpy(cpu->step_extra, q->step_extra, sizeof(q->step_extra));
	cpu->idle += cpu->now - q->start; /* waits for the hardware, if any */
	hist_free(m->dma_stats.map_size);
	hist_free(m->dma_stats.unmap_size);
	hist_free(m->dma_stats.iova_pages);
	hist_free(m->vtd_stats.page_span);
	m->dma_stats = q->dma;
	m->vtd_stats = q->vtd;
	m->pcie_stats = q->pcie;
	w->st.drive = q->drive;
}

/* Host addresses of the pages of a coherent allocation, as the kernel's mapping of it would show them. */
static uint8_t **ring_pages(struct nvme_workload *w, struct device *dev, phys_addr_t phys, dma_addr_t dma,
			    size_t bytes)
{
	size_t n = div_round_up(bytes, PAGE_SIZE);
	uint8_t **pages = g_new(uint8_t *, n);

	for (size_t i = 0; i < n; i++)
		pages[i] = memory_ptr(w->base.m->memory, dma_coherent_phys(dev, phys, dma, i * PAGE_SIZE));
	return pages;
}

static bool queue_init(struct nvme_dev *d, struct nvme_queue *q, unsigned qid, unsigned entries,
		       GError **error)
{
	struct nvme_workload *w = d->w;
	size_t sq = entries * sizeof(struct nvme_command), cq = entries * sizeof(struct nvme_completion);

	q->dev = d;
	q->qid = qid;
	q->entries = entries;
	q->cpu = qid ? (qid - 1) % w->base.m->sim.ncpus : 0;
	q->cq_phys = dma_alloc_coherent(d->base.dev, cq, &q->cq_dma);
	q->sq_phys = dma_alloc_coherent(d->base.dev, sq, &q->sq_dma);
	if (!q->cq_phys || !q->sq_phys) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "%s: no memory for the rings of queue %u: raise memory.size or lower nvme.queues",
			    d->base.dev->name, qid);
		return false;
	}
	q->cq_pages = ring_pages(w, d->base.dev, q->cq_phys, q->cq_dma, cq);
	q->sq_pages = ring_pages(w, d->base.dev, q->sq_phys, q->sq_dma, sq);
	q->cq_visible = g_new0(sim_time_t, entries);
	q->cq_phase = 1;
	q->waiting_tail = &q->waiting;
	q->irq.fn = nvme_irq;
	nvme_ctrl_create_queue(d->ctrl, qid, entries, q->sq_dma, q->cq_dma);
	if (qid == 0)
		return true;
	q->fifo = g_new0(struct nvme_io *, w->params.queue_depth);
	q->requests = g_new0(struct nvme_request, entries);
	return true;
}

static void queue_fini(struct nvme_queue *q)
{
	struct nvme_dev *d = q->dev;

	if (!d)
		return;
	for (unsigned i = 0; i < q->ninit; i++) {
		g_free(q->requests[i].obj.segs);
		g_free(q->requests[i].obj.state);
		g_free(q->requests[i].own_vecs);
		nvme_metadata_free(&q->requests[i]);
	}
	g_free(q->requests);
	g_free(q->fifo);
	g_free(q->cq_visible);
	g_free(q->sq_pages);
	g_free(q->cq_pages);
	if (q->sq_phys)
		dma_free_coherent(d->base.dev, q->entries * sizeof(struct nvme_command), q->sq_phys,
				  q->sq_dma);
	if (q->cq_phys)
		dma_free_coherent(d->base.dev, q->entries * sizeof(struct nvme_completion), q->cq_phys,
				  q->cq_dma);
}

/* Take and give back n blocks, so that the pool owns the pages for them. */
static void warm_pool(struct dma_pool *pool, unsigned n)
{
	struct block {
		phys_addr_t phys;
		dma_addr_t dma;
	} *blocks = g_new(struct block, n);
	unsigned got = 0;

	while (got < n && (blocks[got].phys = dma_pool_alloc(pool, &blocks[got].dma)))
		got++;
	while (got--)
		dma_pool_free(pool, blocks[got].phys, blocks[got].dma);
	g_free(blocks);
}

struct probe {
	struct nvme_dev *d;
	GError **error;
	bool ok;
};

static void probe(void *arg)
{
	struct probe *p = arg;
	struct nvme_dev *d = p->d;
	struct nvme_workload *w = d->w;
	unsigned blocks;

	dma_set_mask(d->base.dev, UINT64_MAX);
	dma_set_max_seg_size(d->base.dev, UINT32_MAX);
	dma_set_seg_boundary(d->base.dev, UINT32_MAX);
	dma_set_min_align_mask(d->base.dev, NVME_PAGE_SIZE - 1);
	d->base.instance = dma_api_instance_new(w->base.api, w->base.m, d->base.dev);
	d->admin = g_new0(struct nvme_queue, 1);
	if (!queue_init(d, d->admin, 0, NVME_ADMIN_ENTRIES, p->error))
		return;
	d->nqueues = (unsigned)(w->params.queues ? w->params.queues : w->base.m->sim.ncpus);
	d->queues = g_new0(struct nvme_queue, d->nqueues);
	for (unsigned i = 0; i < d->nqueues; i++) {
		if (!queue_init(d, &d->queues[i], i + 1, (unsigned)w->params.queue_entries, p->error))
			return;
	}
	d->page_pool = dma_pool_create("prp list page", d->base.dev, NVME_PAGE_SIZE, NVME_PAGE_SIZE, 0);
	d->small_pool = dma_pool_create("prp list 256", d->base.dev, NVME_SMALL_POOL_SIZE,
					NVME_SMALL_POOL_SIZE, 0);
	blocks = (unsigned)MIN(w->params.queue_depth * d->nqueues, MAX_WARM_BLOCKS);
	warm_pool(d->page_pool, blocks);
	warm_pool(d->small_pool, blocks);
	p->ok = true;
}

/* Name of the next controller's function; NULL: the next free one. */
static char *function_name(const struct nvme_workload *w)
{
	g_auto(GStrv) names = g_strsplit(w->params.functions ? w->params.functions : "", ",", -1);

	if (w->base.ndevs >= g_strv_length(names) || !*g_strstrip(names[w->base.ndevs]))
		return NULL;
	return g_strdup(names[w->base.ndevs]);
}

/* The drive's own buffer and the provider of peer memory, as configured. */
static bool peer_memory(struct nvme_dev *d, GError **error)
{
	const struct nvme_params *p = &d->w->params;
	struct pcie_node *node = d->base.dev->pci;
	unsigned bar = 0;

	if (p->cmb) {
		while (bar < PCIE_BARS && node->bars[bar])
			bar++;
		if (!pcie_add_bar(node, bar, 0, p->cmb, MEMORY_P2P)) {
			g_set_error(error, PARAM_ERROR, 0,
				    "nvme.cmb: %s has no room for a buffer of %" G_GUINT64_FORMAT
				    " bytes among its BARs",
				    d->base.dev->name, p->cmb);
			return false;
		}
	}
	if (!p->p2p_provider || !strcmp(p->p2p_provider, "none"))
		return true;
	d->provider = strcmp(p->p2p_provider, "self") ? pcie_find(d->w->base.m->fabric, p->p2p_provider)
						      : node;
	for (bar = 0; d->provider && bar < PCIE_BARS && !pci_has_p2pmem(d->provider); bar++) {
		if (d->provider->bars[bar] && !pci_p2pdma_add_resource(d->provider, bar, 0, 0))
			pci_p2pmem_publish(d->provider, true);
	}
	if (d->provider && pci_has_p2pmem(d->provider))
		return true;
	g_set_error(
	    error, PARAM_ERROR, 0,
	    "nvme.p2p_provider: '%s' has no memory for peers: want none, self with nvme.cmb, or a function "
	    "of pcie.topology with a memory BAR",
	    p->p2p_provider);
	return false;
}

struct replayer_dev *nvme_dev_new(struct replayer *r, GError **error)
{
	struct nvme_workload *w = (struct nvme_workload *)r;
	struct nvme_dev *d = g_new0(struct nvme_dev, 1);
	struct probe p = {d, error, false};
	g_autofree char *stream = g_strdup_printf("nvme%u", w->base.ndevs);
	g_autofree char *name = function_name(w);
	struct quiet quiet;

	d->w = w;
	d->base.dev = machine_add_device(w->base.m, name, error);
	if (!d->base.dev || !peer_memory(d, error)) {
		g_free(d);
		return NULL;
	}
	d->ctrl = nvme_ctrl_new(&w->base.m->sim, w->base.m->memory, d->base.dev->pci, &w->params,
				&w->st.drive, nvme_interrupt, d);
	rng_init(&d->rng, w->base.m->sim.seed, stream);
	quiet_begin(w, &quiet);
	cpu_run(&w->base.m->sim.cpus[0], probe, &p);
	quiet_end(w, &quiet);
	if (!p.ok) {
		nvme_dev_free(r, &d->base);
		return NULL;
	}
	blk_nvme_limits(&d->limits, d->base.dev, w->base.m->kernel, &w->params);
	return &d->base;
}

static void remove_dev(void *arg)
{
	struct nvme_dev *d = arg;

	if (d->w->base.api->instance_free && d->base.instance)
		d->w->base.api->instance_free(d->base.instance);
	if (d->small_pool)
		dma_pool_destroy(d->small_pool);
	if (d->page_pool)
		dma_pool_destroy(d->page_pool);
	for (unsigned i = 0; d->queues && i < d->nqueues; i++)
		queue_fini(&d->queues[i]);
	if (d->admin)
		queue_fini(d->admin);
}

void nvme_dev_free(struct replayer *r, struct replayer_dev *base)
{
	struct nvme_workload *w = (struct nvme_workload *)r;
	struct nvme_dev *d = (struct nvme_dev *)base;
	struct quiet quiet;

	quiet_begin(w, &quiet);
	cpu_run(&w->base.m->sim.cpus[0], remove_dev, d);
	quiet_end(w, &quiet);
	nvme_ctrl_free(d->ctrl);
	g_free(d->queues);
	g_free(d->admin);
	g_free(d);
}
