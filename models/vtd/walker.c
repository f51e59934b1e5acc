/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware page walk over the real tables in memory. Intel VT-d architecture specification rev 4.1:
 * 3.6 (first stage), 3.7 (second stage), 3.8 (nested), 3.6.2 (accessed and dirty bits), 7.1.3
 * (fault conditions). What a walk read becomes visible to other walks when it is over.
 */
#include "internal.h"

#define FS_USER (UINT64_C(1) << 2)

struct stage {
	enum vtd_format format;
	phys_addr_t root;
	struct pwc *cache;
	uint64_t tag;
	bool first;  /* which of the two; what the format says, too */
	bool nested; /* its pointers are guest-physical: translate each through the outer stage */
	bool ad;     /* keep accessed and dirty bits */
};

static RARE bool fail(struct walk *w, bool first_stage, enum fault_kind kind)
{
	w->fault = fault_code(w->u, first_stage, kind);
	return false;
}

static inline unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

/* Charge the read of one entry at phys; a line that is on its way already may be shared. */
static inline void charge_read(struct walk *w, phys_addr_t phys)
{
	struct vtd_unit *u = w->u;
	struct line_fetch *f = &u->lines[(phys >> 6) % LINE_SLOTS];

	w->reads++; /* of entries; how many of them shared a line is a matter of time */
	if (!u->sim->timing)
		return;
	if (u->p.walker.line_reuse && f->line == phys >> 6 && f->start <= w->now && f->ready > w->now) {
		w->now = f->ready;
		u->st->walk_line_reuses++;
		return;
	}
	f->line = phys >> 6;
	f->start = w->now;
	w->now += read_latency(u, phys);
	f->ready = w->now;
}

static inline bool reserved_bits(const struct stage *s, uint64_t entry, unsigned level, unsigned allowed)
{
	if (level == 1)
		return false;
	if (!(entry & vtd_formats[s->format].page_size_bit))
		return false;
	if (level > 3 || !(allowed & (level == 2 ? VTD_PAGES_2M : VTD_PAGES_1G)))
		return true;
	return entry & ((UINT64_C(1) << level_shift(level)) - 1) & vtd_formats[s->format].address_mask;
}

/* Presence, rights of this request, reserved bits, in the order of the specification's checks. */
static inline bool check_entry(struct walk *w, const struct stage *s, uint64_t entry, unsigned level,
			       uint8_t need)
{
	const struct vtd_format_info *f = &vtd_formats[s->format];
	unsigned sizes = s->first ? VTD_PAGES_2M | (w->u->caps.first_1g ? VTD_PAGES_1G : 0)
				  : w->u->caps.page_sizes;

	if (s->first) {
		if (!(entry & f->present_mask))
			return fail(w, true, FAULT_NOT_PRESENT);
		if (!(entry & FS_USER))
			return fail(w, true, FAULT_USER);
	} else if (need & IOMMU_ACCESS_READ && !(entry & f->read)) {
		return fail(w, false, FAULT_READ);
	}
	if (need & IOMMU_ACCESS_WRITE && !(entry & f->write))
		return fail(w, s->first, FAULT_WRITE);
	if (reserved_bits(s, entry, level, sizes))
		return fail(w, s->first, FAULT_RESERVED);
	return true;
}

/* Computed, not branched on: rights differ from page to page. */
static inline uint8_t entry_rights(const struct vtd_format_info *f, uint64_t entry)
{
	return (uint8_t)(((entry & f->read) != 0) * IOMMU_ACCESS_READ +
			 ((entry & f->write) != 0) * IOMMU_ACCESS_WRITE);
}

/* Set accessed, and dirty in a leaf that is written; an atomic update costs one more access. */
static inline void update_ad(struct walk *w, const struct stage *s, phys_addr_t at, uint64_t *entry,
			     bool leaf, uint8_t need)
{
	const struct vtd_format_info *f = &vtd_formats[s->format];
	uint64_t set = f->accessed;

	if (leaf && need & IOMMU_ACCESS_WRITE)
		set |= f->dirty;
	if (s->ad && (*entry & set) != set) {
		*entry |= set;
		w->u->st->ad_updates++;
		if (w->u->sim->timing)
			w->now += read_latency(w->u, at);
	}
	if (leaf)
		w->dirty = !s->ad || *entry & f->dirty;
}

static bool stage_walk(struct walk *w, const struct stage *s, uint64_t addr, uint8_t need,
		       struct walk_leaf *leaf);

/* Host address of a guest-physical one, for a table pointer or a page. */
static RARE bool outer_walk(struct walk *w, uint64_t gpa, uint8_t need, struct walk_leaf *leaf)
{
	const struct stage outer = {
	    .format = w->ctx->outer_format,
	    .root = w->ctx->outer_root,
	    .cache = &w->u->second,
	    .tag = context_tag(w->u, w->ctx, w->rq) & ~(TAG_FIRST_STAGE | TAG_PASID),
	    .ad = w->ctx->dirty_tracking,
	};

	return stage_walk(w, &outer, gpa, need, leaf);
}

static inline bool table_address(struct walk *w, const struct stage *s, phys_addr_t pointer,
				 phys_addr_t *table)
{
	struct walk_leaf leaf;
	bool dirty = w->dirty;

	*table = pointer;
	if (!s->nested)
		return true;
	if (!outer_walk(w, pointer, IOMMU_ACCESS_READ, &leaf))
		return false;
	w->dirty = dirty;
	*table = leaf.base | (pointer & ((UINT64_C(1) << leaf.shift) - 1));
	return true;
}

