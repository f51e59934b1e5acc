/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of releases, and its copy in docs/kernels.md. */
#include "support.h"

#include <string.h>

START_TEST(found_by_name)
{
	for (int i = 0; i < KERNEL_VERSIONS; i++)
		ck_assert_ptr_eq(kernel_profile_find(kernel_profiles[i].name), &kernel_profiles[i]);
	ck_assert_ptr_null(kernel_profile_find("5.15"));
	ck_assert_ptr_null(kernel_profile_find(""));
}
END_TEST

static void expect_row(const char *text, const char *member, const char *const *values)
{
	g_autofree char *row = g_strdup_printf("\n| `%s` | %s | %s | %s |", member, values[0], values[1],
					       values[2]);

	ck_assert_msg(strstr(text, row) != NULL, "docs/kernels.md lacks%s", row);
}

static void expect_bool(const char *text, const char *member, size_t offset)
{
	const char *v[KERNEL_VERSIONS];

	for (int i = 0; i < KERNEL_VERSIONS; i++)
		v[i] = *(const bool *)((const char *)&kernel_profiles[i] + offset) ? "yes" : "no";
	expect_row(text, member, v);
}

static void expect_number(const char *text, const char *member, size_t offset)
{
	char v[KERNEL_VERSIONS][16];

	for (int i = 0; i < KERNEL_VERSIONS; i++)
		g_snprintf(v[i], sizeof(v[i]), "%u",
			   *(const unsigned *)((const char *)&kernel_profiles[i] + offset));
	expect_row(text, member, (const char *const[]){v[0], v[1], v[2]});
}

#define BOOL(m) expect_bool(text, #m, offsetof(struct kernel_profile, m))
#define NUMBER(m) expect_number(text, #m, offsetof(struct kernel_profile, m))

START_TEST(documented)
{
	g_autofree char *text = NULL;
	unsigned rows = 0;

	ck_assert(g_file_get_contents(DMASIM_SOURCE "/docs/kernels.md", &text, NULL, NULL));
	BOOL(has_iova_api);
	BOOL(has_map_phys);
	BOOL(generic_pt);
	BOOL(ih_hint);
	BOOL(psi_aligns_base);
	BOOL(replace_flush_to_end);
	NUMBER(qi_batch);
	NUMBER(depot_max);
	BOOL(pool_page_lists);
	BOOL(opt_mapping_clamp);
	BOOL(bio_merges_pages);
	BOOL(nvme_iterator);
	BOOL(virt_boundary_sgl);
	BOOL(gap_bit);
	NUMBER(nvme_max_segments);
	NUMBER(nvme_max_kib);
	NUMBER(default_max_kib);
	BOOL(p2p_mmio_attr);
	for (const char *p = text; (p = strstr(p, "\n| `")); p++)
		rows++;
	ck_assert_uint_eq(rows, 18);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("kernel");

	tcase_add_test(t, found_by_name);
	tcase_add_test(t, documented);
	return test_run("kernel", t, NULL);
}
