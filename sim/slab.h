/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recycled host memory for the arrays that requests allocate and free at full rate (scatterlists,
 * vectors): freed blocks wait on one list per power of two, so that the steady state never enters
 * malloc. This is the simulator's own memory; what the modelled kernel allocates is in the ledger.
 */
#ifndef DMASIM_SIM_SLAB_H
#define DMASIM_SIM_SLAB_H

#include <dmasim/types.h>

#define SLAB_MIN_LG2 5u
#define SLAB_MAX_LG2 20u

struct slab {
	void *free[SLAB_MAX_LG2 - SLAB_MIN_LG2 + 1]; /* first word of a free block: the next one */
};

/* Blocks above the largest class; contents of a block are undefined. */
void *slab_alloc_slow(size_t bytes);
void slab_free_slow(void *block);
/* Return everything that waits for reuse to the host. All zero is a valid empty slab. */
void slab_fini(struct slab *s);

static inline unsigned slab_class(size_t bytes)
{
	unsigned lg2 = order_base_2(bytes);

	return lg2 < SLAB_MIN_LG2 ? 0 : lg2 - SLAB_MIN_LG2;
}

static inline void *slab_alloc(struct slab *s, size_t bytes)
{
	unsigned c = slab_class(bytes);
	void *block;

	if (G_UNLIKELY(c > SLAB_MAX_LG2 - SLAB_MIN_LG2))
		return slab_alloc_slow(bytes);
	block = s->free[c];
	if (G_UNLIKELY(!block))
		return slab_alloc_slow((size_t)1 << (c + SLAB_MIN_LG2));
	s->free[c] = *(void **)block;
	return block;
}

/* bytes: the same number that slab_alloc was given. */
static inline void slab_free(struct slab *s, void *block, size_t bytes)
{
	unsigned c = slab_class(bytes);

	if (!block)
		return;
	if (G_UNLIKELY(c > SLAB_MAX_LG2 - SLAB_MIN_LG2)) {
		slab_free_slow(block);
		return;
	}
	*(void **)block = s->free[c];
	s->free[c] = block;
}

#endif
