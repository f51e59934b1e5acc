/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operation counts of software segmentation, from net/core/tso.c: one window, a link per region and one sync
 * where every region but the first starts on a page and every one but the last ends on one; else the window
 * and the links so far in vain, and a mapping per region. Before: a mapping per piece of a segment.
 */
#include "nowhere_api.h"
#include "support.h"
#include "workload_rig.h"

#define PACKETS 300
#define BYTES 65160
#define MSS 1448

static void run(struct workload_rig *r, const char *api, enum iommu_mode mode, const char *const *settings)
{
	workload_rig_open(r, "tso", api, mode, FIDELITY_COUNTS);
	workload_rig_set(r, "tso.packets", "300");
	workload_rig_set(r, "tso.depth", "8");
	for (; settings && *settings; settings += 2)
		workload_rig_set(r, settings[0], settings[1]);
	workload_rig_run(r);
}

static void identities(const struct workload_rig *r)
{
	ck_assert_uint_eq(r->m->io.completed, PACKETS);
	ck_assert_uint_eq(r->m->dma_stats.iommu_map_bytes, r->m->dma_stats.iommu_unmap_bytes);
	ck_assert_uint_eq(r->m->dma_stats.iova_allocs, r->m->dma_stats.iova_frees);
	for (unsigned a = 0; a < LEDGER_TOTAL; a++)
		if (ledger_per_request(a))
			ck_assert_uint_eq(r->m->sim.ledger.accounts[a].current, 0);
}

/* Fragments of one stream that ends of chunks (or pages) part; with_mss: and segments. */
static uint64_t parts(uint64_t unit, bool with_mss)
{
	uint64_t n = 0;

	for (uint64_t k = 0; k < PACKETS; k++)
		for (uint64_t at = k * BYTES, end = at + BYTES; at < end; n++) {
			uint64_t next = MIN((at / unit + 1) * unit, end);

			if (with_mss)
				next = MIN(next, at + MSS - (at - k * BYTES) % MSS);
			at = next;
		}
	return n;
}

static const struct {
	const char *source;
	uint64_t unit;
} streams[] = {{"send", 32 * KIB}, {"sendfile", 4096}};

START_TEST(streams_go_into_windows)
{
	static const enum iommu_mode modes[] = {IOMMU_STRICT, IOMMU_LAZY};
	const char *const settings[] = {"tso.source", streams[_i].source, NULL};
	uint64_t regions = parts(streams[_i].unit, false);

	for (unsigned m = 0; m < 2; m++) {
		struct workload_rig r;
		const struct dma_stats *st;

		run(&r, "link", modes[m], settings);
		st = &r.m->dma_stats;
		ck_assert_uint_eq(workload_rig_stat(&r, "tso.regions"), regions);
		ck_assert_uint_eq(workload_rig_stat(&r, "tso.windows"), PACKETS);
		ck_assert_uint_eq(workload_rig_stat(&r, "tso.fallbacks"), 0);
		ck_assert_uint_eq(workload_rig_stat(&r, "tso.mappings"), PACKETS);
		ck_assert_uint_eq(workload_rig_stat(&r, "tso.segments"), 45 * PACKETS);
		ck_assert_uint_eq(workload_rig_stat(&r, "tso.descriptors"), 45 * PACKETS);
		ck_assert_uint_eq(st->iova_allocs, PACKETS);
		ck_assert_uint_eq(st->link_calls, regions);
		ck_assert_uint_eq(st->sync_calls, PACKETS);
		ck_assert_uint_eq(st->destroy_calls, PACKETS);
		ck_assert_uint_eq(st->iotlb_syncs, m ? 0 : PACKETS);
		ck_assert_uint_eq(st->fq_entries, m ? PACKETS : 0);
		identities(&r);
		workload_rig_close(&r);
	}
}
END_TEST

START_TEST(before)
{
	for (unsigned fragments = 0; fragments < 2; fragments++) {
		const char *const settings[] = {"tso.source", streams[_i].source, "tso.before",
						fragments ? "fragments" : "pieces", NULL};
		uint64_t n = parts(streams[_i].unit, !fragments);
		struct workload_rig r;

		run(&r, "legacy", IOMMU_STRICT, settings);
		ck_assert_uint_eq(workload_rig_stat(&r, "tso.mappings"), n);
		ck_assert_uint_eq(workload_rig_stat(&r, "tso.descriptors"), n);
		ck_assert_uint_eq(r.m->dma_stats.map_page_calls, n);
		ck_assert_uint_eq(r.m->dma_stats.iova_allocs, n);
		ck_assert_uint_eq(r.m->dma_stats.iotlb_syncs, n);
		identities(&r);
		workload_rig_close(&r);
	}
}
END_TEST

