/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dispatch of the DMA API to the direct or the IOMMU path, with its prechecks, and the queries that
 * drivers plan their requests with (Linux kernel/dma/mapping.c). On x86 without GART or Xen there are
 * just these two paths, both plain calls.
 */
#include "internal.h"

#include "sim/timeline.h"

static bool valid_dma_direction(enum dma_data_direction dir)
{
	return dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE || dir == DMA_FROM_DEVICE;
}

/* CPU time between two points of one API call goes to one statistic. */
static sim_time_t enter(struct device *dev)
{
	sim_time_t start = dev->sim->cpu->now;

	cpu_charge(dev->sim->cpu, COST_DMA_MAP_FIXED);
	return start;
}

/* ---- single mappings ---- */

/* The one exit of single mappings. */
static dma_addr_t mapped(struct device *dev, sim_time_t start, dma_addr_t addr, phys_addr_t phys, size_t size,
			 enum dma_data_direction dir)
{
	struct dma_stats *st = dev->dma->st;

	if (addr != DMA_MAPPING_ERROR)
		st->bytes_mapped += size;
	st->map_time += dev->sim->cpu->now - start;
	sim_slice(dev->sim, TIMELINE_MAP, "dma_map_phys", start, dev->sim->cpu->now);
	dma_observe(dev, DMA_CALL_MAP, .addr = addr, .phys = phys, .size = size, .dir = dir);
	return addr;
}

static dma_addr_t map_phys(struct device *dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
			   unsigned long attrs)
{
	sim_time_t start = enter(dev);
	dma_addr_t addr = DMA_MAPPING_ERROR;

	g_assert(valid_dma_direction(dir));
	dev->dma->st->map_calls++;
	if (dev->dma_mask == 0 || (!dev->coherent && (attrs & DMA_ATTR_REQUIRE_COHERENT)))
		goto out;
	if (!use_dma_iommu(dev))
		addr = dma_direct_map_phys(dev, phys, size, dir, attrs);
	else if (!(attrs & DMA_ATTR_CC_SHARED))
		addr = iommu_dma_map_phys(dev, phys, size, dir, attrs);
out:
	return mapped(dev, start, addr, phys, size, dir);
}

static void unmap_phys(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
		       unsigned long attrs)
{
	struct dma_stats *st = dev->dma->st;
	sim_time_t start = enter(dev);

	g_assert(valid_dma_direction(dir));
	st->unmap_calls++;
	dma_observe(dev, DMA_CALL_UNMAPPING, .addr = addr, .size = size, .dir = dir);
	if (!use_dma_iommu(dev))
		dma_direct_unmap_phys(dev, addr, size, dir, attrs);
	else if (!(attrs & DMA_ATTR_CC_SHARED))
		iommu_dma_unmap_phys(dev, addr, size, dir, attrs);
	st->unmap_time += dev->sim->cpu->now - start;
	sim_slice(dev->sim, TIMELINE_UNMAP, "dma_unmap_phys", start, dev->sim->cpu->now);
	dma_observe(dev, DMA_CALL_UNMAP, .addr = addr, .size = size);
}

dma_addr_t dma_map_phys(struct device *dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
			unsigned long attrs)
{
	dev->dma->st->map_phys_calls++;
	return map_phys(dev, phys, size, dir, attrs);
}

void dma_unmap_phys(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
		    unsigned long attrs)
{
	dev->dma->st->unmap_phys_calls++;
	unmap_phys(dev, addr, size, dir, attrs);
}

/* Since 6.18 the page functions are wrappers of the physical-address ones and show as both. */
dma_addr_t dma_map_page_attrs(struct device *dev, phys_addr_t page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_stats *st = dev->dma->st;

	st->map_page_calls++;
	if (attrs & DMA_ATTR_MMIO)
		return DMA_MAPPING_ERROR;
	if (dev->dma->kernel->has_map_phys)
		st->map_phys_calls++;
	return map_phys(dev, page + offset, size, dir, attrs);
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
			  unsigned long attrs)
{
	struct dma_stats *st = dev->dma->st;

	st->unmap_page_calls++;
	if (attrs & DMA_ATTR_MMIO)
		return;
	if (dev->dma->kernel->has_map_phys)
		st->unmap_phys_calls++;
	unmap_phys(dev, addr, size, dir, attrs);
}

/*
 * Before the physical-address series resources had a path of their own, on which the direct mapping
 * was the identity even when everything else was forced to bounce (dma_direct_map_resource).
 */
dma_addr_t dma_map_resource(struct device *dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
			    unsigned long attrs)
{
	sim_time_t start;

	if (dev->dma->kernel->has_map_phys)
		return dma_map_phys(dev, phys, size, dir, attrs | DMA_ATTR_MMIO);
	if (use_dma_iommu(dev) || dev->dma_mask == 0)
		return map_phys(dev, phys, size, dir, attrs | DMA_ATTR_MMIO);
	start = enter(dev);
	dev->dma->st->map_calls++;
	return mapped(dev, start, dma_capable(dev, phys, size) ? phys : DMA_MAPPING_ERROR, phys, size, dir);
}

void dma_unmap_resource(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
			unsigned long attrs)
{
	if (dev->dma->kernel->has_map_phys)
		dma_unmap_phys(dev, addr, size, dir, attrs | DMA_ATTR_MMIO);
	else
		unmap_phys(dev, addr, size, dir, attrs | DMA_ATTR_MMIO);
}

