/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PRP construction: worked examples of every list length, for both driver generations, with real data behind
 * it. */
#include "nvme_support.h"

static const struct {
	uint64_t bytes;
	unsigned offset, entries, list, pages; /* pages 0: small pool, if there is a list */
} rows[] = {
    {512, 0, 1, 0, 0},
    {4096, 0, 1, 0, 0},
    {4096, 512, 2, 0, 0},
    {8192, 0, 2, 0, 0},
    {8192, 512, 3, 2, 0},
    {12288, 0, 3, 2, 0},
    {16384, 0, 4, 3, 0},
    {65536, 0, 16, 15, 0},
    {131072, 0, 32, 31, 0},
    {131072, 512, 33, 32, 0},
    {135168, 0, 33, 32, 0},
    {135168, 512, 34, 33, 1},
    {139264, 0, 34, 33, 1},
    {524288, 0, 128, 127, 1},
    {1048576, 0, 256, 255, 1},
    {2097152, 0, 512, 511, 1},
    {2097152, 512, 513, 512, 1},
    {4194304, 0, 1024, 1023, 2},
    {4194304, 512, 1025, 1024, 3},
    {8388608, 0, 2048, 2047, 5},
    {8388608, 512, 2049, 2048, 5},
};

static void check_row(const char *api, enum kernel_version kernel, unsigned i, const char *direction)
{
	struct nvme_rig rig = nvme_rig_new(api, IOMMU_OFF, kernel, FIDELITY_COUNTS, "nvme.sgl=false",
					   "nvme.lift_limits=true", "nvme.pattern=true", NULL);
	const struct nvme_stats *st = nvme_rig_stats(&rig);
	struct trace_segment s = {.phys = nvme_rig_contiguous(&rig, rows[i].bytes + PAGE_SIZE) +
					  rows[i].offset,
				  .len = (uint32_t)rows[i].bytes};
	uint64_t list_bytes = rows[i].list ? (rows[i].pages ? 4096 * rows[i].pages : 256) : 0;

	nvme_rig_submit(&rig, *direction == 'R' ? NVME_OP_READ : NVME_OP_WRITE, 1 << 20, rows[i].bytes, &s,
			1);
	ck_assert_uint_eq(st->commands, 1);
	ck_assert_uint_eq(st->prp_only, rows[i].list == 0);
	ck_assert_uint_eq(st->prp_small, rows[i].list && !rows[i].pages);
	ck_assert_uint_eq(st->prp_pages, rows[i].pages);
	ck_assert_uint_eq(rig.m->sim.ledger.accounts[LEDGER_DRIVER_COMMAND_BUFFERS].current, list_bytes);
	ck_assert_uint_eq(st->drive.fetched_lists, rows[i].list ? MAX(rows[i].pages, 1) : 0);
	ck_assert_uint_eq(st->drive.bytes_read + st->drive.bytes_written, rows[i].bytes);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(st->drive.errors, 0);
	ck_assert_uint_eq(st->mismatches + st->drive.mismatches, 0);
	ck_assert_uint_eq(rig.m->sim.ledger.accounts[LEDGER_DRIVER_COMMAND_BUFFERS].current, 0);
	ck_assert_uint_eq(rig.m->io.completed, 1);
	nvme_rig_free(&rig);
}

START_TEST(legacy_read)
{
	check_row("legacy", KERNEL_6_12, _i, "READ");
}
END_TEST
START_TEST(legacy_write)
{
	check_row("legacy", KERNEL_6_12, _i, "WRITE");
}
END_TEST
START_TEST(link_read)
{
	check_row("link", KERNEL_7_0, _i, "READ");
}
END_TEST
START_TEST(link_write)
{
	check_row("link", KERNEL_7_0, _i, "WRITE");
}
END_TEST

/* A front that forgot a real gap is linked, which the page table refuses: the request fails, nothing leaks.
 */
START_TEST(front_with_a_real_gap_fails_cleanly)
{
	struct nvme_rig rig = nvme_rig_new("link", IOMMU_STRICT, KERNEL_7_0, FIDELITY_COUNTS, NULL);
	struct trace_segment s[2];
	struct trace_record rec = {
	    .segs = s, .nsegs = 2, .nvme = {.bytes = 4608, .split_front = true, .done_ns = TRACE_NO_TIME}};
	GError *error = NULL;

	nvme_rig_scattered(&rig, s, 2);
	s[0].len = 512;
	ck_assert(nvme_workload.record(rig.workload, &rec, &error));
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(rig.m->io.failed, 1);
	ck_assert_uint_eq(nvme_rig_stats(&rig)->commands, 0);
	ck_assert_uint_eq(rig.m->dma_stats.iova_allocs, 1);
	ck_assert_uint_eq(rig.m->dma_stats.iova_frees, 1);
	ck_assert_uint_eq(rig.m->dma_stats.iommu_map_bytes, rig.m->dma_stats.iommu_unmap_bytes);
	for (unsigned a = 0; a < LEDGER_TOTAL; a++) {
		if (ledger_per_request(a))
			ck_assert_uint_eq(rig.m->sim.ledger.accounts[a].current, 0);
	}
	nvme_rig_free(&rig);
}
END_TEST

int main(void)
{
	TCase *table = tcase_create("table A.5"), *errors = tcase_create("errors");

	tcase_add_loop_test(table, legacy_read, 0, G_N_ELEMENTS(rows));
	tcase_add_loop_test(table, legacy_write, 0, G_N_ELEMENTS(rows));
	tcase_add_loop_test(table, link_read, 0, G_N_ELEMENTS(rows));
	tcase_add_loop_test(table, link_write, 0, G_N_ELEMENTS(rows));
	tcase_add_test(errors, front_with_a_real_gap_fails_cleanly);
	return test_run("prp", table, errors, NULL);
}
