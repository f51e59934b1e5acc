/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of invalidation queue and fault records, and those that the driver keeps on its side of them, one
 * test per rule, named after it (Intel VT-d architecture specification rev 4.1: 6.5, 7).
 */
#include "dma_rig.h"
#include "vtd_invariants.h"

/* Every descriptor handed over runs, in order, unless an error stops the queue. */
static void count_executed(void *arg, const struct qi_desc *d, sim_time_t when)
{
	unsigned *n = arg;

	(void)when;
	ck_assert_uint_eq(d->qw1 >> PAGE_SHIFT, (*n)++);
}

START_TEST(invariant_11_what_is_queued_is_what_runs)
{
	unsigned executed = 0, queued = 0;

	begin(FIDELITY_COUNTS);
	vtd_set_qi_observer(f.u, count_executed, &executed);
	for (unsigned round = 0; round < 400; round++) {
		struct qi_desc d[16];
		unsigned n = 1 + (unsigned)rng_below(&rng, 16);

		for (unsigned k = 0; k < n; k++)
			d[k] = qi_desc_iotlb(TEST_DID, QI_PAGE, (uint64_t)queued++ << PAGE_SHIFT, 0, false,
					     true);
		vtd_qi_execute(f.u, d, n, 0);
		ck_assert_uint_eq(executed, queued);
	}
	ck_assert_uint_eq(f.st.qi_total, queued);
	end();
}
END_TEST

START_TEST(invariant_12_an_aborted_wait_never_writes_its_status)
{
	const struct qi_desc d[] = {qi_desc_device_tlb(TEST_SID, 0, 0, BASE, 0), qi_desc_wait(STATUS, 7)};
	uint32_t *status;

	begin(FIDELITY_COUNTS);
	vtd_ats_enable(f.u, TEST_SID);
	status = memory_ptr(f.mem, STATUS);
	vtd_ats_set_answering(f.u, TEST_SID, false);
	vtd_qi_execute(f.u, d, 2, 0);
	ck_assert_int_eq(vtd_qi_error(f.u), QI_ERROR_TIMEOUT);
	ck_assert_uint_eq(*status, 0);
	vtd_qi_clear_error(f.u);
	vtd_ats_set_answering(f.u, TEST_SID, true);
	ck_assert_uint_eq(*status, 0);
	vtd_qi_execute(f.u, d, 2, 0);
	ck_assert_uint_eq(*status, 7);
	end();
}
END_TEST

START_TEST(invariant_13_an_error_stops_at_the_offender)
{
	for (unsigned at = 0; at < 8; at++) {
		struct qi_desc d[9];

		begin(FIDELITY_COUNTS);
		map_pages(RW);
		for (unsigned i = 0; i < 8; i++) {
			read_at(0, BASE + i * PAGE_SIZE);
			d[i] = qi_desc_iotlb(TEST_DID, QI_PAGE, BASE + i * PAGE_SIZE, 0, true, true);
		}
		d[8] = qi_desc_wait(STATUS, 7);
		d[at].qw0 |= UINT64_C(1) << 40;
		vtd_qi_execute(f.u, d, 9, 0);
		ck_assert_uint_eq(vtd_qi_stopped_at(f.u), at);
		for (unsigned i = 0; i < 8; i++) {
			struct iommu_result r;

			ck_assert_int_eq(
			    test_access(&f, TEST_SID, BASE + i * PAGE_SIZE, IOMMU_ACCESS_READ, 0, &r), 0);
			ck_assert_int_eq(r.hit, i >= at);
		}
		/* Cleared, it goes on there. */
		vtd_qi_clear_error(f.u);
		d[at].qw0 &= ~(UINT64_C(1) << 40);
		vtd_qi_execute(f.u, d + at, 9 - at, 0);
		ck_assert_uint_eq(*(uint32_t *)memory_ptr(f.mem, STATUS), 7);
		end();
	}
}
END_TEST

