/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Set-associative cache of page numbers with exchangeable replacement. A hash index finds entries
 * and per-set lists order them, so that a fully associative cache costs no more than a 4-way one.
 *
 * VTD_AGEING is the bucketed LRU of Intel server parts (Xeon E5 datasheet vol. 2, VTGENCTRL2): every
 * ageing_interval requests all entries grow one step older, a hit makes an entry young again, and a
 * victim comes from the oldest non-empty bucket. The number of buckets is not published: 4 here.
 */
#include "tlb.h"

#include <string.h>

#define AGES 4u

static inline unsigned size_index(unsigned shift)
{
	return (shift - PAGE_SHIFT) / 9;
}

/* What chooses the set where that is not the page number itself (hash_sets). */
static uint64_t set_hash(uint64_t tag, uint64_t page, unsigned shift)
{
	uint64_t h = page ^ (tag << 40 | tag >> 24) ^ ((uint64_t)shift << 56);

	h *= UINT64_C(0x9E3779B97F4A7C15);
	return (h ^ h >> 29) >> 16;
}

static inline unsigned set_of(const struct tlb *t, const struct tlb_key *k)
{
	uint64_t selector;

	if (t->nsets == 1)
		return 0;
	selector = t->hash_sets ? set_hash(k->tag, k->page, k->shift) : k->page;
	return (unsigned)(t->set_mask ? selector & t->set_mask : selector % t->nsets);
}

/* Move the whole list of head from to the front of list into. */
static void splice_front(struct tlb *t, uint32_t into, uint32_t from)
{
	struct tlb_link f = t->links[from];
	uint32_t first = t->links[into].next;

	if (f.next == from)
		return;
	t->links[into].next = f.next;
	t->links[f.next].prev = into;
	t->links[f.prev].next = first;
	t->links[first].prev = f.prev;
	t->links[from] = (struct tlb_link){from, from};
}

struct tlb *tlb_new(uint64_t entries, uint64_t ways, enum vtd_replacement r, bool hash_sets,
		    uint64_t ageing_interval, struct rng *rng)
{
	struct tlb *t = g_new0(struct tlb, 1);
	unsigned bits = 1;

	g_assert(r != VTD_RANDOM || rng);
	if (!ways || ways > entries)
		ways = entries;
	t->ways = (unsigned)ways;
	t->nsets = ways ? (unsigned)(entries / ways) : 0;
	t->n = t->nsets * t->ways;
	t->set_mask = t->nsets && !(t->nsets & (t->nsets - 1)) ? t->nsets - 1 : 0;
	t->replacement = r;
	t->lru = r == VTD_LRU;
	t->hash_sets = hash_sets;
	t->rng = rng;
	t->lists = r == VTD_AGEING ? AGES : 1;
	t->ageing_interval = r == VTD_AGEING && ageing_interval ? ageing_interval : 0;
	t->next_ageing = t->ageing_interval ? t->ageing_interval : UINT64_MAX;
	while ((1u << bits) < 2 * t->n)
		bits++;
	t->hash_shift = 64 - bits;
	t->buckets = g_new(uint32_t, (size_t)1 << bits);
	/* One entry more, never valid, so that last = 0 can be looked at in an empty cache. */
	t->entries = g_new0(struct tlb_entry, t->n + 1);
	t->links = g_new0(struct tlb_link, t->n + (size_t)t->nsets * t->lists);
	t->sets = g_new0(struct tlb_set, t->nsets);
	t->plru_leaves = 1u << order_base_2(t->ways);
	t->plru = r == VTD_PLRU ? g_new0(uint8_t, (size_t)t->nsets * t->plru_leaves) : NULL;
	for (unsigned s = 0; s < t->nsets; s++)
		for (unsigned a = 0; a < t->lists; a++) {
			uint32_t head = tlb_list_head(t, s, a);

			t->links[head] = (struct tlb_link){head, head};
		}
	tlb_invalidate_all(t);
	return t;
}

