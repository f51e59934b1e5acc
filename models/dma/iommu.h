/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic IOMMU layer (drivers/iommu/iommu.c), the Intel driver behind it
 * (drivers/iommu/intel), and the flush queue of dma-iommu.
 */
#ifndef DMASIM_IOMMU_H
#define DMASIM_IOMMU_H

#include "models/vtd/pgtable.h"

#include "internal.h"
#include "iova.h"

/* Protection of a mapping (include/linux/iommu.h). */
enum iommu_prot {
	IOMMU_READ = 1 << 0,
	IOMMU_WRITE = 1 << 1,
	IOMMU_CACHE = 1 << 2,
	IOMMU_NOEXEC = 1 << 3,
	IOMMU_MMIO = 1 << 4,
	IOMMU_PRIV = 1 << 5,
};

#define MAX_AGAW_PFN_WIDTH 52u /* order that means "everything" */

struct flush_queue;
struct iommu_domain;
/* Free the table pages of l, whose flush has completed. */
void iommu_release_tables(struct iommu_domain *d, struct pgtable_list *l);

struct iommu_domain {
	struct dma_layer *l;
	struct iommu_domain *next;
	struct device *dev;         /* its group has one device */
	struct intel_iommu *intel;  /* driver side of the device's unit */
	struct spinlock cache_lock; /* kernels with cache tags: held while a flush is submitted and awaited */
	uint16_t did;
	bool lazy; /* type DMA-FQ */
	bool first_stage, ats;
	bool iotlb_sync_map; /* mapping needs a flush, too: caching mode or write buffers */
	struct pgtable *pt;
	uint64_t pgsize_bitmap;
	dma_addr_t aperture_end;
	struct iova_domain iovad;
	struct flush_queue *fq; /* NULL: strict */
};

/* What unmaps leave to be flushed. */
struct iommu_iotlb_gather {
	dma_addr_t start, end; /* inclusive; start > end: empty */
	size_t pgsize;
	struct pgtable_list freelist;
	bool queued;
};
#define IOMMU_IOTLB_GATHER_INIT     \
	(struct iommu_iotlb_gather) \
	{                           \
		.start = UINT64_MAX \
	}

static inline bool iommu_iotlb_gather_empty(const struct iommu_iotlb_gather *g)
{
	return g->start > g->end;
}
void iommu_iotlb_gather_add_range(struct iommu_iotlb_gather *g, dma_addr_t iova, size_t size);
void iommu_iotlb_gather_add_page(struct iommu_domain *d, struct iommu_iotlb_gather *g, dma_addr_t iova,
				 size_t size);
void iommu_iotlb_sync(struct iommu_domain *d, struct iommu_iotlb_gather *g);

int iommu_map_nosync(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t size, unsigned prot);
int iommu_sync_map(struct iommu_domain *d, dma_addr_t iova, size_t size);
int iommu_map(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t size, unsigned prot);
/* Bytes mapped, or a negative errno. */
int64_t iommu_map_sg(struct iommu_domain *d, dma_addr_t iova, struct scatterlist *sg, unsigned nents,
		     unsigned prot);
/* Bytes unmapped. iommu_unmap syncs, iommu_unmap_fast leaves it to the caller. */
size_t iommu_unmap(struct iommu_domain *d, dma_addr_t iova, size_t size);
size_t iommu_unmap_fast(struct iommu_domain *d, dma_addr_t iova, size_t size, struct iommu_iotlb_gather *g);
/* One walk; 0 if nothing is mapped there. */
phys_addr_t iommu_iova_to_phys(struct iommu_domain *d, dma_addr_t iova);

/* Page size for the next driver call of a domain that maps page by page, and how many. */
size_t iommu_pgsize(uint64_t bitmap, dma_addr_t iova, phys_addr_t phys, size_t size, size_t *count);

/* ---- Intel driver ---- */

int intel_iommu_init(struct dma_layer *l);
void intel_iommu_exit(struct dma_layer *l);
const struct vtd_caps *intel_iommu_caps(const struct dma_layer *l);
/* Page table, domain id and geometry of a new paging domain. 0 or errno. */
int intel_domain_alloc(struct iommu_domain *d);
void intel_domain_free(struct iommu_domain *d);
void intel_attach_device(struct iommu_domain *d, struct device *dev);
void intel_attach_passthrough(struct device *dev);
void intel_detach_device(struct device *dev);

void intel_iotlb_sync_map(struct iommu_domain *d, dma_addr_t iova, size_t size);
void intel_iotlb_sync(struct iommu_domain *d, struct iommu_iotlb_gather *g);
void intel_flush_iotlb_all(struct iommu_domain *d);
/* Invalidate [start, end]; leaf_only: no table page was detached. */
void cache_tag_flush_range(struct iommu_domain *d, dma_addr_t start, dma_addr_t end, bool leaf_only);
/* Smallest aligned power of two of pages that covers [start, end]: its order, its base in *base. */
unsigned calculate_psi_aligned_address(dma_addr_t start, dma_addr_t end, dma_addr_t *base);

/* ---- flush queue ---- */

int iommu_dma_init_fq(struct iommu_domain *d);
void iommu_dma_free_fq(struct iommu_domain *d);
/* Put the range on this CPU's ring; takes over the tables of freelist. */
void queue_iova(struct iommu_domain *d, uint64_t pfn, uint64_t pages, struct pgtable_list *freelist);

/* ---- dma-iommu ---- */

/* [IOVA of size bytes for dev], 0 on failure; and back. */
dma_addr_t iommu_dma_alloc_iova(struct iommu_domain *d, size_t size, uint64_t dma_limit, struct device *dev);
void iommu_dma_free_iova(struct iommu_domain *d, dma_addr_t iova, size_t size, struct iommu_iotlb_gather *g);
unsigned dma_info_to_prot(enum dma_data_direction dir, bool coherent, unsigned long attrs);
bool dev_use_swiotlb(const struct device *dev);
RARE phys_addr_t iommu_dma_map_swiotlb(struct device *dev, phys_addr_t phys, size_t size,
				       enum dma_data_direction dir, unsigned long attrs);
dma_addr_t __iommu_dma_map(struct device *dev, phys_addr_t phys, size_t size, unsigned prot,
			   uint64_t dma_mask);
void __iommu_dma_unmap(struct device *dev, dma_addr_t addr, size_t size);
/* Allocator, reserved windows and flush queue of a new domain. 0 or errno. */
int iommu_dma_init_domain(struct iommu_domain *d, struct device *dev);

/* ---- coherent memory behind an IOMMU ---- */

phys_addr_t iommu_dma_alloc(struct device *dev, size_t size, dma_addr_t *handle, unsigned long attrs);
void iommu_dma_free(struct device *dev, size_t size, phys_addr_t phys, dma_addr_t handle,
		    unsigned long attrs);

#endif
