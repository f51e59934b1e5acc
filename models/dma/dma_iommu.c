/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DMA API over an IOMMU domain: single mappings (drivers/iommu/dma-iommu.c). One IOVA, one map and one
 * sync per mapping; unmapping looks the page up, unmaps, flushes or queues, and frees the IOVA.
 */
#include "iommu.h"

/* ---- IOVA policy ---- */

dma_addr_t iommu_dma_alloc_iova(struct iommu_domain *d, size_t size, uint64_t dma_limit, struct device *dev)
{
	uint64_t pages = size >> PAGE_SHIFT;
	uint64_t pfn = 0;

	if (dev->bus_dma_limit)
		dma_limit = MIN(dma_limit, dev->bus_dma_limit);
	dma_limit = MIN(dma_limit, d->aperture_end);
	if (dma_limit > UINT32_MAX && dev->pci_32bit_workaround) {
		pfn = alloc_iova_fast(&d->iovad, pages, UINT32_MAX >> PAGE_SHIFT, false);
		if (pfn)
			return pfn << PAGE_SHIFT;
		if (d->l->kernel->dac_gives_up) {
			dev->pci_32bit_workaround = false;
			d->l->st->iova_32bit_given_up++;
		}
	}
	pfn = alloc_iova_fast(&d->iovad, pages, dma_limit >> PAGE_SHIFT, true);
	if (G_UNLIKELY(!pfn))
		sim_refuse(dev->sim, "IOVA space exhausted for", dev->name, pages << PAGE_SHIFT);
	return pfn << PAGE_SHIFT;
}

void iommu_dma_free_iova(struct iommu_domain *d, dma_addr_t iova, size_t size, struct iommu_iotlb_gather *g)
{
	if (g && g->queued)
		queue_iova(d, iova >> PAGE_SHIFT, size >> PAGE_SHIFT, &g->freelist);
	else
		free_iova_fast(&d->iovad, iova >> PAGE_SHIFT, size >> PAGE_SHIFT);
}

unsigned dma_info_to_prot(enum dma_data_direction dir, bool coherent, unsigned long attrs)
{
	unsigned prot;

	if (attrs & DMA_ATTR_MMIO)
		prot = IOMMU_MMIO;
	else
		prot = coherent ? IOMMU_CACHE : 0;
	if (attrs & DMA_ATTR_PRIVILEGED)
		prot |= IOMMU_PRIV;
	switch (dir) {
	case DMA_BIDIRECTIONAL:
		return prot | IOMMU_READ | IOMMU_WRITE;
	case DMA_TO_DEVICE:
		return prot | IOMMU_READ;
	case DMA_FROM_DEVICE:
		return prot | IOMMU_WRITE;
	default:
		return 0;
	}
}

/* ---- bouncing for untrusted devices ---- */

/* The kmalloc rule of non-coherent platforms is not built on x86: untrusted alone decides. */
bool dev_use_swiotlb(const struct device *dev)
{
	return dev->untrusted;
}

static bool unaligned(phys_addr_t phys, size_t size)
{
	return (phys | size) & ~PAGE_MASK;
}

static void zero_bytes(struct device *dev, phys_addr_t phys, size_t len)
{
	static const char zeroes[PAGE_SIZE];

	if (len)
		memory_write(dev->dma->mem, phys, zeroes, len);
}

phys_addr_t iommu_dma_map_swiotlb(struct device *dev, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs)
{
	phys_addr_t tlb;

	if (!is_swiotlb_active(dev)) {
		sim_refuse(dev->sim, "no bounce pool for", dev->name, size);
		return DMA_MAPPING_ERROR;
	}
	tlb = swiotlb_tbl_map_single(dev, phys, size, (unsigned)(PAGE_SIZE - 1), dir, attrs);
	if (tlb == DMA_MAPPING_ERROR || !dev->untrusted)
		return tlb;
	/* Old contents of the slots around the data must not be readable. */
	zero_bytes(dev, tlb & PAGE_MASK, tlb & ~PAGE_MASK);
	zero_bytes(dev, tlb + size, align_up(tlb + size, PAGE_SIZE) - (tlb + size));
	return tlb;
}

/* ---- one range ---- */

dma_addr_t __iommu_dma_map(struct device *dev, phys_addr_t phys, size_t size, unsigned prot,
			   uint64_t dma_mask)
{
	struct iommu_domain *d = dev->domain;
	size_t offset = phys & ~PAGE_MASK;
	size_t len = align_up(size + offset, PAGE_SIZE);
	dma_addr_t iova;

	if (dev->min_align_mask > PAGE_SIZE - 1) {
		sim_refuse(dev->sim, "alignment beyond a page cannot be kept for", dev->name, size);
		return DMA_MAPPING_ERROR;
	}
	iova = iommu_dma_alloc_iova(d, len, dma_mask, dev);
	if (!iova)
		return DMA_MAPPING_ERROR;
	if (iommu_map(d, iova, phys - offset, len, prot)) {
		iommu_dma_free_iova(d, iova, len, NULL);
		return DMA_MAPPING_ERROR;
	}
	return iova + offset;
}

