/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results of verification as JSON and as the table of docs/exactness.md. */
#include "internal.h"

#include <inttypes.h>

/* The formatter does not settle on one layout of this list. */
/* clang-format off */
#define TOTALS(X) \
	X(addresses) X(predicted) X(ordered) X(bound) X(explained) X(diverging) \
	X(descriptors) X(tag_flushes) X(maps) X(unmaps) X(frees) X(calls) X(pasid_pages) X(pasid_domains) X(inferred) \
	X(foreign) X(timer_flushes) X(full_flushes) X(model_timers) X(adopted) \
	X(older_frees) X(unrecorded) X(cut_calls) \
	X(domains_bound) X(hints_bound) X(requests) X(classified) X(counts) X(divergences)
/* clang-format on */

static json_t *totals_json(const struct replay_totals *t)
{
	json_t *o = json_object();

#define ROW(name) json_object_set_new(o, #name, json_integer((json_int_t)t->name));
	TOTALS(ROW)
#undef ROW
	return o;
}

static json_t *recording_json(const struct verify_recording *v)
{
	json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:b, s:b, s:o}", "name", v->name, "path", v->path,
			      "events", (json_int_t)v->events, "lost", (json_int_t)v->lost, "complete",
			      v->complete, "summary", v->summary, "totals", totals_json(&v->totals));

	json_object_set_new(o, "divergence", v->divergence ? json_string(v->divergence) : json_null());
	return o;
}

json_t *verify_json(const GPtrArray *boots)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < boots->len; i++) {
		const struct verify_boot *b = g_ptr_array_index((GPtrArray *)boots, i);
		json_t *recordings = json_array();

		for (unsigned k = 0; k < b->recordings->len; k++)
			json_array_append_new(recordings,
					      recording_json(g_ptr_array_index(b->recordings, k)));
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "name", b->name, "kernel",
						b->kernel->name, "mode", b->mode, "fresh", b->fresh, "totals",
						totals_json(&b->totals), "recordings", recordings));
	}
	return json_pack("{s:b, s:o}", "equal", verify_equal(boots), "boots", list);
}

static void row(GString *s, const char *boot, const char *name, const struct replay_totals *t)
{
	g_string_append_printf(s,
			       "| %s | %s | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64
			       " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " / %" PRIu64
			       " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " |\n",
			       boot, name, t->calls, t->addresses, t->predicted, t->ordered, t->bound,
			       t->explained, t->descriptors, t->maps + t->unmaps, t->timer_flushes,
			       t->model_timers, t->requests, t->counts, t->divergences);
}

char *verify_table(const GPtrArray *boots)
{
	GString *s = g_string_new(
	    "| boot | recording | calls | addresses | predicted | ordered | bound | explained "
	    "| descriptors | maps and unmaps | timer flushes (recorded / model) | requests "
	    "| counts | diverging |\n"
	    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");

	for (unsigned i = 0; i < boots->len; i++) {
		const struct verify_boot *b = g_ptr_array_index((GPtrArray *)boots, i);

		for (unsigned k = 0; k < b->recordings->len; k++) {
			const struct verify_recording *v = g_ptr_array_index(b->recordings, k);

			row(s, b->name, v->name, &v->totals);
		}
		if (b->recordings->len > 1)
			row(s, b->name, "**all**", &b->totals);
	}
	return g_string_free(s, FALSE);
}
