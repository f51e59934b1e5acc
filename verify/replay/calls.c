/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One recorded call through the DMA API, its arguments and results against the recorded ones. */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

/* What the call works on: as its events name it, else as what lives at its address tells. */
struct device *replay_device(struct replay *r, const struct replay_op *op)
{
	struct device *dev = NULL;

	if (!op->device && op->kind == REPLAY_FLUSH_TIMER)
		dev = replay_flushed_device(r, op);
	else if (!op->device && op->addr)
		dev = replayed_find(r, NULL, op->addr) ? replayed_find(r, NULL, op->addr)->dev : NULL;
	return dev ? dev : r->config.device(r->config.arg, recording_name(r->rec, op->device));
}

/* ---- results ---- */

void replay_judge_direct(struct replay *r, dma_addr_t got, dma_addr_t recorded)
{
	bool bound = r->run->bound;

	if (replay_quiet(r))
		return;
	r->run->bound = false;
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

static void check_address(struct replay *r, const struct device *dev, dma_addr_t got)
{
	const struct replay_op *op = r->run->op;

	if (!op->addr && !op->complete)
		return;
	if (!dev->domain)
		replay_judge_direct(r, got, op->addr);
	else if (got != op->addr)
		replay_diverge(r, "%s returns 0x%" PRIx64 ", recorded 0x%" PRIx64,
			       replay_kind_names[op->kind], got, op->addr);
}

void replay_bind_hint(struct replay *r, struct device *dev, dma_addr_t recorded)
{
	int area = dev->domain ? -1 : dma_replay_bounce_area(dev, recorded);

	if (area < 0)
		return;
	if (!r->area_file)
		r->area_file = g_new0(uint64_t, dma_replay_bounce_areas(dev));
	if (r->area_file[area] == r->file)
		return;
	r->area_file[area] = r->file;
	r->totals.hints_bound++;
	r->run->bound = true;
	dma_replay_bounce_hint(dev, recorded);
}

/* ---- mapping ---- */

static void call_map(struct replay *r, const struct replay_op *op, struct device *dev)
{
	bool entry = false;
	dma_addr_t addr;
	struct replayed *m;

	replay_bind_hint(r, dev, op->addr);
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
	check_address(r, dev, addr);
	if (addr != DMA_MAPPING_ERROR && !dev->domain)
		g_hash_table_replace(r->direct, g_memdup2(&addr, sizeof(addr)), GSIZE_TO_POINTER(op->size));
	if (addr == DMA_MAPPING_ERROR || !dev->domain)
		return;
	m = replayed_new(op, dev);
	replayed_keep(r, m, addr);
}

static void check_segments(struct replay *r, const struct replay_op *op, struct device *dev,
			   struct scatterlist *sg, unsigned n)
{
	const uint64_t *addrs = recording_list(r->rec, op->out_addrs);
	const uint64_t *lens = recording_list(r->rec, op->out_lens);

	if (n < op->out_addrs.count) {
		replay_diverge(r, "dma_map_sg makes %u segments, recorded %u", n, op->out_addrs.count);
		return;
	}
	for (unsigned i = 0; i < op->out_addrs.count; i++, sg = sg_next(sg)) {
		if (!dev->domain)
			replay_judge_direct(r, sg->dma_address, addrs[i]);
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

/* Where the list's own range begins: what is not translated (memory of a peer, by bus address) has none. */
static dma_addr_t first_translated(struct scatterlist *sg, unsigned nents)
{
	struct scatterlist *s;
	unsigned i;

	for_each_sg (sg, s, nents, i)
		if (s->dma_length && s->dma_address != sg_phys(s))
			return s->dma_address;
	return DMA_MAPPING_ERROR;
}

static void call_map_sg(struct replay *r, const struct replay_op *op, struct device *dev)
{
	dma_addr_t at;
	struct scatterlist *sg;
	struct replayed *m;
	unsigned n;

	replay_bind_hint(r, dev, op->addr);
	if (replay_peek(r) && replay_peek(r)->kind == REC_DMA_MAP_SG_ENTER)
		replay_expect(r, REC_DMA_MAP_SG_ENTER, true);
	if (!op->vectors.count || op->lens.count != op->vectors.count)
		return;
	sg = build_list(r, op);
	m = replayed_new(op, dev);
	m->sg = sg;
	m->nents = op->vectors.count;
	r->run->in_hand = m;
	n = dma_map_sg_attrs(dev, sg, (int)op->vectors.count, op->dir, op->attrs);
	if (op->complete)
		replay_expect(r, REC_DMA_MAP_SG, false);
	replay_log(r, REC_DMA_MAP_SG, n ? sg->dma_address : 0, sg_phys(sg), op->vectors.count);
	if (op->complete)
		check_segments(r, op, dev, sg, n);
	else
		check_address(r, dev, n ? sg->dma_address : DMA_MAPPING_ERROR);
	if (!n) {
		g_clear_pointer(&r->run->in_hand, replayed_free);
		return;
	}
	at = dev->domain ? first_translated(sg, op->vectors.count) : DMA_MAPPING_ERROR;
	if (at != DMA_MAPPING_ERROR)
		replayed_keep(r, m, at);
	else
		replayed_list_keep(r, m, sg_phys(sg));
}

static void call_alloc(struct replay *r, const struct replay_op *op, struct device *dev)
{
	dma_addr_t handle = DMA_MAPPING_ERROR;
	struct replayed *m;
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
	check_address(r, dev, handle);
	m = replayed_new(op, dev);
	m->phys = phys;
	replayed_keep(r, m, handle);
}

/* ---- two-step interface ---- */

static void call_try_alloc(struct replay *r, const struct replay_op *op, struct device *dev)
{
	struct context_run *c = r->run;
	struct replayed *m = replayed_new(op, dev);
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
		g_clear_pointer(&c->in_hand, replayed_free);
		return;
	}
	replayed_keep(r, m, m->state.addr);
	c->api = m;
}

/* The range of the two-step interface that the call works on; an older one shows with its first piece. */
static struct replayed *range_in_work(struct replay *r, const struct replay_op *op, struct device *dev)
{
	struct replayed *m = op->state ? g_hash_table_lookup(r->windows, &op->state) : r->run->api;

	if (!m && dev->domain && op->kind != REPLAY_SYNC)
		m = r->run->api = replayed_adopt_window(r, op, dev);
	if (m && m->older && op->offset + op->size > dma_iova_size(&m->state))
		m->state.__size = op->offset + op->size;
	return m;
}

static void call_link(struct replay *r, const struct replay_op *op, struct device *dev)
{
	struct replayed *m = range_in_work(r, op, dev);
	int err;

	replay_expect(r, REC_LINK, true);
	if (!m) {
		replay_diverge(r, "%s without a range", replay_kind_names[op->kind]);
		replay_part(r);
		return;
	}
	if (m->older)
		dma_replay_clear(m->dev, align_down(m->state.addr + op->offset, PAGE_SIZE),
				 align_up(op->size, PAGE_SIZE));
	err = dma_iova_link(m->dev, &m->state, op->phys, op->offset, op->size, op->dir, op->attrs);
	if (err)
		replay_diverge(r, "dma_iova_link fails: %s", g_strerror(-err));
}

static void call_sync(struct replay *r, const struct replay_op *op, struct device *dev)
{
	struct replayed *m = range_in_work(r, op, dev);
	int err;

	replay_expect(r, REC_SYNC, true);
	if (!m) { /* older than the recording, and nothing of it has shown yet */
		r->totals.cut_calls++;
		replay_settle(r);
		return;
	}
	err = dma_iova_sync(m->dev, &m->state, op->offset, op->size);
	if (err)
		replay_diverge(r, "dma_iova_sync fails: %s", g_strerror(-err));
}

/* What is unmapped or freed: by address, else by its state. */
static struct replayed *range_of(struct replay *r, const struct replay_op *op, struct device *dev)
{
	struct replayed *m = op->addr ? replayed_find(r, dev, op->addr) : NULL;

	if (!m && op->pfn)
		m = replayed_find(r, dev, op->pfn << PAGE_SHIFT);
	if (!m && op->state)
		m = g_hash_table_lookup(r->windows, &op->state);
	return m;
}

static void call_unlink(struct replay *r, const struct replay_op *op, struct device *dev)
{
	struct replayed *m = op->state ? NULL : range_of(r, op, dev);

	replay_expect(r, REC_UNLINK, true);
	if (!m)
		m = range_in_work(r, op, dev);
	if (m)
		replayed_complete_window(r, op, m);
	if (m)
		dma_iova_unlink(m->dev, &m->state, op->offset, op->size, op->dir, op->attrs);
}

/* ---- unmapping ---- */

static void unmap_unknown(struct replay *r, const struct replay_op *op, struct device *dev)
{
	/* Without translation only the call itself counts; the address needs no state. */
	if (!dev->domain && op->kind != REPLAY_UNMAP)
		return;
	if (!op->addr || !op->size)
		return;
	if (dev->domain && !replayed_adopt(r, dev, op->addr, op->size)) {
		replay_diverge(r, "unmapping 0x%" PRIx64 "+%" PRIu64 ", which is not mapped as such",
			       op->addr, op->size);
		replay_part(r);
		return;
	}
	if (op->kind == REPLAY_UNMAP && !op->guessed && dma_kernel(dev)->has_map_phys)
		dma_unmap_phys(dev, op->addr, op->size, op->dir, op->attrs);
	else if (op->kind == REPLAY_UNMAP && !op->guessed)
		dma_unmap_page_attrs(dev, op->addr, op->size, op->dir, op->attrs);
	else
		dma_replay_release(dev, op->addr, op->size);
}

/* Drivers may unmap less than they mapped, within the same pages (receive buffers), never more. */
static void check_same(struct replay *r, const struct replay_op *op, const struct replayed *m)
{
	bool sized = !op->guessed && ((op->kind == REPLAY_UNMAP && m->kind == REPLAY_MAP) ||
				      (op->kind == REPLAY_FREE && m->kind == REPLAY_ALLOC));

	if (sized && op->addr + op->size > m->addr + m->size)
		replay_diverge(
		    r, "%s of %" PRIu64 " bytes at 0x%" PRIx64 ", mapped were %" PRIu64 " at 0x%" PRIx64,
		    replay_kind_names[op->kind], op->size, op->addr, m->size, m->addr);
}

/* Whether the request that this context completes next was set up in the recording. */
static bool request_seen(const struct replay *r)
{
	const struct context_run *c = r->run;

	for (uint32_t i = operations_event(r->ops, c->op, c->pos ? c->pos - 1 : 0); i != REPLAY_NEVER;
	     i = r->ops->next[i]) {
		const struct recording_event *e = recording_at(r->rec, i);

		if (e->kind == REC_NVME_COMPLETE)
			return g_hash_table_contains(r->commands, replay_command(e));
		if (e->kind == REC_DMA_MAP || e->kind == REC_DMA_MAP_SG || e->kind == REC_NVME_SETUP)
			break;
	}
	return false;
}

/* False if the call must not be made: what it unmaps is older than the recording, or was never mapped. */
static bool check_direct(struct replay *r, const struct replay_op *op, struct device *dev)
{
	bool bounced;
	uint64_t size;

	if (dev->domain || op->kind != REPLAY_UNMAP)
		return true;
	bounced = dma_replay_bounce_area(dev, op->addr) >= 0;
	size = GPOINTER_TO_SIZE(g_hash_table_lookup(r->direct, &op->addr));
	if (!size && request_seen(r)) {
		replay_diverge(r, "%s of DMA address 0x%" PRIx64 ", which is not mapped",
			       replay_kind_names[op->kind], op->addr);
		return false;
	}
	r->totals.adopted += !size;
	if (size && size < op->size)
		replay_diverge(r, "%s of %" PRIu64 " bytes, mapped were %" PRIu64,
			       replay_kind_names[op->kind], op->size, size);
	/* A bounce slot is one mapping; a buffer may be mapped more than once at a time. */
	if (bounced)
		g_hash_table_remove(r->direct, &op->addr);
	return size || !bounced;
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
	bool untranslated = op->kind == REPLAY_UNMAP_SG && (!dev->domain || !op->addr);
	struct replayed *m = untranslated ? replayed_list_take(r, op) : range_of(r, op, dev);

	take_entry(r);
	/* A mapping of which the recording shows only the end, or less: what is unmapped tells it whole. */
	if (m && m->older && m->kind != REPLAY_TRY_ALLOC) {
		replayed_drop(r, m);
		m = NULL;
	}
	if (!check_direct(r, op, dev)) {
		r->run->pos = op->nevents;
		return;
	}
	if (!m && dev->domain && (op->kind == REPLAY_DESTROY || op->kind == REPLAY_API_FREE))
		m = replayed_adopt_window(r, op, dev);
	if (m && m->kind == REPLAY_TRY_ALLOC)
		replayed_complete_window(r, op, m);
	if (m)
		check_same(r, op, m);
	if (m)
		replayed_unmap(op, m);
	else
		unmap_unknown(r, op, dev);
	/* Of an older window it is not known what had been unlinked already. */
	if (m && m->older && op->kind == REPLAY_API_FREE)
		dma_replay_clear(dev, align_down(m->state.addr, PAGE_SIZE),
				 align_up(dma_iova_size(&m->state), PAGE_SIZE));
	if (op->kind == REPLAY_UNMAP && op->complete)
		replay_expect(r, REC_DMA_UNMAP, false);
	if (!m)
		return;
	if (untranslated)
		replayed_free(m);
	else
		replayed_drop(r, m);
}

/* Addresses of somebody else's: no allocator, no look-up. What was there before the recording is taken over.
 */
static void call_given(struct replay *r, const struct replay_op *op, struct device *dev)
{
	const struct recording_event *e = replay_peek(r);
	int err;

	if (!dev->domain)
		return;
	if (op->kind == REPLAY_GIVEN_MAP) {
		err = dma_replay_map(dev, op->addr, op->phys, op->size);
		if (err)
			replay_diverge(r, "iommu_map fails: %s", g_strerror(-err));
		return;
	}
	if (e && e->kind == REC_UNMAP && e->map.unmapped)
		dma_replay_fill(dev, e->map.iova, e->map.unmapped);
	dma_replay_unmap(dev, op->addr, op->size);
}

static void call_timer(struct replay *r, struct device *dev)
{
	r->totals.timer_flushes++;
	if (!dev->domain || !dma_replay_has_queue(dev)) {
		replay_diverge(r, "whole-domain flush by an interrupt, but no flush queue is in use");
		replay_part(r);
		return;
	}
	dma_replay_flush_timer(dev, r->run->cpu);
}

static void call_stray(struct replay *r)
{
	const struct recording_event *e = replay_peek(r);

	replay_diverge(r, "%s belongs to no call that began in this recording",
		       e ? recording_kind_names[e->kind] : "event");
	replay_part(r);
}

void replay_call(struct replay *r)
{
	const struct replay_op *op = r->run->op;
	struct device *dev = r->run->dev = replay_device(r, op);

	if (!dev) {
		replay_diverge(r, "device '%s' is not part of the machine",
			       recording_name(r->rec, op->device));
		replay_part(r);
		return;
	}
	/* The recording holds it only in part: its effects are taken over. */
	if (op->cut && dev->domain) {
		r->totals.cut_calls++;
		replay_settle(r);
		return;
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
		call_link(r, op, dev);
		break;
	case REPLAY_SYNC:
		call_sync(r, op, dev);
		break;
	case REPLAY_UNLINK:
		call_unlink(r, op, dev);
		break;
	case REPLAY_DESTROY:
	case REPLAY_API_FREE:
	case REPLAY_UNMAP:
	case REPLAY_UNMAP_SG:
	case REPLAY_FREE:
		call_unmap(r, op, dev);
		break;
	case REPLAY_GIVEN_MAP:
	case REPLAY_GIVEN_UNMAP:
		call_given(r, op, dev);
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
