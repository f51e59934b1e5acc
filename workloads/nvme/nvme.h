/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NVMe PCI driver (drivers/nvme/host/pci.c): what its files share, and what the paths of each DMA
 * API may read of a request.
 */
#ifndef DMASIM_NVME_H
#define DMASIM_NVME_H

#include "block.h"
#include "workloads/paths.h"
#include "workloads/replayer.h"

#include "models/device/nvme_device.h"
#include "machine/machine.h"

#include <dmasim/workload.h>

#define NVME_SMALL_POOL_SIZE 256u /* "prp list 256" */
#define NVME_MAX_DESCRIPTORS 5u   /* list pages of one command */
#define NVME_MAX_META_SEGS 15u    /* descriptors of a small pool block behind the first */
#define NVME_DMA_VEC_BYTES 16u    /* struct nvme_dma_vec */
#define NVME_IOVA_STATE_BYTES 16u /* struct dma_iova_state */
#define NVME_ADMIN_ENTRIES 32u

struct nvme_queue;
struct nvme_dev;
struct nvme_io;

/* How the data pointer of a command is to be written. */
enum nvme_format {
	NVME_FORMAT_AUTO, /* by the average segment size (generic APIs) */
	NVME_FORMAT_PRP,
	NVME_FORMAT_SGL,
};

/* How a request was mapped; for statistics and, in the paths' own state, for unmapping. */
enum nvme_mapping {
	NVME_MAP_NONE,
	NVME_MAP_SINGLE,      /* one dma_map_page */
	NVME_MAP_SG,          /* one scatterlist */
	NVME_MAP_IOVA,        /* one IOVA range, linked */
	NVME_MAP_PER_SEGMENT, /* each run by itself */
	NVME_MAP_BUS,         /* peer memory by bus address: nothing was mapped */
};

/* One command in flight: request and iod. One per tag, reused. */
struct nvme_request {
	struct dma_object obj; /* what the DMA API's path works on */
	struct nvme_queue *queue;
	struct nvme_io *io;
	struct nvme_request *next_free;
	uint16_t cid;
	uint8_t op;      /* enum nvme_op */
	uint8_t format;  /* enum nvme_format, set by the path */
	uint8_t mapping; /* enum nvme_mapping, set by the path */
	bool mapped;
	bool peer;    /* its memory is a BAR's */
	int8_t lists; /* -1: none; 0: one block of the small pool; n: pages */
	uint32_t nsid;
	uint64_t lba, bytes;
	uint64_t gap_mask;           /* as the driver reads it */
	const struct phys_vec *vecs; /* the request's block vectors; nr_phys_segments = nvecs */
	unsigned nvecs;
	struct phys_vec *own_vecs; /* storage when the vectors had to be cut */
	unsigned own_room;
	phys_addr_t list_phys[NVME_MAX_DESCRIPTORS];
	dma_addr_t list_dma[NVME_MAX_DESCRIPTORS];
	struct nvme_dma_meta {
		uint32_t len;      /* of this request; 0: none */
		unsigned segments; /* it lies in; 1: at phys */
		phys_addr_t phys;
		dma_addr_t dma;
		uint32_t room;                   /* of the buffer at phys, kept */
		uint8_t mapping;                 /* enum nvme_meta_mapping */
		struct nvme_meta_pieces *pieces; /* NULL until needed */
	} meta;
};

enum nvme_meta_mapping {
	NVME_META_NONE,
	NVME_META_POINTER, /* one piece, as a page */
	NVME_META_SG,      /* one scatterlist and a list of descriptors */
	NVME_META_IOVA,    /* one IOVA range, linked */
	NVME_META_PIECES,  /* piece by piece and a list of descriptors */
};

/* Metadata in several pieces: memory, kept, what of it this request has, and its mapping. */
struct nvme_meta_pieces {
	struct phys_vec taken[NVME_MAX_META_SEGS], vecs[NVME_MAX_META_SEGS];
	struct dma_object obj; /* its ranges for the drive are below */
	struct dma_segment ranges[NVME_MAX_META_SEGS];
	unsigned ntaken, n;
	uint64_t bytes; /* of taken */
	struct dma_iova_state iova;
	struct scatterlist sgl[NVME_MAX_META_SEGS];
	struct sg_table table;
	phys_addr_t list_phys; /* block of the small pool, 0: none */
	dma_addr_t list_dma;
};

/* nvme_pci_metadata_use_sgls: then the data must be described by SGLs, too. */
static inline bool nvme_metadata_listed(const struct nvme_request *rq)
{
	return rq->meta.len && rq->meta.segments > 1;
}

