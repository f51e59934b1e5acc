/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timeline of a run in Chrome's trace-event form (opens in Perfetto). Slices of one track that overlap
 * (walks in flight together) are shown in further lanes of it, each a row of its own, so that slices
 * of one row never overlap. Callers test sim->timeline first: one branch when no timeline is wanted.
 */
#ifndef DMASIM_SIM_TIMELINE_H
#define DMASIM_SIM_TIMELINE_H

#include "sim.h"

struct timeline;
/* Lanes of one track; a slice that overlaps more than that is counted as dropped. */
#define TIMELINE_MAX_LANES 64u
/*
 * Writes path atomically at close. limit in bytes (0: none); what does not fit is counted, not
 * written. Close frees t in any case.
 */
struct timeline *timeline_open(const char *path, uint64_t limit, GError **error);
bool timeline_close(struct timeline *t, GError **error);
uint64_t timeline_dropped(const struct timeline *t);
/* Track within a named process row (one per run: "link strict"); returns its id. */
unsigned timeline_track(struct timeline *t, const char *process, const char *track);
RARE void timeline_slice(struct timeline *t, unsigned track, const char *name, sim_time_t start,
			 sim_time_t end);
void timeline_instant(struct timeline *t, unsigned track, const char *name, sim_time_t at);

/* What a run shows, one track each. */
enum timeline_kind {
	TIMELINE_MAP,
	TIMELINE_LINK,
	TIMELINE_SYNC,
	TIMELINE_UNMAP,
	TIMELINE_INVALIDATION,
	TIMELINE_WALK,
	TIMELINE_TRANSFER,
	TIMELINE_KINDS,
};
/* Give a machine its tracks in t, under the process row ("link strict"). */
void sim_attach_timeline(struct sim *s, struct timeline *t, const char *process);
/* One branch when no timeline is wanted. */
static inline void sim_slice(struct sim *s, enum timeline_kind kind, const char *name, sim_time_t start,
			     sim_time_t end)
{
	if (G_UNLIKELY(s->timeline))
		timeline_slice(s->timeline, s->timeline_first + kind, name, start, end);
}

/* The track's value from this moment on, drawn as a curve (queue depth, mappings alive). */
void timeline_counter(struct timeline *t, unsigned track, sim_time_t at, uint64_t value);

#endif
