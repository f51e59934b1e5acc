/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The comparison: one machine per run, all fed the same records in one bounded pass. The calling
 * thread reads records into a small ring of chunks; worker threads replay them, each with machines
 * of its own (a machine never changes thread, so that its fibres stay where they started). Results
 * do not depend on the number of threads: a machine sees only its own records, in order.
 */
#include "lane.h"

#include <string.h>

enum { RING_CHUNKS = 4 };

struct pass {
	struct scenario *scenario;
	const struct experiment_options *options;
	struct lane *lanes;
	unsigned nlanes, nthreads;
	struct timeline *timeline;
	GMutex lock;
	GCond published_cond, done_cond;
	struct record_chunk *ring[RING_CHUNKS];
	uint64_t published; /* chunks filled so far */
	bool end;           /* no more chunks will come */
	bool abort;         /* leave at once */
	uint64_t *done;     /* chunks each thread has finished */
};

struct worker {
	struct pass *pass;
	unsigned index;
	GThread *thread;
};

/* The next chunk for a worker that has finished n; NULL at the end. */
static const struct record_chunk *wait_for_chunk(struct pass *p, uint64_t n)
{
	const struct record_chunk *chunk = NULL;

	g_mutex_lock(&p->lock);
	while (p->published == n && !p->end && !p->abort)
		g_cond_wait(&p->published_cond, &p->lock);
	if (p->published > n && !p->abort)
		chunk = p->ring[n % RING_CHUNKS];
	g_mutex_unlock(&p->lock);
	return chunk;
}

static void chunk_done(struct pass *p, unsigned index)
{
	g_mutex_lock(&p->lock);
	p->done[index]++;
	g_cond_signal(&p->done_cond);
	g_mutex_unlock(&p->lock);
}

static void stop_reading(struct pass *p)
{
	g_mutex_lock(&p->lock);
	p->end = true;
	g_cond_broadcast(&p->published_cond);
	g_cond_signal(&p->done_cond);
	g_mutex_unlock(&p->lock);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pass *p = w->pass;
	const struct record_chunk *chunk;

	for (unsigned i = w->index; i < p->nlanes; i += p->nthreads)
		lane_start(&p->lanes[i], p->scenario, p->options, p->timeline);
	for (uint64_t n = 0; (chunk = wait_for_chunk(p, n)); n++) {
		for (unsigned i = w->index; i < p->nlanes; i += p->nthreads)
			if (!lane_feed(&p->lanes[i], chunk))
				stop_reading(p);
		chunk_done(p, w->index);
	}
	for (unsigned i = w->index; i < p->nlanes; i += p->nthreads)
		lane_finish(&p->lanes[i], p->abort);
	return NULL;
}

/* Wait until a slot of the ring is free; false when reading should end. */
static bool wait_for_slot(struct pass *p)
{
	bool go;

	g_mutex_lock(&p->lock);
	for (;;) {
		uint64_t slowest = UINT64_MAX;

		for (unsigned i = 0; i < p->nthreads; i++)
			slowest = MIN(slowest, p->done[i]);
		go = !p->end;
		if (p->end || p->published - slowest < RING_CHUNKS)
			break;
		g_cond_wait(&p->done_cond, &p->lock);
	}
	g_mutex_unlock(&p->lock);
	return go;
}

static void publish(struct pass *p)
{
	g_mutex_lock(&p->lock);
	p->published++;
	g_cond_broadcast(&p->published_cond);
	g_mutex_unlock(&p->lock);
}

static bool cancelled(const struct experiment_options *o, GError **error)
{
	if (!o->cancel || !*o->cancel)
		return false;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INTERRUPTED, "interrupted; no result was written");
	return true;
}

static bool feed(struct pass *p, struct record_source *source, gint64 start, GError **error)
{
	struct experiment_progress progress = {0};

	while (wait_for_slot(p)) {
		struct record_chunk *chunk = p->ring[p->published % RING_CHUNKS];

		if (cancelled(p->options, error) || !record_source_fill(source, chunk, error))
			return false;
		if (!chunk->n)
			break;
		publish(p);
		progress.records = chunk->first + chunk->n;
		progress.bytes = record_source_bytes(source, &progress.total_bytes);
		progress.seconds = (double)(g_get_monotonic_time() - start) / 1e6;
		if (p->options->progress)
			p->options->progress(p->options->progress_arg, &progress);
	}
	return true;
}

/* Among failed runs the one with the earliest record, then the first: the same with any threads. */
static bool report(struct pass *p, GError **error)
{
	struct lane *first = NULL;

	for (unsigned i = 0; i < p->nlanes; i++) {
		struct lane *l = &p->lanes[i];

		if (l->error && (!first || l->failed_at < first->failed_at))
			first = l;
	}
	if (!first)
		return true;
	g_propagate_prefixed_error(error, g_steal_pointer(&first->error),
				   "%s %s: ", first->result->spec.api->name,
				   iommu_mode_names[first->result->spec.mode]);
	return false;
}

static unsigned thread_count(const struct pass *p)
{
	unsigned n = p->options->threads ? p->options->threads : g_get_num_processors();

	return p->timeline ? 1 : CLAMP(n, 1, p->nlanes); /* one timeline, written in the order of the runs */
}

static void run_threads(struct pass *p, struct record_source *source, GError **error)
{
	g_autofree struct worker *workers = g_new0(struct worker, p->nthreads);
	gint64 start = g_get_monotonic_time();

	for (unsigned i = 0; i < p->nthreads; i++) {
		workers[i] = (struct worker){.pass = p, .index = i};
		workers[i].thread = g_thread_new("replay", work, &workers[i]);
	}
	if (source && !feed(p, source, start, error)) {
		g_mutex_lock(&p->lock);
		p->abort = true;
		g_mutex_unlock(&p->lock);
	}
	stop_reading(p);
	for (unsigned i = 0; i < p->nthreads; i++)
		g_thread_join(workers[i].thread);
}

