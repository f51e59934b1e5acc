/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page walks: memory accesses of every format and nesting, faults, accessed and dirty bits, sizes. */
#include "support.h"
#include "vtd_support.h"

#define RW (PGTABLE_READ | PGTABLE_WRITE)
#define ALL_SIZES (VTD_PAGES_4K | VTD_PAGES_2M | VTD_PAGES_1G)
#define IOVA UINT64_C(0x1240000000)
#define PHYS UINT64_C(0x2000000000)

static struct vtd_fixture f;

static void start(bool scalable, enum fidelity fidelity)
{
	vtd_fixture_defaults(&f);
	f.p.iommu.scalable = scalable;
	f.p.iommu.cap = TEST_CAP_SCALABLE;
	f.p.iommu.ecap = TEST_ECAP_SCALABLE;
	f.mp.size = 136 * GIB;
	vtd_fixture_start(&f, fidelity);
}

static struct pgtable *table(int format, uint64_t leaf)
{
	struct pgtable *t = pgtable_new(&f.sim, f.mem, (enum vtd_format)format, ALL_SIZES, 0);

	test_map(t, IOVA, PHYS, leaf, RW);
	return t;
}

/* Cold single-stage walks: structure reads + levels, one or two fewer for large leaves. */
START_TEST(cold_reads_single_stage)
{
	static const uint64_t leaves[] = {4 * KIB, 2 * MIB, GIB};

	for (unsigned scalable = 0; scalable < 2; scalable++)
		for (unsigned l = 0; l < 3; l++) {
			struct iommu_result r;
			struct pgtable *t;

			if (vtd_formats[_i].first_stage && !scalable)
				continue;
			start(scalable, FIDELITY_COUNTS);
			t = table(_i, leaves[l]);
			vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
			ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + 0x123, IOMMU_ACCESS_WRITE, 0, &r),
					 0);
			ck_assert_uint_eq(r.phys, PHYS + 0x123);
			ck_assert_uint_eq(r.page_shift, 12 + 9 * l);
			ck_assert_uint_eq(f.st.context_memory_reads, scalable ? 4 : 2);
			ck_assert_uint_eq(f.st.walk_memory_reads,
					  (scalable ? 4u : 2u) + vtd_formats[_i].levels - l);
			ck_assert_uint_eq(f.st.walks, 1);
			ck_assert_uint_eq(f.st.ad_updates, 0);
			/* Warm: no further read. */
			ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + 0x456, IOMMU_ACCESS_READ, 0, &r),
					 0);
			ck_assert(r.hit);
			ck_assert_uint_eq(f.st.walks, 1);
			pgtable_free(t);
			vtd_fixture_stop(&f);
		}
}
END_TEST

struct nested {
	struct pgtable *first, *second;
};

/* First-stage table in guest-physical space = host-physical + nothing: the second stage maps 1:1. */
static struct nested nested(int first, int second, uint64_t leaf, uint64_t second_leaf)
{
	struct nested n = {table(first, leaf),
			   pgtable_new(&f.sim, f.mem, (enum vtd_format)second, ALL_SIZES, 0)};
	struct vtd_context c = {
	    .type = VTD_NESTED,
	    .did = TEST_DID,
	    .format = (enum vtd_format)first,
	    .root = pgtable_root(n.first),
	    .outer_format = (enum vtd_format)second,
	    .outer_root = pgtable_root(n.second),
	};

	/* Tables lie in the first GiBs above 4 GiB or below; the target at PHYS. */
	for (uint64_t a = 0; a < 140 * GIB; a += GIB)
		if (second_leaf == GIB)
			test_map(n.second, a, a, GIB, RW);
	if (second_leaf != GIB) {
		phys_addr_t chunk = UINT64_MAX;

		/* Only what the walk touches: the GiB of the tables and that of the target. */
		chunk = align_down(pgtable_root(n.first), 2 * MIB);
		for (uint64_t a = 0; a < 2 * MIB; a += second_leaf)
			test_map(n.second, chunk + a, chunk + a, second_leaf, RW);
		for (uint64_t a = 0; a < 2 * MIB; a += second_leaf)
			test_map(n.second, PHYS + a, PHYS + a, second_leaf, RW);
	}
	vtd_set_context(f.u, TEST_SID, NO_PASID, &c);
	return n;
}

