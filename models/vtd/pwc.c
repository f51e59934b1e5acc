/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paging-structure caches, one per level and stage. Intel VT-d architecture specification rev 4.1,
 * 6.2.4. An entry of level k covers 2^(12 + 9 (k - 1)) bytes and lets a walk start at level k - 1.
 * All levels are looked up in parallel (SOSP 2024, "Fast & Safe IO Memory Protection"), so each hit
 * refreshes its entry; the deepest one counts.
 */
#include "internal.h"

static inline uint8_t level_shift(unsigned level)
{
	return (uint8_t)(PAGE_SHIFT + 9 * (level - 1));
}

void pwc_init(struct pwc *c, const struct vtd_unit *u)
{
	const struct pwc_params *p = &u->p.pwc;
	const uint64_t entries[VTD_MAX_LEVELS + 1] = {
	    0, 0, p->entries_2m, p->entries_1g, p->entries_512g, p->entries_256t};
	/* Tree PLRU and random need no other state here than in the IOTLB; first in, first out neither. */
	enum vtd_replacement r = (enum vtd_replacement)u->p.iotlb.replacement;

	c->ageing = r == VTD_AGEING;
	for (unsigned l = 2; l <= VTD_MAX_LEVELS; l++) {
		c->level[l] = tlb_new(entries[l], 0, r, false, u->p.iotlb.ageing_interval,
				      (struct rng *)(uintptr_t)&u->rng);
		c->ready[l] = g_new0(sim_time_t, tlb_capacity(c->level[l]) + 1);
	}
}

void pwc_fini(struct pwc *c)
{
	for (unsigned l = 2; l <= VTD_MAX_LEVELS; l++) {
		tlb_free(c->level[l]);
		g_free(c->ready[l]);
	}
}

unsigned pwc_find_all(struct pwc *c, uint64_t tag, uint64_t addr, unsigned top, uint64_t *payload,
		      sim_time_t *ready)
{
	unsigned found = 0;

	for (unsigned l = 2; l <= top; l++) {
		struct tlb_key key = {tag, addr >> level_shift(l), level_shift(l)};
		const uint64_t *p = tlb_lookup(c->level[l], &key);

		if (p && !found) {
			found = l;
			*payload = *p;
			*ready = c->ready[l][tlb_last_slot(c->level[l])];
		}
	}
	c->memo.found = 0;
	if (found && !c->ageing) {
		c->memo.tag = tag;
		c->memo.region = addr >> PWC_REGION_SHIFT;
		c->memo.top = top;
		c->memo.payload = *payload;
		c->memo.ready = *ready;
		c->memo.found = found;
	}
	return found;
}

void pwc_fill(struct pwc *c, const struct walk_fill *f)
{
	struct tlb *t = c->level[f->level];
	struct tlb_key key = {f->tag, f->addr >> level_shift(f->level), level_shift(f->level)};
	uint64_t *have = tlb_peek(t, &key);

	if (!tlb_capacity(t))
		return;
	c->memo.found = 0;
	if (have) {
		/* A nested walk passes the same second-stage entry more than once. */
		*have = f->payload;
		return;
	}
	tlb_insert(t, &key, f->payload);
	c->ready[f->level][tlb_last_slot(t)] = f->ready;
}

unsigned pwc_invalidate(struct pwc *c, uint64_t tag, uint64_t mask, uint64_t page, uint64_t count)
{
	unsigned removed = 0;

	for (unsigned l = 2; l <= VTD_MAX_LEVELS; l++) {
		if (mask == UINT64_MAX)
			removed += tlb_invalidate_range(c->level[l], tag, page, count);
		else
			removed += tlb_invalidate_match(c->level[l], tag, mask, page, count);
	}
	if (removed)
		c->memo.found = 0;
	return removed;
}

void pwc_count_hit(struct vtd_stats *st, unsigned level)
{
	switch (level) {
	case 2:
		st->pwc_hits_2m++;
		break;
	case 3:
		st->pwc_hits_1g++;
		break;
	case 4:
		st->pwc_hits_512g++;
		break;
	case 5:
		st->pwc_hits_256t++;
		break;
	}
}
