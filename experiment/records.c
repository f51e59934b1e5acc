/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inputs of a scenario as one stream of chunks. A reader's record is valid only until the next
 * one, so records and segments are copied once into a chunk that all machines then read.
 */
#include "scenario.h"

#include "experiment/sweep/sweep.h"
#include <glib/gstdio.h>
#include <string.h>

struct record_source {
	struct scenario *scenario;
	uint64_t seed;
	struct trace_reader *reader; /* current input */
	unsigned next;               /* input to open next */
	uint64_t count, limit, skip;
	uint64_t base_ns, last_ns; /* files follow one another in time */
	uint64_t bytes_before, bytes_total;
	GArray *inputs; /* struct input_file, finished ones */
};

struct record_chunk *record_chunk_new(void)
{
	struct record_chunk *c = g_new0(struct record_chunk, 1);

	c->segments = g_array_new(FALSE, FALSE, sizeof(struct trace_segment));
	return c;
}

void record_chunk_free(struct record_chunk *c)
{
	g_array_unref(c->segments);
	g_free(c);
}

static struct trace_reader *open_trace(struct record_source *r, const char *path, GError **error)
{
	const struct workload_params *w = config_get(r->scenario->config, &workload_param_table);
	struct trace_options o = TRACE_OPTIONS_DEFAULT;

	if (r->scenario->first)
		return g_steal_pointer(&r->scenario->first);
	o.format = w->format && *w->format ? w->format : NULL;
	o.columns = w->columns;
	o.device = w->device && *w->device ? w->device : NULL;
	o.calls = scenario_workload(r->scenario)->input == TRACE_DMA;
	o.time_scale = w->time_scale;
	return trace_open(path, &o, error);
}

/* Open the next input. 1: open, 0: there is none, -1: error. */
static int open_next(struct record_source *r, GError **error)
{
	char *const *traces = scenario_traces(r->scenario);
	const struct trace_generator *g = scenario_generator(r->scenario);
	const struct workload_ops *ops = scenario_workload(r->scenario);

	if (g) {
		if (r->next++)
			return 0;
		r->reader = trace_generate(g, config_get(r->scenario->config, g->params), r->seed, error);
		return r->reader ? 1 : -1;
	}
	if (!traces[r->next])
		return 0;
	r->reader = open_trace(r, traces[r->next], error);
	if (!r->reader)
		return -1;
	if (trace_reader_workload(r->reader) != ops->input) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT,
			    "%s: holds %s records (format %s), but the workload %s takes %s records",
			    traces[r->next], trace_workload_names[trace_reader_workload(r->reader)],
			    trace_reader_format(r->reader)->name, ops->name,
			    trace_workload_names[ops->input]);
		return -1;
	}
	r->next++;
	r->base_ns = r->last_ns;
	return 1;
}

struct record_source *record_source_new(struct scenario *s, uint64_t seed, GError **error)
{
	const struct workload_params *w = config_get(s->config, &workload_param_table);
	struct record_source *r = g_new0(struct record_source, 1);

	r->scenario = s;
	r->seed = seed;
	r->limit = w->limit ? w->limit : UINT64_MAX;
	r->skip = w->skip;
	r->inputs = g_array_new(FALSE, TRUE, sizeof(struct input_file));
	for (char *const *t = scenario_traces(s); *t; t++) {
		GStatBuf st;

		if (strcmp(*t, "-") && !g_stat(*t, &st))
			r->bytes_total += (uint64_t)st.st_size;
	}
	if (open_next(r, error) < 0) {
		record_source_free(r);
		return NULL;
	}
	return r;
}

/*
 * Of a trace that workload.limit or skip cut short the reader has not seen everything: then it is known (time
 * shards), or the file is read.
 */
static char *input_sha256(struct record_source *r, const char *path, bool whole)
{
	const struct workload_params *w = config_get(r->scenario->config, &workload_param_table);
	const char *sha = whole ? trace_sha256(r->reader) : NULL;

	if (!sha && w->sha256 && *w->sha256 && !scenario_traces(r->scenario)[1])
		return g_strdup(w->sha256);
	if (!sha && strcmp(path, "-"))
		return file_sha256(path, NULL);
	return g_strdup(sha);
}

