/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a call and the recording part: one contradiction must not make wrong what follows. The call runs to
 * its end unheard, then its recorded effects are made so, and the next call is compared again. The same for
 * calls that the recording holds only in part, and for what is older than it.
 */
#include "internal.h"

void replay_part(struct replay *r)
{
	r->partings += !r->run->deaf;
	r->run->deaf = true;
}

/* ---- older than the recording ---- */

void replay_older_frees(struct replay *r)
{
	struct context_run *c = r->run;
	const struct recording_event *e;

	while (!c->deaf && c->dev && c->dev->domain && (e = replay_peek(r)) && e->kind == REC_IOVA_FREE &&
	       replay_pfn_older(r, c->dev, e->iova.pfn)) {
		c->at = operations_event(r->ops, c->op, c->pos++);
		replay_wait(r, c->at);
		r->totals.older_frees++;
		c->deaf = true;
		dma_replay_free(c->dev, e->iova.pfn, e->iova.pages);
		c->deaf = false;
		e = replay_peek(r);
		if (e && e->kind == REC_IOVA_TREE_FREE) {
			c->at = operations_event(r->ops, c->op, c->pos++);
			replay_wait(r, c->at);
		}
	}
}

bool replay_older_ring_full(struct replay *r)
{
	const struct recording_event *e;

	if (replay_quiet(r))
		return false;
	replay_older_frees(r);
	e = replay_peek(r);
	if (!e || (replay_domain(r, r->run->dev)->fresh && r->file <= 1))
		return false;
	return recording_is_domain_flush(e);
}

/* ---- recorded effects ---- */

static void settle_map(struct replay *r, const struct replay_op *op, struct device *dev,
		       const struct recording_event *e)
{
	struct replayed *m = replayed_find(r, dev, e->map.iova);
	struct replay_op as_map = *op;

	if (m && (m == r->run->made || m->kind == REPLAY_TRY_ALLOC))
		return;
	replayed_adopt(r, dev, e->map.iova, e->map.size);
	/* The further runs of a list or a window belong to its first. */
	if (r->run->made)
		return;
	if (op->kind == REPLAY_LINK)
		return;
	as_map.kind = REPLAY_MAP;
	as_map.phys = e->map.phys;
	as_map.size = e->map.size;
	as_map.state = 0;
	m = replayed_new(&as_map, dev);
	m->older = true;
	replayed_keep(
	    r, m, op->addr && op->addr >> PAGE_SHIFT == e->map.iova >> PAGE_SHIFT ? op->addr : e->map.iova);
}

static void settle_event(struct replay *r, const struct replay_op *op, struct device *dev,
			 const struct recording_event *e, uint64_t *pages)
{
	struct replayed *m;

	switch (e->kind) {
	case REC_IOVA_ALLOC:
		*pages = e->iova.pages;
		break;
	case REC_IOVA_ALLOC_RET:
		if (!e->iova.pfn || replay_pfn_state(r, dev, e->iova.pfn) == PFN_LIVE)
			break;
		dma_replay_claim(dev, e->iova.pfn, *pages ? *pages : 1);
		replay_set_pfn(r, dev, e->iova.pfn, PFN_LIVE);
		break;
	case REC_MAP:
	case REC_MAP_NOSYNC:
		settle_map(r, op, dev, e);
		break;
	case REC_UNMAP:
		m = replayed_find(r, dev, e->map.iova);
		dma_replay_clear(dev, e->map.iova, e->map.size);
		if (m && m->kind != REPLAY_TRY_ALLOC)
			replayed_drop(r, m);
		break;
	case REC_IOVA_FREE:
		m = replayed_find(r, dev, e->iova.pfn << PAGE_SHIFT);
		if (m)
			replayed_drop(r, m);
		dma_replay_free(dev, e->iova.pfn, e->iova.pages);
		break;
	}
}

/* What the call has mapped elsewhere than the recorded one goes. */
static void undo_made(struct replay *r, const struct replay_op *op)
{
	struct replayed *m = r->run->made;

	if (!m || !m->dev->domain || !op->addr || m->addr >> PAGE_SHIFT == op->addr >> PAGE_SHIFT)
		return;
	replayed_unmap(op, m);
	replayed_drop(r, m);
}

void replay_settle(struct replay *r)
{
	struct context_run *c = r->run;
	const struct replay_op *op = c->op;
	uint64_t pages = 0;

	c->deaf = true;
	if (c->dev && c->dev->domain) {
		replay_domain(r, c->dev);
		undo_made(r, op);
		for (; c->pos < op->nevents; c->pos++)
			settle_event(r, op, c->dev,
				     recording_at(r->rec, operations_event(r->ops, op, c->pos)), &pages);
	}
	c->pos = op->nevents;
	c->deaf = false;
}
