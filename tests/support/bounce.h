/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A DMA layer with nothing but memory and a bounce pool, for tests below the public API. */
#ifndef DMASIM_TEST_BOUNCE_H
#define DMASIM_TEST_BOUNCE_H

#include "../../models/dma/swiotlb.h"

struct bounce_bench {
	struct sim sim;
	struct memory *mem;
	struct dma_stats st;
	struct dma_layer layer;
	struct device dev;
};

static inline void bounce_bench_open(struct bounce_bench *b, unsigned ncpus, const struct swiotlb_params *p)
{
	struct memory_params mp;

	memset(b, 0, sizeof(*b));
	sim_init(&b->sim, FIDELITY_COUNTS, ncpus, 1);
	param_defaults(&memory_param_table, &mp);
	mp.size = 8 * GIB;
	b->mem = memory_new(&b->sim, &mp);
	param_clear(&memory_param_table, &mp);
	b->layer = (struct dma_layer){.sim = &b->sim, .mem = b->mem, .st = &b->st};
	b->layer.params.swiotlb = *p;
	b->layer.kernel = kernel_profile_find("7.0");
	b->dev = (struct device){
	    .sim = &b->sim,
	    .dma = &b->layer,
	    .name = "0000:00:01.0",
	    .dma_mask = UINT64_MAX,
	    .seg_boundary_mask = UINT32_MAX,
	    .max_segment_size = 65536,
	    .coherent = true,
	    .dma_skip_sync = true,
	};
	g_assert(swiotlb_init(&b->layer) == 0);
}

static inline void bounce_bench_close(struct bounce_bench *b)
{
	swiotlb_exit(&b->layer);
	memory_free(b->mem);
	sim_fini(&b->sim);
}

#endif