static void close_input(struct record_source *r, bool whole)
{
	struct input_file f = {0};
	uint64_t size;

	if (!scenario_generator(r->scenario)) {
		f.path = g_strdup(scenario_traces(r->scenario)[r->next - 1]);
		f.sha256 = input_sha256(r, f.path, whole);
		if (!f.sha256)
			f.sha256 = g_strdup("");
		f.format = g_strdup(trace_reader_format(r->reader)->name);
		f.bytes = trace_bytes_read(r->reader, &size);
		if (!whole && size)
			f.bytes = size;
		r->bytes_before += f.bytes;
		g_array_append_val(r->inputs, f);
	}
	g_clear_pointer(&r->reader, trace_close);
}

/* Segments may move while the chunk fills: pointers are set at its end. */
static void point_segments(struct record_chunk *c)
{
	const struct trace_segment *next = (const struct trace_segment *)c->segments->data;

	for (unsigned i = 0; i < c->n; i++) {
		struct trace_record *rec = &c->records[i];

		if (!rec->segs)
			continue;
		rec->segs = next;
		next += rec->nsegs;
	}
}

static void add_record(struct record_source *r, struct record_chunk *c, const struct trace_record *rec)
{
	struct trace_record *copy = &c->records[c->n++];

	*copy = *rec;
	copy->time_ns += r->base_ns;
	if (scenario_workload(r->scenario)->input == TRACE_NVME && copy->nvme.done_ns != TRACE_NO_TIME)
		copy->nvme.done_ns += r->base_ns;
	r->last_ns = MAX(r->last_ns, copy->time_ns);
	if (rec->segs)
		g_array_append_vals(c->segments, rec->segs, rec->nsegs);
	r->count++;
}

/* Skip what is to be skipped of this input. As trace_next. */
static int pass_over(struct record_source *r, GError **error)
{
	uint64_t last = 0;
	int rc = trace_skip(r->reader, &r->skip, &last, error);

	r->last_ns = MAX(r->last_ns, r->base_ns + last);
	return rc;
}

bool record_source_fill(struct record_source *r, struct record_chunk *c, GError **error)
{
	struct trace_record rec;

	c->n = 0;
	c->first = r->count;
	g_array_set_size(c->segments, 0);
	while (c->n < CHUNK_RECORDS && r->reader) {
		int got = r->skip ? pass_over(r, error) : 1;

		if (got > 0)
			got = r->count < r->limit ? trace_next(r->reader, &rec, error) : 0;
		if (got < 0)
			return false;
		if (got) {
			add_record(r, c, &rec);
			continue;
		}
		close_input(r, r->count < r->limit);
		if (r->count < r->limit && open_next(r, error) < 0)
			return false;
	}
	point_segments(c);
	return true;
}

uint64_t record_source_bytes(const struct record_source *r, uint64_t *total)
{
	uint64_t size;

	*total = r->bytes_total;
	return r->bytes_before + (r->reader ? trace_bytes_read(r->reader, &size) : 0);
}

uint64_t record_source_count(const struct record_source *r)
{
	return r->count;
}

struct input_file *record_source_inputs(struct record_source *r, unsigned *n)
{
	*n = r->inputs->len;
	return (struct input_file *)g_array_free(g_steal_pointer(&r->inputs), FALSE);
}

void record_source_free(struct record_source *r)
{
	if (!r)
		return;
	if (r->reader)
		trace_close(r->reader);
	for (unsigned i = 0; r->inputs && i < r->inputs->len; i++) {
		struct input_file *f = &g_array_index(r->inputs, struct input_file, i);

		g_free(f->path);
		g_free(f->sha256);
		g_free(f->format);
	}
	if (r->inputs)
		g_array_unref(r->inputs);
	g_free(r);
}

uint64_t scenario_count_records(struct scenario *s, GError **error)
{
	const struct scenario_params *p = config_get(s->config, &scenario_param_table);
	const struct workload_params *w = config_get(s->config, &workload_param_table);
	struct record_source *source = record_source_new(s, p->seed, error);
	struct record_chunk *chunk = record_chunk_new();
	uint64_t n = 0;

	if (source)
		source->skip = UINT64_MAX; /* passed over, which native traces do by blocks */
	if (source && record_source_fill(source, chunk, error)) {
		n = UINT64_MAX - source->skip;
		n = MIN(n - MIN(n, w->skip), source->limit);
		if (!n)
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "no records to run");
	}
	record_chunk_free(chunk);
	record_source_free(source);
	return n;
}