/* (m + 1)(n + 1) - 1 with m first-stage and n second-stage reads of their leaves. */
START_TEST(cold_reads_nested)
{
	static const int firsts[] = {VTD_FS_48, VTD_FS_57}, seconds[] = {VTD_SS_39, VTD_SS_48, VTD_SS_57};
	static const uint64_t leaves[] = {4 * KIB, 2 * MIB, GIB};

	for (unsigned a = 0; a < 2; a++)
		for (unsigned b = 0; b < 3; b++)
			for (unsigned l = 0; l < 3; l++)
				for (unsigned sl = 0; sl < 3; sl++) {
					unsigned m = vtd_formats[firsts[a]].levels - l,
						 n = vtd_formats[seconds[b]].levels - sl;
					struct iommu_result r;
					struct nested t;

					start(true, FIDELITY_COUNTS);
					t = nested(firsts[a], seconds[b], leaves[l], leaves[sl]);
					ck_assert_int_eq(
					    test_access(&f, TEST_SID, IOVA + 0x10, IOMMU_ACCESS_WRITE, 0, &r),
					    0);
					ck_assert_uint_eq(r.phys, PHYS + 0x10);
					ck_assert_uint_eq(r.page_shift, 12 + 9 * MIN(l, sl));
					ck_assert_uint_eq(f.st.walk_memory_reads - f.st.context_memory_reads,
							  (m + 1) * (n + 1) - 1);
					ck_assert_uint_eq(f.st.context_memory_reads, 4);
					pgtable_free(t.first);
					pgtable_free(t.second);
					vtd_fixture_stop(&f);
				}
}
END_TEST

START_TEST(four_by_four_is_24)
{
	struct iommu_result r;
	struct nested t;

	start(true, FIDELITY_COUNTS);
	t = nested(VTD_FS_48, VTD_SS_48, 4 * KIB, 4 * KIB);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, 0, &r), 0);
	ck_assert_uint_eq(f.st.walk_memory_reads - f.st.context_memory_reads, 24);
	/* The next page: leaf table known by host address, its entry, then 4 levels less the cached 3. */
	test_map(t.first, IOVA + PAGE_SIZE, PHYS + PAGE_SIZE, PAGE_SIZE, RW);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + PAGE_SIZE, IOMMU_ACCESS_READ, 0, &r), 0);
	ck_assert_uint_eq(f.st.walk_memory_reads - f.st.context_memory_reads, 24 + 2);
	pgtable_free(t.first);
	pgtable_free(t.second);
	vtd_fixture_stop(&f);
}
END_TEST

/* iommu.nested: the host's tables lie under whatever first stage software installs. */
START_TEST(nested_by_parameter)
{
	struct iommu_result r;
	struct pgtable *t;

	vtd_fixture_defaults(&f);
	f.p.iommu.cap = TEST_CAP_SCALABLE;
	f.p.iommu.ecap = TEST_ECAP_SCALABLE;
	f.p.iommu.scalable = f.p.iommu.nested = true;
	f.p.iommu.levels = 4;
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	t = pgtable_new(&f.sim, f.mem, vtd_domain_format(f.u), VTD_PAGES_4K, 0);
	test_map(t, IOVA, 8 * GIB, 2 * PAGE_SIZE, RW);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + 7, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert_uint_eq(r.phys, 8 * GIB + 7);
	/* 4 over 4 levels, the host with 1 GiB pages: 5 walks of 2 reads, 4 first-stage entries. */
	ck_assert_uint_eq(f.st.walk_memory_reads - f.st.context_memory_reads, 14);
	/* The guest's ledger has the guest's tables only. */
	ck_assert_uint_eq(f.sim.ledger.accounts[LEDGER_IOMMU_PAGE_TABLES].current, 4 * PAGE_SIZE);
	pgtable_free(t);
	vtd_fixture_stop(&f);
}
END_TEST

