/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GPU shared virtual memory: what the workload and its paths share (drivers/gpu/drm/drm_gpusvm.c,
 * drm_pagemap.c). */
#ifndef DMASIM_GPU_SVM_H
#define DMASIM_GPU_SVM_H

#include "workloads/load.h"

enum gpu_svm_op { GPU_SVM_FAULT, GPU_SVM_MIGRATE };

struct gpu_svm_params {
	uint64_t faults, bytes, folio, resident;
	int op;
	double write_share, device_share;
	bool traffic;
	sim_time_t fault_fixed, hmm_fixed, hmm_page, inval_fixed;
};

struct gpu_svm_stats {
	uint64_t faults, pieces, device_pieces, pages, windows, links, singles, invalidations;
	sim_time_t fault_time, map_time, unmap_time;
};

/* A faulted range: its pieces in system memory, mapped together; those on the device need no mapping. */
struct gpu_range {
	struct dma_object obj; /* bytes: the whole range, device pieces included */
	const struct gpu_svm_params *p;
	struct gpu_svm_stats *st;
	struct phys_vec *folios; /* its memory */
	struct phys_vec *vecs;   /* of them, those to map */
	unsigned nfolios, n;
	bool starts_on_device; /* the first piece is there */
	bool mapped;
};

static inline struct gpu_range *gpu_range(struct dma_object *obj)
{
	return container_of(obj, struct gpu_range, obj);
}

/* svm_legacy.c: each piece by itself, as a page. */
int gpu_svm_map_pieces(struct dma_object *obj, const struct phys_vec *vec, unsigned n);
void gpu_svm_unmap_pieces(struct dma_object *obj);

#endif
