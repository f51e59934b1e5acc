/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scheduler: takes every context to where the recording is. */
#include "internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* Timeout, a tick and generous lateness: by then a queued range has been flushed. */
#define FLUSH_GAP 100000000u

struct replay *replay_new(const struct replay_config *c)
{
	struct replay *r = g_new0(struct replay, 1);

	r->config = *c;
	r->main = fibre_new_main();
	r->contexts = g_ptr_array_new();
	r->mappings = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, replayed_free);
	r->lists = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
					 (GDestroyNotify)g_ptr_array_unref);
	r->direct = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	r->windows = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	r->states = g_ptr_array_new();
	r->pfns = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	r->domains = g_hash_table_new(NULL, NULL);
	r->commands = g_hash_table_new(NULL, NULL);
	r->deadlines = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	r->cache_ops = g_array_new(FALSE, FALSE, sizeof(struct cache_op));
	replay_watch(r);
	replay_steer(r);
	return r;
}

static void drop_contexts(struct replay *r)
{
	for (unsigned i = 0; i < r->contexts->len; i++) {
		struct context_run *c = g_ptr_array_index(r->contexts, i);

		if (c->fibre)
			fibre_free(c->fibre);
		g_clear_pointer(&c->in_hand, replayed_free);
		g_free(c);
	}
	g_ptr_array_set_size(r->contexts, 0);
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	drop_contexts(r);
	dma_layer_set_observer(r->config.layer, NULL);
	dma_layer_set_replay(r->config.layer, NULL);
	fibre_free(r->main);
	g_ptr_array_unref(r->contexts);
	g_hash_table_unref(r->windows);
	g_hash_table_unref(r->mappings);
	for (unsigned i = 0; i < r->states->len; i++) {
		struct domain_state *d = g_ptr_array_index(r->states, i);

		if (d)
			g_free(d->known);
		g_free(d);
	}
	g_ptr_array_unref(r->states);
	g_hash_table_unref(r->lists);
	g_hash_table_unref(r->pfns);
	g_hash_table_unref(r->direct);
	g_hash_table_unref(r->domains);
	g_hash_table_unref(r->deadlines);
	g_hash_table_unref(r->commands);
	for (unsigned i = 0; i < REPLAY_HISTS; i++)
		hist_free(r->hists[i]);
	g_array_unref(r->cache_ops);
	g_free(r->area_file);
	g_free(r->divergence);
	g_free(r);
}

const struct replay_totals *replay_totals(const struct replay *r)
{
	return &r->totals;
}

const char *replay_divergence(const struct replay *r)
{
	return r->divergence;
}

void replay_clear_divergence(struct replay *r)
{
	g_clear_pointer(&r->divergence, g_free);
}

/* ---- reports ---- */

void replay_log(struct replay *r, enum recording_kind kind, uint64_t a, uint64_t b, uint64_t c)
{
	r->log[r->logged++ % REPLAY_LOG] = (struct model_event){
	    .kind = (uint8_t)kind,
	    .cpu = r->run ? (uint16_t)r->run->cpu : 0,
	    .at = r->event,
	    .a = a,
	    .b = b,
	    .c = c,
	};
}

/* Recorded lines around the current one: those of the running context, and what lies between. */
static void report_recorded(struct replay *r, GString *s)
{
	uint32_t n = r->rec->events->len;
	uint32_t from = r->event > 9 ? r->event - 9 : 0, to = MIN(r->event + 6, n);

	g_string_append(s, "\n  recorded:\n");
	for (uint32_t i = from; i < to; i++) {
		g_autofree char *line = recording_describe(r->rec, recording_at(r->rec, i));

		g_string_append_printf(s, "  %c %s\n", i == r->event ? '>' : ' ', line);
	}
}

