/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dmasim/resource.h>

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

/* The root of the heap of free_at has become later: move it down to its place. */
static void sift_down(sim_time_t *heap, unsigned n)
{
	sim_time_t late = heap[0];
	unsigned i = 0;

	for (unsigned child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && heap[child + 1] < heap[child])
			child++;
		if (heap[child] >= late)
			break;
		heap[i] = heap[child];
	}
	heap[i] = late;
}

sim_time_t resource_serve(struct resource *r, sim_time_t arrival, sim_time_t service)
{
	sim_time_t *first = r->units == 1 ? &r->one : r->free_at;
	sim_time_t start = arrival > *first ? arrival : *first;

	*first = start + service;
	if (r->units > 1)
		sift_down(r->free_at, r->units);
	r->served++;
	r->busy += service;
	r->waited += start - arrival;
	return start;
}
