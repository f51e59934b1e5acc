/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What replayed calls have mapped, by address and domain; what was mapped before the recording began. */
#include "internal.h"

void replayed_free(void *p)
{
	struct replayed *m = p;

	g_free(m->sg);
	g_free(m);
}

struct replayed *replayed_new(const struct replay_op *op, struct device *dev)
{
	struct replayed *m = g_new0(struct replayed, 1);

	m->kind = op->kind;
	m->dev = dev;
	m->addr = op->addr;
	m->phys = op->phys;
	m->size = op->size;
	m->window = op->state;
	return m;
}

static struct replayed *find_in(struct replay *r, const struct device *dev, uint64_t pfn)
{
	uint64_t key = replay_key(dev, pfn);

	return g_hash_table_lookup(r->mappings, &key);
}

struct replayed *replayed_find(struct replay *r, const struct device *dev, dma_addr_t addr)
{
	struct replayed *found = NULL;

	if (dev)
		return find_in(r, dev, addr >> PAGE_SHIFT);
	for (unsigned i = 0; i < r->states->len && !found; i++) {
		const struct domain_state *d = g_ptr_array_index(r->states, i);

		found = d ? find_in(r, d->dev, addr >> PAGE_SHIFT) : NULL;
	}
	return found;
}

static uint64_t *window_key(const struct replayed *m)
{
	return g_memdup2(&m->window, sizeof(m->window));
}

void replayed_keep(struct replay *r, struct replayed *m, dma_addr_t addr)
{
	uint64_t key = replay_key(m->dev, addr >> PAGE_SHIFT);
	struct replayed *old = g_hash_table_lookup(r->mappings, &key);

	r->run->in_hand = NULL;
	r->run->made = m;
	m->addr = addr;
	if (old)
		replayed_drop(r, old);
	g_hash_table_replace(r->mappings, g_memdup2(&key, sizeof(key)), m);
	if (m->window)
		g_hash_table_replace(r->windows, window_key(m), m);
}

void replayed_drop(struct replay *r, struct replayed *m)
{
	uint64_t key = replay_key(m->dev, m->addr >> PAGE_SHIFT);

	if (m->window && g_hash_table_lookup(r->windows, &m->window) == m)
		g_hash_table_remove(r->windows, &m->window);
	for (unsigned i = 0; i < r->contexts->len; i++) {
		struct context_run *c = g_ptr_array_index(r->contexts, i);

		if (c->api == m)
			c->api = NULL;
		if (c->made == m)
			c->made = NULL;
	}
	g_hash_table_remove(r->mappings, &key);
}

/* ---- direct scatter lists ---- */

void replayed_list_keep(struct replay *r, struct replayed *m, uint64_t phys)
{
	GPtrArray *stack = g_hash_table_lookup(r->lists, &phys);

	r->run->in_hand = NULL;
	if (!stack) {
		stack = g_ptr_array_new_with_free_func(replayed_free);
		g_hash_table_insert(r->lists, g_memdup2(&phys, sizeof(phys)), stack);
	}
	g_ptr_array_add(stack, m);
}

static bool list_equal(const struct replay *r, const struct replayed *m, const struct replay_op *op)
{
	const uint64_t *phys = recording_list(r->rec, op->vectors);
	struct scatterlist *s;
	unsigned i;

	if (m->nents != op->vectors.count)
		return false;
	for_each_sg (m->sg, s, m->nents, i)
		if (sg_phys(s) != phys[i])
			return false;
	return true;
}

struct replayed *replayed_list_take(struct replay *r, const struct replay_op *op)
{
	uint64_t phys = op->vectors.count ? *recording_list(r->rec, op->vectors) : 0;
	GPtrArray *stack = g_hash_table_lookup(r->lists, &phys);

	for (unsigned i = stack ? stack->len : 0; i-- > 0;)
		if (list_equal(r, g_ptr_array_index(stack, i), op))
			return g_ptr_array_steal_index(stack, i);
	return NULL;
}

/* ---- unmapping ---- */

void replayed_unmap(const struct replay_op *op, struct replayed *m)
{
	switch (m->kind) {
	case REPLAY_MAP_SG:
		dma_unmap_sg_attrs(m->dev, m->sg, (int)m->nents, op->dir, op->attrs);
		break;
	case REPLAY_ALLOC:
		dma_free_attrs(m->dev, m->size, m->phys, m->addr, op->attrs);
		break;
	case REPLAY_TRY_ALLOC:
		if (op->kind == REPLAY_API_FREE || (op->kind == REPLAY_DESTROY && !op->size))
			dma_iova_free(m->dev, &m->state);
		else
			dma_iova_destroy(m->dev, &m->state,
					 op->kind == REPLAY_DESTROY ? op->size : dma_iova_size(&m->state),
					 op->dir, op->attrs);
		break;
	default:
		if (dma_kernel(m->dev)->has_map_phys)
			dma_unmap_phys(m->dev, op->guessed ? m->addr : op->addr,
				       op->guessed ? m->size : op->size, op->dir, op->attrs);
		else
			dma_unmap_page_attrs(m->dev, op->guessed ? m->addr : op->addr,
					     op->guessed ? m->size : op->size, op->dir, op->attrs);
	}
}