/* Payload in the head ends inside its page: the second link fails, whatever comes. */
START_TEST(payload_in_the_head_falls_back)
{
	static const char *const settings[] = {"tso.linear", "200", NULL};
	struct workload_rig r;
	const struct dma_stats *st;
	uint64_t regions;

	run(&r, "link", IOMMU_STRICT, settings);
	st = &r.m->dma_stats;
	regions = workload_rig_stat(&r, "tso.regions");
	ck_assert_uint_eq(workload_rig_stat(&r, "tso.windows"), 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "tso.fallbacks"), PACKETS);
	ck_assert_uint_eq(workload_rig_stat(&r, "tso.mappings"), regions);
	ck_assert_uint_eq(
	    workload_rig_stat(&r, "tso.starts_inside") + workload_rig_stat(&r, "tso.ends_inside"), PACKETS);
	ck_assert_uint_eq(workload_rig_stat(&r, "tso.links"), PACKETS);
	ck_assert_uint_eq(st->link_calls, 2 * PACKETS);
	ck_assert_uint_eq(st->sync_calls, 0);
	ck_assert_uint_eq(st->iova_allocs, PACKETS + regions);
	ck_assert_uint_eq(st->map_phys_calls, regions);
	/* What was linked in vain is flushed as well. */
	ck_assert_uint_eq(st->iotlb_syncs, PACKETS + regions);
	identities(&r);
	workload_rig_close(&r);
}
END_TEST

/* Writes to two sockets in turn: pages of their own go into windows, smaller ones do not. */
START_TEST(writes_in_turn)
{
	static const char *const pages[] = {"tso.sockets", "2", "tso.write_bytes", "4096", NULL};
	static const char *const small[] = {"tso.sockets", "2", "tso.write_bytes", "1000", NULL};
	struct workload_rig r;

	run(&r, "link", IOMMU_STRICT, pages);
	ck_assert_uint_eq(workload_rig_stat(&r, "tso.windows"), PACKETS);
	identities(&r);
	workload_rig_close(&r);
	run(&r, "link", IOMMU_STRICT, small);
	ck_assert_uint_eq(workload_rig_stat(&r, "tso.windows"), 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "tso.fallbacks"), PACKETS);
	identities(&r);
	workload_rig_close(&r);
}
END_TEST

/* Nothing translates: no window is tried, regions are mapped as they are. */
START_TEST(without_translation)
{
	struct workload_rig r;

	run(&r, "link", IOMMU_OFF, NULL);
	ck_assert_uint_eq(workload_rig_stat(&r, "tso.windows"), 0);
	ck_assert_uint_eq(r.m->dma_stats.map_phys_calls, workload_rig_stat(&r, "tso.regions"));
	ck_assert_uint_eq(r.m->dma_stats.link_calls, 0);
	identities(&r);
	workload_rig_close(&r);
}
END_TEST

START_TEST(failed_work)
{
	struct workload_rig r;

	workload_rig_open(&r, "tso", "link", IOMMU_STRICT, FIDELITY_TIMING);
	workload_rig_set(&r, "tso.packets", "50");
	r.api = _i ? &refuse_api : &nowhere_api;
	workload_rig_run(&r);
	ck_assert_uint_eq(r.m->io.completed, 0);
	ck_assert_uint_eq(r.m->io.failed, 50);
	ck_assert_uint_eq(r.m->io.refused, _i ? 50 : 0);
	workload_rig_close(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("tso");

	tcase_add_loop_test(t, streams_go_into_windows, 0, 2);
	tcase_add_loop_test(t, before, 0, 2);
	tcase_add_test(t, payload_in_the_head_falls_back);
	tcase_add_test(t, writes_in_turn);
	tcase_add_test(t, without_translation);
	tcase_add_loop_test(t, failed_work, 0, 2);
	return test_run("tso", t, NULL);
}
