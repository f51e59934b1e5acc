/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dmasim/stat.h>
#include <math.h>

const char *stat_kind_name(enum stat_kind kind)
{
	static const char *const names[STAT_KINDS] = {
	    [STAT_COUNTER] = "counter",     [STAT_GAUGE] = "gauge",     [STAT_TIME_NS] = "time",
	    [STAT_TIME_MAX_NS] = "longest", [STAT_FORMULA] = "formula", [STAT_HISTOGRAM] = "histogram",
	    [STAT_LATENCIES] = "histogram",
	};

	return names[kind];
}

bool stat_is_histogram(const struct stat_spec *s)
{
	return s->kind == STAT_HISTOGRAM || s->kind == STAT_LATENCIES;
}

bool stat_is_additive(const struct stat_spec *s)
{
	return s->kind == STAT_COUNTER || s->kind == STAT_TIME_NS || s->summed;
}

static const void *member(const struct stat_spec *s, const void *values)
{
	return (const char *)values + s->offset;
}

struct stat_value stat_read(const struct stat_spec *s, const void *values, enum fidelity f)
{
	struct stat_value v = {.type = STAT_NULL};

	if (!values || stat_is_histogram(s) || (s->needs_timing && f != FIDELITY_TIMING))
		return v;
	if (s->kind == STAT_FORMULA) {
		v.d = s->formula(values);
		v.type = isfinite(v.d) ? STAT_REAL : STAT_NULL;
		return v;
	}
	v.type = STAT_INT;
	v.i = *(const uint64_t *)member(s, values);
	if (s->kind == STAT_TIME_NS || s->kind == STAT_TIME_MAX_NS)
		v.i = (v.i + SIM_NS / 2) / SIM_NS;
	return v;
}

const struct hist *stat_histogram(const struct stat_spec *s, const void *values)
{
	return values ? *(const struct hist *const *)member(s, values) : NULL;
}
