/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that any VT-d unit and its driver keep, one test per rule, named after it (Intel VT-d
 * architecture specification rev 4.1: 3.4-3.15, 6.2-6.5, 7). test_vtd_traffic.c holds the random traffic of 1
 * million accesses over all of them at once; here each stands alone, so that a failure names the rule.
 */
#include "dma_rig.h"
#include "vtd_support.h"

#include <string.h>

#define BASE UINT64_C(0xf0000000)
#define PHYS UINT64_C(0x180000000)
#define STATUS 0x300040
#define RW (PGTABLE_READ | PGTABLE_WRITE)
#define PAGES 512u
#define ALL_SIZES (VTD_PAGES_4K | VTD_PAGES_2M | VTD_PAGES_1G)

static struct vtd_fixture f;
static struct pgtable *t[2]; /* of two domains, TEST_DID and TEST_DID + 1 */
static struct rng rng;

static void begin(enum fidelity fidelity)
{
	vtd_fixture_defaults(&f);
	f.p.iommu.cap = TEST_CAP_SCALABLE;
	f.p.iommu.ecap = TEST_ECAP_SCALABLE;
	f.p.iommu.scalable = true;
	vtd_fixture_start(&f, fidelity);
	rng_init(&rng, test_seed(), "invariants");
	for (unsigned i = 0; i < 2; i++) {
		t[i] = pgtable_new(&f.sim, f.mem, VTD_SS_48, ALL_SIZES, 0);
		vtd_fixture_attach(&f, (uint16_t)(TEST_SID + i), (uint16_t)(TEST_DID + i), t[i]);
	}
}

static void end(void)
{
	pgtable_free(t[0]);
	pgtable_free(t[1]);
	vtd_fixture_stop(&f);
}

/* Pages in an order of their own behind [BASE, BASE + PAGES pages) of both domains, none contiguous. */
static phys_addr_t phys_of(unsigned domain, unsigned page)
{
	return PHYS + domain * GIB + (page * 7 % PAGES) * 2 * PAGE_SIZE;
}

static void map_pages(unsigned prot)
{
	for (unsigned d = 0; d < 2; d++)
		for (unsigned i = 0; i < PAGES; i++)
			test_map(t[d], BASE + i * PAGE_SIZE, phys_of(d, i), PAGE_SIZE, prot);
}

static phys_addr_t read_at(unsigned device, dma_addr_t iova)
{
	struct vtd_result r;

	return test_access(&f, (uint16_t)(TEST_SID + device), iova, VTD_READ, 0, &r) ? 0 : r.phys;
}

static uint64_t unmap(unsigned domain, dma_addr_t iova, uint64_t len, struct pgtable_gather *g)
{
	return pgtable_unmap(t[domain], iova, len, g);
}

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
		struct vtd_result r;
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
		const struct vtd_request rq = {
		    .sid = TEST_SID, .pasid = k + 1, .access = VTD_READ, .addr = BASE + i * PAGE_SIZE};
		struct vtd_result r;

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
		struct vtd_result r = {0};
		int err = test_access(&f, TEST_SID, iova, VTD_READ, n * SIM_US, &r);

		ck_assert_int_eq(err, want ? 0 : -EFAULT);
		ck_assert(err || r.phys == want);
	}
	end();
}
END_TEST

START_TEST(invariant_07_device_tlbs_obey_their_own_invalidation)
{
	const struct qi_desc device = qi_desc_device_tlb(TEST_SID, 0, 0, BASE, 0);
	struct vtd_request rq = {.sid = TEST_SID, .pasid = VTD_NO_PASID, .access = VTD_READ, .addr = BASE};
	struct vtd_context c = {.type = VTD_SECOND_STAGE, .did = TEST_DID, .format = VTD_SS_48, .ats = true};
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	struct vtd_result r;

	begin(FIDELITY_COUNTS);
	c.root = pgtable_root(t[0]);
	vtd_set_context(f.u, TEST_SID, VTD_NO_PASID, &c);
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
		struct vtd_result r;

		for (unsigned k = 0; k < 3; k++)
			for (uint16_t s = 0; s <= 2; s += 2) {
				ck_assert_int_eq(test_access(&f, TEST_SID + s, at[k], VTD_READ, 0, &r), 0);
				ck_assert(s || !r.hit); /* the second device hits what the first brought */
				ck_assert_uint_eq(r.page_shift, 12 + 9 * k);
			}
		ck_assert_int_eq(test_access(&f, TEST_SID + 1, at[0], VTD_READ, 0, &r), 0);
		ck_assert_int_eq(r.hit, pass); /* the other domain's stays */
		vtd_qi_execute(f.u, &dsi, 1, 0);
	}
	end();
}
END_TEST

