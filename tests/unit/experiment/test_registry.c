/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists of parameters and statistics: every name once, every default valid, every row explained. */
#include "support.h"

#include "experiment/result.h"
#include <string.h>

static void add_once(GHashTable *seen, const char *name)
{
	ck_assert_msg(g_hash_table_add(seen, g_strdup(name)), "%s is named twice", name);
}

static void add_stats(GHashTable *seen, const struct stat_table *t)
{
	for (size_t i = 0; i < t->nspecs; i++) {
		const struct stat_spec *s = &t->specs[i];

		add_once(seen, s->name);
		ck_assert_msg(strchr(s->name, '.') && s->unit && s->help && *s->help, "%s lacks unit or help",
			      s->name);
		ck_assert_msg((s->kind == STAT_FORMULA) == (s->formula != NULL), "%s: formula", s->name);
	}
}

START_TEST(every_statistic_once)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (const struct stat_group *g = stat_groups; g->table; g++)
		add_stats(seen, g->table);
	for (const struct workload_ops *const *w = workloads; *w; w++) {
		g_autoptr(GHashTable) mine = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

		if ((*w)->stats)
			add_stats(mine, (*w)->stats);
		for (const struct stat_group *g = stat_groups; g->table; g++)
			add_stats(mine, g->table);
	}
	ck_assert_uint_gt(g_hash_table_size(seen), 50);
}
END_TEST

START_TEST(every_parameter_once)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (const struct param_table *const *t = config_tables(); *t; t++)
		for (size_t i = 0; i < (*t)->nspecs; i++) {
			g_autofree char *name = g_strdup_printf("%s.%s", (*t)->section, (*t)->specs[i].name);

			add_once(seen, name);
			ck_assert_msg((*t)->specs[i].help && *(*t)->specs[i].help, "%s lacks help", name);
		}
}
END_TEST

/* The generators' keys stand in [workload] beside its own: none may hide another. */
START_TEST(generator_keys_are_free)
{
	for (const struct trace_generator *const *g = trace_generators(); *g; g++)
		for (size_t i = 0; i < (*g)->params->nspecs; i++)
			ck_assert_msg(!param_find(&workload_param_table, (*g)->params->specs[i].name),
				      "generator %s: key %s is the workload's", (*g)->name,
				      (*g)->params->specs[i].name);
}
END_TEST

static void reads_back(const char *name, const char *text, const char *origin, const struct param_spec *spec,
		       void *arg)
{
	struct config *c = arg;
	g_autofree char *again = NULL;
	GError *error = NULL;

	(void)spec;
	ck_assert_str_eq(origin, "default");
	ck_assert_msg(config_set(c, name, text, "again", &error), "%s = %s: %s", name, text,
		      error ? error->message : "");
	again = config_text(c, name);
	ck_assert_str_eq(again, text);
	ck_assert_str_eq(config_origin(c, name), "again");
}

START_TEST(defaults_read_back)
{
	struct scenario *s = scenario_new();
	struct config *c = config_new();

	scenario_visit(s, reads_back, c);
	config_free(c);
	scenario_free(s);
}
END_TEST

START_TEST(presets_apply)
{
	g_auto(GStrv) names = preset_names();

	ck_assert_uint_ge(g_strv_length(names), 6);
	for (char **n = names; *n; n++) {
		struct scenario *s = scenario_new();
		GError *error = NULL;

		ck_assert_msg(scenario_set(s, "scenario.preset", *n, "test", &error), "%s: %s", *n,
			      error ? error->message : "");
		scenario_free(s);
	}
}
END_TEST

int main(void)
{
	TCase *lists = tcase_create("lists");

	tcase_add_test(lists, every_statistic_once);
	tcase_add_test(lists, every_parameter_once);
	tcase_add_test(lists, generator_keys_are_free);
	tcase_add_test(lists, defaults_read_back);
	tcase_add_test(lists, presets_apply);
	return test_run("registry", lists, NULL);
}
