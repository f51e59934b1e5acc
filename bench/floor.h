/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor: a flat loop that does for each request what any exact counts model of a translated NVMe read has
 * to do, and nothing else. What the whole stack reaches is measured against it in the same run.
 */
#ifndef DMASIM_BENCH_FLOOR_H
#define DMASIM_BENCH_FLOOR_H

#include <stdint.h>

/*
 * n requests of segments data pages each, through an IOTLB of entries. Returns CPU seconds. *check is a sum
 * over what was read and counted, so that no step can be optimised away.
 */
double floor_run(uint64_t n, unsigned segments, unsigned entries, uint64_t *check);
/* n translations alone, over so many mapped pages in turn. */
double floor_translate(uint64_t n, unsigned pages, unsigned entries, uint64_t *check);

#endif
