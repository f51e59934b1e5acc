/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of translation and its caches that any VT-d unit keeps, one test per rule, named after it (Intel
 * VT-d architecture specification rev 4.1: 3.4-3.15, 6.2-6.4). Those of the queue, of faults and of the
 * driver are in test_vtd_invariants_queue.c. test_vtd_traffic.c holds the random traffic of 1 million
 * accesses over all of them at once; here each stands alone, so that a failure names the rule.
 */
#include "vtd_invariants.h"

START_TEST(invariant_01_nothing_serves_after_its_invalidation)
{
	begin(FIDELITY_COUNTS);
	map_pages(RW);
	for (uint64_t n = 0; n < test_scale(2000); n++) {
		struct pgtable_gather g = PGTABLE_GATHER_INIT;
		unsigned i = (unsigned)rng_below(&rng, PAGES);
		dma_addr_t iova = BASE + i * PAGE_SIZE;

		ck_assert_uint_eq(read_at(0, iova), phys_of(0, i));
		ck_assert_uint_eq(unmap(0, iova, PAGE_SIZE, &g), PAGE_SIZE);
		/* Until then the old translation is legal, and a cache of this size still has it. */
		ck_assert_uint_eq(read_at(0, iova), phys_of(0, i));
		test_psi(&f, TEST_DID, iova, 0, pgtable_list_empty(&g.tables), 0);
		pgtable_release(t[0], &g.tables);
		ck_assert_uint_eq(read_at(0, iova), 0);
		test_map(t[0], iova, phys_of(0, i), PAGE_SIZE, RW);
	}
	end();
}
END_TEST

/* The table page that maps BASE, found by reading the tables as the unit does. */
static phys_addr_t leaf_table(const struct pgtable *pt)
{
	phys_addr_t table = pgtable_root(pt);

	for (unsigned level = 4; level > 1; level--) {
		const uint64_t *entry = memory_ptr(f.mem, table + (BASE >> (3 + 9 * level) & 0x1ff) * 8);

		table = *entry & vtd_formats[VTD_SS_48].address_mask;
	}
	return table;
}

START_TEST(invariant_02_detached_tables_are_not_reused_before_the_flush)
{
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	phys_addr_t table, page;
	bool again = false;

	begin(FIDELITY_COUNTS);
	map_pages(RW);
	table = leaf_table(t[0]);
	ck_assert_uint_eq(read_at(0, BASE), phys_of(0, 0));
	ck_assert_uint_eq(unmap(0, BASE, PAGES * PAGE_SIZE, &g), PAGES * PAGE_SIZE);
	ck_assert_uint_eq(g.tables.count, 1);
	for (unsigned i = 0; i < 4096; i++)
		ck_assert_uint_ne(memory_alloc_pages(f.mem, 0, 0), table);
	/* A walker that still has the pointer finds nothing there. */
	ck_assert_uint_eq(read_at(0, BASE + 5 * PAGE_SIZE), 0);
	test_psi(&f, TEST_DID, BASE, 9, false, 0);
	pgtable_release(t[0], &g.tables);
	for (unsigned i = 0; i < 64 && !again; i++) {
		page = memory_alloc_pages(f.mem, 0, 0);
		again = page == table;
	}
	ck_assert(again);
	end();
}
END_TEST

START_TEST(invariant_03_what_faults_leaves_no_trace)
{
	begin(FIDELITY_COUNTS);
	for (unsigned i = 0; i < PAGES; i++) {
		dma_addr_t iova = BASE + i * PAGE_SIZE;

		/* No flush between the fault and the use of the new mapping. */
		ck_assert_uint_eq(read_at(0, iova), 0);
		test_map(t[0], iova, phys_of(0, i), PAGE_SIZE, RW);
		ck_assert_uint_eq(read_at(0, iova), phys_of(0, i));
	}
	ck_assert_uint_eq(f.st.faults, PAGES);
	ck_assert_uint_eq(f.st.qi_total, 0);
	end();
}
END_TEST

