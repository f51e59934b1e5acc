/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two-step IOVA API: dma_iova_try_alloc, dma_iova_link, dma_iova_sync, dma_iova_destroy (Linux 6.16). */
#include "workloads/paths.h"

const struct dma_api dma_api_link = {
    .name = "link",
    .help = "dma_iova_try_alloc, link and sync; dma_map_phys where that does not serve",
    .needs_iova_api = true,
    .shipped = KERNEL_7_0,
    .paths =
	{
	    [WORKLOAD_NVME] = &nvme_link_path,
	    [WORKLOAD_RDMA_ODP] = &odp_link_path,
	    [WORKLOAD_VFIO_MIGRATION] = &vfio_link_path,
	    [WORKLOAD_DMA_REPLAY] = &dma_replay_link_path,
	    [WORKLOAD_RDMA_RW] = &rdma_rw_link_path,
	    [WORKLOAD_DMABUF_P2P] = &dmabuf_link_path,
	    [WORKLOAD_GPU_SVM] = &gpu_svm_link_path,
	    [WORKLOAD_TSO] = &tso_link_path,
	},
};
