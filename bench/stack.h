/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole stack under the load that the floor stands for: reads of one CPU and queue, 50 ns apart. */
#ifndef DMASIM_BENCH_STACK_H
#define DMASIM_BENCH_STACK_H

#include "machine/machine.h"

#include <dmasim/workload.h>

/* A 4 KiB page, or 128 KiB that begin inside a page, each page elsewhere. */
enum stack_load { STACK_PAGE, STACK_SCATTERED };
#define STACK_SEGMENTS 33u /* of a scattered request */

/* CPU seconds so far. */
double stack_seconds(void);
/* KiB that the process has taken at most. */
long stack_peak_kib(void);
/* Seconds for n requests, negative on failure; *grown (may be NULL): KiB that the process grew by in the last
 * half. */
double stack_run(const struct dma_api *api, enum iommu_mode mode, enum fidelity fidelity,
		 enum stack_load load, uint64_t n, long *grown);

#endif
