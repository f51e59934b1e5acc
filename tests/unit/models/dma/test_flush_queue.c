/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flush queue: capacity, counters, timer on the tick. */
#include "dma_rig.h"
#include "models/dma/iommu.h"
#include "models/dma/timer.h"

static struct rig lazy_rig(enum kernel_version k)
{
	static const char *const set[] = {"cpu.count", "2", NULL};

	return rig_new_with(IOMMU_LAZY, k, set);
}

static void map_unmap(struct rig *r)
{
	dma_addr_t a = dma_map_page(r->dev, 0x1000000, 0, 4096, DMA_TO_DEVICE);

	ck_assert_uint_ne(a, DMA_MAPPING_ERROR);
	dma_unmap_page(r->dev, a, 4096, DMA_TO_DEVICE);
}

START_TEST(ring_full_positions)
{
	struct rig r = lazy_rig(_i);
	struct dma_stats *st = &r.m->dma_stats;

	for (unsigned n = 1; n <= 1100; n++) {
		map_unmap(&r);
		/* Enqueues 256, 511, 766, 1021 find the ring full. */
		ck_assert_uint_eq(st->flush_all, n < 256 ? 0 : 1 + (n - 256) / 255);
		ck_assert_uint_eq(st->iova_frees, 255 * st->flush_all);
	}
	ck_assert_uint_eq(st->fq_ring_full, st->flush_all);
	ck_assert_uint_eq(st->iotlb_syncs, 0);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_domain, st->flush_all);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_page, 0);
	rig_free(&r);
}
END_TEST

START_TEST(released_in_order_reused_last_first)
{
	struct rig r = lazy_rig(KERNEL_6_12);
	dma_addr_t a[256];

	for (int i = 0; i < 256; i++) {
		a[i] = dma_map_page(r.dev, 0x1000000, 0, 4096, DMA_TO_DEVICE);
		dma_unmap_page(r.dev, a[i], 4096, DMA_TO_DEVICE);
	}
	/* 255 were released: 127 and 127 fill two magazines, the last one starts a third. */
	ck_assert_uint_eq(dma_map_page(r.dev, 0, 0, 4096, DMA_TO_DEVICE), a[254]);
	for (int i = 126; i >= 0; i--)
		ck_assert_uint_eq(dma_map_page(r.dev, 0, 0, 4096, DMA_TO_DEVICE), a[i]);
	rig_free(&r);
}
END_TEST

START_TEST(timer_on_the_tick)
{
	/* 10 ms are 3 ticks of 4 ms; armed during tick j it fires at tick j + 4. */
	ck_assert_uint_eq(timer_expiry(0, 10 * SIM_MS, 250), 16 * SIM_MS);
	ck_assert_uint_eq(timer_expiry(1, 10 * SIM_MS, 250), 16 * SIM_MS);
	ck_assert_uint_eq(timer_expiry(4 * SIM_MS - 1, 10 * SIM_MS, 250), 16 * SIM_MS);
	ck_assert_uint_eq(timer_expiry(4 * SIM_MS, 10 * SIM_MS, 250), 20 * SIM_MS);
	ck_assert_uint_eq(timer_expiry(0, 10 * SIM_MS, 1000), 11 * SIM_MS);
	ck_assert_uint_eq(timer_expiry(2 * SIM_MS + 1, 10 * SIM_MS, 1000), 13 * SIM_MS);
	ck_assert_uint_eq(timer_expiry(0, 10 * SIM_MS, 300), (4 * SIM_S + 299) / 300);
	/* 63 ticks and more lie in the second level with a granularity of 8. */
	ck_assert_uint_eq(timer_expiry(0, 62 * SIM_MS, 1000), 63 * SIM_MS);
	ck_assert_uint_eq(timer_expiry(0, 63 * SIM_MS, 1000), 64 * SIM_MS);
	ck_assert_uint_eq(timer_expiry(3 * SIM_MS, 63 * SIM_MS, 1000), 72 * SIM_MS);
	ck_assert_uint_eq(timer_expiry(0, 100 * SIM_MS, 250), 104 * SIM_MS);
}
END_TEST

