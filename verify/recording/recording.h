/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded kernel run as a stream of events: what the tracepoints of the groups dma, iommu,
 * intel_iommu, swiotlb, nvme and block and the probes on the IOVA allocator showed, per CPU, in recorded
 * order and time. Sources: ftrace text (plain or compressed) and trace-cmd's trace.dat, whose fields are
 * taken from the file's own format descriptions.
 */
#ifndef DMASIM_RECORDING_H
#define DMASIM_RECORDING_H

#include "trace/ftrace_line.h"

#include "models/vtd/vtd.h"
#include <dmasim/trace.h>

/* Whose code ran: nesting levels of one CPU, a higher one interrupts a lower one. */
enum trace_level { TRACE_TASK, TRACE_SOFTIRQ, TRACE_HARDIRQ, TRACE_NMI };

enum recording_kind {
	REC_IOVA_ALLOC,      /* alloc_iova_fast entered */
	REC_IOVA_TREE_ALLOC, /* alloc_iova entered: the caches missed */
	REC_IOVA_ALLOC_RET,
	REC_IOVA_FREE, /* free_iova_fast entered */
	REC_IOVA_TREE_FREE,
	REC_MAP,        /* iommu:map, after the work */
	REC_MAP_NOSYNC, /* iommu_map_nosync entered */
	REC_UNMAP,      /* iommu:unmap, after the page table changed */
	REC_DMA_MAP,    /* dma_map_page, dma_map_phys, dma_map_resource: after the work */
	REC_DMA_MAP_ENTER,
	REC_DMA_MAP_RET,
	REC_DMA_UNMAP, /* after the work */
	REC_DMA_UNMAP_ENTER,
	REC_DMA_MAP_SG,       /* after the work */
	REC_DMA_MAP_SG_ENTER, /* dma_map_sgtable or dma_map_sg_attrs entered */
	REC_DMA_UNMAP_SG,     /* before the work */
	REC_DMA_ALLOC,        /* after the work */
	REC_DMA_FREE,         /* before the work */
	REC_TRY_ALLOC,
	REC_TRY_ALLOC_RET,
	REC_LINK,
	REC_SYNC,
	REC_UNLINK,
	REC_DESTROY,
	REC_API_FREE,
	REC_TAG_FLUSH, /* cache_tag_flush_range, cache_tag_flush_all */
	REC_TAG_FLUSH_NP,
	REC_QI_SUBMIT,
	REC_BOUNCE,
	REC_P2P_TYPE, /* how memory of a peer was classified */
	REC_NVME_SETUP,
	REC_NVME_COMPLETE,
	REC_RQ_VECTORS,
	REC_BLOCK_ISSUE,
	REC_BLOCK_COMPLETE,
	REC_BLOCK_SPLIT,
	REC_KINDS
};
extern const char *const recording_kind_names[REC_KINDS];

/* A list of numbers in recording.lists. */
struct recording_list {
	uint32_t first, count;
};

struct recording_event {
	uint64_t time_ns; /* the recording's own clock */
	uint32_t line;    /* text line, or number of the record in trace.dat */
	int32_t pid;
	uint16_t cpu;
	uint8_t kind, level; /* enum recording_kind, enum trace_level */
	uint32_t device;     /* recording_device_name(), 0: not named by the event */
	union {
		struct {
			uint64_t pfn, pages, limit;
		} iova;
		struct {
			uint64_t iova, phys, size, unmapped;
		} map;
		struct {
			uint64_t addr, phys, offset, size, attrs;
			uint8_t dir;
		} dma;
		struct {
			struct recording_list phys, addrs, lens;
			uint32_t nents, full_nents, full_ents;
			uint8_t dir;
			uint64_t attrs;
		} sg;
		struct {
			uint64_t phys, offset, size, ok, attrs;
			uint64_t state; /* address of the range's state, 0: not told */
			uint8_t dir;    /* DMA_NONE: not told */
		} api;
		struct {
			uint64_t start, end, addr, mask;
			uint16_t did;
			bool device_tlb;
		} tag;
		struct qi_desc qi;
		struct {
			uint64_t addr, size;
		} bounce;
		struct {
			uint32_t type; /* enum pci_p2pdma_map_type */
		} p2p;
		struct {
			uint32_t ctrl, qid, cid, nsid;
			uint64_t slba;
			uint32_t nlb; /* number of blocks - 1 */
			uint8_t op;   /* enum recording_nvme_op */
			bool io;      /* on a namespace: "disk=" given */
		} nvme;
		struct {
			uint32_t qid, cid, op, segs;
			int32_t gap_bit;
			uint32_t bytes, bios, vecs;
			struct recording_list phys, lens;
		} vectors;
		struct {
			uint32_t dev;    /* major << 20 | minor */
			uint64_t sector; /* 512-byte units */
			uint64_t nr;     /* sectors; split: the new sector */
			uint64_t bytes;
			uint32_t flags; /* name index of rwbs */
		} block;
	};
};

enum recording_nvme_op { REC_NVME_READ, REC_NVME_WRITE, REC_NVME_FLUSH, REC_NVME_DISCARD, REC_NVME_OTHER };

struct recording {
	char *path;
	GArray *events; /* struct recording_event */
	GArray *lists;  /* uint64_t */
	GPtrArray *names;
	GHashTable *name_index;
	uint64_t lost;    /* events that the recorder dropped */
	uint64_t others;  /* lines of events that dmasim does not know */
	uint32_t ncpus;   /* highest CPU seen + 1 */
	bool binary;      /* trace.dat */
	bool nosync_only; /* iommu:map is missing: maps show as iommu_map_nosync */
};

/* Read path completely. NULL with *error naming file, line or record, and remedy. */
struct recording *recording_read(const char *path, GError **error);
void recording_free(struct recording *r);

static inline const struct recording_event *recording_at(const struct recording *r, size_t i)
{
	return &g_array_index(r->events, struct recording_event, i);
}
static inline const uint64_t *recording_list(const struct recording *r, struct recording_list l)
{
	return l.count ? &g_array_index(r->lists, uint64_t, l.first) : NULL;
}
const char *recording_name(const struct recording *r, uint32_t index);
/* Invalidation of a whole domain, as tag or as descriptor. */
static inline bool recording_is_domain_flush(const struct recording_event *e)
{
	unsigned type = e->qi.qw0 & 15;

	if (e->kind == REC_QI_SUBMIT)
		return (type == QI_IOTLB || type == QI_P_IOTLB) && (e->qi.qw0 >> 4 & 3) != QI_PAGE;
	return e->kind == REC_TAG_FLUSH && e->tag.start == 0 && e->tag.end == UINT64_MAX;
}
/* The event as one line of text, for reports; g_free it. */
char *recording_describe(const struct recording *r, const struct recording_event *e);

/* Kind of the event of that name, as tracepoint or as probe; REC_KINDS if there is none. */
enum recording_kind recording_kind_of(const char *name, bool probe);

/* Used by the two sources. */
uint32_t recording_intern(struct recording *r, const char *name, size_t len);
void recording_add(struct recording *r, const struct recording_event *e);
bool recording_parse_text(struct recording *r, const struct ftrace_line *l, uint32_t line,
			  struct recording_event *e, bool *known);
bool recording_read_dat(struct recording *r, const char *path, GError **error);

#endif
