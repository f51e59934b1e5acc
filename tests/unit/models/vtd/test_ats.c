/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device TLBs: hits, requests, time, rights, invalidation. */
#include "support.h"
#include "vtd_support.h"

#define RW (PGTABLE_READ | PGTABLE_WRITE)
#define IOVA UINT64_C(0xf0000000)
#define PHYS UINT64_C(0x100000000)

static struct vtd_fixture f;
static struct pgtable *t;
static struct vtd_context ctx;

static void begin(enum fidelity fidelity, bool ats)
{
	vtd_fixture_defaults(&f);
	vtd_fixture_start(&f, fidelity);
	t = pgtable_new(&f.sim, f.mem, VTD_SS_48, VTD_PAGES_4K | VTD_PAGES_2M, 0);
	test_map(t, IOVA, PHYS, 16 * PAGE_SIZE, RW);
	ctx = (struct vtd_context){.type = VTD_SECOND_STAGE,
				   .did = TEST_DID,
				   .format = VTD_SS_48,
				   .root = pgtable_root(t),
				   .ats = ats};
	vtd_set_context(f.u, TEST_SID, NO_PASID, &ctx);
	vtd_ats_enable(f.u, TEST_SID);
}

static void end(void)
{
	pgtable_free(t);
	vtd_fixture_stop(&f);
}

static int ask(dma_addr_t addr, enum iommu_access access, sim_time_t when, struct iommu_result *r)
{
	const struct iommu_request rq = {
	    .sid = TEST_SID, .pasid = NO_PASID, .access = (uint8_t)access, .addr = addr, .tlps = 4};

	return vtd_ats_translate(f.u, &rq, when, r);
}