START_TEST(invariant_04_rights_are_those_of_the_table)
{
	begin(FIDELITY_COUNTS);
	for (unsigned i = 0; i < PAGES; i++)
		test_map(t[0], BASE + i * PAGE_SIZE, phys_of(0, i), PAGE_SIZE, 1 + i % 3);
	for (uint64_t n = 0; n < test_scale(5000); n++) {
		unsigned i = (unsigned)rng_below(&rng, PAGES), access = 1 + (unsigned)rng_below(&rng, 2);
		struct iommu_result r;
		int err = test_access(&f, TEST_SID, BASE + i * PAGE_SIZE, access, 0, &r);

		ck_assert_int_eq(err, (1 + i % 3) & access ? 0 : -EFAULT);
	}
	end();
}
END_TEST

START_TEST(invariant_05_domains_never_serve_each_other)
{
	begin(FIDELITY_COUNTS);
	map_pages(RW);
	for (uint64_t n = 0; n < test_scale(5000); n++) {
		unsigned i = (unsigned)rng_below(&rng, PAGES), d = (unsigned)rng_below(&rng, 2);

		ck_assert_uint_eq(read_at(d, BASE + i * PAGE_SIZE), phys_of(d, i));
	}
	ck_assert_uint_gt(f.st.iotlb_hits, 0);
	end();
}
END_TEST

/* First-stage entries carry their PASID: the same domain id with two tables. */
START_TEST(invariant_05_pasids_never_serve_each_other)
{
	struct vtd_context c = {.type = VTD_FIRST_STAGE, .did = 9, .format = VTD_FS_48};
	struct pgtable *fs[2];

	begin(FIDELITY_COUNTS);
	for (unsigned k = 0; k < 2; k++) {
		fs[k] = pgtable_new(&f.sim, f.mem, VTD_FS_48, VTD_PAGES_4K, 0);
		for (unsigned i = 0; i < 64; i++)
			test_map(fs[k], BASE + i * PAGE_SIZE, phys_of(k, i), PAGE_SIZE, RW);
		c.root = pgtable_root(fs[k]);
		vtd_set_context(f.u, TEST_SID, k + 1, &c);
	}
	for (uint64_t n = 0; n < test_scale(5000); n++) {
		unsigned i = (unsigned)rng_below(&rng, 64), k = (unsigned)rng_below(&rng, 2);
		const struct iommu_request rq = {.sid = TEST_SID,
						 .pasid = k + 1,
						 .access = IOMMU_ACCESS_READ,
						 .addr = BASE + i * PAGE_SIZE};
		struct iommu_result r;

		ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), 0);
		ck_assert_uint_eq(r.phys, phys_of(k, i));
	}
	ck_assert_uint_gt(f.st.iotlb_hits, 0);
	pgtable_free(fs[0]);
	pgtable_free(fs[1]);
	end();
}
END_TEST

START_TEST(invariant_06_translation_equals_the_oracle_walk)
{
	begin(_i ? FIDELITY_TIMING : FIDELITY_COUNTS);
	map_pages(RW);
	test_map(t[0], BASE + GIB, 4 * GIB, 8 * MIB, RW);
	for (uint64_t n = 0; n < test_scale(20000); n++) {
		dma_addr_t iova = rng_below(&rng, 2) ? BASE + rng_below(&rng, PAGES * PAGE_SIZE)
						     : BASE + GIB + rng_below(&rng, 9 * MIB);
		phys_addr_t want = pgtable_iova_to_phys(t[0], iova, NULL);
		struct iommu_result r = {0};
		int err = test_access(&f, TEST_SID, iova, IOMMU_ACCESS_READ, n * SIM_US, &r);

		ck_assert_int_eq(err, want ? 0 : -EFAULT);
		ck_assert(err || r.phys == want);
	}
	end();
}
END_TEST