START_TEST(pass_through_reads_no_table)
{
	const struct vtd_context c = {.type = VTD_PASSTHROUGH, .did = 1};
	struct iommu_result r;

	start(_i, FIDELITY_COUNTS);
	vtd_set_context(f.u, TEST_SID, NO_PASID, &c);
	ck_assert_int_eq(test_access(&f, TEST_SID, 0x12345678, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert_uint_eq(r.phys, 0x12345678);
	ck_assert_uint_eq(f.st.walk_memory_reads, _i ? 4 : 2);
	ck_assert_uint_eq(f.st.iotlb_lookups, 0);
	vtd_fixture_stop(&f);
}
END_TEST

/* Each cached level saves the reads above it: reads = levels left after the deepest hit. */
START_TEST(reads_follow_deepest_hit)
{
	unsigned levels = vtd_formats[_i].levels;
	uint64_t before;
	struct iommu_result r;
	struct pgtable *t;

	start(vtd_formats[_i].first_stage, FIDELITY_COUNTS);
	t = table(_i, 4 * KIB);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
	for (unsigned l = 1; l < levels; l++) /* a page that shares the tables down to level l + 1 */
		test_map(t, IOVA + (UINT64_C(1) << (12 + 9 * (l - 1))), PHYS, PAGE_SIZE, RW);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, 0, &r), 0);
	for (unsigned l = 1; l < levels; l++) {
		before = f.st.walk_memory_reads;
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + (UINT64_C(1) << (12 + 9 * (l - 1))),
					     IOMMU_ACCESS_READ, 0, &r),
				 0);
		ck_assert_uint_eq(f.st.walk_memory_reads - before, l);
	}
	ck_assert_uint_eq(f.st.pwc_hits_2m, 1);
	ck_assert_uint_eq(f.st.pwc_hits_1g, levels > 2);
	ck_assert_uint_eq(f.st.pwc_hits_512g, levels > 3);
	ck_assert_uint_eq(f.st.pwc_hits_256t, levels > 4);
	pgtable_free(t);
	vtd_fixture_stop(&f);
}
END_TEST

