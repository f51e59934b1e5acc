/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hardware server with a queue: n identical units, first come first served. Users compute
 * synchronously: reserving a unit returns when service starts, so a whole transfer is one event.
 */
#ifndef DMASIM_SIM_RESOURCE_H
#define DMASIM_SIM_RESOURCE_H

#include <dmasim/types.h>

struct resource {
	unsigned units;
	sim_time_t *free_at; /* min-heap over the units; one unit: inline below */
	sim_time_t one;
};

void resource_init(struct resource *r, unsigned units);
void resource_fini(struct resource *r);
/* When the first unit becomes free. */
static inline sim_time_t resource_first_free(const struct resource *r)
{
	return r->units == 1 ? r->one : r->free_at[0];
}
/* The first unit of several became free later: find out which is the first now. */
void resource_settle(struct resource *r);
/* Occupy one unit for service from the first moment >= arrival that one is free; returns the start. */
static inline sim_time_t resource_serve(struct resource *r, sim_time_t arrival, sim_time_t service)
{
	sim_time_t *first = r->units == 1 ? &r->one : r->free_at;
	sim_time_t start = MAX(arrival, *first);

	*first = start + service;
	if (r->units > 1)
		resource_settle(r);
	return start;
}

#endif