/* One pass over one record source; lanes point at their results. */
static bool run_pass(struct pass *p, struct record_source *source, GError **error)
{
	GError *reading = NULL;
	bool ok;

	p->nthreads = thread_count(p);
	p->done = g_new0(uint64_t, p->nthreads);
	g_mutex_init(&p->lock);
	g_cond_init(&p->published_cond);
	g_cond_init(&p->done_cond);
	for (unsigned i = 0; i < RING_CHUNKS; i++)
		p->ring[i] = record_chunk_new();
	run_threads(p, source, &reading);
	for (unsigned i = 0; i < RING_CHUNKS; i++)
		record_chunk_free(p->ring[i]);
	g_mutex_clear(&p->lock);
	g_cond_clear(&p->published_cond);
	g_cond_clear(&p->done_cond);
	g_free(p->done);
	if (reading) {
		g_propagate_error(error, reading);
		return false;
	}
	ok = report(p, error);
	return ok && !cancelled(p->options, error);
}

/* Run results[from, to) over one stream of records. */
static bool run_group(struct experiment_result *r, struct scenario *s, const struct experiment_options *o,
		      struct timeline *timeline, unsigned from, unsigned to, GError **error)
{
	bool needs_trace = scenario_workload(s)->needs_trace;
	struct record_source *source = NULL;
	struct pass p = {.scenario = s, .options = o, .nlanes = to - from, .timeline = timeline};
	bool ok;

	if (needs_trace) {
		source = record_source_new(s, r->runs[from].spec.seed, error);
		if (!source)
			return false;
	}
	p.lanes = g_new0(struct lane, p.nlanes);
	for (unsigned i = 0; i < p.nlanes; i++)
		p.lanes[i].result = &r->runs[from + i];
	ok = run_pass(&p, source, error);
	for (unsigned i = 0; i < p.nlanes; i++)
		lane_clear(&p.lanes[i]);
	if (ok && source) {
		r->records += record_source_count(source);
		if (!r->inputs)
			r->inputs = record_source_inputs(source, &r->ninputs);
	}
	record_source_free(source);
	g_free(p.lanes);
	return ok;
}

static bool check_records(const struct experiment_result *r, const struct scenario *s, GError **error)
{
	char *const *traces = scenario_traces(s);

	if (r->records || !scenario_workload(s)->needs_trace)
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INPUT, "%s: no records to run%s",
		    traces[0] ? traces[0] : "generator",
		    traces[0] ? " (empty, or filtered by workload.device?)" : "");
	return false;
}

/* A generator's stream depends on the seed: one pass per seed. A trace is read once for all. */
static bool run_all(struct experiment_result *r, struct scenario *s, const struct experiment_options *o,
		    struct timeline *timeline, GError **error)
{
	bool by_seed = scenario_generator(s) != NULL;
	unsigned from = 0;

	while (from < r->nruns) {
		unsigned to = from + 1;

		while (to < r->nruns && (!by_seed || r->runs[to].spec.seed == r->runs[from].spec.seed))
			to++;
		if (!run_group(r, s, o, timeline, from, to, error))
			return false;
		from = to;
	}
	return check_records(r, s, error);
}

bool experiment_check(const struct scenario *s, GError **error)
{
	const struct experiment_options none = {0};
	unsigned n;
	const struct run_spec *runs = scenario_runs(s, &n);
	bool ok = true;

	for (unsigned i = 0; ok && i < n; i++) {
		struct run_result r = {.spec = runs[i]};
		struct lane l = {.result = &r};
		struct pass p = {.lanes = &l, .nlanes = 1};

		if (runs[i].seed != runs[0].seed)
			continue; /* the same machines again */
		lane_start(&l, s, &none, NULL);
		lane_finish(&l, true);
		ok = report(&p, error);
		lane_clear(&l);
	}
	return ok;
}

struct experiment_result *experiment_run(struct scenario *s, const struct experiment_options *o,
					 GError **error)
{
	struct experiment_result *r = g_new0(struct experiment_result, 1);
	const struct run_spec *specs = scenario_runs(s, &r->nruns);
	gint64 start = g_get_monotonic_time();
	struct timeline *timeline = NULL;
	GError *why = NULL;
	bool ok = true;

	r->scenario = s;
	r->timeline = o->timeline;
	r->runs = g_new0(struct run_result, r->nruns);
	for (unsigned i = 0; i < r->nruns; i++)
		r->runs[i].spec = specs[i];
	if (o->timeline) {
		timeline = timeline_open(o->timeline, o->timeline_limit, &why);
		ok = timeline != NULL;
	}
	ok = ok && run_all(r, s, o, timeline, error);
	if (timeline && !timeline_close(timeline, ok ? &why : NULL))
		ok = false;
	if (why) {
		g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_OUTPUT, "%s", why->message);
		g_error_free(why);
	}
	r->wall_seconds = (double)(g_get_monotonic_time() - start) / 1e6;
	if (ok)
		return r;
	experiment_result_free(r);
	return NULL;
}

void experiment_result_free(struct experiment_result *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->nruns; i++)
		run_clear(&r->runs[i]);
	for (unsigned i = 0; i < r->ninputs; i++) {
		g_free(r->inputs[i].path);
		g_free(r->inputs[i].sha256);
		g_free(r->inputs[i].format);
	}
	g_free(r->inputs);
	g_free(r->runs);
	g_free(r);
}