START_TEST(timer_flushes_all_cpus_and_stops)
{
	struct rig r = lazy_rig(KERNEL_7_0);
	struct sim *s = &r.m->sim;
	struct dma_stats *st = &r.m->dma_stats;

	sim_advance(s, 5 * SIM_MS);
	map_unmap(&r);
	s->cpu = &s->cpus[1];
	map_unmap(&r);
	ck_assert_uint_eq(dma_replay_ring_entries(r.dev, 0), 1);
	ck_assert_uint_eq(dma_replay_ring_entries(r.dev, 1), 1);
	sim_advance(s, 20 * SIM_MS - 1);
	ck_assert_uint_eq(st->flush_all, 0);
	sim_advance(s, 20 * SIM_MS);
	ck_assert_uint_eq(st->flush_all, 1);
	ck_assert_uint_eq(st->fq_timeouts, 1);
	ck_assert_uint_eq(st->iova_frees, 2);
	/* Both went to the cache of the CPU whose timer it was: the one that armed it. */
	ck_assert_uint_eq(r.dev->domain->iovad.rcaches[0].cpu_rcaches[0].loaded->size, 2);
	ck_assert_uint_eq(event_queue_size(s->events), 0);
	s->cpu = &s->cpus[0];
	map_unmap(&r);
	ck_assert_uint_eq(event_queue_size(s->events), 1);
	sim_run(s);
	ck_assert_uint_eq(st->fq_timeouts, 2);
	rig_free(&r);
}
END_TEST

START_TEST(tables_wait_for_the_flush)
{
	struct rig r = lazy_rig(_i);
	struct sim *s = &r.m->sim;
	struct dma_stats *st = &r.m->dma_stats;
	uint64_t pages;
	dma_addr_t a;

	/* One 2 MiB range of 4 KiB entries: unmapping it whole detaches its leaf table. */
	a = dma_map_page(r.dev, 0x1001000, 0, 2 * MIB, DMA_TO_DEVICE);
	ck_assert_uint_eq(a & (2 * MIB - 1), 0);
	pages = s->ledger.accounts[LEDGER_IOMMU_PAGE_TABLES].current;
	dma_unmap_page(r.dev, a, 2 * MIB, DMA_TO_DEVICE);
	ck_assert_uint_eq(s->ledger.accounts[LEDGER_IOMMU_PAGE_TABLES].current, pages);
	sim_run(s);
	ck_assert_uint_eq(s->ledger.accounts[LEDGER_IOMMU_PAGE_TABLES].current, pages - 4096);
	ck_assert_uint_eq(st->table_pages_freed, 1);
	rig_free(&r);
}
END_TEST

START_TEST(who_enqueues)
{
	struct rig r = lazy_rig(KERNEL_7_0);
	struct dma_stats *st = &r.m->dma_stats;
	struct dma_iova_state state;

	ck_assert(dma_iova_try_alloc(r.dev, &state, 0, 8192));
	ck_assert_int_eq(dma_iova_link(r.dev, &state, 0x1000000, 0, 8192, DMA_TO_DEVICE, 0), 0);
	dma_iova_unlink(r.dev, &state, 0, 8192, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(st->fq_entries, 0);
	ck_assert_uint_eq(st->iotlb_syncs, 1);
	dma_iova_free(r.dev, &state);
	ck_assert_uint_eq(st->fq_entries, 0);
	ck_assert_uint_eq(st->iova_frees, 1);
	ck_assert(dma_iova_try_alloc(r.dev, &state, 0, 8192));
	ck_assert_int_eq(dma_iova_link(r.dev, &state, 0x1000000, 0, 8192, DMA_TO_DEVICE, 0), 0);
	dma_iova_destroy(r.dev, &state, 8192, DMA_TO_DEVICE, 0);
	ck_assert_uint_eq(st->fq_entries, 1);
	ck_assert_uint_eq(st->iotlb_syncs, 1);
	rig_free(&r);
}
END_TEST

START_TEST(live_switch_to_lazy)
{
	struct rig r = rig_new(IOMMU_STRICT, KERNEL_6_12);
	struct dma_stats *st = &r.m->dma_stats;
	dma_addr_t a = dma_map_page(r.dev, 0x1000000, 0, 4096, DMA_TO_DEVICE);

	ck_assert_int_eq(iommu_dma_init_fq(r.dev->domain), 0);
	/* The queue is what is there at unmap time. */
	dma_unmap_page(r.dev, a, 4096, DMA_TO_DEVICE);
	ck_assert_uint_eq(st->fq_entries, 1);
	ck_assert_uint_eq(st->iotlb_syncs, 0);
	rig_free(&r);
}
END_TEST

START_TEST(footprint)
{
	struct rig r = lazy_rig(KERNEL_6_12);

	ck_assert_uint_eq(r.m->sim.ledger.accounts[LEDGER_FLUSH_QUEUE_RINGS].current, 2 * 10256);
	rig_free(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("flush_queue");

	tcase_add_loop_test(t, ring_full_positions, 0, KERNEL_VERSIONS);
	tcase_add_test(t, released_in_order_reused_last_first);
	tcase_add_test(t, timer_on_the_tick);
	tcase_add_test(t, timer_flushes_all_cpus_and_stops);
	tcase_add_loop_test(t, tables_wait_for_the_flush, 0, KERNEL_VERSIONS);
	tcase_add_test(t, who_enqueues);
	tcase_add_test(t, live_switch_to_lazy);
	tcase_add_test(t, footprint);
	return test_run("flush_queue", t, NULL);
}
