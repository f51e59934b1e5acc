/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses in flight, for the drain of an invalidation (VT-d specification rev 4.1, 6.5.2.3). */
#include "in_flight.h"

#include <string.h>

static void drop(struct in_flight *f, unsigned first, unsigned n)
{
	f->n -= n;
	memmove(&f->entries[first], &f->entries[first + n], (f->n - first) * sizeof(*f->entries));
}

void in_flight_add(struct in_flight *f, sim_time_t begin, sim_time_t end, sim_time_t now)
{
	struct in_flight_entry *e = f->entries;
	unsigned at = f->n, later;

	f->longest = MAX(f->longest, end - begin);
	while (at > 0 && e[at - 1].begin > begin)
		at--;
	if (at > 0 && e[at - 1].end >= end)
		return;
	for (later = at; later < f->n && e[later].end <= end; later++)
		;
	if (at > 0 && e[at - 1].begin == begin)
		at--;
	if (later > at) {
		e[at] = (struct in_flight_entry){begin, end};
		drop(f, at + 1, later - at - 1);
		return;
	}
	/* Room: what began before now is one entry; else the two oldest are. */
	for (later = 0; later + 1 < f->n && e[later + 1].begin <= now; later++)
		;
	if (later == 0 && f->n == IN_FLIGHT_ENTRIES) {
		e[1].begin = MIN(begin, e[0].begin);
		later = 1;
	}
	drop(f, 0, later);
	if (later && at <= later)
		return; /* itself among them: what is left of them ends later */
	at -= later;
	memmove(&e[at + 1], &e[at], (f->n - at) * sizeof(*e));
	e[at] = (struct in_flight_entry){begin, end};
	f->n++;
}