static inline bool address_ok(const struct vtd_unit *u, const struct stage *s, uint64_t addr)
{
	const struct vtd_format_info *f = &vtd_formats[s->format];

	if (s->first) { /* canonical */
		int64_t extended = (int64_t)(addr << (64 - f->width)) >> (64 - f->width);

		return (uint64_t)extended == addr;
	}
	return !(addr >> MIN(f->width, u->caps.mgaw));
}

/* Where to start: the deepest cached pointer whose rights suffice, else the root. */
static inline bool start_level(struct walk *w, const struct stage *s, uint64_t addr, uint8_t need,
			       unsigned *level, phys_addr_t *table, uint8_t *rights)
{
	const struct vtd_format_info *f = &vtd_formats[s->format];
	uint64_t payload = 0;
	sim_time_t ready = 0;
	unsigned hit = pwc_find(s->cache, s->tag, addr, f->levels, &payload, &ready);

	if (hit && !(need & ~payload & PAYLOAD_RIGHTS)) {
		pwc_count_hit(w->u->st, hit);
		w->now = MAX(w->now, ready);
		*level = hit - 1;
		*table = payload & PAYLOAD_ADDRESS;
		*rights = payload & PAYLOAD_RIGHTS;
		return true;
	}
	*level = f->levels;
	*rights = IOMMU_ACCESS_READ | IOMMU_ACCESS_WRITE;
	return table_address(w, s, s->root, table);
}

/* In line where what the stage is like is known: the usual second stage needs little of it. */
ALWAYS_INLINE bool walk_stage(struct walk *w, const struct stage *s, uint64_t addr, uint8_t need,
			      struct walk_leaf *leaf)
{
	const struct vtd_format_info *f = &vtd_formats[s->format];
	phys_addr_t table;
	unsigned level;
	uint8_t rights;

	if (!address_ok(w->u, s, addr))
		return fail(w, s->first, FAULT_ADDRESS);
	if (!start_level(w, s, addr, need, &level, &table, &rights))
		return false;
	for (;; level--) {
		phys_addr_t at = table + (addr >> level_shift(level) & 511) * 8;
		uint64_t *entry = memory_ptr(w->u->mem, at), value;
		bool is_leaf;

		charge_read(w, at);
		if (!entry)
			return fail(w, s->first, FAULT_ACCESS);
		value = *entry;
		if (!check_entry(w, s, value, level, need))
			return false;
		is_leaf = level == 1 || value & f->page_size_bit;
		if (s->ad || is_leaf)
			update_ad(w, s, at, entry, is_leaf, need);
		rights &= entry_rights(f, value);
		if (is_leaf) {
			uint64_t offset = (UINT64_C(1) << level_shift(level)) - 1;

			*leaf = (struct walk_leaf){value & f->address_mask & ~offset,
						   (uint8_t)level_shift(level), rights};
			return true;
		}
		if (!table_address(w, s, value & f->address_mask, &table))
			return false;
		g_assert(w->nfills < WALK_MAX_FILLS);
		w->fills[w->nfills++] = (struct walk_fill){s->cache, level,          s->tag,
							   addr,     table | rights, w->now};
	}
}

static bool stage_walk(struct walk *w, const struct stage *s, uint64_t addr, uint8_t need,
		       struct walk_leaf *leaf)
{
	return walk_stage(w, s, addr, need, leaf);
}

static RARE bool first_stage_walk(struct walk *w, struct walk_leaf *leaf)
{
	const struct vtd_context *c = w->ctx;
	const struct stage first = {
	    .first = true,
	    .format = c->format,
	    .root = c->root,
	    .cache = &w->u->first,
	    .tag = context_tag(w->u, c, w->rq),
	    .nested = c->type == VTD_NESTED,
	    .ad = true,
	};
	struct walk_leaf outer;
	uint64_t gpa, offset;
	bool dirty;

	if (!stage_walk(w, &first, w->rq->addr, w->rq->access, leaf))
		return false;
	if (!first.nested)
		return true;
	dirty = w->dirty;
	gpa = leaf->base | (w->rq->addr & ((UINT64_C(1) << leaf->shift) - 1));
	if (!outer_walk(w, gpa, w->rq->access, &outer))
		return false;
	w->dirty = w->dirty && dirty;
	/* The translation is as large as the smaller page of the two. */
	leaf->shift = MIN(leaf->shift, outer.shift);
	leaf->rights &= outer.rights;
	offset = gpa & ((UINT64_C(1) << outer.shift) - 1);
	leaf->base = align_down(outer.base | offset, UINT64_C(1) << leaf->shift);
	return true;
}

bool walk_tables(struct walk *w, struct walk_leaf *leaf)
{
	const struct vtd_context *c = w->ctx;
	const struct stage second = {
	    .format = c->format,
	    .root = c->root,
	    .cache = &w->u->second,
	    .tag = context_tag(w->u, c, w->rq),
	    .ad = c->dirty_tracking,
	};
	uint64_t phys;

	w->dirty = true;
	if (c->type == VTD_SECOND_STAGE ? !walk_stage(w, &second, w->rq->addr, w->rq->access, leaf)
					: !first_stage_walk(w, leaf))
		return false;
	phys = leaf->base | (w->rq->addr & ((UINT64_C(1) << leaf->shift) - 1));
	if (G_UNLIKELY(phys >= INTERRUPT_BASE && phys <= INTERRUPT_LAST))
		return fail(w, c->type != VTD_SECOND_STAGE, FAULT_INTERRUPT);
	/* A clean page cached as writable would never be marked dirty. */
	if (!w->dirty)
		leaf->rights &= (uint8_t)~IOMMU_ACCESS_WRITE;
	return true;
}

void walk_fill_caches(struct walk *w)
{
	for (unsigned i = 0; i < w->nfills; i++)
		pwc_fill(w->fills[i].cache, &w->fills[i]);
}
