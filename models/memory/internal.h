/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of models/memory share: contents, page allocator, address map. */
#ifndef DMASIM_MEMORY_INTERNAL_H
#define DMASIM_MEMORY_INTERNAL_H

#include "memory.h"

/* One chunk of the radix holds 4096 pages: 16 MiB of physical address space. */
#define CHUNK_LG2 12
#define CHUNK_PAGES (1u << CHUNK_LG2)
/* Largest buddy block: 1 GiB, so that swiotlb pools and 1 GiB pages are one block. */
#define BUDDY_MAX_ORDER 18
/* Pages kept in front of the buddy lists (Linux: per-CPU page lists). */
#define PCP_HIGH 256
#define PCP_BATCH 32

struct page_contents {
	uint8_t *page[CHUNK_PAGES];
};
struct page_info {
	uint32_t next, prev; /* free-list links, page numbers; 0 ends */
	uint8_t order, free;
};
struct page_infos {
	struct page_info page[CHUNK_PAGES];
};

/* Part of RAM whose pages are handed out at random places: what a long-running machine looks like. */
struct scatter_zone {
	uint32_t base, pages, used;
	uint64_t *bits;
};

/* Linux's zones: memory above 4 GiB is used first, so that what 32-bit devices need stays. */
enum { ZONE_DMA32, ZONE_NORMAL, ZONES };

struct memory_node {
	uint32_t free_head[ZONES][BUDDY_MAX_ORDER + 1];
	uint32_t pcp[PCP_HIGH];
	unsigned npcp;
	uint64_t free_pages;
	GPtrArray *zones;  /* struct scatter_zone */
	unsigned zone_now; /* where the next scattered page is looked for */
};

struct bar {
	phys_addr_t base, last;
	enum memory_kind kind;
	void *owner;
	struct page_contents **contents; /* per 16 MiB, allocated when touched */
};

struct memory {
	struct sim *sim;
	struct memory_params params;
	phys_addr_t low_last, high_last; /* inclusive ends of RAM below and above 4 GiB; high 0 if none */
	uint64_t ram_pages, node_pages;
	uint64_t nchunks;
	struct page_contents **contents;
	struct page_infos **infos;
	struct memory_node *nodes;
	unsigned zone_order;
	struct scatter_zone **zone_of; /* by page number >> zone_order */
	GArray *bars;                  /* struct bar, ascending */
	GPtrArray *slabs;              /* host memory behind contents */
	uint8_t *free_host;            /* contents pages to use again, linked through their first word */
};

void memory_alloc_init(struct memory *m);
void memory_alloc_fini(struct memory *m);
/* n contiguous pages (any n), 0 when exhausted. */
uint32_t memory_alloc_exact(struct memory *m, unsigned node, uint64_t n);
void memory_free_range(struct memory *m, uint32_t pfn, uint64_t n);
/* Up to want contiguous pages at a random place other than after avoid; *got how many; 0: exhausted. */
uint32_t memory_alloc_scattered(struct memory *m, struct rng *rng, unsigned node, unsigned want,
				uint32_t avoid, unsigned *got);

static inline struct page_info *page_info(struct memory *m, uint32_t pfn)
{
	struct page_infos **c = &m->infos[pfn >> CHUNK_LG2];

	if (G_UNLIKELY(!*c))
		*c = g_new0(struct page_infos, 1);
	return &(*c)->page[pfn & (CHUNK_PAGES - 1)];
}

static inline uint64_t bar_chunks(const struct bar *b)
{
	return ((b->last - b->base) >> (PAGE_SHIFT + CHUNK_LG2)) + 1;
}

static inline unsigned page_node(const struct memory *m, uint32_t pfn)
{
	uint64_t index = pfn;
	uint64_t node;

	if (m->high_last && index >= 4 * GIB >> PAGE_SHIFT)
		index -= (4 * GIB - (m->low_last + 1)) >> PAGE_SHIFT;
	node = index / m->node_pages;
	return node < m->params.nodes ? (unsigned)node : (unsigned)m->params.nodes - 1;
}

#endif