/* Fault reasons of the specification's table, legacy second stage against scalable both. */
START_TEST(fault_reasons)
{
	const bool fs = vtd_formats[_i].first_stage;
	struct iommu_result r;
	struct pgtable *t;
	uint64_t *e;

	for (unsigned scalable = fs; scalable < 2; scalable++) {
		start(scalable, FIDELITY_COUNTS);
		t = table(_i, 4 * KIB);
		vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
		/* Not present. */
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + PAGE_SIZE, IOMMU_ACCESS_READ, 0, &r),
				 -EFAULT);
		ck_assert_uint_eq(r.fault, fs ? 0x71 : scalable ? 0x86 : 0x6);
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + PAGE_SIZE, IOMMU_ACCESS_WRITE, 0, &r),
				 -EFAULT);
		ck_assert_uint_eq(r.fault, fs ? 0x71 : scalable ? 0x85 : 0x5);
		/* Beyond the width. */
		ck_assert_int_eq(
		    test_access(&f, TEST_SID, UINT64_C(1) << vtd_formats[_i].width, IOMMU_ACCESS_READ, 0, &r),
		    -EFAULT);
		ck_assert_uint_eq(r.fault, fs ? 0x80 : scalable ? 0x84 : 0x4);
		/* Read-only page. */
		test_map(t, IOVA + 2 * PAGE_SIZE, PHYS, PAGE_SIZE, PGTABLE_READ);
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + 2 * PAGE_SIZE, IOMMU_ACCESS_READ, 0, &r),
				 0);
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + 2 * PAGE_SIZE, IOMMU_ACCESS_WRITE, 0, &r),
				 -EFAULT);
		ck_assert_uint_eq(r.fault, fs || scalable ? 0x85 : 0x5);
		/* Reserved bits of a 2 MiB leaf. */
		test_map(t, IOVA + 2 * MIB, PHYS, 2 * MIB, RW);
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + 2 * MIB, IOMMU_ACCESS_READ, 0, &r), 0);
		e = memory_ptr(f.mem, pgtable_root(t));
		for (unsigned l = vtd_formats[_i].levels; l > 2; l--)
			e = memory_ptr(f.mem,
				       e[IOVA >> (12 + 9 * (l - 1)) & 511] & vtd_formats[_i].address_mask);
		e[(IOVA >> 21 & 511) + 1] |= 0x1000;
		test_psi(&f, TEST_DID, IOVA + 2 * MIB, 9, false, 0);
		vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
		if (fs) {
			const struct qi_desc d = qi_desc_piotlb(TEST_DID, 0, QI_PIOTLB_PASID, 0, 0, false);

			vtd_qi_execute(f.u, &d, 1, 0);
		}
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + 2 * MIB, IOMMU_ACCESS_READ, 0, &r),
				 -EFAULT);
		ck_assert_uint_eq(r.fault, fs ? 0x72 : scalable ? 0x7a : 0xc);
		/* Into the interrupt window. */
		test_map(t, IOVA + 3 * PAGE_SIZE, 0xfee00000, PAGE_SIZE, RW);
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + 3 * PAGE_SIZE, IOMMU_ACCESS_READ, 0, &r),
				 -EFAULT);
		ck_assert_uint_eq(r.fault, fs || scalable ? 0x87 : 0xe);
		/* A table where there is no memory. */
		e[IOVA >> 21 & 511] = UINT64_C(0x000e000000000000) | (fs ? 0x27 : 3);
		{
			const struct qi_desc d = qi_desc_iotlb(0, QI_GLOBAL, 0, 0, false, true);

			vtd_qi_execute(f.u, &d, 1, 0);
		}
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, 0, &r), -EFAULT);
		ck_assert_uint_eq(r.fault, fs ? 0x70 : scalable ? 0x78 : 0x7);
		e[IOVA >> 21 & 511] = 0;
		pgtable_free(t);
		vtd_fixture_stop(&f);
	}
}
END_TEST

START_TEST(write_only_page_is_present)
{
	struct iommu_result r;
	struct pgtable *t;

	start(false, FIDELITY_COUNTS);
	t = pgtable_new(&f.sim, f.mem, VTD_SS_48, ALL_SIZES, 0);
	test_map(t, IOVA, PHYS, PAGE_SIZE, PGTABLE_WRITE);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, 0, &r), -EFAULT);
	ck_assert_uint_eq(r.fault, 0x6);
	pgtable_free(t);
	vtd_fixture_stop(&f);
}
END_TEST

static uint64_t *entry_of(struct pgtable *t, dma_addr_t iova, unsigned level)
{
	const struct vtd_format_info *fi = &vtd_formats[pgtable_format(t)];
	uint64_t *e = memory_ptr(f.mem, pgtable_root(t));

	for (unsigned l = fi->levels; l > level; l--)
		e = memory_ptr(f.mem, e[iova >> (12 + 9 * (l - 1)) & 511] & fi->address_mask);
	return &e[iova >> (12 + 9 * (level - 1)) & 511];
}

/* Rights are those of all levels together; what was cached with fewer is walked again and replaced. */
START_TEST(rights_of_upper_levels)
{
	struct iommu_result r;
	struct pgtable *t;
	uint64_t before;

	start(vtd_formats[_i].first_stage, FIDELITY_COUNTS);
	t = table(_i, 4 * KIB);
	test_map(t, IOVA + PAGE_SIZE, PHYS, 2 * PAGE_SIZE, RW);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
	*entry_of(t, IOVA, 2) &= ~UINT64_C(2);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, 0, &r), 0);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_WRITE, 0, &r), -EFAULT);
	/* More rights need no invalidation. */
	*entry_of(t, IOVA, 2) |= 2;
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_WRITE, 0, &r), 0);
	before = f.st.walk_memory_reads;
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + PAGE_SIZE, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert_uint_eq(f.st.walk_memory_reads - before, 1);
	pgtable_free(t);
	vtd_fixture_stop(&f);
}
END_TEST