int dma_mapping_error(struct device *dev, dma_addr_t addr)
{
	(void)dev;
	return addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

/* ---- lists ---- */

static int do_map_sg(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
		     unsigned long attrs)
{
	if (!dev->coherent && (attrs & DMA_ATTR_REQUIRE_COHERENT))
		return -EOPNOTSUPP;
	if (dev->dma_mask == 0)
		return 0;
	return use_dma_iommu(dev) ? iommu_dma_map_sg(dev, sg, nents, dir, attrs)
				  : dma_direct_map_sg(dev, sg, nents, dir, attrs);
}

/* What callers of the list functions are told of other errors. */
static int sg_error(int err)
{
	switch (err) {
	case -EINVAL:
	case -ENOMEM:
	case -EIO:
	case -EREMOTEIO:
	case -EOPNOTSUPP:
		return err;
	default:
		return -EIO;
	}
}

static int map_sg(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
		  unsigned long attrs)
{
	struct dma_stats *st = dev->dma->st;
	sim_time_t start = enter(dev);
	struct scatterlist *s;
	int n, i;

	g_assert(valid_dma_direction(dir));
	st->map_calls++;
	st->map_sg_calls++;
	n = do_map_sg(dev, sg, nents, dir, attrs);
	if (n > 0)
		for_each_sg (sg, s, nents, i)
			st->bytes_mapped += s->length;
	st->map_time += dev->sim->cpu->now - start;
	sim_slice(dev->sim, TIMELINE_MAP, "dma_map_sg", start, dev->sim->cpu->now);
	if (n > 0)
		dma_observe(dev, DMA_CALL_MAP_SG, .dir = dir, .sg = sg, .nents = (unsigned)nents,
			    .segments = (unsigned)n);
	return n < 0 ? sg_error(n) : n;
}

unsigned dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
			  unsigned long attrs)
{
	int n = map_sg(dev, sg, nents, dir, attrs);

	return n < 0 ? 0 : (unsigned)n;
}

void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
			unsigned long attrs)
{
	struct dma_stats *st = dev->dma->st;
	sim_time_t start = enter(dev);

	g_assert(valid_dma_direction(dir));
	st->unmap_calls++;
	st->unmap_sg_calls++;
	dma_observe(dev, DMA_CALL_UNMAP_SG, .dir = dir, .sg = sg, .nents = (unsigned)nents);
	if (!use_dma_iommu(dev))
		dma_direct_unmap_sg(dev, sg, nents, dir, attrs);
	else
		iommu_dma_unmap_sg(dev, sg, nents, dir, attrs);
	st->unmap_time += dev->sim->cpu->now - start;
	sim_slice(dev->sim, TIMELINE_UNMAP, "dma_unmap_sg", start, dev->sim->cpu->now);
}

int dma_map_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		    unsigned long attrs)
{
	int n = map_sg(dev, sgt->sgl, (int)sgt->orig_nents, dir, attrs);

	if (n < 0)
		return n;
	sgt->nents = (unsigned)n;
	return 0;
}

void dma_unmap_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs)
{
	dma_unmap_sg_attrs(dev, sgt->sgl, (int)sgt->orig_nents, dir, attrs);
}

/* ---- explicit ownership changes: nothing at all while the device's skip flag stands ---- */

void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir)
{
	g_assert(valid_dma_direction(dir));
	dma_observe(dev, DMA_CALL_SYNC_SINGLE, .addr = addr, .size = size, .dir = dir);
	if (dev->dma_skip_sync)
		return;
	enter(dev);
	if (!use_dma_iommu(dev))
		dma_direct_sync_single_for_cpu(dev, addr, size, dir);
	else
		iommu_dma_sync_single_for_cpu(dev, addr, size, dir);
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir)
{
	g_assert(valid_dma_direction(dir));
	dma_observe(dev, DMA_CALL_SYNC_SINGLE, .addr = addr, .size = size, .dir = dir);
	if (dev->dma_skip_sync)
		return;
	enter(dev);
	if (!use_dma_iommu(dev))
		dma_direct_sync_single_for_device(dev, addr, size, dir);
	else
		iommu_dma_sync_single_for_device(dev, addr, size, dir);
}

void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir)
{
	g_assert(valid_dma_direction(dir));
	if (dev->dma_skip_sync)
		return;
	enter(dev);
	if (!use_dma_iommu(dev))
		dma_direct_sync_sg_for_cpu(dev, sg, nents, dir);
	else
		iommu_dma_sync_sg_for_cpu(dev, sg, nents, dir);
}

void dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir)
{
	g_assert(valid_dma_direction(dir));
	if (dev->dma_skip_sync)
		return;
	enter(dev);
	if (!use_dma_iommu(dev))
		dma_direct_sync_sg_for_device(dev, sg, nents, dir);
	else
		iommu_dma_sync_sg_for_device(dev, sg, nents, dir);
}

/* ---- queries ---- */

bool dma_need_unmap(struct device *dev)
{
	return use_dma_iommu(dev) || !dev->dma_skip_sync;
}

bool dma_need_sync(struct device *dev, dma_addr_t addr)
{
	if (dev->dma_skip_sync)
		return false;
	if (use_dma_iommu(dev))
		return true;
	return !dev->coherent || is_swiotlb_buffer(dev, addr);
}

size_t dma_max_mapping_size(struct device *dev)
{
	return use_dma_iommu(dev) ? iommu_dma_max_mapping_size(dev) : dma_direct_max_mapping_size(dev);
}

size_t dma_opt_mapping_size(struct device *dev)
{
	size_t max = dma_max_mapping_size(dev);

	return use_dma_iommu(dev) ? MIN(max, iommu_dma_opt_mapping_size(dev)) : max;
}

unsigned long dma_get_merge_boundary(struct device *dev)
{
	return use_dma_iommu(dev) ? iommu_dma_get_merge_boundary(dev) : 0;
}
