/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stand-alone set-associative cache of page numbers, the IOTLB's own machinery, also for devices'
 * translation caches. Lookup, insertion and replacement are O(1) whatever the associativity.
 */
#ifndef DMASIM_VTD_TLB_H
#define DMASIM_VTD_TLB_H

#include "sim/rng.h"
#include <dmasim/types.h>

enum vtd_replacement { VTD_LRU, VTD_FIFO, VTD_RANDOM, VTD_PLRU, VTD_AGEING };
struct tlb;
struct tlb_key {
	uint64_t tag;  /* domain id in bits 15:0; further bits as the owner likes */
	uint64_t page; /* address >> shift */
	uint8_t shift; /* 12, 21, 30, 39 or 48 */
};

/* Entries that carry this payload bit are reported when they go, for whatever reason. */
#define TLB_REPORT (UINT64_C(1) << 63)
typedef void (*tlb_removed_fn)(void *arg, const struct tlb_key *k, uint64_t payload, unsigned slot);
void tlb_set_removed(struct tlb *t, tlb_removed_fn fn, void *arg);

#define TLB_NONE UINT32_MAX
#define TLB_SIZES 5u /* 4 KiB, 2 MiB, 1 GiB, 512 GiB, 256 TiB */

struct tlb_entry {
	uint64_t page, tag, payload;
	uint32_t hash_next; /* in its chain; TLB_NONE ends */
	uint32_t epoch;     /* of the last use, for ageing; else 0 */
	uint32_t set;
	uint8_t shift; /* 0: not valid */
};

/* Circular doubly linked lists over slots; the numbers from n on are the list heads. */
struct tlb_link {
	uint32_t prev, next;
};

struct tlb_set {
	uint32_t free;  /* chain of free slots through link.next, TLB_NONE ends */
	uint32_t epoch; /* up to which its buckets have been aged */
};

/* Members are private to tlb.c and the inlines below. */
struct tlb {
	struct tlb_entry *entries;
	uint32_t *buckets; /* hash chains */
	struct tlb_link *links;
	unsigned n, hash_shift, lists;
	bool lru, hash_sets;
	unsigned last, count, by_size[TLB_SIZES];
	struct tlb_set *sets;
	unsigned ways, nsets, plru_leaves;
	unsigned set_mask; /* nsets - 1 where that selects a set, else 0 */
	uint8_t *plru;     /* per set: tree nodes, 1 = right subtree is older */
	enum vtd_replacement replacement;
	struct rng *rng;
	uint64_t requests, ageing_interval, next_ageing;
	uint32_t epoch;
	tlb_removed_fn removed;
	void *removed_arg;
};

/* Slot (0 .. tlb_capacity - 1) of the last hit or insertion, for owners with data beside the payload. */
static inline unsigned tlb_last_slot(const struct tlb *t)
{
	return t->last;
}
static inline unsigned tlb_capacity(const struct tlb *t)
{
	return t->n;
}
static inline unsigned tlb_count(const struct tlb *t)
{
	return t->count;
}
/* Entries of one size; an owner need not look for sizes that are not there. */
static inline unsigned tlb_count_shift(const struct tlb *t, unsigned shift)
{
	return t->by_size[(shift - PAGE_SHIFT) / 9];
}
static inline bool tlb_only_base_pages(const struct tlb *t)
{
	return t->by_size[0] == t->count;
}

/* The chain of an entry: by the highest bits of a product with 2^64 / golden ratio. */
static inline uint32_t *tlb_bucket(const struct tlb *t, uint64_t tag, uint64_t page)
{
	return &t->buckets[(page ^ (tag << 40 | tag >> 24)) * UINT64_C(0x9E3779B97F4A7C15) >> t->hash_shift];
}

static inline uint32_t tlb_list_head(const struct tlb *t, unsigned set, unsigned age)
{
	return t->n + set * t->lists + age;
}

static inline void tlb_unlink_slot(struct tlb *t, uint32_t slot)
{
	struct tlb_link l = t->links[slot];

	t->links[l.prev].next = l.next;
	t->links[l.next].prev = l.prev;
}

static inline void tlb_push_front(struct tlb *t, uint32_t head, uint32_t slot)
{
	uint32_t first = t->links[head].next;

	t->links[slot] = (struct tlb_link){head, first};
	t->links[first].prev = slot;
	t->links[head].next = slot;
}

