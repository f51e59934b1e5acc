/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lane.h"
#include "machine/internal.h"

static char *lane_name(const struct run_spec *spec)
{
	return g_strdup_printf("%s %s, seed %" G_GUINT64_FORMAT, spec->api->name,
			       iommu_mode_names[spec->mode], spec->seed);
}

static void sample_between(void *arg)
{
	struct lane *l = arg;

	series_sample(l->series, l->machine, false);
}

void lane_start(struct lane *l, const struct scenario *s, const struct experiment_options *o,
		struct timeline *timeline)
{
	const struct run_spec *spec = &l->result->spec;

	const struct workload_params *w = config_get(scenario_config(s), &workload_param_table);

	l->ops = scenario_workload(s);
	l->warmup = w->warmup;
	l->cut = w->cut;
	l->machine = machine_new(scenario_config(s), spec->mode, spec->kernel, spec->fidelity, spec->seed,
				 &l->error);
	if (!l->machine)
		return;
	l->machine->sim.interrupt = o->cancel;
	if (((const struct scenario_params *)config_get(scenario_config(s), &scenario_param_table))->check)
		l->debug = dma_debug_new(l->machine->dma, l->machine->fabric);
	if (timeline) {
		g_autofree char *name = lane_name(spec);

		sim_attach_timeline(&l->machine->sim, timeline, name);
	}
	l->workload = l->ops->create(l->machine, spec->api, &l->error);
	if (!l->workload || !o->interval)
		return;
	l->series = series_new(o->interval);
	if (l->ops->needs_trace)
		return; /* sampled with each record */
	l->machine->sim.between = sample_between;
	l->machine->sim.between_arg = l;
}

static void add_wall(struct lane *l, gint64 start)
{
	l->wall += (double)(g_get_monotonic_time() - start) / 1e6;
}

static void warmup_ends(struct lane *l)
{
	l->before = g_new0(struct run_result, 1);
	l->before->spec = l->result->spec;
	run_collect(l->before, l->machine, l->ops, l->workload);
	l->machine->io.warmup.end = l->machine->sim.now;
	l->machine->io.warmup.completed = l->machine->io.completed;
	l->machine->io.warmup.bytes = l->machine->io.bytes;
}

/* A rule was broken: that is the run's error, before any that followed from it. */
static bool violated(struct lane *l)
{
	const char *text = l->debug ? dma_debug_violation(l->debug) : NULL;

	if (!text)
		return false;
	g_clear_error(&l->error);
	g_set_error(&l->error, DMASIM_ERROR, DMASIM_ERROR_CHECK, "check: %s", text);
	return true;
}

bool lane_feed(struct lane *l, const struct record_chunk *c)
{
	gint64 start = g_get_monotonic_time();

	if (l->error)
		return false;
	for (unsigned i = 0; i < c->n; i++) {
		if (!l->ops->record(l->workload, &c->records[i], &l->error) || violated(l)) {
			l->failed_at = c->first + i;
			break;
		}
		if (l->series)
			series_sample(l->series, l->machine, false);
		if (G_UNLIKELY(l->warmup) && !--l->warmup)
			warmup_ends(l);
	}
	add_wall(l, start);
	return !l->error;
}

/* The drivers are gone: nothing is mapped, and nothing is charged to a request. */
static void check_end(struct lane *l)
{
	const struct ledger *ledger = &l->machine->sim.ledger;

	dma_debug_end(l->debug);
	for (enum ledger_account a = 0; !violated(l) && !l->error && a < LEDGER_TOTAL; a++)
		if (ledger_per_request(a) && ledger->accounts[a].current)
			g_set_error(&l->error, DMASIM_ERROR, DMASIM_ERROR_CHECK,
				    "check: the account %s of kernel memory holds %" G_GUINT64_FORMAT
				    " bytes when all requests have ended",
				    ledger_name(a), ledger->accounts[a].current);
}

static void machine_end(struct lane *l)
{
	if (l->workload)
		l->ops->destroy(l->workload);
	if (l->debug && !l->error)
		check_end(l);
	dma_debug_free(l->debug);
	l->debug = NULL;
	machine_free(l->machine);
	l->workload = NULL;
	l->machine = NULL;
}

static void collect(struct lane *l)
{
	machine_finish_units(l->machine);
	if (l->series) {
		series_sample(l->series, l->machine, true);
		if (series_failed(l->series, &l->error))
			return;
	}
	run_collect(l->result, l->machine, l->ops, l->workload);
	if (l->before)
		run_subtract(l->result, l->before);
}

void lane_finish(struct lane *l, bool abandoned)
{
	gint64 start = g_get_monotonic_time();

	if (!l->error && !abandoned) {
		l->failed_at = UINT64_MAX;
		if (l->cut)
			collect(l);
		if (l->ops->finish(l->workload, &l->error) && !l->cut)
			collect(l);
	}
	add_wall(l, start);
	l->result->wall_seconds = l->wall;
	if (l->machine && (l->error || abandoned))
		sim_abandon(&l->machine->sim);
	machine_end(l);
}

void lane_clear(struct lane *l)
{
	g_clear_error(&l->error);
	if (l->before)
		run_clear(l->before);
	g_free(l->before);
	if (l->series)
		l->result->series = series_take(l->series);
	if (l->series)
		series_free(l->series);
}
