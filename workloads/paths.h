/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver paths of each workload, for the tables of workloads/api. */
#ifndef DMASIM_PATHS_H
#define DMASIM_PATHS_H

#include "machine/machine.h"

#include <dmasim/workload.h>

extern const struct driver_path nvme_legacy_path, nvme_link_path;
extern const struct driver_path odp_legacy_path, odp_link_path;
extern const struct driver_path vfio_legacy_path, vfio_link_path;
extern const struct driver_path rdma_rw_legacy_path, rdma_rw_link_path;
extern const struct driver_path dmabuf_legacy_path, dmabuf_link_path;
extern const struct driver_path dma_replay_legacy_path, dma_replay_link_path;
extern const struct driver_path crypto_legacy_path;
extern const struct driver_path gpu_svm_legacy_path, gpu_svm_link_path;
extern const struct driver_path tso_legacy_path, tso_link_path;

#endif
