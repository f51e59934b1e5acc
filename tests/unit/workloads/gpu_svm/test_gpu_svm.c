/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operation counts of GPU shared virtual memory, from the code of drm_gpusvm_get_pages() before and after its
 * conversion: n pieces of a range are n mappings, or one window, n links and one sync; undone by n unmaps, or
 * one unlink that flushes at once in every mode.
 */
#include "nowhere_api.h"
#include "support.h"
#include "workload_rig.h"

#define FAULTS 100

static const struct {
	const char *bytes, *folio;
	unsigned pieces, pages;
} shapes[] = {
    {"4KiB", "4KiB", 1, 1},     {"64KiB", "4KiB", 16, 16}, {"2MiB", "4KiB", 512, 512},
    {"2MiB", "64KiB", 32, 512}, {"2MiB", "2MiB", 1, 512},  {"64KiB", "2MiB", 1, 16},
};
static const enum iommu_mode modes[] = {IOMMU_STRICT, IOMMU_LAZY, IOMMU_PASSTHROUGH, IOMMU_OFF};

static void open(struct workload_rig *r, const char *api, enum iommu_mode mode, const char *op)
{
	workload_rig_open(r, "gpu_svm", api, mode, FIDELITY_COUNTS);
	workload_rig_set(r, "gpu_svm.faults", "100");
	workload_rig_set(r, "gpu_svm.resident", "4");
	workload_rig_set(r, "gpu_svm.op", op);
}

static void identities(const struct workload_rig *r)
{
	ck_assert_uint_eq(r->m->dma_stats.iova_pages_allocated, r->m->dma_stats.iova_pages_freed);
	ck_assert_uint_eq(r->m->dma_stats.iommu_map_bytes, r->m->dma_stats.iommu_unmap_bytes);
	for (unsigned a = 0; a < LEDGER_TOTAL; a++)
		if (ledger_per_request(a))
			ck_assert_uint_eq(r->m->sim.ledger.accounts[a].current, 0);
}

START_TEST(piece_by_piece)
{
	for (unsigned op = 0; op < 2; op++)
		for (unsigned s = 0; s < G_N_ELEMENTS(shapes); s++) {
			bool on = modes[_i] <= IOMMU_STRICT && modes[_i] >= IOMMU_LAZY;
			uint64_t n = (uint64_t)shapes[s].pieces * FAULTS;
			const struct dma_stats *st;
			struct workload_rig r;

			open(&r, "legacy", modes[_i], op ? "migrate" : "fault");
			workload_rig_set(&r, "gpu_svm.bytes", shapes[s].bytes);
			workload_rig_set(&r, "gpu_svm.folio", shapes[s].folio);
			workload_rig_run(&r);
			st = &r.m->dma_stats;
			ck_assert_uint_eq(r.m->io.completed, FAULTS);
			ck_assert_uint_eq(workload_rig_stat(&r, "gpu_svm.singles"), n);
			ck_assert_uint_eq(workload_rig_stat(&r, "gpu_svm.windows"), 0);
			ck_assert_uint_eq(workload_rig_stat(&r, "gpu_svm.pages"), FAULTS * shapes[s].pages);
			ck_assert_uint_eq(st->map_page_calls, n);
			ck_assert_uint_eq(st->unmap_page_calls, n);
			ck_assert_uint_eq(st->iova_allocs, on ? n : 0);
			ck_assert_uint_eq(st->iommu_map_ops, on ? n : 0);
			ck_assert_uint_eq(st->sync_maps, on ? n : 0);
			ck_assert_uint_eq(st->iommu_unmap_ops, on ? n : 0);
			ck_assert_uint_eq(st->iotlb_syncs, modes[_i] == IOMMU_STRICT ? n : 0);
			ck_assert_uint_eq(st->fq_entries, modes[_i] == IOMMU_LAZY ? n : 0);
			identities(&r);
			workload_rig_close(&r);
		}
}
END_TEST

/* Faults flush once per range, also in lazy mode; a migration's window is destroyed, which may be queued. */
START_TEST(one_window)
{
	for (unsigned op = 0; op < 2; op++)
		for (unsigned s = 0; s < G_N_ELEMENTS(shapes); s++) {
			bool on = modes[_i] <= IOMMU_STRICT && modes[_i] >= IOMMU_LAZY;
			bool queued = modes[_i] == IOMMU_LAZY && op;
			uint64_t n = (uint64_t)shapes[s].pieces * FAULTS;
			const struct dma_stats *st;
			struct workload_rig r;

			open(&r, "link", modes[_i], op ? "migrate" : "fault");
			workload_rig_set(&r, "gpu_svm.bytes", shapes[s].bytes);
			workload_rig_set(&r, "gpu_svm.folio", shapes[s].folio);
			workload_rig_run(&r);
			st = &r.m->dma_stats;
			ck_assert_uint_eq(r.m->io.completed, FAULTS);
			ck_assert_uint_eq(st->iova_try_alloc_calls, FAULTS);
			ck_assert_uint_eq(workload_rig_stat(&r, "gpu_svm.windows"), on ? FAULTS : 0);
			ck_assert_uint_eq(workload_rig_stat(&r, "gpu_svm.singles"), on ? 0 : n);
			ck_assert_uint_eq(st->map_page_calls, on ? 0 : n);
			ck_assert_uint_eq(st->link_calls, on ? n : 0);
			ck_assert_uint_eq(st->sync_calls, on ? FAULTS : 0);
			ck_assert_uint_eq(st->iova_allocs, on ? FAULTS : 0);
			ck_assert_uint_eq(st->iommu_map_ops, on ? n : 0);
			ck_assert_uint_eq(st->sync_maps, on ? FAULTS : 0);
			ck_assert_uint_eq(st->unlink_calls, on && !op ? FAULTS : 0);
			ck_assert_uint_eq(st->destroy_calls, on && op ? FAULTS : 0);
			ck_assert_uint_eq(st->iommu_unmap_ops, on ? FAULTS : 0);
			ck_assert_uint_eq(st->iotlb_syncs, on && !queued ? FAULTS : 0);
			ck_assert_uint_eq(st->fq_entries, queued ? FAULTS : 0);
			identities(&r);
			workload_rig_close(&r);
		}
}
END_TEST

