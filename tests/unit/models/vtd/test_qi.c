/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Execution of invalidation descriptors: what goes, what stays, order, waits, errors, time. */
#include "support.h"
#include "vtd_support.h"

#define RW (PGTABLE_READ | PGTABLE_WRITE)
#define IOVA UINT64_C(0xf0000000)
#define STATUS 0x300040

static struct vtd_fixture f;
static struct pgtable *t[2];

static void begin(enum fidelity fidelity, int psi_nonleaf)
{
	vtd_fixture_defaults(&f);
	f.p.pwc.psi_nonleaf = psi_nonleaf;
	f.p.iommu.cap = TEST_CAP_SCALABLE;
	f.p.iommu.ecap = TEST_ECAP_SCALABLE;
	f.p.iommu.scalable = true;
	vtd_fixture_start(&f, fidelity);
	for (unsigned i = 0; i < 2; i++) {
		t[i] = pgtable_new(&f.sim, f.mem, VTD_SS_48, VTD_PAGES_4K | VTD_PAGES_2M, 0);
		vtd_fixture_attach(&f, (uint16_t)(TEST_SID + i), (uint16_t)(TEST_DID + i), t[i]);
		test_map(t[i], IOVA, 0x100000000 + i * 4 * MIB, 64 * PAGE_SIZE, RW);
		test_map(t[i], IOVA + 2 * MIB, 0x140000000, 2 * MIB, RW);
	}
}

static void end(void)
{
	pgtable_free(t[0]);
	pgtable_free(t[1]);
	vtd_fixture_stop(&f);
}

static bool hits(unsigned device, dma_addr_t iova)
{
	struct iommu_result r;

	ck_assert_int_eq(test_access(&f, (uint16_t)(TEST_SID + device), iova, IOMMU_ACCESS_READ, 0, &r), 0);
	return r.hit;
}

static void touch(void)
{
	for (unsigned i = 0; i < 2; i++)
		for (unsigned p = 0; p < 4; p++)
			hits(i, IOVA + p * PAGE_SIZE);
	hits(0, IOVA + 2 * MIB);
}

START_TEST(page_selective)
{
	begin(FIDELITY_COUNTS, 0);
	touch();
	test_psi(&f, TEST_DID, IOVA + PAGE_SIZE, 0, true, 0);
	ck_assert(hits(0, IOVA));
	ck_assert(!hits(0, IOVA + PAGE_SIZE));
	ck_assert(hits(1, IOVA + PAGE_SIZE)); /* other domain */
	/* AM = 1 from an odd page: the low bit is masked. */
	test_psi(&f, TEST_DID, IOVA + 3 * PAGE_SIZE, 1, true, 0);
	ck_assert(hits(0, IOVA + PAGE_SIZE));
	ck_assert(!hits(0, IOVA + 2 * PAGE_SIZE));
	ck_assert(!hits(0, IOVA + 3 * PAGE_SIZE));
	/* A 2 MiB entry goes with any page inside it, and with a block around it. */
	ck_assert(hits(0, IOVA + 2 * MIB));
	test_psi(&f, TEST_DID, IOVA + 2 * MIB + 17 * PAGE_SIZE, 0, true, 0);
	ck_assert(!hits(0, IOVA + 2 * MIB));
	test_psi(&f, TEST_DID, IOVA, 10, true, 0);
	ck_assert(!hits(0, IOVA + 2 * MIB));
	ck_assert(!hits(0, IOVA));
	end();
}
END_TEST

START_TEST(domain_and_global)
{
	const struct qi_desc dsi = qi_desc_iotlb(TEST_DID, QI_DOMAIN, 0, 0, false, true),
			     all = qi_desc_iotlb(0, QI_GLOBAL, 0, 0, false, true);

	begin(FIDELITY_COUNTS, 0);
	touch();
	vtd_qi_execute(f.u, &dsi, 1, 0);
	ck_assert(hits(1, IOVA));
	ck_assert(!hits(0, IOVA));
	ck_assert(!hits(0, IOVA + 2 * MIB));
	touch();
	vtd_qi_execute(f.u, &all, 1, 0);
	ck_assert(!hits(0, IOVA));
	ck_assert(!hits(1, IOVA));
	ck_assert_uint_eq(f.st.qi_iotlb_domain, 1);
	ck_assert_uint_eq(f.st.qi_iotlb_global, 1);
	ck_assert_uint_eq(f.st.qi_total, 2);
	end();
}
END_TEST

