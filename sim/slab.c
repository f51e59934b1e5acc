/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "slab.h"

void *slab_alloc_slow(size_t bytes)
{
	return g_malloc(bytes);
}

void slab_free_slow(void *block)
{
	g_free(block);
}

void slab_fini(struct slab *s)
{
	for (unsigned c = 0; c < G_N_ELEMENTS(s->free); c++) {
		void *block = s->free[c];

		while (block) {
			void *next = *(void **)block;

			g_free(block);
			block = next;
		}
		s->free[c] = NULL;
	}
}
