/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translated accesses that are not over. Accesses are computed ahead, so a drain must not wait for those
 * that begin after it: kept are the moments from which on a later end is known, in a list that rises in
 * both. It is short: what began before now is one entry, and when it is full the two oldest become one,
 * which could make a drain wait longer; but no access stays longer than the longest so far.
 */
#ifndef DMASIM_VTD_IN_FLIGHT_H
#define DMASIM_VTD_IN_FLIGHT_H

#include <dmasim/types.h>

#define IN_FLIGHT_ENTRIES 64u

struct in_flight {
	struct in_flight_entry {
		sim_time_t begin, end;
	} entries[IN_FLIGHT_ENTRIES]; /* both rise */
	unsigned n;
	sim_time_t longest; /* access so far */
};

/* An access that begins at begin is over at end; nobody will ask for moments before now. */
void in_flight_add(struct in_flight *f, sim_time_t begin, sim_time_t end, sim_time_t now);
/* When all accesses that begin until at are over; 0: none. */
static inline sim_time_t in_flight_until(const struct in_flight *f, sim_time_t at)
{
	unsigned i = f->n;

	while (i > 0 && f->entries[i - 1].begin > at)
		i--;
	return i ? MIN(f->entries[i - 1].end, at + f->longest) : 0;
}

#endif