/* Accessed and dirty bits: written once, and a page cached by a read is walked again for a write. */
START_TEST(accessed_and_dirty)
{
	struct vtd_context c = {
	    .type = VTD_SECOND_STAGE, .did = TEST_DID, .format = VTD_SS_48, .dirty_tracking = true};
	struct iommu_result r;
	struct pgtable *t;

	start(true, FIDELITY_COUNTS);
	t = table(VTD_SS_48, 4 * KIB);
	c.root = pgtable_root(t);
	vtd_set_context(f.u, TEST_SID, NO_PASID, &c);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, 0, &r), 0);
	ck_assert_uint_eq(f.st.ad_updates, 4);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert_uint_eq(f.st.ad_updates, 5);
	ck_assert_uint_eq(f.st.walks, 2);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert_uint_eq(f.st.walks, 2);
	pgtable_free(t);
	vtd_fixture_stop(&f);
}
END_TEST

/* A miss costs overhead + reads * latency; the seventh of seven at once waits for a walker. */
START_TEST(walk_time_and_concurrency)
{
	sim_time_t read, overhead, cold, warm;
	struct iommu_result r;
	struct pgtable *t;

	start(false, FIDELITY_TIMING);
	read = f.p.walker.read_latency;
	overhead = f.p.walker.miss_overhead;
	t = pgtable_new(&f.sim, f.mem, VTD_SS_48, VTD_PAGES_4K, 0);
	for (unsigned i = 0; i < 64; i++)
		test_map(t, IOVA + i * 8 * PAGE_SIZE, PHYS, PAGE_SIZE, RW);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, SIM_US, &r), 0);
	cold = 2 * read + overhead + 4 * read;
	ck_assert_uint_eq(r.ready, SIM_US + cold);
	ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, 9 * SIM_US, &r), 0);
	ck_assert_uint_eq(r.ready, 9 * SIM_US + f.p.iotlb.hit_latency);
	warm = overhead + read;
	for (unsigned i = 1; i <= f.p.walker.concurrency + 1; i++) {
		ck_assert_int_eq(
		    test_access(&f, TEST_SID, IOVA + i * 8 * PAGE_SIZE, IOMMU_ACCESS_READ, 10 * SIM_US, &r),
		    0);
		ck_assert_uint_eq(r.ready, 10 * SIM_US + (i <= f.p.walker.concurrency ? warm : 2 * warm));
	}
	pgtable_free(t);
	vtd_fixture_stop(&f);
}
END_TEST

/* Slow table reads are as many as they should be, and leave the mean alone. */
START_TEST(some_table_reads_are_slow)
{
	const unsigned n = 4000;
	sim_time_t fast, sum = 0;
	unsigned slow = 0;
	struct pgtable *t;

	vtd_fixture_defaults(&f);
	f.p.walker.slow_share = _i * 0.1;
	f.p.walker.slow_extra = 100 * SIM_NS;
	vtd_fixture_start(&f, FIDELITY_TIMING);
	fast = f.p.walker.read_latency + f.p.walker.miss_overhead - (sim_time_t)_i * 10 * SIM_NS;
	t = pgtable_new(&f.sim, f.mem, VTD_SS_48, VTD_PAGES_4K, 0);
	for (unsigned i = 0; i <= 256; i++)
		test_map(t, IOVA + i * PAGE_SIZE, PHYS, PAGE_SIZE, RW);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
	for (unsigned i = 0; i < n + 256; i++) {
		sim_time_t when = (i + 1) * 10 * SIM_US;
		struct iommu_result r;

		/* More pages than the cache has entries, in turn: all miss, with one read. */
		test_access(&f, TEST_SID, IOVA + i % 256 * PAGE_SIZE, IOMMU_ACCESS_READ, when, &r);
		if (i < 256)
			continue;
		sum += r.ready - when;
		slow += r.ready - when == fast + 100 * SIM_NS;
		if (r.ready - when != fast + 100 * SIM_NS)
			ck_assert_uint_eq(r.ready - when, fast);
	}
	ck_assert_double_eq_tol((double)slow / n, _i * 0.1, 0.03);
	ck_assert_double_eq_tol((double)sum / n / SIM_NS,
				(double)(f.p.walker.read_latency + f.p.walker.miss_overhead) / SIM_NS, 3);
	pgtable_free(t);
	vtd_fixture_stop(&f);
}
END_TEST

