/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trace records on their way through the driver. */
#ifndef DMASIM_NVME_IO_H
#define DMASIM_NVME_IO_H

#include "request.h"

/* nvme_setup_discard always hands over room for 256 ranges of 16 bytes. */
#define DSM_PAYLOAD_BYTES 4096u

/* What a record owns besides its head. */
void nvme_io_free(struct replayer_job *base);
/* Take over what rec says, vectors included; false with *error naming the record. */
bool nvme_io_fill(struct nvme_io *io, const struct trace_record *rec, GError **error);
/* The record's vectors, into io->vecs. */
bool nvme_io_vectors(struct nvme_io *io, const struct trace_record *rec, GError **error);
void nvme_io_drop_buffers(struct nvme_io *io);
static inline bool nvme_is_peer(const struct nvme_workload *w, phys_addr_t phys)
{
	enum memory_kind kind = memory_kind(w->base.m->memory, phys);

	return kind == MEMORY_P2P || kind == MEMORY_MMIO;
}
/* Work: submit as many parts as there are tags for. */
void nvme_io_submit(struct cpu_work *work, struct cpu *cpu);

/* Counts: make room by completing what is due first. Completes what waits until t. */
void nvme_pending_add(struct nvme_workload *w, struct nvme_io *io);
void nvme_pending_until(struct nvme_workload *w, sim_time_t t);
/* Complete the next record of q (or any); false when nothing is in flight. */
bool nvme_complete_next(struct nvme_workload *w, struct nvme_queue *q);
/* A record with more parts than tags: its first parts have to end before the rest can start. */
void nvme_complete_own(struct nvme_io *io);

#endif