static uint64_t reads_of(unsigned device, dma_addr_t iova)
{
	uint64_t before = f.st.walk_memory_reads;

	hits(device, iova);
	return f.st.walk_memory_reads - before;
}

/* IH = 1 keeps the walk caches; IH = 0 clears the range's entries, or the domain's. */
START_TEST(hint_and_policy)
{
	for (int policy = 0; policy < 2; policy++) {
		begin(FIDELITY_COUNTS, policy);
		test_map(t[0], IOVA + 64 * MIB, 0x100000000, 8 * PAGE_SIZE, RW);
		touch();
		hits(0, IOVA + 64 * MIB);
		test_psi(&f, TEST_DID, IOVA, 0, true, 0);
		ck_assert_uint_eq(reads_of(0, IOVA), 1);
		test_psi(&f, TEST_DID, IOVA, 0, false, 0);
		ck_assert_uint_eq(reads_of(1, IOVA + 5 * PAGE_SIZE), 1); /* other domain keeps its own */
		/* Another 2 MiB region: its leaf-table pointer stays only under the range policy. */
		ck_assert_uint_eq(reads_of(0, IOVA + 64 * MIB + PAGE_SIZE), policy ? 4 : 1);
		ck_assert_uint_eq(reads_of(0, IOVA), policy ? 2 : 4);
		end();
	}
}
END_TEST

START_TEST(waits_write_status)
{
	const struct qi_desc d[] = {qi_desc_wait(STATUS, 7)};
	uint32_t *status;

	begin(FIDELITY_COUNTS, 0);
	status = memory_ptr(f.mem, STATUS);
	*status = 1;
	ck_assert_uint_eq(vtd_qi_execute(f.u, d, 1, 42), 42);
	ck_assert_uint_eq(*status, 7);
	ck_assert_uint_eq(f.st.qi_wait, 1);
	end();
}
END_TEST

START_TEST(errors_stop_the_queue)
{
	static const struct {
		uint64_t qw0, qw1;
		enum qi_error error;
	} bad[] = {
	    {0, 0, QI_ERROR_TYPE},
	    {10, 0, QI_ERROR_TYPE},
	    {0x202, 0, QI_ERROR_TYPE},                        /* high type bits must not alias type 2 */
	    {0x2, 0, QI_ERROR_RESERVED},                      /* granularity 0 */
	    {UINT64_C(1) << 40 | 0x22, 0, QI_ERROR_RESERVED}, /* reserved bit */
	    {0x32, 0x80, QI_ERROR_RESERVED},
	    {0x32, 46, QI_ERROR_MASK}, /* beyond MAMV = 45 */
	    {0x27, 0, QI_ERROR_RESERVED},
	    {0x16, 0, QI_ERROR_RESERVED},
	};
	uint32_t *status;

	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		const struct qi_desc d[] = {qi_desc_iotlb(TEST_DID, QI_PAGE, IOVA, 0, true, true),
					    {.qw0 = bad[i].qw0, .qw1 = bad[i].qw1},
					    qi_desc_wait(STATUS, 9)};

		begin(FIDELITY_COUNTS, 0);
		touch();
		status = memory_ptr(f.mem, STATUS);
		vtd_qi_execute(f.u, d, 3, 0);
		ck_assert_int_eq(vtd_qi_error(f.u), bad[i].error);
		ck_assert_uint_eq(vtd_qi_stopped_at(f.u), 1);
		ck_assert(!hits(0, IOVA)); /* what came before has run */
		ck_assert_uint_eq(*status, 0);
		/* Nothing runs until the error is cleared. */
		vtd_qi_execute(f.u, d + 2, 1, 0);
		ck_assert_uint_eq(*status, 0);
		vtd_qi_clear_error(f.u);
		vtd_qi_execute(f.u, d + 2, 1, 0);
		ck_assert_uint_eq(*status, 9);
		end();
	}
}
END_TEST