START_TEST(walks_to_one_page_merge)
{
	struct iommu_result a, b;
	struct pgtable *t;

	for (unsigned merge = 0; merge < 2; merge++) {
		vtd_fixture_defaults(&f);
		f.p.walker.merge = merge;
		f.p.walker.line_reuse = false;
		vtd_fixture_start(&f, FIDELITY_TIMING);
		t = table(VTD_SS_48, 4 * KIB);
		vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, SIM_US, &a), 0);
		ck_assert_int_eq(test_access(&f, TEST_SID, IOVA + 64, IOMMU_ACCESS_READ, SIM_US + SIM_NS, &b),
				 0);
		ck_assert(!b.hit);
		ck_assert_uint_eq(f.st.iotlb_misses, 2);
		ck_assert_uint_eq(f.st.walks, merge ? 1 : 2);
		ck_assert_uint_eq(f.st.walks_merged, merge);
		if (merge)
			ck_assert_uint_eq(a.ready, b.ready);
		pgtable_free(t);
		vtd_fixture_stop(&f);
	}
}
END_TEST

/* A walk cannot start from a pointer that another walk is still reading. */
START_TEST(pointers_in_flight_are_awaited)
{
	struct iommu_result a, b;
	struct pgtable *t;

	start(false, FIDELITY_TIMING);
	t = pgtable_new(&f.sim, f.mem, VTD_SS_48, VTD_PAGES_4K, 0);
	test_map(t, IOVA, PHYS, 16 * PAGE_SIZE, RW);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
	test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, SIM_US, &a);
	test_access(&f, TEST_SID, IOVA + 15 * PAGE_SIZE, IOMMU_ACCESS_READ, SIM_US + SIM_NS, &b);
	ck_assert_uint_eq(b.ready, a.ready);
	pgtable_free(t);
	vtd_fixture_stop(&f);
}
END_TEST

/* Eight entries share a line: while it is on its way, neighbours ride along. */
START_TEST(lines_in_flight_are_reused)
{
	struct iommu_result a, b;
	struct pgtable *t;

	for (unsigned reuse = 0; reuse < 2; reuse++) {
		uint64_t before;

		vtd_fixture_defaults(&f);
		f.p.walker.line_reuse = reuse;
		vtd_fixture_start(&f, FIDELITY_TIMING);
		t = pgtable_new(&f.sim, f.mem, VTD_SS_48, VTD_PAGES_4K, 0);
		for (unsigned i = 0; i < 16; i++)
			test_map(t, IOVA + i * PAGE_SIZE, PHYS, PAGE_SIZE, RW);
		vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
		test_access(&f, TEST_SID, IOVA + 15 * PAGE_SIZE, IOMMU_ACCESS_READ, SIM_US, &a);
		before = f.st.walk_memory_reads;
		test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, 9 * SIM_US, &a);
		test_access(&f, TEST_SID, IOVA + PAGE_SIZE, IOMMU_ACCESS_READ, 9 * SIM_US + 10 * SIM_NS, &b);
		ck_assert_uint_eq(f.st.walk_memory_reads - before, 2);
		ck_assert_uint_eq(f.st.walk_line_reuses, reuse);
		ck_assert_uint_eq(b.ready, reuse ? a.ready : a.ready + 10 * SIM_NS);
		/* Asked for before the line was: not shared, though it arrives later. */
		before = f.st.walk_memory_reads;
		test_access(&f, TEST_SID, IOVA + 8 * PAGE_SIZE, IOMMU_ACCESS_READ, 20 * SIM_US, &a);
		test_access(&f, TEST_SID, IOVA + 9 * PAGE_SIZE, IOMMU_ACCESS_READ, 20 * SIM_US - 100 * SIM_NS,
			    &b);
		ck_assert_uint_eq(f.st.walk_memory_reads - before, 2);
		pgtable_free(t);
		vtd_fixture_stop(&f);
	}
}
END_TEST

