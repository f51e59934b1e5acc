/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct device: what the DMA layer knows of a device (include/linux/device.h, the DMA members). */
#ifndef DMASIM_DEVICE_H
#define DMASIM_DEVICE_H

#include <dmasim/types.h>

struct dma_layer;
struct io_tlb_pool;
struct iommu_domain;
struct pcie_node;
struct sim;

/* Memory that firmware has the device use: mapped to itself, kept out of its IOVA space (RMRR). */
struct iommu_resv_region {
	uint64_t start, last;
};

struct device {
	struct sim *sim;
	struct dma_layer *dma; /* the machine's DMA layer */
	struct pcie_node *pci;
	const char *name; /* "0000:00:01.0" */
	unsigned node;
	uint64_t dma_mask, bus_dma_limit; /* 0: no limit */
	uint64_t seg_boundary_mask;       /* dma_get_seg_boundary */
	uint32_t max_segment_size, min_align_mask;
	bool coherent, untrusted;
	bool dma_skip_sync;
	bool pci_32bit_workaround;           /* try below 4 GiB first */
	bool use_dma_iommu;                  /* on the IOMMU DMA path (strict or lazy domain) */
	bool dma_uses_swiotlb;               /* has bounced at least once */
	struct io_tlb_pool *transient_pools; /* bounce pools of single mappings (CONFIG_SWIOTLB_DYNAMIC) */
	struct iommu_domain *domain;         /* NULL: direct */
	struct iommu_resv_region *resv;      /* set before it is attached; owned by who makes the device */
	unsigned nresv;
};

#endif