static void report_model(struct replay *r, GString *s)
{
	uint64_t from = r->logged > 14 ? r->logged - 14 : 0;

	g_string_append(s, "  model did last:\n");
	for (uint64_t i = from; i < r->logged; i++) {
		const struct model_event *m = &r->log[i % REPLAY_LOG];
		const struct recording_event *e = recording_at(r->rec, MIN(m->at, r->rec->events->len - 1));

		g_string_append_printf(s,
				       "    at line %u cpu %u %s 0x%" PRIx64 " 0x%" PRIx64 " %" PRIu64 "\n",
				       e->line, m->cpu, recording_kind_names[m->kind], m->a, m->b, m->c);
	}
}

static void report_state(struct replay *r, GString *s)
{
	struct device *dev = r->run && r->run->op ? r->run->dev : NULL;
	g_autofree char *dump = dev && dev->domain ? dma_replay_dump(dev) : NULL;

	if (r->run && r->run->op)
		g_string_append_printf(s, "  in the call %s, DMA address 0x%" PRIx64 ", size %" PRIu64 "\n",
				       replay_kind_names[r->run->op->kind], r->run->op->addr,
				       r->run->op->size);
	if (!dump)
		return;
	g_string_append_printf(s, "  allocator of %s:\n%s", dev->name, dump);
	for (unsigned c = 0; c < r->config.sim->ncpus; c++)
		g_string_append_printf(s, "  flush queue of cpu %u: %u entries\n", c,
				       dma_replay_ring_entries(dev, c));
}

void replay_diverge(struct replay *r, const char *format, ...)
{
	const struct recording_event *e = recording_at(r->rec, MIN(r->event, r->rec->events->len - 1));
	GString *s;
	va_list ap;

	if (r->run && r->run->deaf)
		return;
	/* The recording may have begun in the middle of a context's first call. */
	if (r->run && r->run->op && r->run->op->opening) {
		r->totals.cut_calls++;
		r->run->deaf = true;
		return;
	}
	r->totals.divergences++;
	if (r->divergence)
		return;
	s = g_string_new(NULL);
	g_string_printf(s, "%s:%u: ", r->rec->path, e->line);
	va_start(ap, format);
	g_string_append_vprintf(s, format, ap);
	va_end(ap);
	report_recorded(r, s);
	report_model(r, s);
	report_state(r, s);
	r->divergence = g_string_free(s, FALSE);
}

void replay_report(struct replay *r, const char *format, ...)
{
	va_list ap;

	r->totals.divergences++;
	if (r->divergence)
		return;
	va_start(ap, format);
	r->divergence = g_strdup_vprintf(format, ap);
	va_end(ap);
}

/* ---- contexts ---- */

/* Events of the call that the model did not get to: it is done, the recorded kernel was not. */
static void end_call(struct replay *r)
{
	struct context_run *c = r->run;

	replay_older_frees(r);
	if (!c->deaf && c->pos < c->op->nevents) {
		uint32_t next = operations_event(r->ops, c->op, c->pos);

		replay_wait(r, next);
		replay_diverge(r, "recorded kernel went on with %s, the model is done with the call",
			       recording_kind_names[recording_at(r->rec, next)->kind]);
		replay_part(r);
	}
	if (c->deaf)
		replay_settle(r);
}

static void context_main(void *arg)
{
	struct context_run *c = arg;

	for (;;) {
		replay_call(c->r);
		end_call(c->r);
		c->op = NULL;
		c->suspended = false;
		fibre_switch(c->fibre, c->r->main);
	}
}

static struct context_run *context_get(struct replay *r, uint32_t id)
{
	while (r->contexts->len <= id) {
		struct context_run *c = g_new0(struct context_run, 1);

		c->r = r;
		g_ptr_array_add(r->contexts, c);
	}
	return g_ptr_array_index(r->contexts, id);
}

/* Let c run until it waits or its call ends. */
static void resume(struct replay *r, struct context_run *c, unsigned cpu)
{
	struct sim *sim = r->config.sim;

	c->cpu = cpu % sim->ncpus;
	c->suspended = false;
	r->run = c;
	sim->cpu = &sim->cpus[c->cpu];
	sim->cpu->now = sim->now;
	fibre_switch(r->main, c->fibre);
	r->run = NULL;
	sim->cpu = &sim->cpus[0];
}