START_TEST(remote_and_cached_tables)
{
	sim_time_t base, remote;
	struct iommu_result r;
	struct pgtable *t;

	for (unsigned k = 0; k < 3; k++) {
		vtd_fixture_defaults(&f);
		f.mp.nodes = 2;
		f.p.walker.llc = k == 2;
		vtd_fixture_start(&f, FIDELITY_TIMING);
		if (k == 1)
			vtd_set_node(f.u, 1);
		t = table(VTD_SS_48, 4 * KIB);
		vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
		test_access(&f, TEST_SID, IOVA, IOMMU_ACCESS_READ, 0, &r);
		base = 2 * f.p.walker.read_latency + f.p.walker.miss_overhead + 4 * f.p.walker.read_latency;
		remote = 4 * (f.mp.latency_remote - f.mp.latency_dram);
		if (k == 0)
			ck_assert_uint_eq(r.ready, base);
		else if (k == 1)
			ck_assert_uint_eq(r.ready, base + remote);
		else
			ck_assert_uint_eq(r.ready, base - 4 * (f.mp.latency_dram - f.mp.latency_llc));
		pgtable_free(t);
		vtd_fixture_stop(&f);
	}
}
END_TEST

/* One requester, 16 TLPs in one call: 16 lookups, one miss, equal in both fidelities. */
START_TEST(trains_count_each_tlp)
{
	struct iommu_request rq = {
	    .sid = TEST_SID, .pasid = NO_PASID, .access = IOMMU_ACCESS_WRITE, .tlps = 16, .addr = IOVA};
	struct iommu_result r;
	struct pgtable *t;

	start(false, _i ? FIDELITY_TIMING : FIDELITY_COUNTS);
	t = table(VTD_SS_48, 4 * KIB);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
	ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), 0);
	ck_assert_uint_eq(f.st.iotlb_lookups, 16);
	ck_assert_uint_eq(f.st.iotlb_misses, 1);
	ck_assert_uint_eq(f.st.iotlb_hits, 15);
	ck_assert_uint_eq(f.st.context_lookups, 16);
	ck_assert_uint_eq(f.st.context_hits, 15);
	pgtable_free(t);
	vtd_fixture_stop(&f);
}
END_TEST

int main(void)
{
	TCase *reads = tcase_create("reads"), *rules = tcase_create("rules"), *time = tcase_create("time");

	tcase_add_loop_test(reads, cold_reads_single_stage, 0, VTD_FORMATS);
	tcase_add_test(reads, cold_reads_nested);
	tcase_add_test(reads, four_by_four_is_24);
	tcase_add_test(reads, nested_by_parameter);
	tcase_add_loop_test(reads, pass_through_reads_no_table, 0, 2);
	tcase_add_loop_test(reads, reads_follow_deepest_hit, 0, VTD_FORMATS);
	tcase_set_timeout(reads, 300);
	tcase_add_loop_test(rules, fault_reasons, 0, VTD_FORMATS);
	tcase_add_test(rules, write_only_page_is_present);
	tcase_add_loop_test(rules, rights_of_upper_levels, 0, VTD_FORMATS);
	tcase_add_test(rules, accessed_and_dirty);
	tcase_add_loop_test(rules, trains_count_each_tlp, 0, 2);
	tcase_add_test(time, walk_time_and_concurrency);
	tcase_add_loop_test(time, some_table_reads_are_slow, 0, 4);
	tcase_add_test(time, walks_to_one_page_merge);
	tcase_add_test(time, pointers_in_flight_are_awaited);
	tcase_add_test(time, lines_in_flight_are_reused);
	tcase_add_test(time, remote_and_cached_tables);
	return test_run("walker", reads, rules, time, NULL);
}
