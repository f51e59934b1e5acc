/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of releases: finding a row, changing facts, its copy in docs/kernels.md. */
#include "support.h"

#include <dmasim/kernel.h>
#include <string.h>

START_TEST(found_by_name)
{
	for (int i = 0; i < KERNEL_VERSIONS; i++)
		ck_assert_ptr_eq(kernel_profile_find(kernel_profiles[i].name), &kernel_profiles[i]);
	ck_assert_ptr_null(kernel_profile_find("5.10"));
	ck_assert_ptr_null(kernel_profile_find(""));
}
END_TEST

START_TEST(any_release_has_a_row)
{
	static const struct {
		const char *release, *row, *note;
	} cases[] = {
	    {"6.12", "6.12", NULL},           {"6.12.117", "6.12", NULL},
	    {"6.1.0-51-amd64", "6.1", NULL},  {"7.0-rc3", "7.0", NULL},
	    {"7.3.4+", "7.3", NULL},          {"6.14", "6.12", "taken as 6.12"},
	    {"6.2.1", "6.1", "taken as 6.1"}, {"7.4", "7.3", "newer than the last release that is known"},
	    {"8.0.1", "7.3", "taken as 7.3"}, {"6.100", "6.19", "taken as 6.19"},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *note = NULL;
		const struct kernel_profile *k = kernel_profile_for(cases[i].release, &note, NULL);

		ck_assert_msg(k != NULL, "%s", cases[i].release);
		ck_assert_str_eq(k->name, cases[i].row);
		if (cases[i].note)
			ck_assert_msg(note && strstr(note, cases[i].note), "%s: %s", cases[i].release, note);
		else
			ck_assert_ptr_null(note);
	}
}
END_TEST

START_TEST(no_release_is_an_error)
{
	static const char *const bad[] = {"", "six", "6", "6.", ".12", "5.10", "4.19.1", "6.12x", "-6.12"};

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		GError *error = NULL;
		char *note = (char *)1;

		ck_assert_msg(!kernel_profile_for(bad[i], &note, &error), "%s", bad[i]);
		ck_assert_ptr_null(note);
		ck_assert_msg(strstr(error->message, "want") != NULL, "%s", error->message);
		g_error_free(error);
	}
}
END_TEST

START_TEST(facts_can_be_changed)
{
	struct kernel_profile k = *kernel_profile_find("6.12");
	GError *error = NULL;

	ck_assert(kernel_profile_set(&k, " ih_hint = no,nvme_meta_segments=15 ,", NULL));
	ck_assert(!k.ih_hint);
	ck_assert_uint_eq(k.nvme_meta_segments, 15);
	ck_assert(kernel_profile_set(&k, "", NULL));
	/* All or nothing. */
	ck_assert(!kernel_profile_set(&k, "ih_hint=yes,no_such=1", &error));
	ck_assert_msg(strstr(error->message, "no_such") != NULL, "%s", error->message);
	g_clear_error(&error);
	ck_assert(!k.ih_hint);
	ck_assert(!kernel_profile_set(&k, "ih_hint=maybe", &error));
	g_clear_error(&error);
	ck_assert(!kernel_profile_set(&k, "qi_batch=-1", &error));
	g_clear_error(&error);
	ck_assert(!kernel_profile_set(&k, "qi_batch", &error));
	g_clear_error(&error);
}
END_TEST

/* Each rule that changed, in the release before and in the release that has it. */
START_TEST(neighbours)
{
#define CHANGE(before, since, member, was, is)                               \
	do {                                                                 \
		ck_assert_uint_eq(kernel_profile_find(before)->member, was); \
		ck_assert_uint_eq(kernel_profile_find(since)->member, is);   \
	} while (0)
	CHANGE("6.15", "6.16", has_iova_api, false, true);
	CHANGE("6.17", "6.18", has_map_phys, false, true);
	CHANGE("6.18", "6.19", generic_pt, false, true);
	CHANGE("6.19", "7.0", map_range, false, true);
	CHANGE("7.0", "7.1", map_untraced, true, false);
	CHANGE("6.6", "6.12", cache_tags, false, true);
	CHANGE("6.17", "6.18", ih_hint, false, true);
	CHANGE("5.15", "6.1", magazine_size, 128, 127);
	CHANGE("6.6", "6.12", depot_max, 32, 0);
	CHANGE("6.1", "6.6", dac_gives_up, false, true);
	CHANGE("7.2", "7.3", destroy_queues, true, false);
	CHANGE("7.2", "7.3", lazy_magazines, false, true);
	CHANGE("7.2", "7.3", sg_overflow, false, true);
	CHANGE("6.15", "6.16", sg_bus_len, false, true);
	CHANGE("7.0", "7.1", sg_bus_len, true, false);
	CHANGE("7.0", "7.1", link_zero_middle, true, false);
	CHANGE("7.0", "7.1", direct_sg_thb, true, false);
	CHANGE("7.1", "7.2", mmio_bounces, true, false);
	CHANGE("6.17", "6.18", p2p_mmio_attr, false, true);
	CHANGE("6.18", "6.19", nvme_p2p_mmio, false, true);
	CHANGE("6.16", "6.17", nvme_iterator, false, true);
	CHANGE("6.18", "6.19", gap_bit, false, true);
	CHANGE("6.18", "6.19", virt_boundary_sgl, true, false);
	CHANGE("6.19", "7.0", bio_merges_pages, true, false);
	CHANGE("6.1", "6.6", nvme_max_kib, 4096, 8192);
	CHANGE("6.16", "6.17", default_max_kib, 1280, 4096);
#undef CHANGE
}
END_TEST

static void add_history(GString *row, const struct kernel_fact *f)
{
	unsigned last = 0;

	for (int i = 0; i < KERNEL_VERSIONS; i++) {
		unsigned v = kernel_fact_value(&kernel_profiles[i], f);

		if (i && v == last)
			continue;
		if (i)
			g_string_append_printf(row, ", %s ", kernel_profiles[i].name);
		if (f->number)
			g_string_append_printf(row, "%u", v);
		else
			g_string_append(row, v ? "yes" : "no");
		last = v;
	}
}

START_TEST(documented)
{
	g_autofree char *text = NULL;
	unsigned rows = 0;

	ck_assert(g_file_get_contents(DMASIM_SOURCE "/docs/kernels.md", &text, NULL, NULL));
	for (unsigned i = 0; i < kernel_nfacts; i++) {
		g_autoptr(GString) row = g_string_new(NULL);

		g_string_printf(row, "\n| `%s` | ", kernel_facts[i].name);
		add_history(row, &kernel_facts[i]);
		g_string_append_printf(row, " | %s | %s |\n", kernel_facts[i].help, kernel_facts[i].basis);
		ck_assert_msg(strstr(text, row->str) != NULL, "docs/kernels.md lacks%s", row->str);
	}
	for (const char *p = text; (p = strstr(p, "\n| `")); p++)
		rows++;
	ck_assert_uint_eq(rows, kernel_nfacts);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("kernel");

	tcase_add_test(t, found_by_name);
	tcase_add_test(t, any_release_has_a_row);
	tcase_add_test(t, no_release_is_an_error);
	tcase_add_test(t, facts_can_be_changed);
	tcase_add_test(t, neighbours);
	tcase_add_test(t, documented);
	return test_run("kernel", t, NULL);
}