void tlb_grow_older(struct tlb *t);
/* n further requests that the last entry served count for ageing. */
static inline void tlb_note_requests(struct tlb *t, uint64_t n)
{
	if (G_LIKELY(!t->ageing_interval))
		return;
	t->requests += n;
	if (t->requests >= t->next_ageing)
		tlb_grow_older(t);
}

RARE void tlb_touch_other(struct tlb *t, unsigned slot);
static inline void tlb_touch(struct tlb *t, unsigned slot)
{
	if (G_UNLIKELY(!t->lru)) {
		tlb_touch_other(t, slot);
		return;
	}
	tlb_unlink_slot(t, slot);
	tlb_push_front(t, tlb_list_head(t, t->entries[slot].set, 0), slot);
}

static inline bool tlb_entry_is(const struct tlb_entry *e, const struct tlb_key *k)
{
	return e->page == k->page && e->tag == k->tag && e->shift == k->shift;
}

/* TLB_NONE: there is none. */
static inline uint32_t tlb_find(const struct tlb *t, const struct tlb_key *k)
{
	uint32_t slot = *tlb_bucket(t, k->tag, k->page);

	while (slot != TLB_NONE && !tlb_entry_is(&t->entries[slot], k))
		slot = t->entries[slot].hash_next;
	return slot;
}

/* Payload of the entry, NULL on a miss; no side effects. */
static inline uint64_t *tlb_peek(struct tlb *t, const struct tlb_key *k)
{
	uint32_t slot = tlb_find(t, k);

	return slot == TLB_NONE ? NULL : &t->entries[slot].payload;
}

/*
 * The same; a hit updates replacement state. The entry of the last hit or insertion is the youngest of its
 * set: unless ages have changed, so it stays.
 */
static inline uint64_t *tlb_lookup(struct tlb *t, const struct tlb_key *k)
{
	uint32_t slot = t->last;

	tlb_note_requests(t, 1);
	if (!tlb_entry_is(&t->entries[slot], k)) {
		slot = tlb_find(t, k);
		if (slot == TLB_NONE)
			return NULL;
		t->last = slot;
		tlb_touch(t, slot);
	} else if (G_UNLIKELY(t->entries[slot].epoch != t->epoch)) {
		tlb_touch(t, slot);
	}
	return &t->entries[slot].payload;
}

/*
 * ways 0: fully associative. entries is rounded down to whole sets; 0 entries: nothing is ever
 * found. rng only for VTD_RANDOM. ageing_interval: requests per ageing step, VTD_AGEING only.
 */
struct tlb *tlb_new(uint64_t entries, uint64_t ways, enum vtd_replacement r, bool hash_sets,
		    uint64_t ageing_interval, struct rng *rng);
void tlb_free(struct tlb *t);
/* Insert (after a miss); returns whether another entry was evicted. */
bool tlb_insert(struct tlb *t, const struct tlb_key *k, uint64_t payload);
/* Remove entries of tag that intersect [page, page + count) in 4 KiB pages; returns how many. */
unsigned tlb_invalidate_range(struct tlb *t, uint64_t tag, uint64_t page, uint64_t count);
/* The same for all entries with (tag ^ entry tag) & mask == 0; scans the cache. */
unsigned tlb_invalidate_match(struct tlb *t, uint64_t tag, uint64_t mask, uint64_t page, uint64_t count);
unsigned tlb_invalidate_tag(struct tlb *t, uint64_t tag);
unsigned tlb_invalidate_all(struct tlb *t);
/* Remove the one entry with this key; returns whether there was one. */
bool tlb_remove(struct tlb *t, const struct tlb_key *k);
/* Visit the valid entries in slot order. */
typedef void (*tlb_visit_fn)(void *arg, const struct tlb_key *k, uint64_t *payload, unsigned slot);
void tlb_visit(struct tlb *t, tlb_visit_fn fn, void *arg);
/* Visit those of tag under mask that intersect [page, page + count) in 4 KiB pages. */
void tlb_visit_range(struct tlb *t, uint64_t tag, uint64_t mask, uint64_t page, uint64_t count,
		     tlb_visit_fn fn, void *arg);

#endif
