/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live migration of an mlx5 VF through VFIO (Linux drivers/vfio/pci/mlx5/cmd.c, main.c): what the
 * files of the workload share.
 */
#ifndef DMASIM_VFIO_H
#define DMASIM_VFIO_H

#include "workloads/paths.h"
#include "workloads/replayer.h"

#define VFIO_MKEY_HEADER_BYTES 272u /* create_mkey_in up to its translations (0x880 bits) */
#define VFIO_MTT_BYTES 8u
#define VFIO_POINTER_BYTES 8u
#define VFIO_BULK_PAGES 512u    /* PAGE_SIZE / 8: page pointers of one allocation round, old driver */
#define VFIO_TRACKER_PAGES 512u /* 2 MiB */

struct vfio_params {
	uint64_t tracked_page, report_bytes, max_queue;
	double save_bandwidth, load_bandwidth, copy_bandwidth; /* GB/s */
	bool traffic;
	sim_time_t command_latency, stop_cost, page_alloc, report_entry;
};
extern const struct param_table vfio_param_table;

struct vfio_stats {
	uint64_t buffers_allocated, buffers_freed, buffers_reused, buffers_outgrown, pages;
	uint64_t saves, loads, reads, save_bytes, load_bytes, read_bytes, precopy_bytes, stop_copy_bytes;
	uint64_t track_reads, track_entries, track_reports, sg_entries, mtt_entries, mkeys, transfer_errors;
	sim_time_t downtime, save_time, load_time;
};
extern const struct stat_table vfio_stat_table;

struct vfio_workload;
struct vfio_dev;

/* mlx5_vhca_data_buffer, or the receive buffer of the dirty tracker. */
struct vfio_buffer {
	struct dma_object obj; /* what the DMA API's path works on */
	struct vfio_dev *dev;
	uint32_t id;
	uint8_t purpose; /* enum vfio_purpose */
	bool mapped;
	uint64_t npages;
	struct phys_vec *pages; /* one per page */
	struct phys_vec *taken; /* memory laid out for it; NULL: the trace gave the pages */
	unsigned ntaken;
	sim_time_t ready;        /* timing: when its data are there; SIM_TIME_NEVER while they move */
	struct cpu_work *waiter; /* the VF's next event, if it needs them */
	struct cpu *waiter_cpu;
};

static inline struct vfio_buffer *vfio_buffer(struct dma_object *obj)
{
	return (struct vfio_buffer *)obj;
}
/* Bytes of the create-mkey command with its translations. */
static inline uint64_t vfio_mkey_bytes(uint64_t npages)
{
	return VFIO_MKEY_HEADER_BYTES + VFIO_MTT_BYTES * align_up(npages, 2);
}

/* One event of the trace on its way. */
struct vfio_job {
	struct replayer_job base;
	struct event step;
	struct vfio_dev *dev;
	struct vfio_buffer *buffer;
	uint8_t event, purpose, dir;
	uint32_t id;
	uint64_t bytes, moved;
	bool failed; /* an access of the transfer */
	sim_time_t begun, pace;
};

struct vfio_dev {
	struct replayer_dev base;
	struct vfio_workload *w;
	GPtrArray *buffers;                /* few: two chunks, two headers, the tracker */
	struct replayer_job *head, **tail; /* waiting, in order of the trace */
	unsigned queued;
	bool busy;
	uint64_t report_at; /* next byte of the tracker's receive buffer */
	sim_time_t stop_first, stop_last, engine_free;
	bool stopping, stopped;
	struct rng rng;
};

struct vfio_workload {
	struct replayer base;
	struct vfio_params params;
	struct vfio_stats st;
};
static inline struct vfio_workload *vfio_buffer_workload(const struct vfio_buffer *b)
{
	return b->dev->w;
}

static inline sim_time_t vfio_transfer_time(uint64_t bytes, double gb_per_s)
{
	return (sim_time_t)((double)bytes / gb_per_s * 1000.0); /* ps */
}

/* event.c: begin the VF's next event if it is free; it has ended, go on with the next. */
void vfio_start_next(struct vfio_dev *d);
void vfio_next_event(struct vfio_dev *d);
/* The VF stands still from before from until after to. */
void vfio_note_stop_copy(struct vfio_dev *d, sim_time_t from, sim_time_t to);

/* transfer.c: the device moves the image of a SAVE or LOAD whose command is given on cpu. */
void vfio_start_transfer(struct vfio_job *j, const struct cpu *cpu);

/* buffer.c */
struct vfio_buffer *vfio_buffer_find(struct vfio_dev *d, uint32_t id, bool tracker);
/* Allocate pages (from segs, or laid out), not mapped yet. NULL with *err. */
struct vfio_buffer *vfio_buffer_alloc(struct vfio_dev *d, uint32_t id, uint8_t purpose, uint64_t bytes,
				      enum dma_data_direction dir, const struct trace_segment *segs,
				      uint32_t nsegs, int *err);
/* Map it and register it with the device (mlx5vf_dma_data_buffer). 0 or errno. */
int vfio_buffer_map(struct vfio_buffer *b);
void vfio_buffer_free(struct vfio_buffer *b);
/* DMA address of a byte; *len is cut to what is contiguous from there, one page at most. */
dma_addr_t vfio_buffer_address(const struct vfio_buffer *b, uint64_t offset, uint64_t *len);

#endif
