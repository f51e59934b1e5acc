/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOVA allocator (drivers/iommu/iova.c): a tree of allocated and cached ranges, searched from the top
 * down with two hints, behind per-CPU magazines of freed ranges per power-of-two size and a shared
 * depot of full magazines.
 */
#ifndef DMASIM_IOVA_H
#define DMASIM_IOVA_H

#include <sys/tree.h>

#include "internal.h"

#define IOVA_CACHE_CLASSES_MAX \
	16u /* of parameter iova.cache_classes; the kernel has 6: 1, 2, 4 ... 32 pages */
#define IOVA_ANCHOR (~0ull)
#define SIZEOF_STRUCT_IOVA 64u  /* bytes of slab per range (40, cache-line aligned) */
#define SIZEOF_IOVA_RCACHE 120u /* per class, in one array of kmalloc */
#define SIZEOF_CPU_RCACHE 64u   /* 24, allocated with 64-byte alignment */

struct iova {
	RB_ENTRY(iova) node;
	uint64_t pfn_lo, pfn_hi;
};
RB_HEAD(iova_tree, iova);

struct iova_magazine {
	struct iova_magazine *next; /* in the depot */
	bool charged;               /* it exists in the kernel's memory, too */
	uint64_t size;
	uint64_t pfns[];
};

struct iova_cpu_rcache {
	struct iova_magazine *loaded, *prev;
};

struct iova_domain;
struct iova_rcache {
	struct iova_domain *iovad;
	struct spinlock lock; /* of the depot */
	struct iova_magazine *depot;
	unsigned depot_size;
	struct iova_cpu_rcache *cpu_rcaches;
	struct event trim_timer;
	struct cpu_work trim_work;
	struct cpu *trim_cpu;
	bool trim_pending;
};

struct iova_domain {
	struct dma_layer *l;
	struct device *dev; /* for the observer */
	struct spinlock rbtree_lock;
	struct iova_tree tree;
	struct iova anchor;
	struct iova *cached_node, *cached32_node;
	uint64_t start_pfn, dma_32bit_pfn, max32_alloc_size;
	uint64_t nodes; /* in the tree, without the anchor */
	uint64_t magazine_size;
	unsigned classes; /* of the caches (IOVA_RANGE_CACHE_MAX_SIZE) */
	struct iova_rcache rcaches[IOVA_CACHE_CLASSES_MAX];
	struct iova_replay *replay; /* of a replay: what is not known (replay_hooks.c), NULL: all is */
};

void init_iova_domain(struct iova_domain *iovad, struct dma_layer *l, struct device *dev, uint64_t start_pfn);
int iova_domain_init_rcaches(struct iova_domain *iovad);
void put_iova_domain(struct iova_domain *iovad);

/* ---- iova_tree.c; limit_pfn is inclusive ---- */

struct iova *alloc_iova(struct iova_domain *iovad, uint64_t size, uint64_t limit_pfn, bool size_aligned);
struct iova *find_iova(struct iova_domain *iovad, uint64_t pfn);
void free_iova(struct iova_domain *iovad, uint64_t pfn);
void reserve_iova(struct iova_domain *iovad, uint64_t pfn_lo, uint64_t pfn_hi);
/* Parts without cost and lock. */
void remove_iova(struct iova_domain *iovad, struct iova *iova);
/* First range that overlaps [lo, hi], NULL if none (the anchor is no range). */
struct iova *iova_overlap(struct iova_domain *iovad, uint64_t pfn_lo, uint64_t pfn_hi);
struct iova *iova_insert(struct iova_domain *iovad, uint64_t pfn_lo, uint64_t pfn_hi);
void iova_cached_insert_update(struct iova_domain *iovad, struct iova *new);
struct iova *iova_next(struct iova_domain *iovad, struct iova *iova);
struct iova *iova_first(struct iova_domain *iovad);
void iova_charge_tree(struct iova_domain *iovad);

/* All ranges, live and cached; the magazines are gone. */
void iova_tree_free(struct iova_domain *iovad);

/* ---- iova_rcache.c ---- */

/* First pfn of a range of size pages at or below limit_pfn, 0 if there is none. */
uint64_t alloc_iova_fast(struct iova_domain *iovad, uint64_t size, uint64_t limit_pfn, bool flush_rcache);
void free_iova_fast(struct iova_domain *iovad, uint64_t pfn, uint64_t size);
/* CPU hot-unplug: what cpu caches goes back to the tree. */
void free_cpu_cached_iovas(struct iova_domain *iovad, unsigned cpu);
/*
 * The steps of the fast path: a range from the cache of e->cpu, one from the tree, everything cached back
 * to the tree. True with e->pfn and e->source.
 */
bool iova_rcache_get(struct iova_domain *iovad, struct iova_alloc_event *e);
RARE bool iova_tree_get(struct iova_domain *iovad, struct iova_alloc_event *e);
void iova_flush_rcaches(struct iova_domain *iovad);
/* Magazines and their depot. */
struct iova_magazine *iova_magazine_alloc(struct iova_domain *iovad);
void iova_magazine_free(struct iova_domain *iovad, struct iova_magazine *m);
void iova_depot_push(struct iova_rcache *rc, struct iova_magazine *m);
struct iova_magazine *iova_depot_pop(struct iova_rcache *rc);

#endif
