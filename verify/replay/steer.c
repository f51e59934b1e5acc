/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the recorded kernel did where the model alone cannot know: the replay's half of
 * models/dma/replay_hooks.h. */
#include "internal.h"

#include <inttypes.h>

/* ---- allocations ---- */

static bool cache_known(struct replay *r, struct device *dev, int order)
{
	const struct domain_state *d = replay_domain(r, dev);

	if (d->fresh || order < 0)
		return true;
	/* Full magazines wander between CPUs through the depot: one unknown fill is enough. */
	for (unsigned c = 0; c < r->config.sim->ncpus; c++)
		if (!(d->known[c] >> order & 1))
			return false;
	return true;
}

static bool steer_resolve(void *arg, const struct iova_alloc_event *e, uint64_t *pfn)
{
	struct replay *r = arg;
	const struct recorded_alloc *a = r->run ? &r->run->alloc : NULL;

	if (!a || !a->known || a->tree) {
		/* What lay below has been found empty: from here on everything is known. */
		replay_domain(r, e->dev)->known[e->cpu] |= 1ull << e->order;
		return false;
	}
	if (replay_pfn_state(r, e->dev, a->pfn) != PFN_FREE) {
		r->totals.diverging++;
		replay_diverge(r, "recorded IOVA page 0x%" PRIx64 " is in use", a->pfn);
	} else {
		r->totals.bound++;
	}
	r->totals.addresses++;
	*pfn = a->pfn;
	return true;
}

/*
 * The search ended above the recorded range: something unknown lies there. One page in each place
 * that the search would have taken is enough to explain it.
 */
static void fill_above(struct replay *r, const struct iova_alloc_event *e)
{
	uint64_t step = 1ull << order_base_2(e->rounded);
	uint64_t at = r->run->alloc.pfn + step;

	for (unsigned n = 0; at <= e->pfn && n < 65536; at += step, n++)
		dma_replay_reserve(e->dev, at + e->rounded - 1, 1);
}

struct stale_in {
	const struct replay *r;
	const struct device *dev;
};

static bool stale(void *arg, uint64_t pfn)
{
	const struct stale_in *in = arg;

	return replay_pfn_stale(in->r, in->dev, pfn);
}

/* A range that was free before this recording began may have moved in a run that was not recorded. */
static bool explain_stale(struct replay *r, const struct iova_alloc_event *e)
{
	if (replay_domain(r, e->dev)->fresh && r->file <= 1)
		return false;
	if (e->source == IOVA_FROM_CACHE && replay_pfn_stale(r, e->dev, e->pfn)) {
		struct stale_in in = {r, e->dev};
		bool empty = r->run->alloc.tree;

		dma_replay_cache_forget(e->dev, e->cpu, (unsigned)e->order, stale, &in, empty);
		replay_domain(r, e->dev)->known[e->cpu] &= ~(1ull << e->order);
		replay_domain(r, e->dev)->known[e->cpu] |= (uint64_t)empty << e->order;
		return true;
	}
	return false;
}

static bool replay_any(void *arg, uint64_t pfn)
{
	(void)arg, (void)pfn;
	return true;
}

/* Whether ranges older than the recording, or a hint that moved unrecorded, explain another place. */
static bool tree_unknown(struct replay *r, struct device *dev, uint64_t predicted)
{
	const struct domain_state *d = replay_domain(r, dev);

	if (d->tree_file != r->file)
		return !d->fresh || r->file > 1;
	return !d->fresh && (r->run->alloc.pfn < predicted || r->totals.cut_calls + r->totals.adopted +
								  r->totals.older_frees + r->totals.inferred);
}

static bool steer_outcome(void *arg, const struct iova_alloc_event *e, uint64_t *pfn,
			  enum iova_source *source)
{
	struct replay *r = arg;
	const struct recorded_alloc *a = r->run ? &r->run->alloc : NULL;
	bool same_source;