START_TEST(invariant_07_device_tlbs_obey_their_own_invalidation)
{
	const struct qi_desc device = qi_desc_device_tlb(TEST_SID, 0, 0, BASE, 0);
	struct iommu_request rq = {
	    .sid = TEST_SID, .pasid = NO_PASID, .access = IOMMU_ACCESS_READ, .addr = BASE};
	struct vtd_context c = {.type = VTD_SECOND_STAGE, .did = TEST_DID, .format = VTD_SS_48, .ats = true};
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	struct iommu_result r;

	begin(FIDELITY_COUNTS);
	c.root = pgtable_root(t[0]);
	vtd_set_context(f.u, TEST_SID, NO_PASID, &c);
	vtd_ats_enable(f.u, TEST_SID);
	test_map(t[0], BASE, PHYS, PAGE_SIZE, RW);
	ck_assert_int_eq(vtd_ats_translate(f.u, &rq, 0, &r), 0);
	unmap(0, BASE, PAGE_SIZE, &g);
	test_psi(&f, TEST_DID, BASE, 0, true, 0);
	/* The IOTLB's invalidation says nothing to the device ... */
	ck_assert_int_eq(vtd_ats_translate(f.u, &rq, 0, &r), 0);
	ck_assert_uint_eq(r.phys, PHYS);
	/* ... its own does. */
	vtd_qi_execute(f.u, &device, 1, 0);
	ck_assert_int_eq(vtd_ats_translate(f.u, &rq, 0, &r), -EFAULT);
	end();
}
END_TEST

START_TEST(invariant_08_context_changes_need_both_invalidations)
{
	const struct qi_desc context = qi_desc_context(TEST_DID, QI_CC_DEVICE, TEST_SID, 0),
			     pasid = qi_desc_pasid_cache(TEST_DID, 0, QI_PC_PASID),
			     dsi = qi_desc_iotlb(TEST_DID, QI_DOMAIN, 0, 0, false, true);

	begin(FIDELITY_COUNTS);
	map_pages(RW);
	ck_assert_uint_eq(read_at(0, BASE), phys_of(0, 0));
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t[1]);
	ck_assert_uint_eq(read_at(0, BASE), phys_of(0, 0));
	vtd_qi_execute(f.u, &context, 1, 0);
	vtd_qi_execute(f.u, &pasid, 1, 0);
	ck_assert_uint_eq(read_at(0, BASE), phys_of(0, 0)); /* the IOTLB still has it */
	vtd_qi_execute(f.u, &dsi, 1, 0);
	ck_assert_uint_eq(read_at(0, BASE), phys_of(1, 0));
	end();
}
END_TEST

START_TEST(invariant_09_a_domain_invalidation_takes_all_sizes_and_devices)
{
	const struct qi_desc dsi = qi_desc_iotlb(TEST_DID, QI_DOMAIN, 0, 0, false, true);
	const dma_addr_t at[] = {BASE, BASE + 256 * MIB, 8 * GIB};

	begin(FIDELITY_COUNTS);
	test_map(t[0], at[0], PHYS, PAGE_SIZE, RW);
	test_map(t[0], at[1], 6 * GIB, 2 * MIB, RW);
	test_map(t[0], at[2], 16 * GIB, GIB, RW);
	test_map(t[1], at[0], PHYS, PAGE_SIZE, RW);
	vtd_fixture_attach(&f, TEST_SID + 2, TEST_DID, t[0]);
	for (unsigned pass = 0; pass < 2; pass++) {
		struct iommu_result r;

		for (unsigned k = 0; k < 3; k++)
			for (uint16_t s = 0; s <= 2; s += 2) {
				ck_assert_int_eq(
				    test_access(&f, TEST_SID + s, at[k], IOMMU_ACCESS_READ, 0, &r), 0);
				ck_assert(s || !r.hit); /* the second device hits what the first brought */
				ck_assert_uint_eq(r.page_shift, 12 + 9 * k);
			}
		ck_assert_int_eq(test_access(&f, TEST_SID + 1, at[0], IOMMU_ACCESS_READ, 0, &r), 0);
		ck_assert_int_eq(r.hit, pass); /* the other domain's stays */
		vtd_qi_execute(f.u, &dsi, 1, 0);
	}
	end();
}
END_TEST

