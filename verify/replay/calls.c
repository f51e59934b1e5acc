/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One recorded call through the DMA API, its arguments and results against the recorded ones. */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

void mapping_free(void *p)
{
	struct mapping *m = p;

	g_free(m->sg);
	g_free(m);
}

struct device *replay_device(struct replay *r, const struct replay_op *op)
{
	return r->config.device(r->config.arg, recording_name(r->rec, op->device));
}

/* ---- what is mapped ---- */

static uint64_t page_of(dma_addr_t addr)
{
	return addr >> PAGE_SHIFT;
}

static struct mapping *mapping_find(struct replay *r, dma_addr_t addr)
{
	uint64_t key = page_of(addr);

	return g_hash_table_lookup(r->mappings, &key);
}

static struct mapping *mapping_new(const struct replay_op *op, struct device *dev)
{
	struct mapping *m = g_new0(struct mapping, 1);

	m->kind = op->kind;
	m->dev = dev;
	m->addr = op->addr;
	m->phys = op->phys;
	m->size = op->size;
	return m;
}

static void mapping_keep(struct replay *r, struct mapping *m, dma_addr_t addr)
{
	uint64_t key = page_of(addr);

	r->run->in_hand = NULL;
	m->addr = addr;
	g_hash_table_replace(r->mappings, g_memdup2(&key, sizeof(key)), m);
}

static void mapping_drop(struct replay *r, struct mapping *m)
{
	uint64_t key = page_of(m->addr);

	g_hash_table_remove(r->mappings, &key);
}

/* Direct scatter lists have no range of their own: the list finds its mapping, the last one first. */
static void list_keep(struct replay *r, struct mapping *m, uint64_t phys)
{
	GPtrArray *stack = g_hash_table_lookup(r->lists, &phys);

	r->run->in_hand = NULL;
	if (!stack) {
		stack = g_ptr_array_new_with_free_func(mapping_free);
		g_hash_table_insert(r->lists, g_memdup2(&phys, sizeof(phys)), stack);
	}
	g_ptr_array_add(stack, m);
}

static bool list_equal(const struct replay *r, const struct mapping *m, const struct replay_op *op)
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

static struct mapping *list_take(struct replay *r, const struct replay_op *op)
{
	uint64_t phys = op->vectors.count ? *recording_list(r->rec, op->vectors) : 0;
	GPtrArray *stack = g_hash_table_lookup(r->lists, &phys);

	for (unsigned i = stack ? stack->len : 0; i-- > 0;)
		if (list_equal(r, g_ptr_array_index(stack, i), op))
			return g_ptr_array_steal_index(stack, i);
	return NULL;
}

/* ---- results ---- */

/* Direct and bounced addresses; IOVAs are judged where they are allocated (watch.c). */
static void judge_direct(struct replay *r, dma_addr_t got, dma_addr_t recorded, bool bound)
{
	r->totals.addresses++;
	if (got != recorded) {
		r->totals.diverging++;
		replay_diverge(r, "DMA address 0x%" PRIx64 ", recorded 0x%" PRIx64, got, recorded);
	} else if (bound) {
		r->totals.bound++;
	} else {
		r->totals.predicted++;
	}
}

static void check_address(struct replay *r, const struct device *dev, dma_addr_t got, bool bound)
{
	const struct replay_op *op = r->run->op;

	if (!op->addr && !op->complete)
		return;
	if (!dev->domain)
		judge_direct(r, got, op->addr, bound);
	else if (got != op->addr)
		replay_diverge(r, "%s returns 0x%" PRIx64 ", recorded 0x%" PRIx64,
			       replay_kind_names[op->kind], got, op->addr);
}

/*
 * The search in a bounce area starts where the last one ended. Where that was when the recording
 * began, or went meanwhile, is unknown: the first slot that shows tells.
 */
static bool bind_hint(struct replay *r, struct device *dev, dma_addr_t recorded)
{
	int area = dev->domain ? -1 : dma_replay_bounce_area(dev, recorded);

	if (area < 0)
		return false;
	if (!r->area_file)
		r->area_file = g_new0(uint64_t, dma_replay_bounce_areas(dev));
	if (r->area_file[area] == r->file)
		return false;
	r->area_file[area] = r->file;
	r->totals.hints_bound++;
	dma_replay_bounce_hint(dev, recorded);
	return true;
}

/* ---- mapping ---- */

