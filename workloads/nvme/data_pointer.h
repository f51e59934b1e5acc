/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Data pointer of a command: PRP or SGL, and the memory of their lists. */
#ifndef DMASIM_NVME_DATA_POINTER_H
#define DMASIM_NVME_DATA_POINTER_H

#include "nvme.h"

/* One more block for the lists of rq; its host address, NULL when out of memory. */
void *nvme_add_list(struct nvme_request *rq, bool small);

/* prp.c, sgl.c: write the data pointer of cmd from rq->obj.segs. 0 or errno. */
int nvme_setup_prps(struct nvme_request *rq, struct nvme_command *cmd);
int nvme_setup_sgls(struct nvme_request *rq, struct nvme_command *cmd);

#endif
