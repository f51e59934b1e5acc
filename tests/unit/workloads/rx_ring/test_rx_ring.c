/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receive rings: what is received, dropped and lost; where packets lie; rings without memory. */
#include "workload_rig.h"
#include "workloads/rx_ring/rx_ring.h"

START_TEST(rings_receive_what_is_offered)
{
	struct workload_rig r;

	workload_rig_open(&r, "rx_ring", _i & 1 ? "link" : "legacy", _i & 2 ? IOMMU_STRICT : IOMMU_OFF,
			  FIDELITY_TIMING);
	workload_rig_set(&r, "rx_ring.offered", "5");
	workload_rig_set(&r, "rx_ring.packets", "3000");
	workload_rig_set(&r, "rx_ring.warm_up", "500");
	workload_rig_set(&r, "rx_ring.mtu", "1500");
	workload_rig_set(&r, "rx_ring.buffer", "2048");
	workload_rig_set(&r, "rx_ring.batch", "8");
	workload_rig_run(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.packets"), 3000);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.dropped"), 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.failed"), 0);
	ck_assert_double_eq_tol(workload_rig_cell(&r, 0, "gbit_per_s"), 5, 0.1);
	ck_assert_uint_eq(r.m->vtd_stats.faults, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	/* Two buffers lie in a page: a page is missed once, then its rings' pages. */
	if (_i & 2)
		ck_assert_double_eq_tol(workload_rig_cell(&r, 0, "iotlb_misses_per_page"), 4096 / 3000.0,
					0.25);
	workload_rig_close(&r);
}
END_TEST

START_TEST(more_than_the_link_carries_is_dropped)
{
	struct workload_rig r;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_OFF, FIDELITY_TIMING);
	workload_rig_set(&r, "pcie.lanes", "4"); /* 8 GT/s: 26.6 Gb/s of payload at MPS 256 */
	workload_rig_set(&r, "rx_ring.offered", "100");
	workload_rig_set(&r, "rx_ring.packets", "20000");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(workload_rig_cell(&r, 0, "gbit_per_s"), 26.2, 1);
	ck_assert_uint_gt(workload_rig_stat(&r, "rx_ring.dropped"), 0);
	/* Those that were dropped together with the last one of the warm-up count to it. */
	ck_assert_uint_le(workload_rig_stat(&r, "rx_ring.packets") + workload_rig_stat(&r, "rx_ring.dropped"),
			  20000);
	ck_assert_uint_ge(workload_rig_stat(&r, "rx_ring.packets") + workload_rig_stat(&r, "rx_ring.dropped"),
			  19900);
	workload_rig_close(&r);
}
END_TEST

