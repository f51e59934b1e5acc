/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checker knows to be mapped: mappings, found by function and page. */
#ifndef DMASIM_DMA_DEBUG_TABLE_H
#define DMASIM_DMA_DEBUG_TABLE_H

#include <dmasim/device.h>
#include "models/pcie/pcie.h"
#include <dmasim/types.h>

enum kind { SINGLE, LIST, RANGE, PIECE, COHERENT };
/* One for each page that a mapping touches, chained in its bucket. */
struct page_node {
	const struct pcie_node *fn;
	uint64_t pfn;
	uint32_t mapping, next;
};

struct mapping {
	const struct device *dev;
	dma_addr_t addr;
	uint64_t size, linked; /* linked: bytes of the pieces in a range */
	enum kind kind;
	enum dma_data_direction dir;
	uint32_t next_free;
};

struct dma_debug_table {
	struct page_node *nodes;
	struct mapping *mappings;
	uint32_t *buckets;
	uint32_t nbuckets, nnodes, room_nodes, free_node; /* a power of two */
	uint32_t nmappings, room_mappings, free_mapping;
	uint64_t used_nodes, live;
};

void dma_debug_table_init(struct dma_debug_table *g);
void dma_debug_table_clear(struct dma_debug_table *g);
uint32_t dma_debug_add(struct dma_debug_table *g, const struct device *dev, dma_addr_t addr, uint64_t size,
		       enum dma_data_direction dir, enum kind kind);
void dma_debug_remove(struct dma_debug_table *g, uint32_t i);
/* Mapping of fn at the page of like->addr: one that want likes, else one that holds the address, else 0. */
typedef bool (*want_fn)(const struct mapping *m, const struct mapping *like);
uint32_t dma_debug_find(const struct dma_debug_table *g, const struct pcie_node *fn,
			const struct mapping *like, want_fn want);

#endif