/*
 * Pieces on the device are not mapped and leave the window's end unused; a faulted range that starts with one
 * has no window at all, a migrated one has.
 */
START_TEST(pieces_on_the_device)
{
	struct workload_rig r;
	uint64_t pieces, links, singles, windows;

	open(&r, "link", IOMMU_STRICT, _i ? "migrate" : "fault");
	workload_rig_set(&r, "gpu_svm.bytes", "64KiB");
	workload_rig_set(&r, "gpu_svm.device_share", "0.5");
	workload_rig_run(&r);
	pieces = workload_rig_stat(&r, "gpu_svm.pieces");
	links = workload_rig_stat(&r, "gpu_svm.links");
	singles = workload_rig_stat(&r, "gpu_svm.singles");
	windows = workload_rig_stat(&r, "gpu_svm.windows");
	ck_assert_uint_eq(pieces + workload_rig_stat(&r, "gpu_svm.device_pieces"), 16 * FAULTS);
	ck_assert_uint_eq(links + singles, pieces);
	ck_assert_uint_eq(workload_rig_stat(&r, "gpu_svm.pages"), pieces);
	ck_assert_uint_eq(r.m->dma_stats.ptes_written, pieces);
	ck_assert_uint_eq(r.m->io.failed, 0);
	if (_i) {
		ck_assert_uint_eq(windows, FAULTS);
		ck_assert_uint_eq(singles, 0);
	} else {
		ck_assert_uint_gt(windows, FAULTS / 4);
		ck_assert_uint_lt(windows, FAULTS * 3 / 4);
		ck_assert_uint_eq(r.m->dma_stats.iova_allocs, windows + singles);
		/* Unlink and free give back the whole window, used or not. */
		identities(&r);
	}
	workload_rig_close(&r);

	open(&r, "link", IOMMU_STRICT, _i ? "migrate" : "fault");
	workload_rig_set(&r, "gpu_svm.device_share", "1");
	workload_rig_run(&r);
	ck_assert_uint_eq(r.m->io.completed, FAULTS);
	ck_assert_uint_eq(r.m->dma_stats.iova_try_alloc_calls + r.m->dma_stats.map_calls, 0);
	workload_rig_close(&r);
}
END_TEST

START_TEST(failed_work)
{
	struct workload_rig r;

	open(&r, "link", IOMMU_STRICT, "fault");
	r.api = _i ? &refuse_api : &nowhere_api;
	workload_rig_run(&r);
	ck_assert_uint_eq(r.m->io.completed, 0);
	ck_assert_uint_eq(r.m->io.failed, FAULTS);
	ck_assert_uint_eq(r.m->io.refused, _i ? FAULTS : 0);
	workload_rig_close(&r);
}
END_TEST

/*
 * Both ways write the page table call by call, with coherent tables and without: what they differ in, per
 * piece, is the entry into the DMA layer and an address of its own against a link. The window's own address,
 * from the tree, is paid once per range and left out here.
 */
START_TEST(what_a_piece_costs)
{
	double map[2], piece[2];

	for (unsigned link = 0; link < 2; link++) {
		static const char *const free_of_charge[] = {
		    "iova_tree_fixed", "iova_tree_level", "iova_range", "iova_depot_swap", "indirect_call"};
		struct workload_rig r;
		const sim_time_t *c;

		open(&r, link ? "link" : "legacy", IOMMU_STRICT, "fault");
		r.kernel = "7.0";
		workload_rig_set(&r, "iommu.ecap", _i ? "0xf020de" : "0xf020df"); /* C */
		for (unsigned i = 0; i < G_N_ELEMENTS(free_of_charge); i++) {
			g_autofree char *key = g_strconcat("cpu.cost_", free_of_charge[i], NULL);

			workload_rig_set(&r, key, "0");
		}
		workload_rig_run(&r);
		c = r.m->sim.cost;
		map[link] = (double)r.m->dma_stats.map_time / (512.0 * FAULTS) / SIM_NS;
		piece[link] = (double)(link ? c[COST_LINK_SEGMENT]
					    : c[COST_DMA_MAP_FIXED] + c[COST_IOVA_ALLOC_HIT]) /
			      SIM_NS;
		workload_rig_close(&r);
	}
	ck_assert_double_eq_tol(map[0] - map[1], piece[0] - piece[1], 3);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("gpu_svm");

	tcase_add_loop_test(t, piece_by_piece, 0, G_N_ELEMENTS(modes));
	tcase_add_loop_test(t, one_window, 0, G_N_ELEMENTS(modes));
	tcase_add_loop_test(t, pieces_on_the_device, 0, 2);
	tcase_add_loop_test(t, failed_work, 0, 2);
	tcase_add_loop_test(t, what_a_piece_costs, 0, 2);
	return test_run("gpu_svm", t, NULL);
}
