/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the replay knows of each domain: its ranges, whether it was new, which of the recording's numbers it
 * has. */
#include "internal.h"

/* Above the page numbers of a 64-bit address space. */
#define DOMAIN_SHIFT 52

uint64_t replay_key(const struct device *dev, uint64_t pfn)
{
	return pfn | (uint64_t)dma_replay_domain(dev) << DOMAIN_SHIFT;
}

/* The first range that a new domain hands out is the topmost one. */
static bool begins_fresh(const struct replay *r, uint64_t pages, uint64_t limit)
{
	const struct recorded_alloc *a = &r->run->alloc;

	return limit && a->tree && a->pfn + (1ull << order_base_2(pages)) == limit + 1;
}

void replay_domain_begins(struct replay *r, struct device *dev, uint64_t pages, uint64_t limit)
{
	unsigned id = dma_replay_domain(dev);
	struct domain_state *d;

	while (r->states->len <= id)
		g_ptr_array_add(r->states, NULL);
	if (!id || g_ptr_array_index(r->states, id))
		return;
	d = g_new0(struct domain_state, 1);
	d->dev = dev;
	d->known = g_new0(uint64_t, r->config.sim->ncpus);
	d->fresh = begins_fresh(r, pages, limit);
	if (!d->fresh)
		dma_replay_cache_unknown(dev);
	g_ptr_array_index(r->states, id) = d;
}

struct domain_state *replay_domain(struct replay *r, struct device *dev)
{
	replay_domain_begins(r, dev, 0, 0);
	return g_ptr_array_index(r->states, dma_replay_domain(dev));
}

bool replay_began_fresh(const struct replay *r, struct device *dev)
{
	unsigned id = dma_replay_domain(dev);
	const struct domain_state *d = id < r->states->len ? g_ptr_array_index(r->states, id) : NULL;

	return !dev->domain || (d && d->fresh);
}

/* ---- ranges ---- */

static unsigned pfn_entry(const struct replay *r, const struct device *dev, uint64_t pfn)
{
	uint64_t key = replay_key(dev, pfn);

	return GPOINTER_TO_UINT(g_hash_table_lookup(r->pfns, &key));
}

enum pfn_state replay_pfn_state(struct replay *r, const struct device *dev, uint64_t pfn)
{
	return pfn_entry(r, dev, pfn) & 3;
}

void replay_set_pfn(struct replay *r, const struct device *dev, uint64_t pfn, enum pfn_state state)
{
	uint64_t key = replay_key(dev, pfn);

	g_hash_table_replace(r->pfns, g_memdup2(&key, sizeof(key)),
			     GUINT_TO_POINTER((unsigned)state | r->file << 8));
}

bool replay_pfn_stale(const struct replay *r, const struct device *dev, uint64_t pfn)
{
	return pfn_entry(r, dev, pfn) >> 8 != r->file;
}

bool replay_pfn_older(struct replay *r, struct device *dev, uint64_t pfn)
{
	if (replay_domain(r, dev)->fresh && r->file <= 1)
		return false;
	return replay_pfn_stale(r, dev, pfn) && replay_pfn_state(r, dev, pfn) == PFN_FREE;
}

/* ---- numbers ---- */

/* The kernel numbers domains in the order in which it meets devices, which a recording may not tell. */
uint16_t replay_recorded_domain(struct replay *r, uint16_t model, uint16_t recorded)
{
	void *bound = g_hash_table_lookup(r->domains, GUINT_TO_POINTER(model));

	if (bound)
		return (uint16_t)(GPOINTER_TO_UINT(bound) - 1);
	g_hash_table_insert(r->domains, GUINT_TO_POINTER(model), GUINT_TO_POINTER(recorded + 1u));
	r->totals.domains_bound += model != recorded;
	return recorded;
}

static struct device *device_numbered(struct replay *r, uint16_t recorded)
{
	for (unsigned i = 0; i < r->states->len; i++) {
		const struct domain_state *d = g_ptr_array_index(r->states, i);

		if (d &&
		    GPOINTER_TO_UINT(g_hash_table_lookup(r->domains, GUINT_TO_POINTER(i))) == recorded + 1u)
			return d->dev;
	}
	return NULL;
}

static struct device *device_of_queued(struct replay *r, uint64_t pfn)
{
	for (unsigned i = 0; i < r->states->len; i++) {
		const struct domain_state *d = g_ptr_array_index(r->states, i);

		if (d && replay_pfn_state(r, d->dev, pfn) == PFN_QUEUED)
			return d->dev;
	}
	return NULL;
}

struct device *replay_flushed_device(struct replay *r, const struct replay_op *op)
{
	struct device *found = NULL;

	for (uint32_t k = 0; k < op->nevents && !found; k++) {
		const struct recording_event *e = recording_at(r->rec, operations_event(r->ops, op, k));

		if (e->kind == REC_TAG_FLUSH)
			found = device_numbered(r, e->tag.did);
		else if (e->kind == REC_QI_SUBMIT)
			found = device_numbered(r, (uint16_t)(e->qi.qw0 >> 16));
		else if (e->kind == REC_IOVA_FREE)
			found = device_of_queued(r, e->iova.pfn);
	}
	return found;
}
