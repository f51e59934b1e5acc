/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dmasim/stat.h>
#include <math.h>

struct stat_value stat_read(const struct stat_spec *s, const void *values, enum fidelity f)
{
	const uint64_t *member = (const uint64_t *)((const char *)values + s->offset);
	struct stat_value v = {.type = STAT_NULL};

	if (s->kind == STAT_ABSENT || !values || (s->needs_timing && f != FIDELITY_TIMING))
		return v;
	if (s->kind == STAT_FORMULA) {
		v.d = s->formula(values);
		v.type = isfinite(v.d) ? STAT_REAL : STAT_NULL;
		return v;
	}
	v.type = STAT_INT;
	v.i = *member;
	if (s->kind == STAT_TIME_NS || s->kind == STAT_TIME_MAX_NS)
		v.i = (v.i + SIM_NS / 2) / SIM_NS;
	return v;
}
