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

sim_time_t resource_serve(struct resource *r, sim_time_t arrival, sim_time_t service)
{
	sim_time_t *unit = r->units == 1 ? &r->one : r->free_at, start;

	for (unsigned i = 1; i < r->units; i++)
		if (r->free_at[i] < *unit)
			unit = &r->free_at[i];
	start = arrival > *unit ? arrival : *unit;
	*unit = start + service;
	r->served++;
	r->busy += service;
	r->waited += start - arrival;
	return start;
}