void __iommu_dma_unmap(struct device *dev, dma_addr_t addr, size_t size)
{
	struct iommu_domain *d = dev->domain;
	struct iommu_iotlb_gather gather = IOMMU_IOTLB_GATHER_INIT;
	size_t offset = addr & ~PAGE_MASK;

	addr -= offset;
	size = align_up(size + offset, PAGE_SIZE);
	gather.queued = d->fq != NULL;
	iommu_unmap_fast(d, addr, size, &gather);
	if (!gather.queued)
		iommu_iotlb_sync(d, &gather);
	iommu_dma_free_iova(d, addr, size, &gather);
}

/* ---- single mappings ---- */

dma_addr_t iommu_dma_map_phys(struct device *dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
			      unsigned long attrs)
{
	unsigned prot = dma_info_to_prot(dir, dev->coherent, attrs);
	bool bounced = false;
	dma_addr_t addr;

	if (G_UNLIKELY(dev_use_swiotlb(dev)) && unaligned(phys, size) &&
	    (!(attrs & DMA_ATTR_MMIO) || dev->dma->kernel->mmio_bounces)) {
		if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT)) {
			sim_refuse(dev->sim, "memory that must bounce and cannot for", dev->name, size);
			return DMA_MAPPING_ERROR;
		}
		phys = iommu_dma_map_swiotlb(dev, phys, size, dir, attrs);
		if (phys == DMA_MAPPING_ERROR)
			return DMA_MAPPING_ERROR;
		bounced = true;
	}
	addr = __iommu_dma_map(dev, phys, size, prot, dev->dma_mask);
	if (addr == DMA_MAPPING_ERROR) {
		if (bounced)
			swiotlb_tbl_unmap_single(dev, phys, size, dir, attrs);
		return addr;
	}
	dev->dma->st->overmapped_bytes += align_up(size + (addr & ~PAGE_MASK), PAGE_SIZE) - size;
	return addr;
}

void iommu_dma_unmap_phys(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
			  unsigned long attrs)
{
	phys_addr_t phys;

	if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT)) {
		__iommu_dma_unmap(dev, addr, size);
		return;
	}
	phys = iommu_iova_to_phys(dev->domain, addr);
	if (!phys)
		return;
	__iommu_dma_unmap(dev, addr, size);
	/* Slots go back only after the translation to them is gone. */
	if (G_UNLIKELY(is_swiotlb_buffer(dev, phys)))
		swiotlb_tbl_unmap_single(dev, phys, size, dir, attrs);
}

/* ---- explicit ownership changes ---- */

void iommu_dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	phys_addr_t phys;

	if (dev->coherent && !dev_use_swiotlb(dev))
		return;
	phys = iommu_iova_to_phys(dev->domain, addr);
	if (is_swiotlb_buffer(dev, phys))
		swiotlb_sync_single_for_cpu(dev, phys, size, dir);
}

void iommu_dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				      enum dma_data_direction dir)
{
	phys_addr_t phys;

	if (dev->coherent && !dev_use_swiotlb(dev))
		return;
	phys = iommu_iova_to_phys(dev->domain, addr);
	if (is_swiotlb_buffer(dev, phys))
		swiotlb_sync_single_for_device(dev, phys, size, dir);
}

void iommu_dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
			       enum dma_data_direction dir)
{
	struct scatterlist *s;
	int i;

	if (!(sg->dma_flags & SG_DMA_SWIOTLB))
		return;
	for_each_sg (sg, s, nents, i)
		iommu_dma_sync_single_for_cpu(dev, s->dma_address, s->length, dir);
}

void iommu_dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
				  enum dma_data_direction dir)
{
	struct scatterlist *s;
	int i;

	if (!(sg->dma_flags & SG_DMA_SWIOTLB))
		return;
	for_each_sg (sg, s, nents, i)
		iommu_dma_sync_single_for_device(dev, s->dma_address, s->length, dir);
}

/* ---- limits ---- */

size_t iommu_dma_opt_mapping_size(const struct device *dev)
{
	return PAGE_SIZE << (dev->dma->params.iova.cache_classes - 1);
}

size_t iommu_dma_max_mapping_size(struct device *dev)
{
	return dev->untrusted ? swiotlb_max_mapping_size(dev) : SIZE_MAX;
}

unsigned long iommu_dma_get_merge_boundary(struct device *dev)
{
	(void)dev;
	return PAGE_SIZE - 1;
}
