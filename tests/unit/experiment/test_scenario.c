/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layers of a scenario: default, preset, file, --set; origins; kernels as shipped; runs in order. */
#include "support.h"

#include "experiment/result.h"
#include <glib/gstdio.h>
#include <string.h>

static struct scenario *load(const char *text, GError **error)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("dmasim-XXXXXX.ini", &path, NULL);
	struct scenario *s;

	ck_assert_int_ge(fd, 0);
	g_close(fd, NULL);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	s = scenario_load(path, error);
	g_unlink(path);
	return s;
}

static void check_value(const struct scenario *s, const char *name, const char *text, const char *origin)
{
	g_autofree char *value = config_text(scenario_config(s), name);

	ck_assert_str_eq(value, text);
	ck_assert_msg(strstr(config_origin(scenario_config(s), name), origin), "%s is from %s, not %s", name,
		      config_origin(scenario_config(s), name), origin);
}

START_TEST(layers)
{
	struct scenario *s = load("# comment\n[iotlb]\nentries = 99\n\n[scenario]\npreset = qemu\n", NULL),
			*copy;

	ck_assert_ptr_nonnull(s);
	check_value(s, "iotlb.entries", "99", ".ini:3");
	check_value(s, "cpu.count", "2", "preset qemu");
	check_value(s, "iotlb.tag_sid", "false", "default");
	ck_assert(scenario_set(s, "iotlb.entries", "7", "--set", NULL));
	check_value(s, "iotlb.entries", "7", "--set");
	/* A preset chosen last still lies below the file and --set. */
	ck_assert(scenario_set(s, "scenario.preset", "broadwell-ep", "--set", NULL));
	check_value(s, "iotlb.entries", "7", "--set");
	check_value(s, "walker.concurrency", "6", "preset broadwell-ep");
	copy = scenario_copy(s);
	scenario_free(s);
	check_value(copy, "iotlb.entries", "7", "--set");
	scenario_free(copy);
}
END_TEST

/* A value that is refused leaves everything as it was. */
START_TEST(refused)
{
	struct scenario *s = scenario_new();
	GError *error = NULL;

	ck_assert(scenario_set(s, "iotlb.entries", "7", "--set", NULL));
	ck_assert(!scenario_set(s, "iotlb.entries", "x", "--set", &error));
	ck_assert_int_eq(dmasim_error_status(error), DMASIM_ERROR_USAGE);
	g_clear_error(&error);
	ck_assert(!scenario_set(s, "scenario.preset", "none", "--set", &error));
	g_clear_error(&error);
	check_value(s, "iotlb.entries", "7", "--set");
	ck_assert(scenario_set(s, "scenario.preset", "qemu", "--set", NULL));
	check_value(s, "iotlb.entries", "7", "--set");
	scenario_free(s);
}
END_TEST

START_TEST(runs)
{
	struct scenario *s = scenario_new();
	const struct run_spec *specs;
	GError *error = NULL;
	unsigned n;

	ck_assert(scenario_set(s, "workload.generator", "nvme", "test", NULL));
	ck_assert(scenario_set(s, "compare.iommu", "lazy, off", "test", NULL));
	ck_assert(scenario_set(s, "scenario.seeds", "2", "test", NULL));
	ck_assert_msg(scenario_resolve(s, &error), "%s", error ? error->message : "");
	specs = scenario_runs(s, &n);
	ck_assert_uint_eq(n, 8);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_str_eq(specs[i].api->name, i % 2 ? "link" : "legacy");
		ck_assert_str_eq(specs[i].kernel->name, i % 2 ? "7.0" : "6.12");
		ck_assert_int_eq(specs[i].mode, i / 2 % 2 ? IOMMU_OFF : IOMMU_LAZY);
		ck_assert_uint_eq(specs[i].seed, 1 + i / 4);
	}
	ck_assert(scenario_set(s, "kernel.version", "7.0", "test", NULL));
	ck_assert(scenario_resolve(s, NULL));
	specs = scenario_runs(s, &n);
	for (unsigned i = 0; i < n; i++)
		ck_assert_str_eq(specs[i].kernel->name, "7.0");
	ck_assert(scenario_set(s, "kernel.version", "6.1", "test", NULL));
	ck_assert(!scenario_resolve(s, &error));
	ck_assert_int_eq(dmasim_error_status(error), DMASIM_ERROR_USAGE);
	ck_assert_ptr_nonnull(strstr(error->message, "as-shipped"));
	g_clear_error(&error);
	ck_assert(scenario_set(s, "compare.api", "legacy", "test", NULL));
	ck_assert(scenario_resolve(s, NULL));
	scenario_free(s);
}
END_TEST

int main(void)
{
	TCase *scenarios = tcase_create("scenarios");

	tcase_add_test(scenarios, layers);
	tcase_add_test(scenarios, refused);
	tcase_add_test(scenarios, runs);
	return test_run("scenario", scenarios, NULL);
}
