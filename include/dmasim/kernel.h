/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between kernel releases, as data: one row per release, read by the DMA layer, the
 * block layer and the drivers. No code asks for a version.
 */
#ifndef DMASIM_KERNEL_H
#define DMASIM_KERNEL_H

#include <dmasim/export.h>
#include <dmasim/types.h>

enum kernel_version { KERNEL_6_1, KERNEL_6_12, KERNEL_7_0, KERNEL_VERSIONS };

struct kernel_profile {
	const char *name;  /* "6.12" */
	bool has_iova_api; /* dma_iova_*: 6.16 */
	bool has_map_phys; /* 6.18: dma_map_page is dma_map_phys */
	bool generic_pt;   /* generic radix page table; else per-chunk page-size calls */
	bool ih_hint; /* page-selective descriptors carry IH when no table was freed (6.12, 7.0; not 6.1) */
	bool cache_tags;        /* flushes of one domain one after the other, under its cache_lock (6.10) */
	unsigned qi_batch;      /* descriptors per submission; 1 on 6.1 */
	bool opt_mapping_clamp; /* max_hw_sectors <= dma_opt_mapping_size (6.4) */
	bool bio_merges_pages;  /* adjacent pages join when the bio is built: segments = runs (6.1, 6.12) */
	bool nvme_iterator;     /* block DMA iterator instead of scatterlists (6.17) */
	bool virt_boundary_sgl; /* virt_boundary 4095 even for SGL-capable I/O queues */
	bool gap_bit;           /* per-request gap tracking decides coalescing (6.19) */
	uint32_t nvme_max_segments;
	uint32_t nvme_meta_segments; /* of metadata, for controllers with SGLs (6.13); else 1 */
	uint32_t nvme_max_kib;
	uint32_t default_max_kib;  /* BLK_DEF_MAX_SECTORS: 1280 KiB, later 4 MiB */
	bool psi_aligns_base;      /* qw1 carries the aligned base; else the range's first page (6.1) */
	bool replace_flush_to_end; /* a large leaf over old tables flushes to the end of its run (6.12) */
	bool pool_page_lists;      /* DMA pools keep a free list per page (before 6.3), else one per pool */
	bool p2p_mmio_attr;        /* host-bridge P2P maps with the MMIO attribute (6.18) */
	unsigned depot_max;        /* magazines per class in the depot; 0: unbounded with trimmer */
};
DMASIM_API extern const struct kernel_profile kernel_profiles[KERNEL_VERSIONS];
/* By name ("6.12"), NULL if unknown. */
DMASIM_API const struct kernel_profile *kernel_profile_find(const char *name);

/* Repaired defects that can be switched back on (docs/quirks.md). */
struct kernel_quirks {
	bool link_zero_middle; /* a bounced link without a middle part fails */
	bool direct_sg_thb;    /* host-bridge P2P entries of direct lists keep no address */
	bool sg_bus_len;       /* bus-address entries take the length of the list head */
	bool p2p_cacheable;    /* host-bridge P2P mapped like DRAM, as before 6.18 */
};

/* How its IOMMU driver runs: off, iommu=pt, iommu.strict=0, iommu.strict=1. */
enum iommu_mode { IOMMU_OFF, IOMMU_PASSTHROUGH, IOMMU_LAZY, IOMMU_STRICT, IOMMU_MODES };
DMASIM_API extern const char *const iommu_mode_names[]; /* "off" "passthrough" "lazy" "strict", NULL */

#endif