START_TEST(legacy_mode_has_no_pasid_descriptors)
{
	const struct qi_desc d = qi_desc_piotlb(1, 0, QI_PIOTLB_PASID, 0, 0, false);

	vtd_fixture_defaults(&f);
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	vtd_qi_execute(f.u, &d, 1, 0);
	ck_assert_int_eq(vtd_qi_error(f.u), QI_ERROR_TYPE);
	vtd_fixture_stop(&f);
}
END_TEST

START_TEST(time_of_submissions)
{
	const struct qi_desc d[] = {qi_desc_iotlb(TEST_DID, QI_PAGE, IOVA, 0, true, true),
				    qi_desc_wait(STATUS, 2)};
	sim_time_t service, wait, a, b;

	begin(FIDELITY_TIMING, 0);
	service = f.p.qi.service;
	wait = f.p.qi.wait_latency;
	a = vtd_qi_execute(f.u, d, 2, SIM_US);
	ck_assert_uint_eq(a, SIM_US + service + wait);
	/* A second CPU a little later: behind the first in service, its wait of its own. */
	b = vtd_qi_execute(f.u, d, 2, SIM_US + 10 * SIM_NS);
	ck_assert_uint_eq(b, SIM_US + 2 * service + wait);
	ck_assert_uint_eq(f.st.qi_wait_time, a - SIM_US + b - SIM_US - 10 * SIM_NS);
	end();
}
END_TEST

/* DW and DR: completion follows DMA that was translated before; without them, or with drain off, not. */
START_TEST(drains_dma_in_flight)
{
	for (unsigned drain = 0; drain < 2; drain++) {
		const struct qi_desc d[] = {qi_desc_iotlb(TEST_DID, QI_PAGE, IOVA, 0, true, drain),
					    qi_desc_wait(STATUS, 2)};

		begin(FIDELITY_TIMING, 0);
		vtd_in_flight(f.u, 0, 20 * SIM_US);
		ck_assert_uint_eq(vtd_qi_execute(f.u, d, 2, SIM_US),
				  (drain ? 20 * SIM_US : SIM_US + f.p.qi.service) + f.p.qi.wait_latency);
		end();
	}
}
END_TEST

START_TEST(device_tlb_answer_is_awaited)
{
	const struct qi_desc d[] = {qi_desc_iotlb(TEST_DID, QI_PAGE, IOVA, 0, true, true),
				    qi_desc_device_tlb(TEST_SID, 0, 0, IOVA, 0), qi_desc_wait(STATUS, 2)};

	begin(FIDELITY_TIMING, 0);
	ck_assert_uint_eq(vtd_qi_execute(f.u, d, 3, SIM_US),
			  SIM_US + f.p.qi.service + f.p.qi.device_tlb_latency + f.p.qi.wait_latency);
	ck_assert_uint_eq(f.st.qi_device_tlb, 1);
	end();
}
END_TEST

/* Fence: the next descriptor starts after the status write. */
START_TEST(fence_holds_back)
{
	struct qi_desc d[] = {qi_desc_wait(STATUS, 2), qi_desc_iotlb(TEST_DID, QI_PAGE, IOVA, 0, true, false),
			      qi_desc_wait(STATUS, 3)};

	for (unsigned fence = 0; fence < 2; fence++) {
		d[0].qw0 = (d[0].qw0 & ~UINT64_C(0x40)) | fence << 6;
		begin(FIDELITY_TIMING, 0);
		ck_assert_uint_eq(vtd_qi_execute(f.u, d, 3, 0),
				  f.p.qi.service + f.p.qi.wait_latency * (fence ? 2 : 1));
		end();
	}
}
END_TEST

static unsigned seen;

