/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine is a value: two of them, fed record by record in turn in one thread, give exactly what
 * each gives alone. So nothing they use is shared.
 */
#include "support.h"

#include "experiment/result.h"
#include <string.h>

enum { RECORDS = 3000 };

struct one {
	struct machine *m;
	struct workload *w;
	struct trace_reader *records;
};

static struct scenario *scenario_of(const char *fidelity)
{
	static const char *const settings[][2] = {
	    {"workload.generator", "nvme"},
	    {"workload.requests", "3000"},
	    {"workload.sizes", "4KiB:2,64KiB:1,300KiB:1"},
	    {"workload.read_share", "0.6"},
	    {"cpu.count", "4"},
	    {"workload.cpus", "4"},
	};
	struct scenario *s = scenario_new();

	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
		ck_assert(scenario_set(s, settings[i][0], settings[i][1], "test", NULL));
	ck_assert(scenario_set(s, "scenario.fidelity", fidelity, "test", NULL));
	ck_assert(scenario_resolve(s, NULL));
	return s;
}

static struct trace_reader *records_of(const struct scenario *s, uint64_t seed)
{
	const struct trace_generator *g = scenario_generator(s);
	g_autofree void *params = g_malloc0(g->params->struct_size);
	struct trace_reader *r;

	param_defaults(g->params, params);
	for (size_t i = 0; i < g->params->nspecs; i++) {
		g_autofree char *name = g_strdup_printf("workload.%s", g->params->specs[i].name);
		g_autofree char *text = config_text(scenario_config(s), name);

		ck_assert(param_set(&g->params->specs[i], params, text, NULL));
	}
	r = trace_generate(g, params, seed, NULL);
	param_clear(g->params, params);
	return r;
}

static void start(struct one *o, const struct scenario *s, const struct run_spec *spec)
{
	GError *error = NULL;

	o->m = machine_new(scenario_config(s), spec->mode, spec->kernel, spec->fidelity, spec->seed, &error);
	ck_assert_msg(o->m, "%s", error ? error->message : "");
	o->w = scenario_workload(s)->create(o->m, spec->api, &error);
	ck_assert_msg(o->w, "%s", error ? error->message : "");
	o->records = records_of(s, spec->seed);
	ck_assert(o->records);
}

static bool step(struct one *o, const struct scenario *s)
{
	struct trace_record rec;
	GError *error = NULL;
	int got = trace_next(o->records, &rec, NULL);

	ck_assert_int_ge(got, 0);
	if (got)
		ck_assert_msg(scenario_workload(s)->record(o->w, &rec, &error), "%s",
			      error ? error->message : "");
	return got > 0;
}

/* Every statistic and memory account as text. */
static char *end(struct one *o, const struct scenario *s)
{
	const struct workload_ops *ops = scenario_workload(s);
	GString *text = g_string_new(NULL);

	ck_assert(ops->finish(o->w, NULL));
	for (const struct stat_group *g = stat_groups; g->table; g++)
		for (size_t i = 0; i < g->table->nspecs; i++) {
			struct stat_value v = stat_read(&g->table->specs[i], (const char *)o->m + g->offset,
							o->m->sim.fidelity);

			g_string_append_printf(text, "%s %d %" G_GUINT64_FORMAT " %.17g\n",
					       g->table->specs[i].name, (int)v.type, v.i, v.d);
		}
	for (int a = 0; a < LEDGER_COUNT; a++)
		g_string_append_printf(text, "%s %" G_GUINT64_FORMAT "\n", ledger_name(a),
				       o->m->sim.ledger.accounts[a].peak);
	ops->destroy(o->w);
	machine_free(o->m);
	trace_close(o->records);
	return g_string_free(text, FALSE);
}

static char *alone(const struct scenario *s, const struct run_spec *spec)
{
	struct one o;
	unsigned n = 0;

	start(&o, s, spec);
	while (step(&o, s))
		n++;
	ck_assert_uint_eq(n, RECORDS);
	return end(&o, s);
}

static void check_pair(const struct scenario *s, const struct run_spec *a, const struct run_spec *b)
{
	g_autofree char *a_alone = alone(s, a), *b_alone = alone(s, b), *a_beside = NULL, *b_beside = NULL;
	struct one x, y;
	bool more = true;

	start(&x, s, a);
	start(&y, s, b);
	while (more) {
		more = step(&x, s);
		more = step(&y, s) || more;
	}
	a_beside = end(&x, s);
	b_beside = end(&y, s);
	ck_assert_str_eq(a_alone, a_beside);
	ck_assert_str_eq(b_alone, b_beside);
	ck_assert_ptr_nonnull(strstr(a_alone, "io.completed 1 3000 "));
}

START_TEST(interleaved)
{
	struct scenario *s = scenario_of(_i ? "timing" : "counts");
	unsigned n;
	const struct run_spec *runs = scenario_runs(s, &n);

	ck_assert_uint_eq(n, 6);
	for (unsigned i = 0; i < n; i++)
		check_pair(s, &runs[i], &runs[(i + 3) % n]);
	/* And twice the same machine. */
	check_pair(s, &runs[0], &runs[0]);
	scenario_free(s);
}
END_TEST

int main(void)
{
	TCase *machines = tcase_create("machines");

	tcase_add_loop_test(machines, interleaved, 0, 2);
	return test_run("interleaved", machines, NULL);
}
