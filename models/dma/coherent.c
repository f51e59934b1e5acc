/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coherent memory (kernel/dma/mapping.c, kernel/dma/direct.c, drivers/iommu/dma-iommu.c). Behind an
 * IOMMU the pages are allocated one block of a page size at a time, largest first, and made contiguous
 * in IOVA space; on the direct path they are physically contiguous.
 */
#include "iommu.h"
#include "replay_hooks.h"

#include <string.h>

#define MAX_ORDER 10u /* largest buddy block */

/* ---- behind an IOMMU ---- */

/* What iommu_dma_free() needs to give the pages back; the kernel finds them through its page tables. */
struct coherent_block {
	phys_addr_t base;
	unsigned order;
	bool recorded; /* given by the observer, not by the page allocator */
};

struct coherent_area {
	struct coherent_block *blocks;
	unsigned nblocks;
};

/* Largest first among the page sizes of the domain, split requests excepted: order of the next block. */
static unsigned next_order(uint64_t pgsize_bitmap, size_t pages)
{
	unsigned best = 0;

	for (unsigned order = 1; order <= MAX_ORDER && (size_t)1 << order <= pages; order++) {
		if (pgsize_bitmap >> (PAGE_SHIFT + order) & 1)
			best = order;
	}
	return best;
}

static void free_blocks(struct dma_layer *l, struct coherent_block *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!b[i].recorded)
			memory_free_pages(l->mem, b[i].base, b[i].order);
}

/* Replays put the pages where the recorded kernel's page allocator found them. */
static bool recorded_pages(struct device *dev, unsigned order, phys_addr_t *base)
{
	const struct dma_replay *r = dev->dma->replay;

	return G_UNLIKELY(r) && r->coherent_pages && r->coherent_pages(r->arg, dev, order, base);
}

/* Blocks that add up to pages; NULL when memory is exhausted. */
static struct coherent_block *alloc_blocks(struct iommu_domain *d, struct device *dev, size_t pages,
					   unsigned long attrs, unsigned *n)
{
	struct dma_layer *l = d->l;
	struct coherent_block *b = g_new(struct coherent_block, pages);
	bool single = attrs & DMA_ATTR_ALLOC_SINGLE_PAGES;

	for (*n = 0; pages; (*n)++) {
		unsigned order = single ? 0 : next_order(d->pgsize_bitmap, pages);

		b[*n].recorded = recorded_pages(dev, order, &b[*n].base);
		if (!b[*n].recorded)
			b[*n].base = memory_alloc_pages(l->mem, dev->node, order);
		if (!b[*n].base && order) {
			order = 0;
			b[*n].base = memory_alloc_pages(l->mem, dev->node, 0);
		}
		if (!b[*n].base) {
			free_blocks(l, b, *n);
			g_free(b);
			return NULL;
		}
		b[*n].order = order;
		pages -= (size_t)1 << order;
	}
	return b;
}

/* iommu_map_sg over the blocks: adjacent ones are one map call. */
static int map_blocks(struct iommu_domain *d, dma_addr_t iova, const struct coherent_block *b, unsigned n,
		      unsigned prot)
{
	size_t done = 0;
	int ret;

	for (unsigned i = 0; i < n;) {
		size_t len = PAGE_SIZE << b[i].order;
		unsigned j = i + 1;

		for (; j < n && b[j].base == b[i].base + len; j++)
			len += PAGE_SIZE << b[j].order;
		ret = iommu_map_nosync(d, iova + done, b[i].base, len, prot);
		if (ret) {
			if (done)
				iommu_unmap(d, iova, done);
			return ret;
		}
		done += len;
		i = j;
	}
	return iommu_sync_map(d, iova, done);
}

static void remember(struct iommu_domain *d, uint64_t key, struct coherent_block *b, unsigned n)
{
	struct coherent_area *a = g_new(struct coherent_area, 1);

	if (!d->coherent)
		d->coherent = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	*a = (struct coherent_area){b, n};
	g_hash_table_insert(d->coherent, g_memdup2(&key, sizeof(key)), a);
}

/* A key that is no page's address. */
static uint64_t no_iova(const struct coherent_block *b)
{
	return (uintptr_t)b | 1;
}

static void forget(struct iommu_domain *d, uint64_t key)
{
	g_free(g_hash_table_lookup(d->coherent, &key));
	g_hash_table_remove(d->coherent, &key);
}

/* Physically contiguous: what callers that cannot sleep, and DMA_ATTR_FORCE_CONTIGUOUS, get. */
static struct coherent_block *alloc_contiguous(struct dma_layer *l, struct device *dev, size_t pages)
{
	struct coherent_block *b = g_new(struct coherent_block, 1);

	b->order = order_base_2(pages);
	b->recorded = recorded_pages(dev, b->order, &b->base);
	if (!b->recorded)
		b->base = memory_alloc_pages(l->mem, dev->node, b->order);
	if (b->base)
		return b;
	g_free(b);
	return NULL;
}