START_TEST(invariant_10_the_interrupt_window_is_no_memory)
{
	struct iommu_result r;

	begin(FIDELITY_COUNTS);
	test_map(t[0], BASE, 0xfee00000, 16 * PAGE_SIZE, RW);
	test_map(t[0], BASE + GIB, 0xfedff000, PAGE_SIZE, RW);
	test_map(t[0], BASE + GIB + PAGE_SIZE, 0xfef00000, PAGE_SIZE, RW);
	/* In: not translated, nothing is walked. Out: a fault, on either side of it none. */
	ck_assert_int_eq(test_access(&f, TEST_SID, 0xfee00000, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert_int_eq(test_access(&f, TEST_SID, 0xfeefffff, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert_uint_eq(f.st.iotlb_lookups + f.st.walks, 0);
	for (unsigned i = 0; i < 16; i++)
		ck_assert_int_eq(test_access(&f, TEST_SID, BASE + i * PAGE_SIZE, IOMMU_ACCESS_WRITE, 0, &r),
				 -EFAULT);
	ck_assert_uint_eq(read_at(0, BASE + GIB), 0xfedff000);
	ck_assert_uint_eq(read_at(0, BASE + GIB + PAGE_SIZE), 0xfef00000);
	end();
}
END_TEST

START_TEST(invariant_16_caches_hold_no_more_than_they_have)
{
	begin(FIDELITY_COUNTS);
	map_pages(RW);
	for (uint64_t n = 0; n < test_scale(20000); n++)
		read_at((unsigned)rng_below(&rng, 2), BASE + rng_below(&rng, PAGES) * PAGE_SIZE);
	/* Each miss brings one entry; what was not evicted is there: at most the capacity, and it is full. */
	ck_assert_uint_eq(f.st.iotlb_misses - f.st.iotlb_evictions, f.p.iotlb.entries);
	end();
}
END_TEST

START_TEST(invariant_17_reads_are_the_levels_below_the_deepest_hit)
{
	begin(FIDELITY_COUNTS);
	f.p.iotlb.entries = 0;
	map_pages(RW);
	test_map(t[0], BASE + 4 * MIB, PHYS, PAGE_SIZE, RW);
	test_map(t[0], BASE + 4 * GIB, PHYS, PAGE_SIZE, RW);
	test_map(t[0], BASE + 1024 * GIB, PHYS, PAGE_SIZE, RW);
	{
		const dma_addr_t at[] = {BASE, BASE + PAGE_SIZE, BASE + 4 * MIB, BASE + 4 * GIB,
					 BASE + 1024 * GIB};
		const unsigned reads[] = {4, 1, 2, 3, 4};

		for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
			uint64_t before = f.st.walk_memory_reads - f.st.context_memory_reads;

			ck_assert_uint_ne(read_at(0, at[i]), 0);
			ck_assert_uint_eq(f.st.walk_memory_reads - f.st.context_memory_reads - before,
					  reads[i]);
		}
	}
	end();
}
END_TEST

/* Tables of a 2 MiB range come and go; a walk that starts at a cached pointer finds what memory says. */
START_TEST(invariant_18_cached_pointers_are_those_in_memory)
{
	begin(FIDELITY_COUNTS);
	for (uint64_t n = 0; n < test_scale(500); n++) {
		struct pgtable_gather g = PGTABLE_GATHER_INIT;
		unsigned shift = (unsigned)rng_below(&rng, PAGES);

		for (unsigned i = 0; i < PAGES; i++)
			test_map(t[0], BASE + i * PAGE_SIZE, phys_of(0, (i + shift) % PAGES), PAGE_SIZE, RW);
		for (unsigned k = 0; k < 4; k++) {
			unsigned i = (unsigned)rng_below(&rng, PAGES);

			ck_assert_uint_eq(read_at(0, BASE + i * PAGE_SIZE), phys_of(0, (i + shift) % PAGES));
		}
		ck_assert_uint_eq(unmap(0, BASE, PAGES * PAGE_SIZE, &g), PAGES * PAGE_SIZE);
		ck_assert_uint_eq(g.tables.count, 1);
		test_psi(&f, TEST_DID, BASE, 9, false, 0); /* a table went: no hint */
		pgtable_release(t[0], &g.tables);
		(void)memory_alloc_pages(f.mem, 0, 0); /* the next table lies elsewhere */
	}
	ck_assert_uint_gt(f.st.pwc_hits_2m, 0);
	end();
}
END_TEST

START_TEST(invariant_20_nothing_is_lost_in_counting)
{
	begin(FIDELITY_TIMING);
	map_pages(RW);
	for (uint64_t n = 0; n < test_scale(20000); n++) {
		const struct iommu_request rq = {.sid = TEST_SID,
						 .pasid = NO_PASID,
						 .access = IOMMU_ACCESS_READ,
						 .tlps = (uint16_t)(1 + rng_below(&rng, 16)),
						 .addr = BASE + rng_below(&rng, PAGES) * PAGE_SIZE};
		struct iommu_result r;

		vtd_translate(f.u, &rq, n * 50 * SIM_NS, &r);
	}
	ck_assert_uint_eq(f.st.iotlb_lookups, f.st.iotlb_hits + f.st.iotlb_misses);
	ck_assert_uint_eq(f.st.iotlb_misses, f.st.walks + f.st.walks_merged);
	ck_assert_uint_gt(f.st.walks_merged, 0);
	end();
}
END_TEST

static struct vtd_stats random_counters(void)
{
	struct vtd_stats st;

	begin(FIDELITY_TIMING);
	map_pages(RW);
	for (unsigned n = 0; n < 5000; n++) {
		dma_addr_t iova = BASE + rng_below(&rng, PAGES) * PAGE_SIZE;

		if (rng_below(&rng, 8))
			read_at((unsigned)rng_below(&rng, 2), iova);
		else
			test_psi(&f, TEST_DID, iova, (unsigned)rng_below(&rng, 4), rng_below(&rng, 2), 0);
	}
	st = f.st;
	st.page_span = NULL;
	end();
	return st;
}

START_TEST(invariant_25_same_seed_same_counters)
{
	struct vtd_stats a = random_counters(), b = random_counters();

	ck_assert_mem_eq(&a, &b, sizeof(a));
}
END_TEST

int main(void)
{
	TCase *u = tcase_create("unit");

	tcase_add_test(u, invariant_01_nothing_serves_after_its_invalidation);
	tcase_add_test(u, invariant_02_detached_tables_are_not_reused_before_the_flush);
	tcase_add_test(u, invariant_03_what_faults_leaves_no_trace);
	tcase_add_test(u, invariant_04_rights_are_those_of_the_table);
	tcase_add_test(u, invariant_05_domains_never_serve_each_other);
	tcase_add_test(u, invariant_05_pasids_never_serve_each_other);
	tcase_add_loop_test(u, invariant_06_translation_equals_the_oracle_walk, 0, 2);
	tcase_add_test(u, invariant_07_device_tlbs_obey_their_own_invalidation);
	tcase_add_test(u, invariant_08_context_changes_need_both_invalidations);
	tcase_add_test(u, invariant_09_a_domain_invalidation_takes_all_sizes_and_devices);
	tcase_add_test(u, invariant_10_the_interrupt_window_is_no_memory);
	tcase_add_test(u, invariant_16_caches_hold_no_more_than_they_have);
	tcase_add_test(u, invariant_17_reads_are_the_levels_below_the_deepest_hit);
	tcase_add_test(u, invariant_18_cached_pointers_are_those_in_memory);
	tcase_add_test(u, invariant_20_nothing_is_lost_in_counting);
	tcase_add_test(u, invariant_25_same_seed_same_counters);
	return test_run("vtd_invariants", u, NULL);
}