static void observe(void *arg, const struct qi_desc *d, sim_time_t when)
{
	struct qi_desc *expect = arg;

	ck_assert_uint_eq(d->qw0, expect[seen].qw0);
	ck_assert_uint_eq(d->qw1, expect[seen].qw1);
	ck_assert_uint_eq(when, 5);
	seen++;
}

START_TEST(observer_sees_every_descriptor)
{
	struct qi_desc d[] = {qi_desc_iotlb(TEST_DID, QI_PAGE, IOVA, 3, true, true),
			      qi_desc_iotlb(TEST_DID, QI_DOMAIN, 0, 0, false, true), qi_desc_wait(STATUS, 2)};

	begin(FIDELITY_COUNTS, 0);
	vtd_set_qi_observer(f.u, observe, d);
	seen = 0;
	vtd_qi_execute(f.u, d, 3, 5);
	ck_assert_uint_eq(seen, 3);
	ck_assert_uint_eq(hist_count(f.st.page_span), 1);
	ck_assert_uint_eq(hist_max(f.st.page_span), 8);
	end();
}
END_TEST

/* First-stage entries: by PASID and page, by PASID, and all of the domain by a second-stage command. */
START_TEST(pasid_based)
{
	struct pgtable *fs;
	struct vtd_context c = {.type = VTD_FIRST_STAGE, .did = 20, .format = VTD_FS_48};
	const struct qi_desc page = qi_desc_piotlb(20, 3, QI_PIOTLB_PAGE, IOVA, 0, true),
			     pasid = qi_desc_piotlb(20, 3, QI_PIOTLB_PASID, 0, 0, false),
			     psi = qi_desc_iotlb(20, QI_PAGE, 0, 0, true, true);
	struct iommu_request rq = {.sid = TEST_SID, .pasid = 3, .access = IOMMU_ACCESS_READ, .addr = IOVA};
	struct iommu_result r;

	begin(FIDELITY_COUNTS, 0);
	fs = pgtable_new(&f.sim, f.mem, VTD_FS_48, VTD_PAGES_4K, 0);
	c.root = pgtable_root(fs);
	test_map(fs, IOVA, 0x180000000, 4 * PAGE_SIZE, RW);
	for (uint32_t p = 3; p < 5; p++)
		vtd_set_context(f.u, TEST_SID, p, &c);
	for (unsigned step = 0; step < 3; step++) {
		for (rq.pasid = 3; rq.pasid < 5; rq.pasid++)
			for (rq.addr = IOVA; rq.addr < IOVA + 2 * PAGE_SIZE; rq.addr += PAGE_SIZE)
				ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), 0);
		hits(0, IOVA);
		vtd_qi_execute(f.u, step == 0 ? &page : step == 1 ? &pasid : &psi, 1, 0);
		for (rq.pasid = 3; rq.pasid < 5; rq.pasid++)
			for (rq.addr = IOVA; rq.addr < IOVA + 2 * PAGE_SIZE; rq.addr += PAGE_SIZE) {
				bool gone = step == 2 || (rq.pasid == 3 && (step == 1 || rq.addr == IOVA));

				vtd_translate(f.u, &rq, 0, &r);
				ck_assert_int_eq(r.hit, !gone);
			}
		ck_assert(hits(0, IOVA)); /* other domain, second stage */
	}
	pgtable_free(fs);
	end();
}
END_TEST

int main(void)
{
	TCase *effect = tcase_create("effect"), *queue = tcase_create("queue");

	tcase_add_test(effect, page_selective);
	tcase_add_test(effect, domain_and_global);
	tcase_add_test(effect, hint_and_policy);
	tcase_add_test(effect, pasid_based);
	tcase_add_test(queue, waits_write_status);
	tcase_add_test(queue, errors_stop_the_queue);
	tcase_add_test(queue, legacy_mode_has_no_pasid_descriptors);
	tcase_add_test(queue, time_of_submissions);
	tcase_add_test(queue, drains_dma_in_flight);
	tcase_add_test(queue, device_tlb_answer_is_awaited);
	tcase_add_test(queue, fence_holds_back);
	tcase_add_test(queue, observer_sees_every_descriptor);
	return test_run("qi", effect, queue, NULL);
}
