/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dma_debug_table.h"

enum { NONE = 0 };

static uint32_t bucket_of(const struct dma_debug_table *g, const struct pcie_node *fn, uint64_t pfn)
{
	uint64_t h = (pfn ^ (uintptr_t)fn << 16) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 32) & (g->nbuckets - 1);
}

static void rehash(struct dma_debug_table *g)
{
	uint32_t n = g->nbuckets * 2, *old = g->buckets, old_n = g->nbuckets;

	g->buckets = g_new0(uint32_t, n);
	g->nbuckets = n;
	for (uint32_t b = 0; b < old_n; b++)
		for (uint32_t i = old[b], next; i; i = next) {
			uint32_t *head = &g->buckets[bucket_of(g, g->nodes[i].fn, g->nodes[i].pfn)];

			next = g->nodes[i].next;
			g->nodes[i].next = *head;
			*head = i;
		}
	g_free(old);
}

static void add_page(struct dma_debug_table *g, const struct pcie_node *fn, uint64_t pfn, uint32_t mapping)
{
	uint32_t i = g->free_node, *head;

	if (i) {
		g->free_node = g->nodes[i].next;
	} else {
		if (g->nnodes == g->room_nodes) {
			g->room_nodes *= 2;
			g->nodes = g_renew(struct page_node, g->nodes, g->room_nodes);
		}
		i = g->nnodes++;
	}
	if (++g->used_nodes > g->nbuckets)
		rehash(g);
	head = &g->buckets[bucket_of(g, fn, pfn)];
	g->nodes[i] = (struct page_node){fn, pfn, mapping, *head};
	*head = i;
}

static void remove_page(struct dma_debug_table *g, const struct pcie_node *fn, uint64_t pfn, uint32_t mapping)
{
	uint32_t *at = &g->buckets[bucket_of(g, fn, pfn)];

	for (; *at; at = &g->nodes[*at].next) {
		struct page_node *n = &g->nodes[*at];
		uint32_t i = *at;

		if (n->mapping != mapping || n->pfn != pfn)
			continue;
		*at = n->next;
		n->next = g->free_node;
		g->free_node = i;
		g->used_nodes--;
		return;
	}
}

uint32_t dma_debug_add(struct dma_debug_table *g, const struct device *dev, dma_addr_t addr, uint64_t size,
		       enum dma_data_direction dir, enum kind kind)
{
	uint32_t i = g->free_mapping;

	if (i) {
		g->free_mapping = g->mappings[i].next_free;
	} else {
		if (g->nmappings == g->room_mappings) {
			g->room_mappings *= 2;
			g->mappings = g_renew(struct mapping, g->mappings, g->room_mappings);
		}
		i = g->nmappings++;
	}
	g->mappings[i] = (struct mapping){dev, addr, size, 0, kind, dir, 0};
	g->live++;
	/* A range is looked up by its first page alone, and pieces stand for the rest. */
	for (uint64_t pfn = addr >> PAGE_SHIFT; pfn <= (addr + size - 1) >> PAGE_SHIFT; pfn++) {
		add_page(g, dev->pci, pfn, i);
		if (kind == RANGE)
			break;
	}
	return i;
}

void dma_debug_remove(struct dma_debug_table *g, uint32_t i)
{
	struct mapping *m = &g->mappings[i];

	for (uint64_t pfn = m->addr >> PAGE_SHIFT; pfn <= (m->addr + m->size - 1) >> PAGE_SHIFT; pfn++) {
		remove_page(g, m->dev->pci, pfn, i);
		if (m->kind == RANGE)
			break;
	}
	m->size = 0;
	m->next_free = g->free_mapping;
	g->free_mapping = i;
	g->live--;
}

uint32_t dma_debug_find(const struct dma_debug_table *g, const struct pcie_node *fn,
			const struct mapping *like, want_fn want)
{
	uint64_t pfn = like->addr >> PAGE_SHIFT;
	uint32_t other = NONE;

	for (uint32_t i = g->buckets[bucket_of(g, fn, pfn)]; i; i = g->nodes[i].next) {
		const struct page_node *n = &g->nodes[i];
		const struct mapping *m = &g->mappings[n->mapping];

		if (n->pfn != pfn || n->fn != fn)
			continue;
		if (want(m, like))
			return n->mapping;
		if (m->kind != RANGE && like->addr >= m->addr && like->addr - m->addr < m->size)
			other = n->mapping;
	}
	return other;
}

void dma_debug_table_init(struct dma_debug_table *g)
{
	*g = (struct dma_debug_table){.nbuckets = 4096, .room_nodes = 4096, .room_mappings = 4096};
	g->buckets = g_new0(uint32_t, g->nbuckets);
	g->nodes = g_new(struct page_node, g->room_nodes);
	g->mappings = g_new(struct mapping, g->room_mappings);
	g->nnodes = g->nmappings = 1; /* entry 0 stands for none */
}

void dma_debug_table_clear(struct dma_debug_table *g)
{
	g_free(g->buckets);
	g_free(g->nodes);
	g_free(g->mappings);
}