START_TEST(invariant_14_a_fence_holds_what_follows)
{
	struct qi_desc d[] = {qi_desc_iotlb(TEST_DID, QI_PAGE, BASE, 0, true, false), qi_desc_wait(STATUS, 2),
			      qi_desc_iotlb(TEST_DID, QI_PAGE, BASE, 0, true, false),
			      qi_desc_wait(STATUS, 3)};

	d[1].qw0 |= 1 << 6;
	begin(FIDELITY_TIMING);
	ck_assert_uint_eq(vtd_qi_execute(f.u, d, 4, 0), 2 * (f.p.qi.service + f.p.qi.wait_latency));
	end();
}
END_TEST

/* ---- the driver's side ---- */

struct submitter {
	struct cpu_work work;
	struct rig *r;
	unsigned index;
};

static void submit_many(struct cpu_work *work, struct cpu *cpu)
{
	struct submitter *s = (struct submitter *)work;

	(void)cpu;
	for (unsigned i = 0; i < 50; i++) {
		phys_addr_t page = 0x10000000 + (s->index * 64 + i) * PAGE_SIZE;
		dma_addr_t a = dma_map_phys(s->r->dev, page, PAGE_SIZE, DMA_TO_DEVICE, 0);

		dma_unmap_phys(s->r->dev, a, PAGE_SIZE, DMA_TO_DEVICE, 0);
	}
}

/* 64 CPUs, a ring of 32 descriptors, two for each submission and one slot free: at most 15 under way. */
static sim_time_t crowd(const char *entries)
{
	const char *const set[] = {"qi.entries", entries,           "cpu.count", "64", "qi.service",
				   "10ns",       "qi.wait_latency", "100us",     NULL};
	struct config *config = config_new();
	struct submitter s[64];
	struct rig r = {.config = config};
	GError *error = NULL;
	sim_time_t took;

	for (const char *const *p = set; *p; p += 2)
		ck_assert_msg(config_set(config, p[0], p[1], "test", &error), "%s", p[0]);
	/* 6.1 holds no lock of the domain while it waits. */
	r.m = machine_new(config, IOMMU_STRICT, &kernel_profiles[KERNEL_6_1], FIDELITY_TIMING, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	r.dev = machine_add_device(r.m, "0000:08:00.0", &error);
	for (unsigned i = 0; i < 64; i++) {
		s[i] = (struct submitter){.work = {.fn = submit_many}, .r = &r, .index = i};
		cpu_post(&r.m->sim.cpus[i], &s[i].work, 0);
	}
	sim_run(&r.m->sim);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_page, 64 * 50);
	ck_assert_uint_eq(r.m->vtd_stats.qi_wait, 64 * 50);
	took = r.m->sim.now;
	rig_free(&r);
	return took;
}

START_TEST(invariant_15_submitters_wait_for_free_slots)
{
	double small = (double)crowd("32") / SIM_US, large = (double)crowd("256") / SIM_US;

	/* 3200 submissions of 100 us each, 15 at a time; the larger ring has room for all 64. */
	ck_assert_double_ge(small, 3200 * 100 / 15.0);
	ck_assert_double_lt(large, 1.3 * 50 * 100);
}
END_TEST

START_TEST(invariant_19_overflow_is_set_iff_a_fault_was_dropped)
{
	unsigned records = 8;

	vtd_fixture_defaults(&f); /* CAP.NFR: 8 records */
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	for (unsigned n = 1; n <= 20; n++) {
		struct vtd_fault r;
		unsigned kept = 0;

		for (unsigned i = 0; i < n; i++)
			ck_assert_uint_eq(read_at(0, BASE + i * PAGE_SIZE), 0);
		ck_assert_int_eq(vtd_fault_overflow(f.u, true), n > records);
		while (vtd_fault_read(f.u, &r))
			ck_assert_uint_eq(r.addr, BASE + kept++ * PAGE_SIZE);
		ck_assert_uint_eq(kept, MIN(n, records));
	}
	ck_assert_uint_eq(f.st.faults_lost, 12 * 13 / 2);
	vtd_fixture_stop(&f);
}
END_TEST