/* One record of the trace: split into one or more requests. */
struct nvme_io {
	struct replayer_job base;
	struct nvme_workload *w;
	struct nvme_queue *queue;
	unsigned done_cpu;
	uint8_t op;
	bool split_front;
	bool failed, refused; /* for whatever reason; the drive never saw a part of it */
	uint64_t lba, bytes;  /* what is left to submit */
	uint64_t total_bytes;
	uint64_t done_ns; /* recorded completion, TRACE_NO_TIME: none */
	uint32_t nsid;
	unsigned tries;
	struct phys_vec *vecs;
	unsigned nvecs, room;
	unsigned bio_end; /* first vector behind the current bio */
	struct blk_cursor at;
	unsigned outstanding;
	bool submitted;                 /* every part is on its way */
	struct nvme_request **requests; /* outstanding ones, in order of submission (counts) */
	unsigned nrequests, requests_room;
	struct phys_vec *buffer; /* memory laid out for records without vectors */
	unsigned nbuffer, buffer_room;
	uint64_t buffer_bytes;
	unsigned buffer_node;
	/* what vecs hold, if they were made from buffer: 0 if not */
	uint64_t buffer_vecs_bytes;
	unsigned buffer_nvecs;
	const struct blk_limits *buffer_limits;
	phys_addr_t peer; /* memory of the provider for peer-to-peer records, kept likewise */
	uint64_t peer_bytes;
	struct pcie_node *peer_provider;
};

struct nvme_queue {
	struct nvme_dev *dev;
	unsigned qid, entries, cpu;
	phys_addr_t sq_phys, cq_phys;
	dma_addr_t sq_dma, cq_dma;
	uint8_t **sq_pages, **cq_pages; /* host address of each ring page */
	unsigned sq_tail, sq_rung, cq_head, cq_tail;
	uint16_t cq_phase;
	sim_time_t *cq_visible;        /* timing: when each completion entry can be seen */
	struct nvme_request *requests; /* by command identifier */
	struct nvme_request *free;
	unsigned ninit;        /* tags made ready so far */
	unsigned in_flight;    /* trace records on this queue */
	unsigned busy;         /* tags taken */
	struct nvme_io **fifo; /* counts, no recorded completion: ring of queue_depth */
	unsigned fifo_head, fifo_len;
	struct replayer_job *waiting, **waiting_tail; /* timing: records that wait for a free tag */
	struct cpu_work irq;
	bool irq_posted;
	sim_time_t room_at; /* timing, closed loop: when the last record completed */
};

struct nvme_dev {
	struct replayer_dev base;
	struct nvme_workload *w;
	struct nvme_ctrl *ctrl;
	struct blk_limits limits;
	struct nvme_queue *admin;
	struct nvme_queue *queues; /* I/O queues, qid 1.. */
	unsigned nqueues;
	struct dma_pool *page_pool, *small_pool;
	struct rng rng;             /* layout of buffers */
	struct pcie_node *provider; /* of peer memory, NULL: none */
};

/* A scatterlist array of the driver's mempool. */
struct nvme_sg_element {
	struct nvme_sg_element *next;
	struct sg_table table;
	struct scatterlist sgl[];
};

struct nvme_stats {
	uint64_t records, commands;
	uint64_t bytes_read, bytes_written;
	uint64_t splits;
	uint64_t segments, runs;
	uint64_t single_mapped, sg_mapped, iova_mapped, per_segment_mapped, bus_mapped, p2p;
	uint64_t prp_only, prp_small, prp_pages, sgl_inline, sgl_small, sgl_pages;
	uint64_t doorbells, interrupts;
	uint64_t requeued, mismatches, meta_lists, meta_iova;
	struct nvme_device_stats drive;
};
extern const struct stat_table nvme_stat_table;

struct nvme_workload {
	struct replayer base; /* its jobs: struct nvme_io */
	struct nvme_params params;
	struct nvme_stats st;
	struct nvme_sg_element *free_sg;
	struct nvme_pending *pending; /* counts: heap of recorded completions */
	unsigned npending, pending_room;
	uint64_t sequence;
	bool peers; /* there are BARs, so a vector may lie in one */
};
static inline struct nvme_dev *nvme_dev_at(const struct nvme_workload *w, unsigned i)
{
	return (struct nvme_dev *)w->base.devs[i];
}

static inline struct nvme_request *nvme_request(struct dma_object *obj)
{
	return (struct nvme_request *)obj;
}
static inline struct nvme_workload *nvme_request_workload(const struct nvme_request *rq)
{
	return rq->queue->dev->w;
}

/*
 * data_pointer.c: PRP or SGL for a single page (fits: its PRPs need no list); for a list of segments as the
 * DMA iterator hands them out (6.17 on); for a mapped scatterlist (before).
 */
enum nvme_format nvme_policy_page(const struct nvme_request *rq, bool fits);
enum nvme_format nvme_policy_iter(const struct nvme_request *rq, unsigned segments);
enum nvme_format nvme_policy_list(const struct nvme_request *rq, unsigned segments);
/* Write the data pointer of cmd from rq->obj.segs; 0 or errno. nvme_free_lists undoes it. */
int nvme_setup_data(struct nvme_request *rq, struct nvme_command *cmd);
void nvme_free_lists(struct nvme_request *rq);

/* setup.c */
struct replayer_dev *nvme_dev_new(struct replayer *r, GError **error);
void nvme_dev_free(struct replayer *r, struct replayer_dev *base);

#endif