static void call_map(struct replay *r, const struct replay_op *op, struct device *dev)
{
	bool bound = bind_hint(r, dev, op->addr);
	bool entry = false;
	dma_addr_t addr;
	struct mapping *m;

	if (replay_peek(r) && replay_peek(r)->kind == REC_DMA_MAP_ENTER)
		entry = replay_expect(r, REC_DMA_MAP_ENTER, true);
	addr = dma_kernel(dev)->has_map_phys
		   ? dma_map_phys(dev, op->phys, op->size, op->dir, op->attrs)
		   : dma_map_page_attrs(dev, align_down(op->phys, PAGE_SIZE), op->phys & (PAGE_SIZE - 1),
					op->size, op->dir, op->attrs);
	if (entry)
		replay_expect(r, REC_DMA_MAP_RET, true);
	else
		replay_expect(r, REC_DMA_MAP, false);
	replay_log(r, REC_DMA_MAP, addr, op->phys, op->size);
	check_address(r, dev, addr, bound);
	if (addr != DMA_MAPPING_ERROR && !dev->domain)
		g_hash_table_replace(r->direct, g_memdup2(&addr, sizeof(addr)), GSIZE_TO_POINTER(op->size));
	if (addr == DMA_MAPPING_ERROR || !dev->domain)
		return;
	m = mapping_new(op, dev);
	mapping_keep(r, m, addr);
}

static void check_segments(struct replay *r, const struct replay_op *op, struct device *dev,
			   struct scatterlist *sg, unsigned n, bool bound)
{
	const uint64_t *addrs = recording_list(r->rec, op->out_addrs);
	const uint64_t *lens = recording_list(r->rec, op->out_lens);

	if (n < op->out_addrs.count) {
		replay_diverge(r, "dma_map_sg makes %u segments, recorded %u", n, op->out_addrs.count);
		return;
	}
	for (unsigned i = 0; i < op->out_addrs.count; i++, sg = sg_next(sg)) {
		if (!dev->domain)
			judge_direct(r, sg->dma_address, addrs[i], bound && i == 0);
		if (sg->dma_address == addrs[i] && sg->dma_length == lens[i])
			continue;
		replay_diverge(
		    r, "segment %u of dma_map_sg is 0x%" PRIx64 "+%u, recorded 0x%" PRIx64 "+%" PRIu64, i,
		    sg->dma_address, sg->dma_length, addrs[i], lens[i]);
		return;
	}
}

static struct scatterlist *build_list(struct replay *r, const struct replay_op *op)
{
	const uint64_t *phys = recording_list(r->rec, op->vectors);
	const uint64_t *lens = recording_list(r->rec, op->lens);
	struct scatterlist *sg = g_new0(struct scatterlist, op->vectors.count);

	sg_init_table(sg, op->vectors.count);
	for (unsigned i = 0; i < op->vectors.count; i++)
		sg_set_phys(&sg[i], phys[i], (uint32_t)lens[i]);
	return sg;
}

static void call_map_sg(struct replay *r, const struct replay_op *op, struct device *dev)
{
	bool bound = bind_hint(r, dev, op->addr);
	struct scatterlist *sg;
	struct mapping *m;
	unsigned n;

	if (replay_peek(r) && replay_peek(r)->kind == REC_DMA_MAP_SG_ENTER)
		replay_expect(r, REC_DMA_MAP_SG_ENTER, true);
	if (!op->vectors.count || op->lens.count != op->vectors.count)
		return;
	sg = build_list(r, op);
	m = mapping_new(op, dev);
	m->sg = sg;
	m->nents = op->vectors.count;
	r->run->in_hand = m;
	n = dma_map_sg_attrs(dev, sg, (int)op->vectors.count, op->dir, op->attrs);
	if (op->complete)
		replay_expect(r, REC_DMA_MAP_SG, false);
	replay_log(r, REC_DMA_MAP_SG, n ? sg->dma_address : 0, sg_phys(sg), op->vectors.count);
	if (op->complete)
		check_segments(r, op, dev, sg, n, bound);
	else
		check_address(r, dev, n ? sg->dma_address : DMA_MAPPING_ERROR, false);
	if (!n) {
		g_clear_pointer(&r->run->in_hand, mapping_free);
		return;
	}
	if (dev->domain)
		mapping_keep(r, m, sg->dma_address);
	else
		list_keep(r, m, sg_phys(sg));
}

static void call_alloc(struct replay *r, const struct replay_op *op, struct device *dev)
{
	dma_addr_t handle = DMA_MAPPING_ERROR;
	struct mapping *m;
	phys_addr_t phys;

	if (!op->size)
		return;
	phys = dma_alloc_attrs(dev, op->size, &handle, op->attrs);
	if (op->complete)
		replay_expect(r, REC_DMA_ALLOC, false);
	replay_log(r, REC_DMA_ALLOC, handle, phys, op->size);
	if (!phys) {
		replay_diverge(r, "dma_alloc_coherent fails, recorded 0x%" PRIx64, op->addr);
		return;
	}
	check_address(r, dev, handle, false);
	m = mapping_new(op, dev);
	m->phys = phys;
	mapping_keep(r, m, handle);
}

