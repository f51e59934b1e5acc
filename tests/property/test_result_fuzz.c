/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results that somebody else made: a whole one with random changes in its structure is either refused with
 * a message, or everything that reads results (comparison, findings, figures) gets through it.
 */
#include "support.h"

#include "experiment/comparison.h"
#include "experiment/figures/figure.h"
#include "experiment/figures/report.h"
#include "sim/rng.h"

#include "experiment/result.h"
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

static json_t *whole(bool swept)
{
	static const char *const set[][2] = {{"workload.generator", "nvme"},
					     {"workload.requests", "40"},
					     {"scenario.fidelity", "timing"},
					     {"compare.iommu", "strict,lazy"}};
	const struct experiment_options o = {.threads = 1};
	struct scenario *s = scenario_new();
	struct experiment_result *r;
	GError *error = NULL;
	json_t *doc, *run;
	size_t i;

	for (size_t k = 0; k < G_N_ELEMENTS(set); k++)
		ck_assert(scenario_set(s, set[k][0], set[k][1], "test", &error));
	ck_assert(scenario_resolve(s, &error));
	r = experiment_run(s, &o, &error);
	ck_assert_ptr_nonnull(r);
	doc = result_to_json(r);
	json_array_foreach (json_object_get(doc, "runs"), i, run) {
		char value[8] = {(char)('1' + i % 2), 0};

		if (swept)
			json_object_set_new(run, "varied",
					    json_pack("{s:s, s:s}", "iotlb.entries", value, "x", "y"));
	}
	experiment_result_free(r);
	scenario_free(s);
	return doc;
}

/* Some value in the tree, chosen by walking down at random, becomes something else or goes. */
static void change(json_t *at, struct rng *rng)
{
	static const char *const texts[] = {"", "strict", "1e400", "4KiB", "`x`", "\xc3\x97"};
	json_t *child = NULL, *other = NULL;
	const char *key = NULL;
	size_t n = json_is_array(at) ? json_array_size(at) : json_object_size(at), which;

	if (!n)
		return;
	which = rng_below(rng, n);
	if (json_is_array(at)) {
		child = json_array_get(at, which);
	} else {
		void *it = json_object_iter(at);

		while (which--)
			it = json_object_iter_next(at, it);
		key = json_object_iter_key(it);
		child = json_object_iter_value(it);
	}
	if ((json_is_object(child) || json_is_array(child)) && rng_below(rng, 5)) {
		change(child, rng);
		return;
	}
	switch (rng_below(rng, 8)) {
	case 0:
		other = json_null();
		break;
	case 1:
		other = json_integer((json_int_t)rng_u64(rng));
		break;
	case 2:
		other = json_real(-1e300);
		break;
	case 3:
		other = json_object();
		break;
	case 4:
		other = json_array();
		break;
	case 5:
		other = json_string(texts[rng_below(rng, G_N_ELEMENTS(texts))]);
		break;
	case 6:
		other = json_true();
		break;
	default:
		break;
	}
	if (key && !other) {
		g_autofree char *name = g_strdup(key);

		json_object_del(at, name);
	} else if (key) {
		g_autofree char *name = g_strdup(key);

		json_object_set_new(at, name, other);
	} else if (other) {
		json_array_set_new(at, rng_below(rng, n), other);
	} else {
		json_array_remove(at, rng_below(rng, n));
	}
}

static void read_all(json_t *doc)
{
	struct comparison *c = comparison_new(doc, "x");
	GPtrArray *sentences = report_findings(doc);

	for (unsigned i = 0; i < c->rows * c->columns; i++)
		ck_assert_ptr_nonnull(c->cells->pdata[i]);
	comparison_free(c);
	g_ptr_array_unref(sentences);
	for (const struct figure *f = figures; f->name; f++)
		figure_applies(f, doc, NULL);
}

START_TEST(changed_results)
{
	struct rng rng;
	json_t *original = whole(_i);
	g_autofree char *path = g_strdup_printf("%s/dmasim-result-%d.json", g_get_tmp_dir(), (int)getpid());
	unsigned refused = 0, n = (unsigned)test_scale(400);

	rng_init(&rng, test_seed() + (uint64_t)_i, "results");
	for (unsigned i = 0; i < n; i++) {
		json_t *doc = json_deep_copy(original), *read;
		GError *error = NULL;

		for (uint64_t k = rng_below(&rng, 4); k + 1; k--)
			change(doc, &rng);
		ck_assert_int_eq(json_dump_file(doc, path, 0), 0);
		read = result_load(path, &error);
		ck_assert_msg((read == NULL) == (error != NULL), "neither a result nor a message");
		if (read)
			read_all(read);
		refused += !read;
		g_clear_error(&error);
		json_decref(read);
		json_decref(doc);
	}
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_lt(refused, n);
	g_unlink(path);
	json_decref(original);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("results");

	tcase_add_loop_test(t, changed_results, 0, 2);
	return test_run("result_fuzz", t, NULL);
}