void tlb_free(struct tlb *t)
{
	if (!t)
		return;
	g_free(t->entries);
	g_free(t->links);
	g_free(t->sets);
	g_free(t->buckets);
	g_free(t->plru);
	g_free(t);
}

void tlb_set_removed(struct tlb *t, tlb_removed_fn fn, void *arg)
{
	t->removed = fn;
	t->removed_arg = arg;
}

/* ---- replacement ---- */

void tlb_grow_older(struct tlb *t)
{
	while (t->requests >= t->next_ageing) {
		t->epoch++;
		t->next_ageing += t->ageing_interval;
	}
}

/* Catch up with the ageing steps since this set was last looked at. */
static RARE void age_set(struct tlb *t, unsigned set)
{
	struct tlb_set *s = &t->sets[set];
	uint32_t steps = MIN(t->epoch - s->epoch, AGES - 1);

	s->epoch = t->epoch;
	while (steps--)
		for (unsigned a = AGES - 1; a > 0; a--)
			splice_front(t, tlb_list_head(t, set, a), tlb_list_head(t, set, a - 1));
}

/* Turn the nodes on the way to slot's leaf so that they point away from it. */
static RARE void plru_touch(struct tlb *t, unsigned set, unsigned way)
{
	uint8_t *tree = t->plru + (size_t)set * t->plru_leaves;
	unsigned node = 1;

	for (unsigned half = t->plru_leaves / 2; half; half /= 2) {
		unsigned right = (way & half) != 0;

		tree[node] = (uint8_t)!right;
		node = 2 * node + right;
	}
}

static unsigned plru_victim(const struct tlb *t, unsigned set)
{
	const uint8_t *tree = t->plru + (size_t)set * t->plru_leaves;
	unsigned node = 1, way = 0;

	for (unsigned half = t->plru_leaves / 2; half; half /= 2) {
		/* The number of ways need not be a power of two: skip subtrees without leaves. */
		unsigned right = tree[node] && way + half < t->ways;

		way += right * half;
		node = 2 * node + right;
	}
	return way;
}

RARE void tlb_touch_other(struct tlb *t, unsigned slot)
{
	unsigned set;

	switch (t->replacement) {
	case VTD_AGEING:
		if (t->entries[slot].epoch == t->epoch)
			return;
		set = t->entries[slot].set;
		age_set(t, set);
		t->entries[slot].epoch = t->epoch;
		tlb_unlink_slot(t, slot);
		tlb_push_front(t, tlb_list_head(t, set, 0), slot);
		return;
	case VTD_PLRU:
		set = t->entries[slot].set;
		plru_touch(t, set, slot - set * t->ways);
		return;
	case VTD_LRU:
	case VTD_FIFO:
	case VTD_RANDOM:
		return;
	}
}

static unsigned victim(struct tlb *t, unsigned set)
{
	switch (t->replacement) {
	case VTD_RANDOM:
		return set * t->ways + (unsigned)rng_below(t->rng, t->ways);
	case VTD_PLRU:
		return set * t->ways + plru_victim(t, set);
	case VTD_AGEING:
		for (unsigned a = AGES; a-- > 1;) {
			uint32_t head = tlb_list_head(t, set, a);

			if (t->links[head].prev != head)
				return t->links[head].prev;
		}
		break;
	case VTD_LRU:
	case VTD_FIFO:
		break;
	}
	return t->links[tlb_list_head(t, set, 0)].prev;
}

/* ---- removal and insertion ---- */

static void hash_unlink(struct tlb *t, uint32_t slot)
{
	const struct tlb_entry *e = &t->entries[slot];
	uint32_t *at = tlb_bucket(t, e->tag, e->page);

	while (*at != slot)
		at = &t->entries[*at].hash_next;
	*at = e->hash_next;
}

/* Take a valid entry out; its slot belongs to the caller. */
static void take_out(struct tlb *t, uint32_t slot)
{
	struct tlb_entry *e = &t->entries[slot];

	hash_unlink(t, slot);
	tlb_unlink_slot(t, slot);
	t->count--;
	t->by_size[size_index(e->shift)]--;
	if (G_UNLIKELY(e->payload & TLB_REPORT) && t->removed) {
		struct tlb_key k = {e->tag, e->page, e->shift};

		t->removed(t->removed_arg, &k, e->payload, slot);
	}
	e->shift = 0;
}