phys_addr_t iommu_dma_alloc(struct device *dev, size_t size, dma_addr_t *handle, unsigned long attrs)
{
	struct iommu_domain *d = dev->domain;
	bool contiguous = attrs & DMA_ATTR_FORCE_CONTIGUOUS;
	unsigned prot = dma_info_to_prot(DMA_BIDIRECTIONAL, dev->coherent, attrs);
	size_t len = align_up(size, PAGE_SIZE);
	struct coherent_block *b;
	phys_addr_t first;
	unsigned n = 1;
	dma_addr_t iova;

	b = contiguous ? alloc_contiguous(d->l, dev, len >> PAGE_SHIFT)
		       : alloc_blocks(d, dev, len >> PAGE_SHIFT, attrs, &n);
	if (!b)
		return 0;
	/* A run may stop in the middle of this call: the domain knows the blocks before they have an IOVA. */
	remember(d, no_iova(b), b, n);
	iova = iommu_dma_alloc_iova(d, len, dev->dma_mask, dev);
	if (!iova)
		goto free_blocks;
	if (contiguous ? iommu_map(d, iova, b->base, len, prot) : map_blocks(d, iova, b, n, prot)) {
		iommu_dma_free_iova(d, iova, len, NULL);
		goto free_blocks;
	}
	first = b->base;
	forget(d, no_iova(b));
	remember(d, iova, b, n);
	*handle = iova;
	return first;

free_blocks:
	forget(d, no_iova(b));
	free_blocks(d->l, b, n);
	g_free(b);
	return 0;
}

void iommu_dma_free(struct device *dev, size_t size, phys_addr_t phys, dma_addr_t handle, unsigned long attrs)
{
	struct iommu_domain *d = dev->domain;
	struct coherent_area *a = d->coherent ? g_hash_table_lookup(d->coherent, &handle) : NULL;

	(void)phys;
	(void)attrs;
	g_assert(a);
	__iommu_dma_unmap(dev, handle, size);
	free_blocks(d->l, a->blocks, a->nblocks);
	g_free(a->blocks);
	g_free(a);
	g_hash_table_remove(d->coherent, &handle);
}

void coherent_exit(struct iommu_domain *d)
{
	GHashTableIter it;
	gpointer value;

	if (!d->coherent)
		return;
	g_hash_table_iter_init(&it, d->coherent);
	while (g_hash_table_iter_next(&it, NULL, &value)) {
		struct coherent_area *a = value;

		free_blocks(d->l, a->blocks, a->nblocks);
		g_free(a->blocks);
		g_free(a);
	}
	g_clear_pointer(&d->coherent, g_hash_table_destroy);
}

/* ---- direct ---- */

static phys_addr_t direct_alloc(struct device *dev, size_t size, dma_addr_t *handle)
{
	unsigned order = order_base_2(div_round_up(size, PAGE_SIZE));
	phys_addr_t phys = 0;

	if (recorded_pages(dev, order, &phys)) {
		*handle = phys;
		return phys;
	}
	phys = memory_alloc_pages(dev->dma->mem, dev->node, order);
	if (!phys)
		return 0;
	if (!dma_capable(dev, phys, size)) {
		memory_free_pages(dev->dma->mem, phys, order);
		return 0;
	}
	*handle = phys;
	return phys;
}

/* ---- API ---- */

phys_addr_t dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle, unsigned long attrs)
{
	phys_addr_t phys;

	if (!size)
		return 0;
	phys = use_dma_iommu(dev) ? iommu_dma_alloc(dev, size, handle, attrs)
				  : direct_alloc(dev, size, handle);
	if (phys) {
		dev->dma->st->coherent_allocs++;
		dma_observe(dev, DMA_CALL_ALLOC, .addr = *handle, .phys = phys, .size = size);
	}
	return phys;
}

phys_addr_t dma_coherent_phys(struct device *dev, phys_addr_t phys, dma_addr_t handle, size_t offset)
{
	if (!use_dma_iommu(dev))
		return phys + offset;
	return pgtable_iova_to_phys(dev->domain->pt, handle + offset, NULL);
}

void dma_free_attrs(struct device *dev, size_t size, phys_addr_t phys, dma_addr_t handle, unsigned long attrs)
{
	if (!phys)
		return;
	dev->dma->st->coherent_frees++;
	dma_observe(dev, DMA_CALL_FREE, .addr = handle, .phys = phys, .size = size);
	if (use_dma_iommu(dev))
		iommu_dma_free(dev, size, phys, handle, attrs);
	else if (!dev->dma->replay || !dev->dma->replay->coherent_pages)
		memory_free_pages(dev->dma->mem, phys, order_base_2(div_round_up(size, PAGE_SIZE)));
}
