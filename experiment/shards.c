/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time shards of one trace put together again. */
#include "internal.h"

#include "experiment/sweep/sweep.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

static const struct stat_spec *find_in(const struct stat_table *t, const char *name)
{
	for (size_t i = 0; t && i < t->nspecs; i++)
		if (!strcmp(t->specs[i].name, name))
			return &t->specs[i];
	return NULL;
}

static const struct stat_spec *find_spec(const char *name)
{
	const struct stat_spec *s = NULL;

	for (const struct stat_group *g = stat_groups; !s && g->table; g++)
		s = find_in(g->table, name);
	for (const struct workload_ops *const *w = workloads; !s && *w; w++)
		s = find_in((*w)->stats, name);
	return s;
}

static json_t *add_numbers(const json_t *a, const json_t *b)
{
	if (json_is_integer(a) && json_is_integer(b))
		return json_integer(json_integer_value(a) + json_integer_value(b));
	if (json_is_number(a) && json_is_number(b))
		return json_real(json_number_value(a) + json_number_value(b));
	return json_null();
}

static json_t *larger(const json_t *a, const json_t *b)
{
	return json_deep_copy(json_number_value(a) >= json_number_value(b) ? a : b);
}

static void merge_stats(json_t *into, json_t *from)
{
	const char *name;
	json_t *value;

	json_object_foreach (from, name, value) {
		const struct stat_spec *s = find_spec(name);
		const json_t *have = json_object_get(into, name);

		if (s && stat_is_additive(s))
			json_object_set_new(into, name, add_numbers(have, value));
		else if (s && (s->kind == STAT_GAUGE || s->kind == STAT_TIME_MAX_NS) &&
			 json_is_number(have) && json_is_number(value))
			json_object_set_new(into, name, larger(have, value));
		else
			json_object_set_new(into, name, json_null());
	}
}

static void merge_counts(json_t *into, json_t *from)
{
	const char *bucket;
	json_t *count;

	json_object_foreach (from, bucket, count) {
		json_int_t have = json_integer_value(json_object_get(into, bucket));

		json_object_set_new(into, bucket, json_integer(have + json_integer_value(count)));
	}
}

static void merge_histograms(json_t *into, json_t *from)
{
	const char *name;
	json_t *buckets;

	json_object_foreach (from, name, buckets) {
		if (!json_object_get(into, name))
			json_object_set_new(into, name, json_object());
		merge_counts(json_object_get(into, name), buckets);
	}
}

/* Shards come in order: the last one's current values are those of the end. */
static void merge_memory(json_t *into, json_t *from)
{
	const char *account;
	json_t *entry;

	json_object_foreach (from, account, entry) {
		json_t *have = json_object_get(into, account);

		json_object_set_new(have, "peak",
				    larger(json_object_get(have, "peak"), json_object_get(entry, "peak")));
		json_object_set(have, "current", json_object_get(entry, "current"));
	}
}

static bool same_run(const json_t *a, const json_t *b)
{
	static const char *const members[] = {"api", "iommu", "seed"};

	for (int i = 0; i < 3; i++)
		if (!json_equal(json_object_get(a, members[i]), json_object_get(b, members[i])))
			return false;
	return true;
}

static json_t *find_run(json_t *runs, const json_t *like)
{
	json_t *run;
	size_t i;

	json_array_foreach (runs, i, run) {
		if (same_run(run, like))
			return run;
	}
	return NULL;
}

static void merge_run(json_t *runs, json_t *run)
{
	json_t *have = find_run(runs, run);

	if (!have) {
		have = json_deep_copy(run);
		json_object_clear(json_object_get(have, "varied"));
		json_array_append_new(runs, have);
		return;
	}
	merge_stats(json_object_get(have, "stats"), json_object_get(run, "stats"));
	merge_histograms(json_object_get(have, "histograms"), json_object_get(run, "histograms"));
	merge_memory(json_object_get(have, "memory"), json_object_get(run, "memory"));
}

json_t *shards_merge(const json_t *doc)
{
	json_t *merged = json_copy((json_t *)doc), *runs = json_array(), *run;
	size_t i;

	json_array_foreach (json_object_get(doc, "runs"), i, run)
		merge_run(runs, run);
	json_object_set_new(merged, "runs", runs);
	return merged;
}

bool shards_add_up(const char *statistic)
{
	const struct stat_spec *s = find_spec(statistic);

	return s && stat_is_additive(s);
}
