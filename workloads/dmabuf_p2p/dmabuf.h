/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared buffers of four memory kinds (drivers/dma-buf, drivers/vfio/pci/vfio_pci_dmabuf.c). */
#ifndef DMASIM_DMABUF_H
#define DMASIM_DMABUF_H

#include "workloads/load.h"
#include <dmasim/p2pdma.h>

/* What the exporter's memory is. */
enum dmabuf_kind {
	DMABUF_DRAM,      /* struct pages, cacheable */
	DMABUF_P2P_PAGES, /* BAR registered with struct pages */
	DMABUF_P2P,       /* BAR without pages, exported to peers by its provider */
	DMABUF_RESOURCE,  /* device memory that no peer route is known for */
};
enum dmabuf_op { DMABUF_OP_MAP, DMABUF_OP_CONVERT, DMABUF_OP_MATRIX, DMABUF_OP_STREAM };
enum dmabuf_access { DMABUF_ACCESS_NONE, DMABUF_ACCESS_READ, DMABUF_ACCESS_WRITE };

struct dmabuf_params {
	int kind, op, access;
	uint64_t bytes, ranges, count, piece;
	char *exporter, *importer;
	bool link_at_zero;
	/* op = stream */
	uint64_t drives, depth, io_bytes, drive_lanes;
	double drive_bandwidth, drive_iops; /* GB/s, 1/s; 0: no limit of its own */
	sim_time_t drive_latency;
};

struct dmabuf_stats {
	uint64_t maps, unmaps, refused;
	uint64_t bus_address, windows, singles, lists; /* how a mapping was made */
	uint64_t conversions, converted_bytes;
	uint64_t leaked;       /* windows */
	uint64_t late_flushes; /* conversions after which the old translation could still be used */
};

struct dmabuf;
struct dmabuf_object {
	struct dma_object obj;
	struct dmabuf *w;
	const struct dmabuf_params *p;
	struct dmabuf_stats *st;
	struct p2pdma_provider *provider; /* of peer memory, else NULL */
	unsigned npieces;                 /* conversion: parts of the object that change by themselves */
};

static inline struct dmabuf_object *dmabuf_object(struct dma_object *obj)
{
	return container_of(obj, struct dmabuf_object, obj);
}
static inline bool dmabuf_has_pages(int kind)
{
	return kind == DMABUF_DRAM || kind == DMABUF_P2P_PAGES;
}
/* Whether the window is filled as the kernel's helper does it, which takes memory of peers only. */
static inline bool dmabuf_literal(struct dma_object *obj)
{
	const struct dmabuf_params *p = dmabuf_object(obj)->p;

	return p->link_at_zero && p->kind != DMABUF_DRAM;
}
/* Attribute for a mapping through the host bridge: none before 6.18. */
static inline unsigned long dmabuf_mmio_attr(const struct device *dev, int kind)
{
	if (kind == DMABUF_DRAM)
		return 0;
	if (kind == DMABUF_RESOURCE)
		return DMA_ATTR_MMIO;
	return dma_kernel(dev)->p2p_mmio_attr ? DMA_ATTR_MMIO : 0;
}

/*
 * Drives that fill the buffer: each keeps depth transfers of io_bytes under way. stream.c
 * like: the importer's object, of which each drive gets one. false when a drive cannot be added or mapped.
 */
bool dmabuf_stream(struct load *l, const struct dmabuf_object *like, const struct phys_vec *vecs,
		   unsigned nranges, struct cpu *cpu);

/* Every kind through every entry point; rows of the result table. matrix.c */
enum { DMABUF_MATRIX_COLUMNS = 8 };
extern const char *const dmabuf_matrix_columns[DMABUF_MATRIX_COLUMNS];
unsigned dmabuf_matrix_rows(void);
void dmabuf_matrix_row(struct machine *m, struct device *dev, int kind, unsigned entry, phys_addr_t phys,
		       size_t len, struct p2pdma_provider *provider, double *row);
unsigned dmabuf_matrix_entries(void);

#endif