/* ---- two-step interface ---- */

static void call_try_alloc(struct replay *r, const struct replay_op *op, struct device *dev)
{
	struct context_run *c = r->run;
	struct mapping *m = mapping_new(op, dev);
	bool ok;

	c->in_hand = m;
	replay_expect(r, REC_TRY_ALLOC, true);
	ok = dma_iova_try_alloc(dev, &m->state, op->phys, op->size);
	if (op->complete)
		replay_expect(r, REC_TRY_ALLOC_RET, true);
	if (op->complete && ok != (op->offset != 0))
		replay_diverge(r, "dma_iova_try_alloc returns %d, recorded %" PRIu64, ok, op->offset);
	c->api = NULL;
	if (!ok) {
		g_clear_pointer(&c->in_hand, mapping_free);
		return;
	}
	mapping_keep(r, m, m->state.addr);
	c->api = m;
}

static struct mapping *need_api(struct replay *r)
{
	if (!r->run->api && r->run->op->kind != REPLAY_SYNC)
		replay_diverge(r, "%s without a range", replay_kind_names[r->run->op->kind]);
	return r->run->api;
}

static void call_link(struct replay *r, const struct replay_op *op)
{
	struct mapping *m = need_api(r);
	int err;

	replay_expect(r, REC_LINK, true);
	if (!m)
		replay_abandon(r);
	err = dma_iova_link(m->dev, &m->state, op->phys, op->offset, op->size, op->dir, op->attrs);
	if (err)
		replay_diverge(r, "dma_iova_link fails: %s", g_strerror(-err));
}

static void call_sync(struct replay *r, const struct replay_op *op)
{
	struct mapping *m = need_api(r);
	int err;

	replay_expect(r, REC_SYNC, true);
	err = m ? dma_iova_sync(m->dev, &m->state, op->offset, op->size) : 0;
	if (err)
		replay_diverge(r, "dma_iova_sync fails: %s", g_strerror(-err));
}

/* Which range: the one that holds what is unmapped or freed. */
static struct mapping *range_of(struct replay *r, const struct replay_op *op)
{
	struct mapping *m = op->addr ? mapping_find(r, op->addr) : NULL;

	if (!m && op->pfn)
		m = mapping_find(r, op->pfn << PAGE_SHIFT);
	return m;
}

static void call_unlink(struct replay *r, const struct replay_op *op)
{
	struct mapping *m = range_of(r, op);

	replay_expect(r, REC_UNLINK, true);
	if (!m)
		m = need_api(r);
	if (m)
		dma_iova_unlink(m->dev, &m->state, op->offset, op->size, op->dir, op->attrs);
}

/* ---- unmapping ---- */

/* A mapping that is older than the recording: made known, with its table entries, before it goes. */
static void adopt(struct replay *r, const struct replay_op *op, struct device *dev)
{
	dma_addr_t base = align_down(op->addr, PAGE_SIZE);
	size_t size = align_up(op->size + (op->addr - base), PAGE_SIZE);
	int err;

	if (!dev->domain)
		return;
	err = dma_replay_adopt(dev, base, size);
	if (err)
		replay_diverge(r, "unmapping 0x%" PRIx64 "+%zu, which is not mapped as such: %s", base, size,
			       g_strerror(-err));
	r->totals.adopted++;
	replay_set_pfn(r, page_of(base), PFN_LIVE);
}

static void unmap_known(const struct replay_op *op, struct mapping *m)
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

static void unmap_unknown(struct replay *r, const struct replay_op *op, struct device *dev)
{
	/* Without translation only the call itself counts; the address needs no state. */
	if (!dev->domain && op->kind != REPLAY_UNMAP)
		return;
	if (!op->addr || !op->size)
		return;
	adopt(r, op, dev);
	if (op->kind == REPLAY_UNMAP && !op->guessed && dma_kernel(dev)->has_map_phys)
		dma_unmap_phys(dev, op->addr, op->size, op->dir, op->attrs);
	else if (op->kind == REPLAY_UNMAP && !op->guessed)
		dma_unmap_page_attrs(dev, op->addr, op->size, op->dir, op->attrs);
	else
		dma_replay_release(dev, op->addr, op->size);
}

/* A driver unmaps what it mapped. */
static void check_same(struct replay *r, const struct replay_op *op, const struct mapping *m)
{
	bool sized = !op->guessed && ((op->kind == REPLAY_UNMAP && m->kind == REPLAY_MAP) ||
				      (op->kind == REPLAY_FREE && m->kind == REPLAY_ALLOC));

	if (sized && op->size != m->size)
		replay_diverge(r, "%s of %" PRIu64 " bytes, mapped were %" PRIu64,
			       replay_kind_names[op->kind], op->size, m->size);
	if (sized && op->addr != m->addr)
		replay_diverge(r, "%s at 0x%" PRIx64 ", mapped was 0x%" PRIx64, replay_kind_names[op->kind],
			       op->addr, m->addr);
}

