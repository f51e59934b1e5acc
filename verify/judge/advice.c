/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a verdict leaves open, and which further event, probe or beginning would have decided it. */
#include "internal.h"

#include <inttypes.h>

static bool translated(const struct replay *r)
{
	return replay_seen(r, REC_MAP) || replay_seen(r, REC_MAP_NOSYNC) || replay_seen(r, REC_UNMAP);
}

char *verify_undecided(const struct replay *r, const struct verify_boot *boot)
{
	const struct replay_totals *t = &boot->totals;
	GString *s = g_string_new(NULL);

	if (translated(r) && !replay_seen(r, REC_QI_SUBMIT))
		g_string_append(s, "invalidations were not compared: record intel_iommu:qi_submit\n");
	if (translated(r) && t->bound + t->explained && !replay_seen(r, REC_IOVA_ALLOC))
		g_string_append_printf(s,
				       "%" PRIu64
				       " addresses without the allocator's calls: probe alloc_iova_fast, "
				       "alloc_iova and free_iova_fast (dmasim record does)\n",
				       t->bound + t->explained);
	else if (translated(r) && !boot->fresh && t->bound + t->explained)
		g_string_append_printf(s,
				       "%" PRIu64
				       " addresses from state older than the recording: begin it before the "
				       "driver is bound (unbind and bind the device while recording)\n",
				       t->bound + t->explained);
	if (t->hints_bound)
		g_string_append_printf(s,
				       "%" PRIu64
				       " bounce areas whose search began at an unknown slot: begin at boot "
				       "(trace_event= on the kernel's command line)\n",
				       t->hints_bound);
	if (t->cut_calls)
		g_string_append_printf(s,
				       "%" PRIu64
				       " calls that the recording holds in part: larger buffers, or "
				       "begin and end it while the device is idle\n",
				       t->cut_calls);
	if (!s->len) {
		g_string_free(s, TRUE);
		return NULL;
	}
	return g_string_free(s, FALSE);
}