static void start(struct replay *r, struct context_run *c, const struct replay_op *op)
{
	c->op = op;
	c->pos = 0;
	c->at = r->event;
	c->wake = REPLAY_NEVER;
	c->pages_given = 0;
	c->deaf = c->late = c->bound = false;
	c->made = NULL;
	c->alloc = (struct recorded_alloc){0};
	if (!c->fibre)
		c->fibre = fibre_new(context_main, c);
	resume(r, c, op->cpu);
}

void replay_wait(struct replay *r, uint32_t event)
{
	struct context_run *c = r->run;

	if (event <= r->event || c->deaf)
		return;
	c->wake = event;
	c->passive = c->at != event;
	c->suspended = true;
	fibre_switch(c->fibre, r->main);
}

const struct recording_event *replay_peek(struct replay *r)
{
	const struct context_run *c = r->run;

	return c->pos < c->op->nevents ? recording_at(r->rec, operations_event(r->ops, c->op, c->pos)) : NULL;
}

const struct recording_event *replay_expect(struct replay *r, enum recording_kind kind, bool probe)
{
	struct context_run *c = r->run;
	const struct recording_event *e;

	if (c->deaf)
		return NULL;
	if (!r->seen[kind] && !probe) {
		r->totals.unrecorded++;
		return NULL;
	}
	replay_older_frees(r);
	e = replay_peek(r);
	if (e && e->kind == kind) {
		c->at = operations_event(r->ops, c->op, c->pos++);
		replay_wait(r, c->at);
		return e;
	}
	if (probe) {
		r->totals.inferred += r->ops->has_probes;
		return NULL;
	}
	/* The recording began or ended in the middle of this call. */
	if (c->op->cut || (!e && r->ops->next[c->at] == REPLAY_NEVER))
		return NULL;
	if (e)
		replay_wait(r, operations_event(r->ops, c->op, c->pos));
	replay_diverge(r, "the model does %s, the recorded kernel %s", recording_kind_names[kind],
		       e ? recording_kind_names[e->kind] : "is done with the call");
	replay_part(r);
	return NULL;
}

/* All contexts whose event has come, the longest-waiting first. */
static void resume_due(struct replay *r, uint32_t event)
{
	for (;;) {
		struct context_run *due = NULL;

		for (unsigned i = 0; i < r->contexts->len; i++) {
			struct context_run *c = g_ptr_array_index(r->contexts, i);

			if (!c->suspended || c->wake > event)
				continue;
			/* Those that only waited for others come before the one whose event it is. */
			if (!due || c->wake < due->wake ||
			    (c->wake == due->wake && c->passive && !due->passive))
				due = c;
		}
		if (!due)
			return;
		resume(r, due, due->passive ? due->cpu : recording_at(r->rec, event)->cpu);
	}
}

/* The context's next call begins, but the model still waits inside the one before. */
static void finish_apart(struct replay *r, struct context_run *c, const struct replay_op *next)
{
	r->run = c;
	replay_diverge(r, "call %s begins, but the model still waits inside %s",
		       replay_kind_names[next->kind], replay_kind_names[c->op->kind]);
	replay_part(r);
	resume(r, c, c->cpu);
}

static void take_event(struct replay *r, uint32_t i)
{
	const struct recording_event *e = recording_at(r->rec, i);
	uint32_t owner = r->ops->owner[i];
	const struct replay_op *op;
	struct context_run *c;

	r->event = i;
	if (!r->first_seen) {
		r->first_seen = true;
		r->first_ns = e->time_ns;
	}
	if (e->time_ns > r->first_ns)
		sim_advance(r->config.sim, (e->time_ns - r->first_ns) * SIM_NS);
	resume_due(r, i);
	if (!owner) {
		r->totals.foreign += e->kind == REC_QI_SUBMIT;
		if (e->kind == REC_P2P_TYPE)
			replay_nvme_classified(r, i);
		if (e->kind == REC_NVME_SETUP)
			g_hash_table_add(r->commands, replay_command(e));
		if (e->kind == REC_NVME_COMPLETE) {
			g_hash_table_remove(r->commands, replay_command(e));
			replay_nvme_completed(r, e);
		}
		return;
	}
	op = operations_at(r->ops, owner - 1);
	c = context_get(r, op->context);
	if (c->op == op || operations_event(r->ops, op, 0) != i)
		return;
	if (c->op)
		finish_apart(r, c, op);
	r->totals.calls++;
	start(r, c, op);
}