static void drop(struct tlb *t, uint32_t slot)
{
	struct tlb_set *s = &t->sets[t->entries[slot].set];

	take_out(t, slot);
	t->links[slot].next = s->free;
	s->free = slot;
}

bool tlb_insert(struct tlb *t, const struct tlb_key *k, uint64_t payload)
{
	uint32_t *bucket;
	unsigned set, slot;
	bool evicted = false;
	struct tlb_entry *e;

	if (!t->n)
		return false;
	set = set_of(t, k);
	if (t->replacement == VTD_AGEING)
		age_set(t, set);
	slot = t->sets[set].free;
	if (slot == TLB_NONE) {
		slot = victim(t, set);
		take_out(t, slot);
		evicted = true;
	} else {
		t->sets[set].free = t->links[slot].next;
	}
	bucket = tlb_bucket(t, k->tag, k->page); /* now that an eviction may have changed it */
	e = &t->entries[slot];
	*e = (struct tlb_entry){.page = k->page,
				.tag = k->tag,
				.payload = payload,
				.hash_next = *bucket,
				.epoch = t->epoch,
				.set = set,
				.shift = k->shift};
	*bucket = slot;
	tlb_push_front(t, tlb_list_head(t, set, 0), slot);
	if (t->replacement == VTD_PLRU)
		plru_touch(t, set, slot - set * t->ways);
	t->count++;
	t->by_size[size_index(k->shift)]++;
	t->last = slot;
	return evicted;
}

bool tlb_remove(struct tlb *t, const struct tlb_key *k)
{
	uint32_t slot = tlb_find(t, k);

	if (slot == TLB_NONE)
		return false;
	drop(t, slot);
	return true;
}

/* ---- invalidation ---- */

static bool intersects(const struct tlb_entry *e, uint64_t page, uint64_t last)
{
	uint64_t first = e->page << (e->shift - PAGE_SHIFT);

	return first <= last && first + (UINT64_C(1) << (e->shift - PAGE_SHIFT)) - 1 >= page;
}

unsigned tlb_invalidate_match(struct tlb *t, uint64_t tag, uint64_t mask, uint64_t page, uint64_t count)
{
	uint64_t last = page + count - 1 < page ? UINT64_MAX : page + count - 1;
	unsigned removed = 0, left = t->count;

	for (uint32_t slot = 0; left && slot < t->n; slot++) {
		const struct tlb_entry *e = &t->entries[slot];

		if (!e->shift)
			continue;
		left--;
		if ((e->tag ^ tag) & mask || !intersects(e, page, last))
			continue;
		drop(t, slot);
		removed++;
	}
	return removed;
}

/* The usual case: nothing but 4 KiB entries, and looking each page up is cheaper than a scan. */
static inline bool only_base_pages(const struct tlb *t, uint64_t page, uint64_t count)
{
	return tlb_only_base_pages(t) && count <= t->count && page + count - 1 >= page;
}

static RARE unsigned invalidate_mixed(struct tlb *t, uint64_t tag, uint64_t page, uint64_t count)
{
	unsigned removed = 0;
	uint64_t probes = 0;

	for (unsigned s = 0; s < TLB_SIZES; s++)
		if (t->by_size[s])
			probes += ((page + count - 1) >> (9 * s)) - (page >> (9 * s)) + 1;
	if (probes > t->count || page + count - 1 < page)
		return tlb_invalidate_match(t, tag, UINT64_MAX, page, count);
	for (unsigned s = 0; s < TLB_SIZES; s++) {
		struct tlb_key k = {tag, page >> (9 * s), (uint8_t)(PAGE_SHIFT + 9 * s)};

		for (; t->by_size[s] && k.page <= (page + count - 1) >> (9 * s); k.page++)
			removed += tlb_remove(t, &k);
	}
	return removed;
}

