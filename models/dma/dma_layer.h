/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DMA layer of one machine: everything of models/dma that is not the driver-facing API.
 * (kernel/dma, drivers/iommu/{dma-iommu,iova,iommu}.c, drivers/iommu/intel, kernel/dma/swiotlb.c.)
 */
#ifndef DMASIM_MODELS_DMA_DMA_LAYER_H
#define DMASIM_MODELS_DMA_DMA_LAYER_H

#include "models/memory/memory.h"
#include "models/vtd/vtd.h"
#include "sim/cpu.h"
#include <dmasim/device.h>
#include <dmasim/kernel.h>
#include <dmasim/param.h>
#include <dmasim/stat.h>

struct iova_params {
	bool forcedac;          /* iommu.forcedac: no 32-bit-first */
	uint64_t magazine_size; /* pfns per magazine */
	sim_time_t depot_delay; /* trimmer period */
	uint64_t cache_classes; /* sizes of 1, 2, 4 ... pages that are cached */
};
struct flush_queue_params {
	uint64_t entries; /* ring size per CPU */
	sim_time_t timeout;
	uint64_t hz; /* CONFIG_HZ: the timer wheel's tick */
};
struct swiotlb_params {
	uint64_t
	    size; /* bytes of the default pool; 0: what the kernel chooses (64 MiB; encrypted guest: 6 %) */
	uint64_t areas;    /* 0: number of CPUs rounded up to a power of two */
	bool force;        /* swiotlb=force */
	bool disable;      /* swiotlb=noforce: no pool at all */
	bool dynamic;      /* CONFIG_SWIOTLB_DYNAMIC */
	bool confidential; /* encrypted guest (SEV, TDX): the pool is shared memory and everything bounces */
	uint64_t base;     /* physical base, 0: allocated below 4 GiB */
};
extern const struct param_table iova_param_table, flush_queue_param_table, swiotlb_param_table;

struct dma_params {
	struct iova_params iova;
	struct flush_queue_params flush_queue;
	struct swiotlb_params swiotlb;
	const char *reserved; /* IOVA windows of the host bridge (iommu.reserved), NULL: none */
};

struct dma_stats {
	uint64_t map_calls, unmap_calls; /* one per API call: single mappings and whole lists */
	uint64_t map_page_calls, unmap_page_calls, map_phys_calls, unmap_phys_calls, map_sg_calls,
	    unmap_sg_calls;
	uint64_t iova_try_alloc_calls, link_calls, sync_calls, unlink_calls, destroy_calls;
	uint64_t coherent_allocs, coherent_frees;
	uint64_t bytes_mapped;
	uint64_t iova_allocs, iova_frees, iova_pages_allocated, iova_pages_freed;
	uint64_t rcache_hits, rcache_puts, depot_refills, depot_spills, tree_allocs, tree_frees, depot_trims,
	    rcache_flushes, iova_failures, iova_32bit_given_up, tree_steps;
	struct lock_stats tree_lock; /* of all domains */
	sim_time_t iova_alloc_time, iova_free_time;
	uint64_t iommu_map_ops, iommu_unmap_ops, iommu_map_bytes, iommu_unmap_bytes, ptes_written,
	    ptes_cleared, walks_software, table_pages_allocated, table_pages_freed, iotlb_syncs, sync_maps,
	    flush_all, indirect_calls, write_buffer_flushes;
	uint64_t fq_entries, fq_timeouts, fq_ring_full;
	uint64_t swiotlb_bounces, swiotlb_bytes_copied, swiotlb_slots_used, swiotlb_slots_peak,
	    swiotlb_failures;
	uint64_t overmapped_bytes; /* mapped beyond the buffers: granule rounding, segment padding (sum over
				      mappings) */
	uint64_t direct_pages;     /* of reserved regions, mapped to themselves */
	uint64_t cacheable_mmio_pages; /* device memory mapped with the cacheable attribute */
	sim_time_t map_time, unmap_time;
	struct hist *map_size, *unmap_size, *iova_pages;
};
extern const struct stat_table dma_stat_table;

/* Whether text is a list of windows as dma_params.reserved takes it. */
G_GNUC_WARN_UNUSED_RESULT bool dma_reserved_check(const char *text, GError **error);

struct dma_layer;
struct dma_layer *dma_layer_new(struct sim *sim, struct memory *mem, struct iommu_unit *unit,
				enum iommu_mode mode, const struct kernel_profile *kernel,
				const struct dma_params *p, struct dma_stats *st);
void dma_layer_free(struct dma_layer *l);

/*
 * Attach dev: gives it its domain (domain ids from 2 upwards in order of attachment), or the direct
 * path; fills the defaults of struct device that the PCI core sets (dev->untrusted and dev->resv must be
 * set before). Domains keep clear of params.reserved ("80000000-afffffff,..."). 0, -EINVAL if that text is
 * malformed, -ENOSPC when the unit has no domain id left, -ERANGE when a region of dev->resv lies beyond
 * what it can map, or -ENOMEM.
 */
int dma_layer_attach(struct dma_layer *l, struct device *dev);
void dma_layer_detach(struct device *dev);

const struct kernel_profile *dma_kernel(const struct device *dev);

#endif
