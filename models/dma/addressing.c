/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device can address: masks, limits, and the mask that its path needs (Linux kernel/dma/mapping.c,
 * kernel/dma/direct.c, include/linux/dma-direct.h).
 */
#include "internal.h"

/* All masks and limits that are set bound the last byte. */
static uint64_t device_limit(const struct device *dev)
{
	return dev->bus_dma_limit ? MIN(dev->dma_mask, dev->bus_dma_limit) : dev->dma_mask;
}

bool dma_capable(const struct device *dev, dma_addr_t addr, size_t size)
{
	return addr != DMA_MAPPING_ERROR && addr + size - 1 >= addr && addr + size - 1 <= device_limit(dev);
}

/* Direct: every page of memory. */
static uint64_t direct_required_mask(const struct device *dev)
{
	phys_addr_t last_page = memory_max(dev->dma->mem) & PAGE_MASK;

	return last_page ? UINT64_MAX >> __builtin_clzll(last_page) : 0;
}

uint64_t dma_get_required_mask(struct device *dev)
{
	return use_dma_iommu(dev) ? UINT32_MAX : direct_required_mask(dev);
}

bool dma_addressing_limited(struct device *dev)
{
	return device_limit(dev) < dma_get_required_mask(dev);
}

void dma_setup_need_sync(struct device *dev)
{
	dev->dma_skip_sync = dev->coherent;
}

int dma_set_mask(struct device *dev, uint64_t mask)
{
	/* Direct: 32 bits always work; less must still reach the 16 MiB DMA zone, or all memory. */
	if (!use_dma_iommu(dev) && mask < UINT32_MAX &&
	    mask < MIN(memory_max(dev->dma->mem) & PAGE_MASK, (uint64_t)16 * MIB - 1))
		return -EIO;
	dev->dma_mask = mask;
	dma_setup_need_sync(dev);
	return 0;
}
