/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Footprint and reuse distances of a stream of block numbers in bounded memory, by spatially hashed
 * sampling with a fixed number of sampled blocks (Waldspurger, Park, Garthwaite and Ahmad, "Efficient
 * MRC Construction with SHARDS", FAST 2015): a block is followed if its hash lies below a threshold,
 * and the threshold sinks so that at most REUSE_BLOCKS are. Up to that many distinct blocks the
 * answers are exact.
 */
#ifndef DMASIM_TRACE_REUSE_H
#define DMASIM_TRACE_REUSE_H

#include <dmasim/stat.h>

#define REUSE_BLOCKS 16384u

struct reuse;
struct reuse *reuse_new(void);
void reuse_free(struct reuse *u);
void reuse_add(struct reuse *u, uint64_t block);
/* Distinct blocks (estimate), share of blocks that are sampled (1: exact). */
uint64_t reuse_footprint(const struct reuse *u);
double reuse_rate(const struct reuse *u);
/* Distances in distinct blocks between two accesses of a block; first accesses are not in it. */
const struct hist *reuse_distances(const struct reuse *u);

#endif