START_TEST(invariant_21_the_block_covers_its_range_and_is_aligned)
{
	rng_init(&rng, test_seed(), "order");
	for (uint64_t n = 0; n < test_scale(100000); n++) {
		uint64_t first = rng_below(&rng, UINT64_C(1) << (1 + rng_below(&rng, 36)));
		uint64_t last = first + rng_below(&rng, UINT64_C(1) << rng_below(&rng, 20));
		unsigned order = qi_range_order(first, last);

		ck_assert_uint_eq(first >> order, last >> order);
		ck_assert(!order || first >> (order - 1) != last >> (order - 1));
	}
}
END_TEST

START_TEST(invariant_21_beyond_mamv_the_domain_is_flushed)
{
	/* MAMV 9: a range across a 2 MiB boundary needs order 10. */
	static const char *const set[] = {"iommu.cap", "0xc90780106f0462", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, KERNEL_6_12, set);
	dma_addr_t a = dma_map_page(r.dev, 0x10000000, 0, 4 * MIB, DMA_TO_DEVICE);

	dma_unmap_page(r.dev, a, 4 * MIB, DMA_TO_DEVICE);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_page, 0);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_domain, 1);
	a = dma_map_page(r.dev, 0x10000000, 0, PAGE_SIZE, DMA_TO_DEVICE);
	dma_unmap_page(r.dev, a, PAGE_SIZE, DMA_TO_DEVICE);
	ck_assert_uint_eq(r.m->vtd_stats.qi_iotlb_page, 1);
	rig_free(&r);
}
END_TEST

/* An IOVA comes back at once in strict mode, in lazy mode only after a flush that began later. */
START_TEST(invariant_22_iovas_come_back_only_after_a_flush)
{
	struct rig r = rig_new(_i ? IOMMU_LAZY : IOMMU_STRICT, KERNEL_6_12);
	GHashTable *waiting = g_hash_table_new(g_direct_hash, g_direct_equal);
	uint64_t flushes = 0, repeats = 0;

	for (unsigned n = 0; n < 2000; n++) {
		dma_addr_t a = dma_map_page(r.dev, 0x10000000, 0, PAGE_SIZE, DMA_TO_DEVICE);

		if (r.m->vtd_stats.qi_iotlb_page + r.m->vtd_stats.qi_iotlb_domain != flushes) {
			flushes = r.m->vtd_stats.qi_iotlb_page + r.m->vtd_stats.qi_iotlb_domain;
			repeats += g_hash_table_contains(waiting, GSIZE_TO_POINTER(a));
			g_hash_table_remove_all(waiting);
		}
		ck_assert_msg(!g_hash_table_contains(waiting, GSIZE_TO_POINTER(a)), "mapping %u", n);
		g_hash_table_add(waiting, GSIZE_TO_POINTER(a));
		dma_unmap_page(r.dev, a, PAGE_SIZE, DMA_TO_DEVICE);
	}
	ck_assert_uint_gt(repeats, 0); /* they do come back */
	g_hash_table_unref(waiting);
	rig_free(&r);
}
END_TEST

START_TEST(invariant_23_mapping_posts_nothing)
{
	struct rig r = rig_new(_i % 2 ? IOMMU_LAZY : IOMMU_STRICT, (enum kernel_version)(_i / 2));

	for (unsigned n = 0; n < 500; n++)
		ck_assert_uint_ne(dma_map_page(r.dev, 0x10000000 + n * 16 * PAGE_SIZE, 0,
					       (1 + n % 16) * PAGE_SIZE, DMA_TO_DEVICE),
				  DMA_MAPPING_ERROR);
	ck_assert_uint_eq(r.m->vtd_stats.qi_total, 0);
	ck_assert_uint_eq(r.m->dma_stats.write_buffer_flushes, 0);
	rig_free(&r);
}
END_TEST

