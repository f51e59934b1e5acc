/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resource.h"

void resource_init(struct resource *r, unsigned units)
{
	g_assert(units > 0);
	*r = (struct resource){.units = units};
	r->free_at = units == 1 ? NULL : g_new0(sim_time_t, units);
}

void resource_fini(struct resource *r)
{
	g_free(r->free_at);
	r->free_at = NULL;
}

void resource_settle(struct resource *r)
{
	sim_time_t *heap = r->free_at, late = heap[0];
	unsigned n = r->units, i = 0;

	for (unsigned child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && heap[child + 1] < heap[child])
			child++;
		if (heap[child] >= late)
			break;
		heap[i] = heap[child];
	}
	heap[i] = late;
}
