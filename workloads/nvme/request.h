/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request through the driver, and what it tells the record it belongs to. */
#ifndef DMASIM_NVME_REQUEST_H
#define DMASIM_NVME_REQUEST_H

#include "nvme.h"

/* Map rq and put its command into the submission queue. 0 or errno, nothing taken. */
int nvme_queue_rq(struct nvme_request *rq);
void nvme_ring_doorbell(struct nvme_queue *q);
/* Interrupt work of a queue; and the controller's signal that leads to it (arg: struct nvme_dev). */
void nvme_irq(struct cpu_work *work, struct cpu *cpu);
void nvme_interrupt(void *arg, unsigned qid, sim_time_t when);

/* metadata.c: room for the metadata of rq; false when there is no memory. It is kept until free. */
bool nvme_metadata_prepare(struct nvme_request *rq);
void nvme_metadata_free(struct nvme_request *rq);
/* Map it and point cmd to it; after the data pointer is written. 0 or errno. */
int nvme_map_metadata(struct nvme_request *rq, struct nvme_command *cmd);
void nvme_unmap_metadata(struct nvme_request *rq);

/* io.c: rq has ended and is unmapped. */
void nvme_request_done(struct nvme_request *rq, bool failed);

#endif
