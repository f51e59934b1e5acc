/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the rest of the machine knows of a remapping unit, whoever made it: it translates what devices send,
 * and is told what is in flight and what has been unmapped. A unit embeds struct iommu_unit and fills in the
 * table; the fabric and the DMA layer call through it. The kernel's driver of a unit is chosen by its kind
 * (struct iommu_ops, models/dma/iommu.h).
 *
 * Every access carries the time at which it starts and returns the time at which it is done; in counts
 * fidelity the two are equal.
 */
#ifndef DMASIM_IOMMU_UNIT_H
#define DMASIM_IOMMU_UNIT_H

#include <dmasim/types.h>

enum iommu_access { IOMMU_ACCESS_READ = 1, IOMMU_ACCESS_WRITE = 2 };

struct iommu_request {
	uint16_t sid;
	uint32_t pasid; /* NO_PASID for requests without */
	uint8_t access; /* enum iommu_access */
	/*
	 * TLPs of one train to this page, all translated by this call: each is one look-up, those after the
	 * first hit (or wait with it for the same walk). 0 means 1.
	 */
	uint16_t tlps;
	bool ats; /* ATS translation request: missing rights are an answer, not a fault */
	dma_addr_t addr;
	/*
	 * Timing: the request leaves the unit no sooner than leaves (those before it go first), and what
	 * walked for it is busy with it for hold after that.
	 */
	sim_time_t leaves, hold;
};

struct iommu_result {
	phys_addr_t phys;
	uint8_t page_shift; /* size of the translation: 12, 21, 30 */
	uint8_t fault;      /* 0, or the unit's fault reason */
	bool hit;
	sim_time_t ready;
};

/* A device asks for a page (ATS page request). */
struct iommu_page_request {
	dma_addr_t addr;
	uint32_t pasid; /* NO_PASID */
	uint16_t sid, group;
	bool read, write, last; /* last of its group */
};

struct iommu_unit;

struct iommu_unit_ops {
	/* Translate one access, which must not cross a 4 KiB page. 0, or -EFAULT with res->fault set. */
	int (*translate)(struct iommu_unit *u, const struct iommu_request *rq, sim_time_t when,
			 struct iommu_result *res);
	/* The same by way of the device's own TLB; a device without one gets what translate gives. */
	int (*ats_translate)(struct iommu_unit *u, const struct iommu_request *rq, sim_time_t when,
			     struct iommu_result *res);
	/* 0; -ENOSPC when the request is lost. */
	int (*page_request)(struct iommu_unit *u, const struct iommu_page_request *r);
	/* A DMA which reached the unit at begin is in flight until done. */
	void (*in_flight)(struct iommu_unit *u, sim_time_t begin, sim_time_t done);
	/*
	 * Exposure: the driver has taken [iova, iova + len) of domain did out of the tables. Translations
	 * that are still cached are stale from then until they go.
	 */
	void (*note_unmap)(struct iommu_unit *u, uint16_t did, dma_addr_t iova, uint64_t len,
			   sim_time_t when);
	/* Whether a translation of [iova, iova + len) of the domain is still cached, stale or not. */
	bool (*is_cached)(struct iommu_unit *u, uint16_t did, dma_addr_t iova, uint64_t len);
	/* NUMA node of the unit: reads of tables on other nodes take longer. */
	void (*set_node)(struct iommu_unit *u, unsigned node);
	/* The run ends: what is stale still counts up to when. */
	void (*finish)(struct iommu_unit *u, sim_time_t when);
	void (*free)(struct iommu_unit *u);
};

enum iommu_kind { IOMMU_VTD, IOMMU_KINDS };

struct iommu_unit {
	const struct iommu_unit_ops *ops;
	enum iommu_kind kind;
};

static inline int iommu_translate(struct iommu_unit *u, const struct iommu_request *rq, sim_time_t when,
				  struct iommu_result *res)
{
	return u->ops->translate(u, rq, when, res);
}
static inline int iommu_ats_translate(struct iommu_unit *u, const struct iommu_request *rq, sim_time_t when,
				      struct iommu_result *res)
{
	return u->ops->ats_translate(u, rq, when, res);
}
static inline int iommu_page_request(struct iommu_unit *u, const struct iommu_page_request *r)
{
	return u->ops->page_request(u, r);
}
static inline void iommu_in_flight(struct iommu_unit *u, sim_time_t begin, sim_time_t done)
{
	u->ops->in_flight(u, begin, done);
}
static inline void iommu_note_unmap(struct iommu_unit *u, uint16_t did, dma_addr_t iova, uint64_t len,
				    sim_time_t when)
{
	u->ops->note_unmap(u, did, iova, len, when);
}
static inline bool iommu_is_cached(struct iommu_unit *u, uint16_t did, dma_addr_t iova, uint64_t len)
{
	return u->ops->is_cached(u, did, iova, len);
}

#endif