/* Pages that are still in use, whatever the ring's shape: no two packets of it share a byte. */
START_TEST(packets_of_a_ring_do_not_overlap)
{
	static const struct {
		const char *mtu, *buffer, *stride, *batch, *page;
	} shapes[] = {{"1500", "2048", "0", "8", "4KiB"},  {"9000", "9216", "0", "9", "4KiB"},
		      {"3000", "4096", "0", "1", "4KiB"},  {"1500", "2048", "64", "16", "4KiB"},
		      {"4096", "64", "64", "64", "4KiB"},  {"9000", "64", "256", "32", "4KiB"},
		      {"1500", "2048", "0", "1", "64KiB"}, {"4096", "4096", "0", "2", "2MiB"},
		      {"9000", "64", "256", "2", "64KiB"}};
	struct workload_rig r;
	struct rx_ring *ring;
	g_autofree uint8_t *used = NULL;
	struct rx_queue *q;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_STRICT, FIDELITY_TIMING);
	workload_rig_set(&r, "rx_ring.mtu", shapes[_i].mtu);
	workload_rig_set(&r, "rx_ring.buffer", shapes[_i].buffer);
	workload_rig_set(&r, "rx_ring.stride", shapes[_i].stride);
	workload_rig_set(&r, "rx_ring.batch", shapes[_i].batch);
	workload_rig_set(&r, "rx_ring.page", shapes[_i].page);
	workload_rig_set(&r, "rx_ring.packets", "2000");
	workload_rig_run(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.failed"), 0);
	ck_assert_uint_eq(r.m->vtd_stats.faults, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	ring = (struct rx_ring *)r.w;
	q = ring->queues;
	used = g_malloc0(q->npages * ring->p.page);
	for (uint64_t n = 0; n < ring->p.ring; n++) {
		uint64_t left = ring->frame;

		while (left) {
			struct rx_part part = rx_packet_part(q, n, left);

			ck_assert_uint_lt(part.page, q->npages);
			ck_assert_uint_le(part.offset + part.bytes, ring->p.page);
			/* A packet stays inside the descriptor whose pages are returned with it. */
			ck_assert_uint_eq(part.page / ring->p.batch, n / ring->batch_packets);
			for (uint64_t i = 0; i < part.bytes; i++)
				ck_assert_uint_eq(used[part.page * ring->p.page + part.offset + i]++, 0);
			left -= part.bytes;
		}
	}
	workload_rig_close(&r);
}
END_TEST

static uint64_t page_unmaps(enum fidelity fidelity, const char *cache, const char *loss)
{
	struct workload_rig r;
	uint64_t unmaps;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_STRICT, fidelity);
	workload_rig_set(&r, "rx_ring.offered", "5");
	workload_rig_set(&r, "rx_ring.stride", "64");
	workload_rig_set(&r, "rx_ring.paced", "true");
	workload_rig_set(&r, "rx_ring.aged", "true");
	workload_rig_set(&r, "rx_ring.copy_rate", "8");
	workload_rig_set(&r, "rx_ring.ack_rate", "0");
	workload_rig_set(&r, "rx_ring.timeout", "50ms");
	workload_rig_set(&r, "rx_ring.window", "0");
	workload_rig_set(&r, "rx_ring.page_cache", cache);
	workload_rig_set(&r, "rx_ring.loss", loss);
	workload_rig_set(&r, "rx_ring.warm_up", "5000");
	workload_rig_set(&r, "rx_ring.packets", "10000");
	workload_rig_run(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.failed"), 0);
	ck_assert_uint_eq(r.m->vtd_stats.faults, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	unmaps = ((struct rx_ring *)r.w)->st.unmaps;
	workload_rig_close(&r);
	return unmaps;
}

/*
 * Recycled pages, more of them than the IOTLB holds: pages of 2 MiB are few and large entries map them, so
 * next to nothing misses; without large entries each is 512 pages to the IOTLB as before.
 */
START_TEST(large_pages)
{
	static const struct {
		const char *page, *superpages;
		bool misses;
	} rows[] = {{"4KiB", "true", true}, {"2MiB", "true", false}, {"2MiB", "false", true}};
	struct workload_rig r;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_STRICT, FIDELITY_TIMING);
	workload_rig_set(&r, "iotlb.entries", "128");
	workload_rig_set(&r, "rx_ring.recycle", "true");
	workload_rig_set(&r, "rx_ring.ring", "4096");
	workload_rig_set(&r, "rx_ring.batch", "1");
	workload_rig_set(&r, "rx_ring.ack_rate", "0");
	workload_rig_set(&r, "rx_ring.page", rows[_i].page);
	workload_rig_set(&r, "iommu.superpages", rows[_i].superpages);
	workload_rig_run(&r);
	if (rows[_i].misses)
		ck_assert_double_ge(workload_rig_cell(&r, 0, "iotlb_misses_per_page"), 1);
	else
		ck_assert_double_le(workload_rig_cell(&r, 0, "iotlb_misses_per_page"), 0.05);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.failed"), 0);
	ck_assert_uint_eq(r.m->vtd_stats.faults, 0);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	workload_rig_close(&r);
}
END_TEST

/*
 * 10000 packets, 63 in each 64 pages. The 8 descriptors' pages and 255 cached ones are unmapped at the end;
 * without a cache each descriptor's are. A loss whose retransmission is lost as well keeps its pages for
 * 50 ms, 7600 packets, in which the cache is blocked.
 */
START_TEST(cached_pages_stay_mapped_until_somebody_holds_them)
{
	uint64_t cached = page_unmaps(FIDELITY_TIMING, "255", "0"),
		 none = page_unmaps(FIDELITY_TIMING, "0", "0"),
		 blocked = page_unmaps(FIDELITY_TIMING, "255", "0.012");

	ck_assert_uint_le(cached, 8 * 64 + 255);
	ck_assert_uint_ge(none, 10000 / 63 * 64);
	ck_assert_uint_gt(blocked, cached + 5000);
	ck_assert_uint_lt(blocked, none);
	/* In counts nothing waits, so nothing blocks. */
	ck_assert_uint_le(page_unmaps(FIDELITY_COUNTS, "255", "0.012"), 8 * 64 + 255);
}
END_TEST

static void small_pool(struct workload_rig *r, const char *api, enum fidelity fidelity, const char *stride,
		       const char *paced, const char *size)
{
	workload_rig_open(r, "rx_ring", api, IOMMU_OFF, fidelity);
	workload_rig_set(r, "swiotlb.force", "true");
	workload_rig_set(r, "swiotlb.size", size);
	workload_rig_set(r, "rx_ring.stride", stride);
	workload_rig_set(r, "rx_ring.paced", paced);
	workload_rig_set(r, "rx_ring.copy_rate", "8"); /* readers look at the pages */
	workload_rig_set(r, "rx_ring.ack_rate", "1");
	workload_rig_set(r, "rx_ring.packets", "20000");
}

/* The rings take the whole bounce pool, so what acknowledgements take of it is missing at refills. */
START_TEST(rings_go_on_with_fewer_buffers)
{
	bool stride = _i & 2;
	struct workload_rig r;
	struct rx_ring *ring;

	small_pool(&r, _i & 1 ? "link" : "legacy", _i & 4 ? FIDELITY_COUNTS : FIDELITY_TIMING,
		   stride ? "64" : "0", _i & 8 ? "true" : "false", stride ? "2MiB" : "1MiB");
	workload_rig_run(&r);
	ring = (struct rx_ring *)r.w;
	if (!(_i & 4))
		ck_assert_uint_gt(workload_rig_stat(&r, "rx_ring.failed"), 0);
	ck_assert_uint_gt(workload_rig_stat(&r, "rx_ring.packets"), 5000);
	ck_assert_uint_le(ring->queues->next, ring->queues->posted);
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_slots_used, 0);
	workload_rig_close(&r);
}
END_TEST

