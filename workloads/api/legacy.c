/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scatterlist DMA API, as drivers used it up to Linux 6.16. */
#include "workloads/paths.h"

const struct dma_api dma_api_legacy = {
    .name = "legacy",
    .help = "dma_map_page and dma_map_sg, one scatterlist per buffer",
    .shipped = KERNEL_6_12,
    .paths =
	{
	    [WORKLOAD_NVME] = &nvme_legacy_path,
	    [WORKLOAD_RDMA_ODP] = &odp_legacy_path,
	    [WORKLOAD_VFIO_MIGRATION] = &vfio_legacy_path,
	    [WORKLOAD_DMA_REPLAY] = &dma_replay_legacy_path,
	    [WORKLOAD_RDMA_RW] = &rdma_rw_legacy_path,
	    [WORKLOAD_DMABUF_P2P] = &dmabuf_legacy_path,
	    [WORKLOAD_CRYPTO] = &crypto_legacy_path,
	    [WORKLOAD_GPU_SVM] = &gpu_svm_legacy_path,
	    [WORKLOAD_TSO] = &tso_legacy_path,
	},
};
