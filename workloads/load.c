/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device, buffers and the end of a workload that makes its own load. */
#include "load.h"

#include <string.h>

struct workload *load_new(const struct load_ops *ops, struct machine *m, const struct dma_api *api,
			  GError **error)
{
	const struct workload_ops *w = ops->workload;
	struct load *l = g_malloc0(ops->size);

	l->ops = ops;
	l->m = m;
	l->api = api;
	l->path = dma_api_path(api, w->kind);
	l->base.stats = (const char *)l + ops->stats;
	memcpy((char *)l + ops->params, config_get(m->config, w->params), w->params->struct_size);
	if (ops->set_up(l, error))
		return &l->base;
	load_destroy(&l->base);
	return NULL;
}

bool load_finish(struct workload *base, GError **error)
{
	struct load *l = (struct load *)base;
	bool ok = l->ops->run(l, error);

	sim_run(&l->m->sim); /* the last timers: flush queues */
	return ok;
}

void load_destroy(struct workload *base)
{
	struct load *l = (struct load *)base;

	if (!l)
		return;
	if (l->ops->release)
		l->ops->release(l);
	dma_api_instance_free(l->api, l->m, l->instance);
	g_free(l->base.curve.values);
	g_free(l);
}

bool load_device(struct load *l, const char *function, uint32_t max_seg_size, GError **error)
{
	l->dev = machine_add_device(l->m, function && *function ? function : NULL, error);
	if (!l->dev)
		return false;
	dma_set_mask(l->dev, UINT64_MAX);
	if (max_seg_size)
		dma_set_max_seg_size(l->dev, max_seg_size);
	if (!l->ops->workload->any_api) /* else it calls the DMA API itself */
		l->instance = dma_api_instance_new(l->api, l->m, l->dev);
	return true;
}

void load_curve(struct load *l, const char *const *columns, unsigned ncolumns, unsigned nrows)
{
	l->base.curve = (struct workload_curve){.columns = columns, .ncolumns = ncolumns};
	l->base.curve.values = g_new0(double, (size_t)nrows *ncolumns);
}

void load_run_on_first_cpu(struct load *l, struct cpu_work *work)
{
	struct sim *s = &l->m->sim;

	l->m->io.first = s->now;
	cpu_post(&s->cpus[0], work, s->now);
	sim_run(s);
}

/* ---- buffers ---- */

static unsigned order_of(const struct phys_vec *v)
{
	return order_base_2(div_round_up((v->paddr & ~PAGE_MASK) + v->len, PAGE_SIZE));
}

bool load_buffer_open(struct load *l, struct load_buffer *b, unsigned n, uint64_t bytes, uint64_t first,
		      uint64_t rest)
{
	b->n = n;
	b->vecs = g_new0(struct phys_vec, n);
	b->obj = (struct dma_object){.dev = l->dev, .path = l->path, .instance = l->instance};
	b->obj.bytes = n * bytes;
	/* One per vector and one per page they touch, for any path. */
	b->obj.max_segs = n * (unsigned)(2 + bytes / PAGE_SIZE + 1);
	b->obj.segs = g_new0(struct dma_segment, b->obj.max_segs);
	b->obj.state = g_malloc0(MAX(l->path->state_size, 1));
	for (unsigned i = 0; i < n; i++) {
		struct phys_vec v = {i ? rest : first, (uint32_t)bytes};
		phys_addr_t page = memory_alloc_pages(l->m->memory, l->dev->node, order_of(&v));

		if (!page)
			return false;
		v.paddr += page;
		b->vecs[i] = v;
	}
	b->open = !l->path->open || l->path->open(&b->obj, b->obj.bytes) == 0;
	return b->open;
}

void load_buffer_close(struct load *l, struct load_buffer *b)
{
	if (b->open && l->path->close)
		l->path->close(&b->obj);
	for (unsigned i = 0; i < b->n && b->vecs[i].paddr; i++)
		memory_free_pages(l->m->memory, b->vecs[i].paddr & PAGE_MASK, order_of(&b->vecs[i]));
	g_free(b->vecs);
	g_free(b->obj.segs);
	g_free(b->obj.state);
	*b = (struct load_buffer){0};
}

bool load_buffer_map(struct load *l, struct load_buffer *b, unsigned n, enum dma_data_direction dir)
{
	b->obj.dir = dir;
	b->obj.nsegs = 0;
	b->obj.bytes = n * (size_t)b->vecs[0].len;
	return l->path->map(&b->obj, 0, b->vecs, n) == 0;
}

void load_buffer_unmap(struct load *l, struct load_buffer *b)
{
	l->path->unmap(&b->obj, 0, b->obj.bytes);
}

bool load_access_all(const struct load *l, const struct dma_object *obj, enum pcie_op op, sim_time_t when,
		     sim_time_t *done)
{
	bool ok = true;

	for (unsigned i = 0; i < obj->nsegs; i++)
		ok = load_access(l, op, obj->segs[i].addr, obj->segs[i].len, when, done, NULL) && ok;
	return ok;
}
