/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timeline of a run in Chrome's trace-event form (opens in Perfetto). Slices of one track must not
 * overlap. Calls cost one branch when sim->timeline is NULL.
 */
#ifndef DMASIM_TIMELINE_H
#define DMASIM_TIMELINE_H

#include <dmasim/sim.h>

struct timeline;
/* Writes path atomically at close; limit in bytes, further slices are counted, not written. */
struct timeline *timeline_open(const char *path, uint64_t limit, GError **error);
bool timeline_close(struct timeline *t, GError **error);
uint64_t timeline_dropped(const struct timeline *t);
/* Track within a named process row (one per run: "link strict"); returns its id. */
unsigned timeline_track(struct timeline *t, const char *process, const char *track);
void timeline_slice(struct timeline *t, unsigned track, const char *name, sim_time_t start, sim_time_t end);
void timeline_instant(struct timeline *t, unsigned track, const char *name, sim_time_t at);

#endif
