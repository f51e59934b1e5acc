/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of events: as the readers know them, and as the kernel wants them written. */
#include "record/internal.h"
#include "support.h"
#include "verify/recording/recording.h"

#include <string.h>

static const struct record_event *find(const char *name, const char *function)
{
	for (unsigned i = 0; i < record_events_count; i++)
		if (!strcmp(record_events[i].name, name) &&
		    (!function ||
		     (record_events[i].function && !strcmp(record_events[i].function, function))))
			return &record_events[i];
	ck_abort_msg("no event %s", name);
}

/* Every event that verification needs is recorded under the name it is read by. */
START_TEST(named_as_read)
{
	static const char *const tracepoints[] = {"nvme_setup_cmd",
						  "nvme_complete_rq",
						  "block_rq_issue",
						  "block_rq_complete",
						  "block_split",
						  "rq_vectors",
						  "dma_map_page",
						  "dma_map_phys",
						  "dma_map_resource",
						  "dma_unmap_page",
						  "dma_unmap_phys",
						  "dma_unmap_resource",
						  "dma_map_sg",
						  "dma_unmap_sg",
						  "dma_alloc",
						  "dma_free",
						  "map",
						  "unmap",
						  "cache_tag_flush_range",
						  "cache_tag_flush_range_np",
						  "cache_tag_flush_all",
						  "qi_submit",
						  "swiotlb_bounced"};
	static const char *const probes[] = {
	    "iova_alloc",         "iova_alloc_ret",         "iova_tree_alloc", "iova_free",
	    "iova_tree_free",     "iommu_map_nosync",       "dma_map_page",    "dma_map_page_ret",
	    "dma_unmap_page",     "dma_map_sgtable",        "dma_map_sg",      "dma_unmap_sg",
	    "dma_iova_try_alloc", "dma_iova_try_alloc_ret", "dma_iova_link",   "dma_iova_sync",
	    "dma_iova_unlink",    "dma_iova_destroy",       "dma_iova_free"};

	for (unsigned i = 0; i < G_N_ELEMENTS(tracepoints); i++) {
		find(tracepoints[i], NULL);
		ck_assert_msg(recording_kind_of(tracepoints[i], false) != REC_KINDS, "%s", tracepoints[i]);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(probes); i++) {
		find(probes[i], NULL);
		ck_assert_msg(recording_kind_of(probes[i], true) != REC_KINDS, "%s", probes[i]);
	}
}
END_TEST

static void definition(const char *name, enum probe_kind kind, enum probe_arguments form, const char *want)
{
	const struct record_event *e = find(name, NULL);
	g_autofree char *is = record_probe_definition(e, "g/", e->function, kind, form);

	ck_assert_str_eq(is, want);
}

START_TEST(definitions)
{
	definition("iova_alloc", PROBE_FUNCTION, ARGUMENTS_BY_NAME,
		   "f:g/iova_alloc alloc_iova_fast size=size:u64 limit=limit_pfn:x64");
	definition("iova_alloc", PROBE_KPROBE, ARGUMENTS_BY_NUMBER,
		   "p:g/iova_alloc alloc_iova_fast size=$arg2:u64 limit=$arg3:x64");
	definition("iova_alloc_ret", PROBE_FUNCTION, ARGUMENTS_BY_NAME,
		   "f:g/iova_alloc_ret alloc_iova_fast%return pfn=$retval:x64");
	definition("iova_alloc_ret", PROBE_KPROBE, ARGUMENTS_BY_NUMBER,
		   "r:g/iova_alloc_ret alloc_iova_fast pfn=$retval:x64");
	definition("dma_iova_sync", PROBE_KPROBE, ARGUMENTS_BY_NUMBER,
		   "p:g/dma_iova_sync dma_iova_sync off=$arg3:u64 size=$arg4:u64 state=$arg2:x64 "
		   "device=+0(+0($arg1)):string");
	definition("dma_iova_sync", PROBE_FUNCTION, ARGUMENTS_BY_NAME,
		   "f:g/dma_iova_sync dma_iova_sync off=offset:u64 size=size:u64 state=state:x64 "
		   "device=+0(+0(dev)):string");
	definition("p2p_update_state", PROBE_FUNCTION, ARGUMENTS_BY_NAME,
		   "f:g/p2p_update_state __pci_p2pdma_update_state%return");
}
END_TEST

START_TEST(releases)
{
	const struct record_event *page = find("dma_map_page", NULL), *phys = find("dma_map_phys", NULL);

	ck_assert_uint_eq(record_release("6.12.117+deb12-amd64"), RECORD_RELEASE(6, 12));
	ck_assert_uint_eq(record_release("7.3-rc1"), RECORD_RELEASE(7, 3));
	ck_assert_uint_eq(record_release("next"), 0);
	ck_assert(record_event_expected(page, RECORD_RELEASE(6, 12)));
	ck_assert(!record_event_expected(page, RECORD_RELEASE(6, 18)));
	ck_assert(record_event_expected(phys, RECORD_RELEASE(7, 3)));
	ck_assert(!record_event_expected(phys, RECORD_RELEASE(6, 17)));
}
END_TEST

START_TEST(symbols)
{
	struct tracefs t = {
	    .functions = (char *)"alloc_iova_fast_x\nmy_alloc_iova_fast\nalloc_iova_fast [iova]\n"
				 "calc.isra.0\nffff T plain\n"};
	static const struct {
		const char *function;
		bool suffixed;
		const char *want;
	} rows[] = {{"alloc_iova_fast", false, "alloc_iova_fast"},
		    {"alloc_iova", false, NULL},
		    {"calc", false, NULL},
		    {"calc", true, "calc.isra.0"},
		    {"plain", true, "plain"},
		    {"absent", true, NULL}};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *is = tracefs_symbol(&t, rows[i].function, rows[i].suffixed);

		ck_assert_pstr_eq(is, rows[i].want);
	}
}
END_TEST

/* Two rows of one name never apply to the same release: one line would come twice. */
START_TEST(one_row_per_release)
{
	static const unsigned all[] = {RECORD_RELEASE(5, 15), RECORD_RELEASE(6, 1), RECORD_RELEASE(6, 12),
				       RECORD_RELEASE(6, 18), RECORD_RELEASE(7, 0), RECORD_RELEASE(7, 3)};

	for (unsigned r = 0; r < G_N_ELEMENTS(all); r++)
		for (unsigned i = 0; i < record_events_count; i++)
			for (unsigned k = 0; k < i; k++) {
				const struct record_event *a = &record_events[i], *b = &record_events[k];

				ck_assert_msg(strcmp(a->name, b->name) || !record_event_expected(a, all[r]) ||
						  !record_event_expected(b, all[r]),
					      "%s", a->name);
			}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("events");

	tcase_add_test(t, named_as_read);
	tcase_add_test(t, definitions);
	tcase_add_test(t, releases);
	tcase_add_test(t, symbols);
	tcase_add_test(t, one_row_per_release);
	return test_run("events", t, NULL);
}
