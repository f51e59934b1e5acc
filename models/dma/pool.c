/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools of small coherent blocks (mm/dmapool.c). Pages come from dma_alloc_coherent and stay until the
 * pool is destroyed; free blocks are reused last in, first out, over the whole pool since 6.3 and
 * before that within the newest page that has one.
 */
#include "internal.h"

#define DMA_BLOCK_MIN 16u /* a free block holds a link and its DMA address */

struct dma_block {
	struct dma_block *next;
	struct dma_page *page;
	uint32_t offset;
};

struct dma_page {
	struct dma_page *next;
	phys_addr_t phys;
	dma_addr_t dma;
	struct dma_block *free;   /* per-page lists only */
	struct dma_block *blocks; /* by index */
};

struct dma_pool {
	struct device *dev;
	size_t size, allocation, boundary;
	unsigned per_page;
	struct dma_page *pages; /* newest first */
	struct dma_block *free;
	GHashTable *by_dma; /* page's DMA address to struct dma_page */
};

/* Offset of the next block: none crosses a boundary. */
static size_t place_block(const struct dma_pool *pool, size_t offset)
{
	size_t limit = align_down(offset, pool->boundary) + pool->boundary;

	return offset + pool->size > limit ? limit : offset;
}

struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size, size_t align,
				 size_t boundary)
{
	struct dma_pool *pool;

	(void)name;
	if (!align)
		align = 1;
	if (!size || size > INT32_MAX || align & (align - 1))
		return NULL;
	size = align_up(MAX(size, DMA_BLOCK_MIN), align);
	if (boundary && (boundary < size || boundary & (boundary - 1)))
		return NULL;
	pool = g_new0(struct dma_pool, 1);
	pool->dev = dev;
	pool->size = size;
	pool->allocation = MAX(size, PAGE_SIZE);
	pool->boundary = boundary ? MIN(boundary, align_up(pool->allocation, PAGE_SIZE)) : 1ull << 40;
	for (size_t at = place_block(pool, 0); at + size <= pool->allocation;
	     at = place_block(pool, at + size))
		pool->per_page++;
	pool->by_dma = g_hash_table_new(g_int64_hash, g_int64_equal);
	return pool;
}

/* A new page; its blocks become free, the lowest first to be taken. */
static bool add_page(struct dma_pool *pool)
{
	struct dma_page *page = g_new0(struct dma_page, 1);
	struct dma_block *first, *last;
	size_t at = 0;

	page->phys = dma_alloc_coherent(pool->dev, pool->allocation, &page->dma);
	if (!page->phys) {
		g_free(page);
		return false;
	}
	page->blocks = g_new(struct dma_block, pool->per_page);
	for (unsigned i = 0; i < pool->per_page; i++, at += pool->size) {
		at = place_block(pool, at);
		page->blocks[i] = (struct dma_block){&page->blocks[i + 1], page, (uint32_t)at};
	}
	first = page->blocks;
	last = &page->blocks[pool->per_page - 1];
	last->next = pool->free;
	if (pool->dev->dma->kernel->pool_page_lists) {
		last->next = NULL;
		page->free = first;
	} else {
		pool->free = first;
	}
	page->next = pool->pages;
	pool->pages = page;
	g_hash_table_insert(pool->by_dma, &page->dma, page);
	return true;
}

/* The list that the next block comes from; NULL if there is no free one. */
static struct dma_block **free_list(struct dma_pool *pool)
{
	if (!pool->dev->dma->kernel->pool_page_lists)
		return pool->free ? &pool->free : NULL;
	for (struct dma_page *p = pool->pages; p; p = p->next) {
		if (p->free)
			return &p->free;
	}
	return NULL;
}

phys_addr_t dma_pool_alloc(struct dma_pool *pool, dma_addr_t *handle)
{
	struct dma_block **list = free_list(pool), *b;

	if (!list) {
		if (!add_page(pool))
			return 0;
		list = free_list(pool);
	}
	b = *list;
	*list = b->next;
	*handle = b->page->dma + b->offset;
	return b->page->phys + b->offset;
}

void dma_pool_free(struct dma_pool *pool, phys_addr_t block, dma_addr_t addr)
{
	/* Pages of the pool are aligned to their size only when they are single pages. */
	uint64_t key = pool->allocation == PAGE_SIZE ? addr & PAGE_MASK : addr;
	struct dma_page *page = g_hash_table_lookup(pool->by_dma, &key);
	struct dma_block *b, **list;
	unsigned low = 0, high;

	(void)block;
	g_assert(page);
	high = pool->per_page - 1;
	while (low < high) {
		unsigned mid = (low + high + 1) / 2;

		if (page->blocks[mid].offset <= addr - page->dma)
			low = mid;
		else
			high = mid - 1;
	}
	b = &page->blocks[low];
	g_assert(page->dma + b->offset == addr);
	list = pool->dev->dma->kernel->pool_page_lists ? &page->free : &pool->free;
	b->next = *list;
	*list = b;
}

void dma_pool_destroy(struct dma_pool *pool)
{
	struct dma_page *page;

	if (!pool)
		return;
	while ((page = pool->pages)) {
		pool->pages = page->next;
		dma_free_coherent(pool->dev, pool->allocation, page->phys, page->dma);
		g_free(page->blocks);
		g_free(page);
	}
	g_hash_table_destroy(pool->by_dma);
	g_free(pool);
}
