/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct mapping: the device's address is the physical one, or that of a bounce buffer
 * (Linux kernel/dma/direct.c, direct.h, include/linux/dma-direct.h).
 */
#include "internal.h"

dma_addr_t dma_direct_map_phys(struct device *dev, phys_addr_t phys, size_t size, enum dma_data_direction dir,
			       unsigned long attrs)
{
	const char *why = "memory out of reach that cannot bounce for";

	if (is_swiotlb_force_bounce(dev)) {
		if (!(attrs & DMA_ATTR_CC_SHARED)) {
			why = "memory that must bounce and cannot for";
			if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT))
				goto refuse;
			return swiotlb_map(dev, phys, size, dir, attrs);
		}
	} else if (attrs & DMA_ATTR_CC_SHARED) {
		why = "shared memory in a machine without encryption for";
		goto refuse;
	}
	if (dma_capable(dev, phys, size))
		return phys;
	if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_CC_SHARED | DMA_ATTR_REQUIRE_COHERENT))
		goto refuse;
	why = "memory out of reach and no bounce pool for";
	if (is_swiotlb_active(dev))
		return swiotlb_map(dev, phys, size, dir, attrs);
refuse:
	sim_refuse(dev->sim, why, dev->name, size);
	return DMA_MAPPING_ERROR;
}

void dma_direct_unmap_phys(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
			   unsigned long attrs)
{
	if (attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT))
		return;
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		dma_direct_sync_single_for_cpu(dev, addr, size, dir);
	if (is_swiotlb_buffer(dev, addr))
		swiotlb_tbl_unmap_single(dev, addr, size, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
}

int dma_direct_map_sg(struct device *dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir,
		      unsigned long attrs)
{
	struct pci_p2pdma_map_state state = {0};
	struct scatterlist *sg;
	int i, error;

	for_each_sg (sgl, sg, nents, i) {
		phys_addr_t phys = sg_phys(sg);

		cpu_charge(dev->sim->cpu, COST_SG_SEGMENT);
		switch (pci_p2pdma_state(&state, dev, phys)) {
		case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
			/* The defect of 6.16: such entries kept whatever address they had. */
			if (dev->dma->kernel->direct_sg_thb)
				break;
			/* fall through */
		case PCI_P2PDMA_MAP_NONE:
			sg->dma_address = dma_direct_map_phys(dev, phys, sg->length, dir, attrs);
			if (sg->dma_address == DMA_MAPPING_ERROR) {
				error = -EIO;
				goto unmap;
			}
			break;
		case PCI_P2PDMA_MAP_BUS_ADDR:
			sg->dma_address = pci_p2pdma_bus_addr_map(&state, phys);
			sg->dma_length = sg->length;
			sg->dma_flags |= SG_DMA_BUS_ADDRESS;
			continue;
		default:
			error = -EREMOTEIO;
			goto unmap;
		}
		sg->dma_length = sg->length;
	}
	return nents;

unmap:
	dma_direct_unmap_sg(dev, sgl, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
	return error;
}

void dma_direct_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir,
			 unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg (sgl, sg, nents, i) {
		cpu_charge(dev->sim->cpu, COST_SG_SEGMENT);
		if (sg->dma_flags & SG_DMA_BUS_ADDRESS)
			sg->dma_flags &= ~SG_DMA_BUS_ADDRESS;
		else
			dma_direct_unmap_phys(dev, sg->dma_address, sg->dma_length, dir, attrs);
	}
}

void dma_direct_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				    enum dma_data_direction dir)
{
	swiotlb_sync_single_for_cpu(dev, addr, size, dir);
}

void dma_direct_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				       enum dma_data_direction dir)
{
	swiotlb_sync_single_for_device(dev, addr, size, dir);
}

void dma_direct_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl, int nents,
				enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg (sgl, sg, nents, i)
		swiotlb_sync_single_for_cpu(dev, sg->dma_address, sg->length, dir);
}

void dma_direct_sync_sg_for_device(struct device *dev, struct scatterlist *sgl, int nents,
				   enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg (sgl, sg, nents, i)
		swiotlb_sync_single_for_device(dev, sg->dma_address, sg->length, dir);
}

size_t dma_direct_max_mapping_size(struct device *dev)
{
	if (is_swiotlb_active(dev) && (dma_addressing_limited(dev) || is_swiotlb_force_bounce(dev)))
		return swiotlb_max_mapping_size(dev);
	return SIZE_MAX;
}