START_TEST(invariant_10_the_interrupt_window_is_no_memory)
{
	struct vtd_result r;

	begin(FIDELITY_COUNTS);
	test_map(t[0], BASE, 0xfee00000, 16 * PAGE_SIZE, RW);
	test_map(t[0], BASE + GIB, 0xfedff000, PAGE_SIZE, RW);
	test_map(t[0], BASE + GIB + PAGE_SIZE, 0xfef00000, PAGE_SIZE, RW);
	/* In: not translated, nothing is walked. Out: a fault, on either side of it none. */
	ck_assert_int_eq(test_access(&f, TEST_SID, 0xfee00000, VTD_WRITE, 0, &r), 0);
	ck_assert_int_eq(test_access(&f, TEST_SID, 0xfeefffff, VTD_WRITE, 0, &r), 0);
	ck_assert_uint_eq(f.st.iotlb_lookups + f.st.walks, 0);
	for (unsigned i = 0; i < 16; i++)
		ck_assert_int_eq(test_access(&f, TEST_SID, BASE + i * PAGE_SIZE, VTD_WRITE, 0, &r), -EFAULT);
	ck_assert_uint_eq(read_at(0, BASE + GIB), 0xfedff000);
	ck_assert_uint_eq(read_at(0, BASE + GIB + PAGE_SIZE), 0xfef00000);
	end();
}
END_TEST

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
			struct vtd_result r;

			ck_assert_int_eq(test_access(&f, TEST_SID, BASE + i * PAGE_SIZE, VTD_READ, 0, &r), 0);
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

START_TEST(invariant_20_nothing_is_lost_in_counting)
{
	begin(FIDELITY_TIMING);
	map_pages(RW);
	for (uint64_t n = 0; n < test_scale(20000); n++) {
		const struct vtd_request rq = {.sid = TEST_SID,
					       .pasid = VTD_NO_PASID,
					       .access = VTD_READ,
					       .tlps = (uint16_t)(1 + rng_below(&rng, 16)),
					       .addr = BASE + rng_below(&rng, PAGES) * PAGE_SIZE};
		struct vtd_result r;

		vtd_translate(f.u, &rq, n * 50 * SIM_NS, &r);
	}
	ck_assert_uint_eq(f.st.iotlb_lookups, f.st.iotlb_hits + f.st.iotlb_misses);
	ck_assert_uint_eq(f.st.iotlb_misses, f.st.walks + f.st.walks_merged);
	ck_assert_uint_gt(f.st.walks_merged, 0);
	end();
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
	tcase_add_test(u, invariant_11_what_is_queued_is_what_runs);
	tcase_add_test(u, invariant_12_an_aborted_wait_never_writes_its_status);
	tcase_add_test(u, invariant_13_an_error_stops_at_the_offender);
	tcase_add_test(u, invariant_14_a_fence_holds_what_follows);
	tcase_add_test(d, invariant_15_submitters_wait_for_free_slots);
	tcase_add_test(u, invariant_16_caches_hold_no_more_than_they_have);
	tcase_add_test(u, invariant_17_reads_are_the_levels_below_the_deepest_hit);
	tcase_add_test(u, invariant_18_cached_pointers_are_those_in_memory);
	tcase_add_test(u, invariant_19_overflow_is_set_iff_a_fault_was_dropped);
	tcase_add_test(u, invariant_20_nothing_is_lost_in_counting);
	tcase_add_test(d, invariant_21_the_block_covers_its_range_and_is_aligned);
	tcase_add_test(d, invariant_21_beyond_mamv_the_domain_is_flushed);
	tcase_add_loop_test(d, invariant_22_iovas_come_back_only_after_a_flush, 0, 2);
	tcase_add_loop_test(d, invariant_23_mapping_posts_nothing, 0, 6);
	tcase_add_loop_test(d, invariant_24_written_entries_are_flushed_for_units_that_do_not_snoop, 0, 2);
	tcase_add_test(u, invariant_25_same_seed_same_counters);
	tcase_add_test(r, relation_batching_never_adds_waits);
	return test_run("vtd_invariants", u, d, r, NULL);
}