/* False if the call must not be made: no such mapping is alive. */
static bool check_direct(struct replay *r, const struct replay_op *op, struct device *dev)
{
	uint64_t size;

	if (dev->domain || op->kind != REPLAY_UNMAP)
		return true;
	size = GPOINTER_TO_SIZE(g_hash_table_lookup(r->direct, &op->addr));
	if (!size) {
		replay_diverge(r, "%s of DMA address 0x%" PRIx64 ", which is not mapped",
			       replay_kind_names[op->kind], op->addr);
		return false;
	}
	if (size != op->size)
		replay_diverge(r, "%s of %" PRIu64 " bytes, mapped were %" PRIu64,
			       replay_kind_names[op->kind], op->size, size);
	/* A bounce slot is one mapping; a buffer may be mapped more than once at a time. */
	if (dma_replay_bounce_area(dev, op->addr) >= 0)
		g_hash_table_remove(r->direct, &op->addr);
	return true;
}

static void take_entry(struct replay *r)
{
	const struct recording_event *e = replay_peek(r);

	if (e && (e->kind == REC_DMA_UNMAP_ENTER || e->kind == REC_DMA_UNMAP_SG || e->kind == REC_DMA_FREE ||
		  e->kind == REC_DESTROY || e->kind == REC_API_FREE))
		replay_expect(r, e->kind, true);
}

static void call_unmap(struct replay *r, const struct replay_op *op, struct device *dev)
{
	struct mapping *m = op->kind == REPLAY_UNMAP_SG && !dev->domain ? list_take(r, op) : range_of(r, op);

	take_entry(r);
	if (!check_direct(r, op, dev)) {
		r->run->pos = op->nevents;
		return;
	}
	if (m)
		check_same(r, op, m);
	if (m)
		unmap_known(op, m);
	else
		unmap_unknown(r, op, dev);
	if (op->kind == REPLAY_UNMAP && op->complete)
		replay_expect(r, REC_DMA_UNMAP, false);
	if (!m)
		return;
	if (m == r->run->api)
		r->run->api = NULL;
	if (op->kind == REPLAY_UNMAP_SG && !dev->domain)
		mapping_free(m);
	else
		mapping_drop(r, m);
}

static void call_timer(struct replay *r, struct device *dev)
{
	r->totals.timer_flushes++;
	if (!dev->domain || !dma_replay_has_queue(dev)) {
		replay_diverge(r, "whole-domain flush by an interrupt, but no flush queue is in use");
		replay_abandon(r);
	}
	dma_replay_flush_timer(dev, r->run->cpu);
}

static void call_stray(struct replay *r)
{
	const struct recording_event *e = replay_peek(r);

	replay_diverge(r, "%s belongs to no call that began in this recording",
		       e ? recording_kind_names[e->kind] : "event");
	replay_abandon(r);
}

void replay_call(struct replay *r)
{
	const struct replay_op *op = r->run->op;
	struct device *dev = replay_device(r, op);

	if (!dev) {
		replay_diverge(r, "device '%s' is not part of the machine",
			       recording_name(r->rec, op->device));
		replay_abandon(r);
	}
	switch ((enum replay_kind)op->kind) {
	case REPLAY_MAP:
		call_map(r, op, dev);
		break;
	case REPLAY_MAP_SG:
		call_map_sg(r, op, dev);
		break;
	case REPLAY_ALLOC:
		call_alloc(r, op, dev);
		break;
	case REPLAY_TRY_ALLOC:
		call_try_alloc(r, op, dev);
		break;
	case REPLAY_LINK:
		call_link(r, op);
		break;
	case REPLAY_SYNC:
		call_sync(r, op);
		break;
	case REPLAY_UNLINK:
		call_unlink(r, op);
		break;
	case REPLAY_DESTROY:
	case REPLAY_API_FREE:
	case REPLAY_UNMAP:
	case REPLAY_UNMAP_SG:
	case REPLAY_FREE:
		call_unmap(r, op, dev);
		break;
	case REPLAY_FLUSH_TIMER:
		call_timer(r, dev);
		break;
	case REPLAY_REQUEST:
		replay_nvme_submit(r);
		break;
	case REPLAY_COMPLETE:
		replay_nvme_complete(r);
		break;
	case REPLAY_STRAY:
	case REPLAY_MERGED:
	case REPLAY_KINDS:
		call_stray(r);
	}
}