bool replay_seen(const struct replay *r, enum recording_kind kind)
{
	return r->seen[kind];
}

/* What was not recorded at all cannot be compared. */
static void look_for_kinds(struct replay *r)
{
	for (unsigned i = 0; i < r->rec->events->len; i++)
		r->seen[recording_at(r->rec, i)->kind] = true;
}

/*
 * Between two recordings the timer has flushed what was queued; on which CPU is not recorded, so the
 * released ranges count as older state.
 */
static void flush_between(struct replay *r)
{
	const struct recording_event *first = recording_at(r->rec, 0);

	if (!r->first_seen || first->time_ns < r->last_ns + FLUSH_GAP)
		return;
	for (unsigned i = 0; i < r->states->len; i++) {
		const struct domain_state *d = g_ptr_array_index(r->states, i);
		bool queued = false;

		for (unsigned c = 0; d && c < r->config.sim->ncpus; c++)
			queued |= dma_replay_ring_entries(d->dev, c) != 0;
		if (queued)
			dma_replay_flush_timer(d->dev, r->last_cpu % r->config.sim->ncpus);
	}
}

uint64_t replay_explained(const struct replay *r, unsigned order)
{
	return r->explained[order];
}

/* Forget what the caches held: they begin with that many unknown ranges. */
static void apply_fills(struct replay *r)
{
	struct device *dev = r->config.device(r->config.arg, "");

	for (unsigned order = 0; r->config.fills && dev && dev->domain && order < REPLAY_ORDERS; order++) {
		const struct replay_fill *f = &r->config.fills[(r->file - 1) * REPLAY_ORDERS + order];

		if (!f->use)
			continue;
		replay_domain(r, dev);
		for (unsigned c = 0; c < r->config.sim->ncpus && c < REPLAY_FILL_CPUS; c++) {
			dma_replay_cache_fill(dev, c, order, f->loaded[c], f->prev[c]);
			replay_domain(r, dev)->known[c] &= ~(1ull << order);
		}
		dma_replay_depot_fill(dev, order, f->depot);
	}
}

void replay_prepare(struct replay *r, struct operations *o)
{
	r->ops = o;
	r->rec = (struct recording *)o->recording;
	if (r->rec->events->len)
		flush_between(r);
	r->file++;
	for (unsigned i = 0; i < REPLAY_HISTS; i++) {
		hist_free(r->hists[i]);
		r->hists[i] = hist_new_exact();
	}
	g_array_set_size(r->cache_ops, 0);
	memset(r->explained, 0, sizeof(r->explained));
	apply_fills(r);
	if (replay_has_nvme(r) && operations_group(o))
		replay_nvme_plan(r);
}

const struct hist *replay_histogram(const struct replay *r, enum replay_histogram h)
{
	return r->hists[h];
}

bool replay_run(struct replay *r, struct operations *o)
{
	g_assert(r->ops == o);
	r->partings = 0;
	look_for_kinds(r);
	for (uint32_t i = 0; i < r->rec->events->len; i++) {
		if (r->config.stop && *r->config.stop)
			break;
		take_event(r, i);
	}
	if (r->rec->events->len) {
		const struct recording_event *last = recording_at(r->rec, r->rec->events->len - 1);

		r->last_ns = last->time_ns;
		r->last_cpu = last->cpu;
	}
	r->event = r->rec->events->len;
	resume_due(r, r->event);
	/* What the recording's end cut off stays as it is: its stack goes. */
	drop_contexts(r);
	return !r->partings;
}