/* A unit that does not snoop: as many cache flushes as tables were written, before the call returns. */
START_TEST(invariant_24_written_entries_are_flushed_for_units_that_do_not_snoop)
{
	const char *const set[] = {"walker.coherent", _i ? "false" : "true", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, KERNEL_6_12, set);
	const uint64_t *mapped = &r.m->sim.cpus[0].steps[COST_PT_CACHE_FLUSH];
	const uint64_t *unmapped = &r.m->sim.cpus[0].steps[COST_PT_UNMAP_FLUSH];
	uint64_t last = 0;

	for (unsigned n = 0; n < 100; n++) {
		dma_addr_t a = dma_map_page(r.dev, 0x10000000, 0, PAGE_SIZE, DMA_TO_DEVICE);

		ck_assert_int_eq(*mapped > last, _i);
		last = *mapped;
		ck_assert_uint_eq(*unmapped, n * (unsigned)_i);
		dma_unmap_page(r.dev, a, PAGE_SIZE, DMA_TO_DEVICE);
		ck_assert_uint_eq(*unmapped, (n + 1) * (unsigned)_i);
		ck_assert_uint_eq(*mapped, last);
	}
	rig_free(&r);
}
END_TEST

/* ---- relations between two runs; the four others are in test_vtd_traffic.c ---- */

static uint64_t waits_of(enum kernel_version k, bool ats)
{
	static const char *const set[] = {"ats.devices", "all", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, k, ats ? set : NULL);
	uint64_t waits;

	rng_init(&rng, test_seed(), "waits");
	for (unsigned n = 0; n < 500; n++) {
		size_t bytes = (1 + rng_below(&rng, 64)) * PAGE_SIZE;
		dma_addr_t a = dma_map_page(r.dev, 0x10000000, 0, bytes, DMA_TO_DEVICE);

		dma_unmap_page(r.dev, a, bytes, DMA_TO_DEVICE);
	}
	waits = r.m->vtd_stats.qi_wait;
	rig_free(&r);
	return waits;
}

START_TEST(relation_batching_never_adds_waits)
{
	for (unsigned ats = 0; ats < 2; ats++) {
		ck_assert_uint_le(waits_of(KERNEL_6_12, ats), waits_of(KERNEL_6_1, ats));
		ck_assert_uint_le(waits_of(KERNEL_7_0, ats), waits_of(KERNEL_6_1, ats));
	}
	/* With a device TLB the batch saves one wait per unmap. */
	ck_assert_uint_eq(2 * waits_of(KERNEL_6_12, true), waits_of(KERNEL_6_1, true));
}
END_TEST

int main(void)
{
	TCase *u = tcase_create("unit"), *d = tcase_create("driver"), *r = tcase_create("relations");

	tcase_add_test(u, invariant_11_what_is_queued_is_what_runs);
	tcase_add_test(u, invariant_12_an_aborted_wait_never_writes_its_status);
	tcase_add_test(u, invariant_13_an_error_stops_at_the_offender);
	tcase_add_test(u, invariant_14_a_fence_holds_what_follows);
	tcase_add_test(d, invariant_15_submitters_wait_for_free_slots);
	tcase_add_test(u, invariant_19_overflow_is_set_iff_a_fault_was_dropped);
	tcase_add_test(d, invariant_21_the_block_covers_its_range_and_is_aligned);
	tcase_add_test(d, invariant_21_beyond_mamv_the_domain_is_flushed);
	tcase_add_loop_test(d, invariant_22_iovas_come_back_only_after_a_flush, 0, 2);
	tcase_add_loop_test(d, invariant_23_mapping_posts_nothing, 0, 6);
	tcase_add_loop_test(d, invariant_24_written_entries_are_flushed_for_units_that_do_not_snoop, 0, 2);
	tcase_add_test(r, relation_batching_never_adds_waits);
	return test_run("vtd_invariants_queue", u, d, r, NULL);
}
