/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every alias belongs to a statistic that exists, once. */
#include "support.h"

#include "models/vtd/perf_names.h"
#include <string.h>

START_TEST(aliases_have_statistics)
{
	for (const struct perf_name *p = perf_names; p->stat; p++) {
		unsigned found = 0;

		for (size_t i = 0; i < vtd_stat_table.nspecs; i++)
			found += !strcmp(vtd_stat_table.specs[i].name, p->stat);
		ck_assert_msg(found == 1, "%s", p->stat);
		ck_assert(p->pmu || p->uncore);
		ck_assert_ptr_eq(perf_name_find(p->stat), p);
		ck_assert(!p->pmu || perf_name_of_event(p->pmu) == p);
		ck_assert(!p->uncore || perf_name_of_event(p->uncore) == p);
	}
	ck_assert_ptr_null(perf_name_find("iotlb.none"));
	ck_assert_ptr_null(perf_name_of_event("UNC_IIO_IOMMU0.NONE"));
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("names");

	tcase_add_test(c, aliases_have_statistics);
	return test_run("perf_names", c, NULL);
}