/* ---- older than the recording ---- */

/* Whether unmapping it detached tables: it was mapped by pages. The descriptor that flushes it tells. */
static bool tables_went(const struct replay *r)
{
	const struct context_run *c = r->run;

	for (uint32_t k = c->pos; k < c->op->nevents; k++) {
		const struct recording_event *e = recording_at(r->rec, operations_event(r->ops, c->op, k));

		if (e->kind == REC_QI_SUBMIT && (e->qi.qw0 & 15) == QI_IOTLB &&
		    (e->qi.qw0 >> 4 & 3) == QI_PAGE)
			return !(e->qi.qw1 >> 6 & 1);
	}
	return false;
}

bool replayed_adopt(struct replay *r, struct device *dev, dma_addr_t addr, size_t size)
{
	dma_addr_t base = align_down(addr, PAGE_SIZE);
	bool ok = true;

	size = align_up(size + (addr - base), PAGE_SIZE);
	replay_domain(r, dev);
	/* Pieces of it may be known already, from calls that the recording holds in part. */
	for (dma_addr_t at = base; at < base + size; at += PAGE_SIZE) {
		struct replayed *m = replayed_find(r, dev, at);

		if (m && m->kind != REPLAY_TRY_ALLOC) {
			ok &= m->older;
			replayed_drop(r, m);
		}
	}
	dma_replay_clear(dev, base, size);
	ok &= !dma_replay_adopt(dev, base, size, tables_went(r));
	r->totals.adopted++;
	replay_set_pfn(r, dev, base >> PAGE_SHIFT, PFN_LIVE);
	return ok;
}

/* Bytes of the window, from the line that frees it. */
static size_t freed_bytes(const struct replay *r, const struct replay_op *op)
{
	for (uint32_t k = 0; k < op->nevents; k++) {
		const struct recording_event *e = recording_at(r->rec, operations_event(r->ops, op, k));

		if (e->kind == REC_IOVA_FREE)
			return e->iova.pages << PAGE_SHIFT;
	}
	return 0;
}

/*
 * Where the window begins, in its first page: a piece at offset lies at that distance, and what is unmapped
 * reaches as many pages as the beginning makes it.
 */
static dma_addr_t window_begin(const struct replay *r, const struct replay_op *op)
{
	for (uint32_t k = 0; k < op->nevents; k++) {
		const struct recording_event *e = recording_at(r->rec, operations_event(r->ops, op, k));
		uint64_t pad = op->phys & (PAGE_SIZE - 1);

		if (e->kind == REC_MAP || e->kind == REC_MAP_NOSYNC)
			return e->map.iova + pad - op->offset;
		if (e->kind == REC_UNMAP && op->kind == REPLAY_UNLINK)
			return e->map.iova - op->offset;
		if (e->kind == REC_UNMAP && e->map.size > op->size)
			return e->map.iova + MIN(e->map.size - op->size, PAGE_SIZE - 1);
		if (e->kind == REC_UNMAP)
			return e->map.iova;
		if (e->kind == REC_IOVA_FREE)
			return e->iova.pfn << PAGE_SHIFT;
	}
	return 0;
}

struct replayed *replayed_adopt_window(struct replay *r, const struct replay_op *op, struct device *dev)
{
	dma_addr_t begin = window_begin(r, op), base = align_down(begin, PAGE_SIZE);
	struct replayed *m;

	if (!base)
		return NULL;
	m = replayed_new(op, dev);
	m->kind = REPLAY_TRY_ALLOC;
	m->older = true;
	m->state.addr = begin;
	m->state.__size = MAX(freed_bytes(r, op), op->offset + op->size);
	replay_domain(r, dev);
	dma_replay_claim(dev, base >> PAGE_SHIFT,
			 m->state.__size >> PAGE_SHIFT ? m->state.__size >> PAGE_SHIFT : 1);
	replay_set_pfn(r, dev, base >> PAGE_SHIFT, PFN_LIVE);
	r->totals.adopted++;
	replayed_keep(r, m, base);
	/* What was linked before the recording began. */
	if (op->kind == REPLAY_LINK)
		dma_replay_fill(dev, base, align_down(op->offset, PAGE_SIZE));
	return m;
}

void replayed_complete_window(struct replay *r, const struct replay_op *op, struct replayed *m)
{
	for (uint32_t k = 0; m->older && k < op->nevents; k++) {
		const struct recording_event *e = recording_at(r->rec, operations_event(r->ops, op, k));

		if (e->kind == REC_UNMAP)
			dma_replay_fill(m->dev, e->map.iova, e->map.unmapped);
		else if (e->kind == REC_IOVA_FREE)
			m->state.__size = e->iova.pages << PAGE_SHIFT;
	}
}