	if (!a || !a->known)
		return false;
	same_source = !a->tree_known || (e->source == IOVA_FROM_TREE) == a->tree;
	r->totals.addresses++;
	if (a->tree && e->source != IOVA_FROM_TREE)
		replay_expect(r, REC_IOVA_TREE_ALLOC, true);
	if (e->pfn == a->pfn && same_source) {
		if (a->waited)
			r->totals.ordered++;
		else
			r->totals.predicted++;
		return false;
	}
	if (replay_pfn_state(r, e->dev, a->pfn) != PFN_FREE) {
		r->totals.diverging++;
		replay_diverge(r, "recorded IOVA page 0x%" PRIx64 " is in use", a->pfn);
	} else if (explain_stale(r, e)) {
		r->totals.bound++;
	} else if (a->tree && e->source == IOVA_FROM_TREE && tree_unknown(r, e->dev, e->pfn)) {
		r->totals.bound++;
	} else if (!cache_known(r, e->dev, e->order)) {
		r->totals.explained++;
		r->explained[MAX(e->order, 0)]++;
		if (a->tree && e->source == IOVA_FROM_CACHE) {
			/* Found empty: what was believed to be here sits in another CPU's magazine. */
			dma_replay_cache_forget(e->dev, e->cpu, (unsigned)e->order, replay_any, NULL, true);
			replay_domain(r, e->dev)->known[e->cpu] |= 1ull << e->order;
		}
	} else {
		r->totals.diverging++;
		replay_diverge(r, "IOVA page 0x%" PRIx64 " from the %s, recorded 0x%" PRIx64 " from the %s",
			       e->pfn, e->source == IOVA_FROM_TREE ? "tree" : "cache", a->pfn,
			       a->tree ? "tree" : "cache");
	}
	if (a->tree && e->source == IOVA_FROM_TREE && a->pfn < e->pfn)
		fill_above(r, e);
	*pfn = a->pfn;
	*source = a->tree ? IOVA_FROM_TREE : IOVA_FROM_CACHE;
	return true;
}

/* ---- coherent memory, flush queue ---- */

/* The page allocator's choice is the recorded machine's own: the map calls show it. */
static bool steer_pages(void *arg, struct device *dev, unsigned order, phys_addr_t *base)
{
	struct replay *r = arg;
	const struct replay_op *op = r->run ? r->run->op : NULL;
	uint64_t skip;

	if (!op || op->kind != REPLAY_ALLOC)
		return false;
	if (!dev->domain) {
		*base = op->addr;
		return op->addr != 0;
	}
	skip = (uint64_t)r->run->pages_given << PAGE_SHIFT;
	r->run->pages_given += 1u << order;
	for (uint32_t i = 0; i < op->vectors.count; i++) {
		uint64_t len = recording_list(r->rec, op->lens)[i];

		if (skip < len) {
			*base = recording_list(r->rec, op->vectors)[i] + skip;
			return true;
		}
		skip -= len;
	}
	return false;
}

static bool steer_ring_full(void *arg, struct device *dev)
{
	(void)dev;
	return replay_older_ring_full(arg);
}

static bool steer_late(void *arg, struct device *dev)
{
	struct replay *r = arg;
	bool late = r->run && r->run->late;

	(void)dev;
	if (late)
		r->run->late = false;
	return late;
}

/* Flushes come from the recording; the model's own timer is only counted. */
static bool steer_timer(void *arg, struct device *dev, sim_time_t expiry)
{
	struct replay *r = arg;
	sim_time_t *deadline = g_hash_table_lookup(r->deadlines, dev);

	if (!deadline) {
		deadline = g_new0(sim_time_t, 1);
		g_hash_table_insert(r->deadlines, dev, deadline);
	}
	if (r->config.sim->now >= *deadline) {
		*deadline = expiry;
		r->totals.model_timers++;
	}
	return true;
}

void replay_steer(struct replay *r)
{
	r->hooks = (struct dma_replay){
	    .arg = r,
	    .resolve_unknown = steer_resolve,
	    .outcome = steer_outcome,
	    .coherent_pages = steer_pages,
	    .ring_full = steer_ring_full,
	    .queued_late = steer_late,
	    .timer = steer_timer,
	};
	dma_layer_set_replay(r->config.layer, &r->hooks);
}
