/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic IOMMU layer (drivers/iommu/iommu.c, include/linux/iommu.h): what it asks of a driver, what it
 * offers to the DMA layer, and the flush queue of dma-iommu.
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
struct iommu_iotlb_gather;

/* ---- what a driver provides ---- */

/*
 * Of its domains. Since 7.0 map_pages and unmap_pages take a whole range, counted in 4 KiB pages; before, a
 * run of pages of one size.
 */
struct iommu_domain_ops {
	int (*map_pages)(struct iommu_domain *d, dma_addr_t iova, phys_addr_t phys, size_t pgsize,
			 size_t pgcount, unsigned prot, size_t *mapped);
	/* Bytes unmapped; table pages that gave way go to the gather. */
	size_t (*unmap_pages)(struct iommu_domain *d, dma_addr_t iova, size_t pgsize, size_t pgcount,
			      struct iommu_iotlb_gather *g);
	/* Called only for domains whose iotlb_sync_map is set. */
	void (*iotlb_sync_map)(struct iommu_domain *d, dma_addr_t iova, size_t size);
	void (*iotlb_sync)(struct iommu_domain *d, struct iommu_iotlb_gather *g);
	void (*flush_iotlb_all)(struct iommu_domain *d);
	void (*free)(struct iommu_domain *d);
};

/* The driver's side of one unit, embedded in what the driver keeps of it. */
struct iommu_device {
	struct iommu_device *next;
	struct dma_layer *l;
	const struct iommu_ops *ops;
	struct iommu_unit *unit;
};

struct iommu_ops {
	/* NULL when memory is exhausted. */
	struct iommu_device *(*probe)(struct dma_layer *l, struct iommu_unit *unit);
	void (*release)(struct iommu_device *iommu);
	/* What a device behind this unit gets where mode is asked for. */
	enum iommu_mode (*def_domain_type)(struct iommu_device *iommu, enum iommu_mode mode);
	/* A domain with table, domain id and geometry; 0, -ENOSPC (no domain id is left), -ENOMEM. */
	int (*domain_alloc_paging)(struct iommu_device *iommu, struct device *dev, struct iommu_domain **out);
	void (*attach_dev)(struct iommu_domain *d, struct device *dev);
	void (*attach_identity)(struct iommu_device *iommu, struct device *dev);
	void (*detach_dev)(struct iommu_device *iommu, struct device *dev);
};
extern const struct iommu_ops intel_iommu_ops;

/* Embedded in the driver's own; the generic layer fills the last members. */
struct iommu_domain {
	const struct iommu_domain_ops *ops;
	uint16_t did; /* unique per unit */
	struct pgtable *pt;
	uint64_t pgsize_bitmap;
	dma_addr_t aperture_end;
	bool iotlb_sync_map; /* mapping needs a flush, too: caching mode or write buffers */
	bool flush_tables;   /* the unit does not see the CPU's caches */

	struct iommu_domain *next;
	struct dma_layer *l;
	struct device *dev; /* its group has one device */
	struct iommu_device *iommu;
	bool lazy; /* type DMA-FQ */
	struct iova_domain iovad;
	struct flush_queue *fq; /* NULL: strict */
	GHashTable *coherent;   /* IOVA to the pages behind it; NULL until the first */
};

/* Driver side of unit, made when its first device comes. NULL when memory is exhausted. */
struct iommu_device *iommu_device_of(struct dma_layer *l, struct iommu_unit *unit);
void iommu_devices_free(struct dma_layer *l);
/* Free the table pages of l, whose flush has completed. */
void iommu_release_tables(struct iommu_domain *d, struct pgtable_list *l);

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
void iommu_flush_iotlb_all(struct iommu_domain *d);

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