START_TEST(hits_after_request)
{
	struct iommu_result r;

	begin(FIDELITY_COUNTS, true);
	ck_assert_int_eq(ask(IOVA + 5, IOMMU_ACCESS_READ, 0, &r), 0);
	ck_assert_uint_eq(r.phys, PHYS + 5);
	ck_assert(!r.hit);
	ck_assert_int_eq(ask(IOVA + 9, IOMMU_ACCESS_READ, 0, &r), 0);
	ck_assert(r.hit);
	ck_assert_uint_eq(r.phys, PHYS + 9);
	ck_assert_uint_eq(f.st.ats_requests, 1);
	ck_assert_uint_eq(f.st.ats_lookups, 8);
	ck_assert_uint_eq(f.st.ats_hits, 7);
	ck_assert_uint_eq(f.st.iotlb_lookups, 1);
	/* Granted for reading: a write asks again. */
	ck_assert_int_eq(ask(IOVA + 9, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert(!r.hit);
	end();
}
END_TEST

START_TEST(no_rights_is_no_fault)
{
	struct iommu_result r;

	begin(FIDELITY_COUNTS, true);
	ck_assert_int_eq(ask(IOVA + 64 * PAGE_SIZE, IOMMU_ACCESS_READ, 0, &r), -EFAULT);
	ck_assert_uint_eq(f.st.faults, 0);
	end();
	/* A requester that may not use ATS: recorded. */
	begin(FIDELITY_COUNTS, false);
	ck_assert_int_eq(ask(IOVA, IOMMU_ACCESS_READ, 0, &r), -EFAULT);
	ck_assert_uint_eq(r.fault, 0xd);
	ck_assert_uint_eq(f.st.faults, 1);
	end();
}
END_TEST

/* The unit's own invalidation leaves the device alone; the device's leaves nothing of the range. */
START_TEST(device_invalidation)
{
	struct qi_desc d = qi_desc_device_tlb(TEST_SID, 0, 0, IOVA + 4 * PAGE_SIZE, 2);
	struct iommu_result r;

	begin(FIDELITY_COUNTS, true);
	for (unsigned i = 0; i < 16; i++)
		ask(IOVA + i * PAGE_SIZE, IOMMU_ACCESS_READ, 0, &r);
	test_psi(&f, TEST_DID, IOVA, 4, true, 0);
	ask(IOVA, IOMMU_ACCESS_READ, 0, &r);
	ck_assert(r.hit);
	vtd_qi_execute(f.u, &d, 1, 0);
	ck_assert_uint_eq(f.st.ats_invalidated, 4);
	for (unsigned i = 0; i < 16; i++) {
		ask(IOVA + i * PAGE_SIZE, IOMMU_ACCESS_READ, 0, &r);
		ck_assert_int_eq(r.hit, i < 4 || i >= 8);
	}
	d = qi_desc_device_tlb(TEST_SID, 0, 0, 0, 52);
	vtd_qi_execute(f.u, &d, 1, 0);
	ck_assert_uint_eq(f.st.ats_invalidated, 4 + 16);
	end();
}
END_TEST

/* Without PASID an invalidation leaves entries with one alone; with, it takes those of that PASID. */
START_TEST(pasids_in_the_device)
{
	struct iommu_request rq = {.sid = TEST_SID, .access = IOMMU_ACCESS_READ, .addr = IOVA};
	const struct qi_desc plain = qi_desc_device_tlb(TEST_SID, 0, 0, IOVA, 0),
			     one = qi_desc_pdevice_tlb(TEST_SID, 0, 0, 7, IOVA, 0);
	const uint32_t pasids[] = {NO_PASID, 7, 8};
	struct iommu_result r;

	vtd_fixture_defaults(&f);
	f.p.iommu.cap = TEST_CAP_SCALABLE;
	f.p.iommu.ecap = TEST_ECAP_SCALABLE;
	f.p.iommu.scalable = true;
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	t = pgtable_new(&f.sim, f.mem, VTD_SS_48, VTD_PAGES_4K, 0);
	test_map(t, IOVA, PHYS, PAGE_SIZE, RW);
	ctx = (struct vtd_context){.type = VTD_SECOND_STAGE,
				   .did = TEST_DID,
				   .format = VTD_SS_48,
				   .root = pgtable_root(t),
				   .ats = true};
	vtd_ats_enable(f.u, TEST_SID);
	for (unsigned step = 0; step < 2; step++) {
		for (unsigned i = 0; i < 3; i++) {
			vtd_set_context(f.u, TEST_SID, pasids[i], &ctx);
			rq.pasid = pasids[i];
			ck_assert_int_eq(vtd_ats_translate(f.u, &rq, 0, &r), 0);
		}
		vtd_qi_execute(f.u, step ? &one : &plain, 1, 0);
		for (unsigned i = 0; i < 3; i++) {
			rq.pasid = pasids[i];
			ck_assert_int_eq(vtd_ats_translate(f.u, &rq, 0, &r), 0);
			ck_assert_int_eq(r.hit, i != step);
		}
	}
	end();
}
END_TEST

START_TEST(request_time)
{
	sim_time_t walk;
	struct iommu_result r;

	begin(FIDELITY_TIMING, true);
	walk = 6 * f.p.walker.read_latency + f.p.walker.miss_overhead;
	ck_assert_int_eq(ask(IOVA, IOMMU_ACCESS_READ, SIM_US, &r), 0);
	ck_assert_uint_eq(r.ready, SIM_US + f.p.ats.request_latency + walk);
	ck_assert_int_eq(ask(IOVA, IOMMU_ACCESS_READ, 9 * SIM_US, &r), 0);
	ck_assert_uint_eq(r.ready, 9 * SIM_US);
	end();
}
END_TEST

/* A hung device: the queue stops there, the wait behind it is not completed; clearing resumes. */
START_TEST(device_that_does_not_answer)
{
	const struct qi_desc d[] = {qi_desc_iotlb(TEST_DID, QI_PAGE, IOVA, 0, true, true),
				    qi_desc_device_tlb(TEST_SID, 0, 0, IOVA, 0), qi_desc_wait(0x200000, 5)};
	struct iommu_result r;
	uint32_t *status;

	begin(FIDELITY_COUNTS, true);
	status = memory_ptr(f.mem, 0x200000);
	ask(IOVA, IOMMU_ACCESS_READ, 0, &r);
	vtd_ats_set_answering(f.u, TEST_SID, false);
	vtd_qi_execute(f.u, d, 3, 0);
	ck_assert_int_eq(vtd_qi_error(f.u), QI_ERROR_TIMEOUT);
	ck_assert_uint_eq(vtd_qi_stopped_at(f.u), 1);
	ck_assert_uint_eq(*status, 0);
	ask(IOVA, IOMMU_ACCESS_READ, 0, &r);
	ck_assert(r.hit); /* it still has the translation */
	vtd_ats_set_answering(f.u, TEST_SID, true);
	vtd_qi_clear_error(f.u);
	vtd_qi_execute(f.u, d, 3, 0);
	ck_assert_uint_eq(*status, 5);
	ask(IOVA, IOMMU_ACCESS_READ, 0, &r);
	ck_assert(!r.hit);
	end();
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("device TLB");

	tcase_add_test(c, hits_after_request);
	tcase_add_test(c, no_rights_is_no_fault);
	tcase_add_test(c, device_invalidation);
	tcase_add_test(c, pasids_in_the_device);
	tcase_add_test(c, request_time);
	tcase_add_test(c, device_that_does_not_answer);
	return test_run("ats", c, NULL);
}