/* A ring larger than the pool: an error, and nothing stays behind. */
START_TEST(rings_that_cannot_be_mapped_are_an_error)
{
	struct workload_rig r;
	GError *error = NULL;

	small_pool(&r, _i ? "link" : "legacy", FIDELITY_TIMING, "64", "false", "1MiB");
	r.m = machine_new(r.config, r.mode, &kernel_profiles[r.api->shipped], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	r.w = r.ops->create(r.m, r.api, &error);
	ck_assert_ptr_nonnull(r.w);
	ck_assert(!r.ops->finish(r.w, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "swiotlb.size"));
	ck_assert_uint_eq(r.m->dma_stats.swiotlb_slots_used, 0);
	g_error_free(error);
	workload_rig_close(&r);
}
END_TEST

/* The descriptors fit in memory, the tables of all pages do not: linked or not, no address stays taken. */
START_TEST(rings_whose_tables_find_no_memory_are_an_error)
{
	struct workload_rig r;
	GError *error = NULL;
	uint64_t posted;

	workload_rig_open(&r, "rx_ring", _i & 1 ? "link" : "legacy", _i & 2 ? IOMMU_LAZY : IOMMU_STRICT,
			  FIDELITY_TIMING);
	workload_rig_set(&r, "memory.size", "16MiB");
	workload_rig_set(&r, "rx_ring.ring", "150000");
	r.m = machine_new(r.config, r.mode, &kernel_profiles[r.api->shipped], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	r.w = r.ops->create(r.m, r.api, &error);
	ck_assert_ptr_nonnull(r.w);
	ck_assert(!r.ops->finish(r.w, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "memory.size"));
	posted = ((struct rx_ring *)r.w)->queues->posted;
	ck_assert_uint_gt(posted, 64);
	ck_assert_uint_lt(posted, 150000);
	ck_assert_uint_eq(r.m->dma_stats.iova_pages_allocated, r.m->dma_stats.iova_pages_freed);
	g_error_free(error);
	workload_rig_close(&r);
}
END_TEST

START_TEST(a_stride_is_a_power_of_two)
{
	struct workload_rig r;
	GError *error = NULL;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_OFF, FIDELITY_TIMING);
	workload_rig_set(&r, "rx_ring.stride", "96");
	r.m = machine_new(r.config, r.mode, &kernel_profiles[r.api->shipped], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	ck_assert_ptr_null(r.ops->create(r.m, r.api, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "rx_ring.stride = 96"));
	g_error_free(error);
	machine_free(r.m);
	config_free(r.config);
}
END_TEST

/* Whether or not there is a warm-up, all offered packets are measured; losses are no drops. */
START_TEST(every_packet_after_the_warm_up_counts)
{
	struct workload_rig r;

	workload_rig_open(&r, "rx_ring", "legacy", IOMMU_OFF, FIDELITY_TIMING);
	workload_rig_set(&r, "rx_ring.offered", "5");
	workload_rig_set(&r, "rx_ring.packets", "100");
	workload_rig_set(&r, "rx_ring.warm_up", _i & 1 ? "40" : "0");
	workload_rig_set(&r, "rx_ring.loss", _i & 2 ? "0.05" : "0");
	workload_rig_run(&r);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.lost"), _i & 2 ? 5 : 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.packets"), _i & 2 ? 95 : 100);
	ck_assert_uint_eq(workload_rig_stat(&r, "rx_ring.dropped"), 0);
	ck_assert_double_eq(workload_rig_cell(&r, 0, "drop_share"), 0);
	workload_rig_close(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("rx_ring");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, rings_receive_what_is_offered, 0, 4);
	tcase_add_test(t, more_than_the_link_carries_is_dropped);
	tcase_add_loop_test(t, packets_of_a_ring_do_not_overlap, 0, 9);
	tcase_add_loop_test(t, large_pages, 0, 3);
	tcase_add_test(t, cached_pages_stay_mapped_until_somebody_holds_them);
	tcase_add_loop_test(t, rings_go_on_with_fewer_buffers, 0, 16);
	tcase_add_loop_test(t, rings_that_cannot_be_mapped_are_an_error, 0, 2);
	tcase_add_loop_test(t, rings_whose_tables_find_no_memory_are_an_error, 0, 4);
	tcase_add_test(t, a_stride_is_a_power_of_two);
	tcase_add_loop_test(t, every_packet_after_the_warm_up_counts, 0, 4);
	return test_run("rx_ring", t, NULL);
}