unsigned tlb_invalidate_range(struct tlb *t, uint64_t tag, uint64_t page, uint64_t count)
{
	unsigned removed = 0;

	if (count == 1 && tlb_only_base_pages(t))
		return tlb_remove(t, &(struct tlb_key){tag, page, PAGE_SHIFT});
	if (!t->count || !count)
		return 0;
	if (G_UNLIKELY(!only_base_pages(t, page, count)))
		return invalidate_mixed(t, tag, page, count);
	for (struct tlb_key k = {tag, page, PAGE_SHIFT}; k.page < page + count; k.page++)
		removed += tlb_remove(t, &k);
	return removed;
}

unsigned tlb_invalidate_tag(struct tlb *t, uint64_t tag)
{
	return tlb_invalidate_match(t, tag, UINT64_MAX, 0, UINT64_MAX);
}

unsigned tlb_invalidate_all(struct tlb *t)
{
	unsigned removed = tlb_invalidate_match(t, 0, 0, 0, UINT64_MAX);

	/* The cache is empty: give the slots back in ascending order. */
	memset(t->buckets, 0xff, sizeof(*t->buckets) << (64 - t->hash_shift));
	for (unsigned s = 0; s < t->nsets; s++) {
		t->sets[s].free = TLB_NONE;
		for (unsigned w = t->ways; w-- > 0;) {
			t->links[s * t->ways + w].next = t->sets[s].free;
			t->sets[s].free = s * t->ways + w;
		}
	}
	return removed;
}

/* Entries of several sizes or tags: probe for each page of each size, or look at all entries. */
static RARE void visit_mixed(struct tlb *t, uint64_t tag, uint64_t mask, uint64_t page, uint64_t count,
			     tlb_visit_fn fn, void *arg)
{
	uint64_t probes = 0, last = page + count - 1;

	for (unsigned s = 0; s < TLB_SIZES; s++)
		if (t->by_size[s])
			probes += (last >> (9 * s)) - (page >> (9 * s)) + 1;
	if (mask != UINT64_MAX || probes > t->count || last < page) {
		for (uint32_t slot = 0; slot < t->n; slot++) {
			struct tlb_entry *e = &t->entries[slot];
			struct tlb_key k = {e->tag, e->page, e->shift};

			if (e->shift && !((e->tag ^ tag) & mask) &&
			    intersects(e, page, last < page ? UINT64_MAX : last))
				fn(arg, &k, &e->payload, slot);
		}
		return;
	}
	for (unsigned s = 0; s < TLB_SIZES; s++) {
		struct tlb_key k = {tag, page >> (9 * s), (uint8_t)(PAGE_SHIFT + 9 * s)};

		for (; t->by_size[s] && k.page <= last >> (9 * s); k.page++) {
			uint32_t slot = tlb_find(t, &k);

			if (slot != TLB_NONE)
				fn(arg, &k, &t->entries[slot].payload, slot);
		}
	}
}

void tlb_visit_range(struct tlb *t, uint64_t tag, uint64_t mask, uint64_t page, uint64_t count,
		     tlb_visit_fn fn, void *arg)
{
	if (!t->count || !count)
		return;
	if (G_UNLIKELY(mask != UINT64_MAX || !only_base_pages(t, page, count))) {
		visit_mixed(t, tag, mask, page, count, fn, arg);
		return;
	}
	for (struct tlb_key k = {tag, page, PAGE_SHIFT}; k.page < page + count; k.page++) {
		uint32_t slot = tlb_find(t, &k);

		if (slot != TLB_NONE)
			fn(arg, &k, &t->entries[slot].payload, slot);
	}
}

void tlb_visit(struct tlb *t, tlb_visit_fn fn, void *arg)
{
	for (uint32_t slot = 0; slot < t->n; slot++) {
		struct tlb_entry *e = &t->entries[slot];
		struct tlb_key k = {e->tag, e->page, e->shift};

		if (e->shift)
			fn(arg, &k, &e->payload, slot);
	}
}
