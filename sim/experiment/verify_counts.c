/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers of a recording's summary against what the model counted. */
#include "verify_internal.h"

void count_snapshot_take(struct count_snapshot *s, const struct machine *m, const struct replay_totals *t)
{
	s->dma = m->dma_stats;
	s->vtd = m->vtd_stats;
	s->totals = *t;
}

void count_snapshot_free(struct count_snapshot *s)
{
	(void)s;
}

uint64_t verify_counts(struct replay *r, const char *path, json_t *summary, const struct recording *rec,
		       const struct count_snapshot *before, const struct count_snapshot *after,
		       const struct verify_boot *boot)
{
	(void)r, (void)path, (void)summary, (void)rec, (void)before, (void)after, (void)boot;
	return 0;
}
