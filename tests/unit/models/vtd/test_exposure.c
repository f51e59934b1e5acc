/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time and bytes that cached translations outlive their unmap. */
#include "support.h"
#include "vtd_support.h"

#define RW (PGTABLE_READ | PGTABLE_WRITE)
#define IOVA UINT64_C(0xf0000000)

static struct vtd_fixture f;
static struct pgtable *t;

static void begin(bool tag_sid, uint64_t entries)
{
	vtd_fixture_defaults(&f);
	f.p.iotlb.tag_sid = tag_sid;
	f.p.iotlb.entries = entries;
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	t = pgtable_new(&f.sim, f.mem, VTD_SS_48, VTD_PAGES_4K | VTD_PAGES_2M, 0);
	test_map(t, IOVA, 0x100000000, 16 * PAGE_SIZE, RW);
	test_map(t, IOVA + 2 * MIB, 0x140000000, 2 * MIB, RW);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
}

static void end(void)
{
	pgtable_free(t);
	vtd_fixture_stop(&f);
}

static void touch(dma_addr_t iova, sim_time_t when)
{
	struct iommu_result r;

	ck_assert_int_eq(test_access(&f, TEST_SID, iova, IOMMU_ACCESS_READ, when, &r), 0);
}

static void unmap(dma_addr_t iova, uint64_t len, sim_time_t when)
{
	struct pgtable_gather g = PGTABLE_GATHER_INIT;

	ck_assert_uint_eq(pgtable_unmap(t, iova, len, &g), len);
	vtd_note_unmap(f.u, TEST_DID, iova, len, when);
}

START_TEST(until_invalidated)
{
	begin(_i, 64);
	for (unsigned i = 0; i < 3; i++)
		touch(IOVA + i * PAGE_SIZE, 0);
	/* Four pages, three of them cached: three entries are stale. */
	unmap(IOVA, 4 * PAGE_SIZE, 10 * SIM_US);
	ck_assert_uint_eq(f.st.stale_entries, 3);
	ck_assert_uint_eq(f.st.stale_ns_bytes, 0);
	touch(IOVA + PAGE_SIZE, 12 * SIM_US);
	ck_assert_uint_eq(f.st.stale_accesses, 1);
	test_psi(&f, TEST_DID, IOVA, 2, true, 15 * SIM_US);
	ck_assert_uint_eq(f.st.stale_ns_bytes, 3 * 4096 * 5000);
	ck_assert_uint_eq(f.st.stale_max, 5 * SIM_US);
	/* A second time nothing is left. */
	test_psi(&f, TEST_DID, IOVA, 2, true, 20 * SIM_US);
	ck_assert_uint_eq(f.st.stale_ns_bytes, 3 * 4096 * 5000);
	end();
}
END_TEST

START_TEST(until_evicted)
{
	begin(false, 2);
	touch(IOVA, 0);
	unmap(IOVA, PAGE_SIZE, SIM_US);
	touch(IOVA + PAGE_SIZE, 2 * SIM_US);
	touch(IOVA + 2 * PAGE_SIZE, 3 * SIM_US); /* evicts IOVA */
	ck_assert_uint_eq(f.st.stale_ns_bytes, 4096 * 2000);
	ck_assert_uint_eq(f.st.stale_max, 2 * SIM_US);
	end();
}
END_TEST

START_TEST(large_entry_and_end_of_run)
{
	begin(false, 64);
	touch(IOVA + 2 * MIB, 0);
	unmap(IOVA + 2 * MIB, 2 * MIB, SIM_US);
	vtd_finish(f.u, 4 * SIM_US);
	ck_assert_uint_eq(f.st.stale_ns_bytes, 2 * MIB * 3000);
	vtd_finish(f.u, 9 * SIM_US);
	ck_assert_uint_eq(f.st.stale_ns_bytes, 2 * MIB * 3000);
	end();
}
END_TEST

START_TEST(device_tlb_counts)
{
	const struct iommu_request rq = {
	    .sid = TEST_SID, .pasid = NO_PASID, .access = IOMMU_ACCESS_READ, .addr = IOVA};
	const struct qi_desc d = qi_desc_device_tlb(TEST_SID, 0, 0, IOVA, 0);
	struct vtd_context c = {.type = VTD_SECOND_STAGE, .did = TEST_DID, .format = VTD_SS_48, .ats = true};
	struct iommu_result r;

	begin(false, 64);
	c.root = pgtable_root(t);
	vtd_set_context(f.u, TEST_SID, NO_PASID, &c);
	vtd_ats_enable(f.u, TEST_SID);
	ck_assert_int_eq(vtd_ats_translate(f.u, &rq, 0, &r), 0);
	unmap(IOVA, PAGE_SIZE, 0);
	ck_assert_uint_eq(f.st.stale_entries, 2); /* IOTLB and device */
	test_psi(&f, TEST_DID, IOVA, 0, true, SIM_US);
	ck_assert_int_eq(vtd_ats_translate(f.u, &rq, 2 * SIM_US, &r), 0);
	ck_assert(r.hit);
	ck_assert_uint_eq(f.st.stale_accesses, 1);
	vtd_qi_execute(f.u, &d, 1, 4 * SIM_US);
	ck_assert_uint_eq(f.st.stale_ns_bytes, 4096 * (1000 + 4000));
	end();
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("stale entries");

	tcase_add_loop_test(c, until_invalidated, 0, 2);
	tcase_add_test(c, until_evicted);
	tcase_add_test(c, large_entry_and_end_of_run);
	tcase_add_test(c, device_tlb_counts);
	return test_run("exposure", c, NULL);
}
