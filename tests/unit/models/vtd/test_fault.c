/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault recording: order, overflow, clearing, the interrupt. */
#include "support.h"
#include "vtd_support.h"

static struct vtd_fixture f;
static unsigned interrupts;

static void on_fault(void *arg, struct vtd_unit *u)
{
	(void)arg;
	(void)u;
	interrupts++;
}

static void fault(dma_addr_t addr)
{
	struct iommu_result r;

	ck_assert_int_eq(test_access(&f, TEST_SID, addr, IOMMU_ACCESS_WRITE, 0, &r), -EFAULT);
}

/* 8 records: the ninth fault is lost, and so is all until software clears the overflow. */
START_TEST(ninth_is_lost)
{
	struct vtd_fault r;

	vtd_fixture_defaults(&f);
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	interrupts = 0;
	vtd_set_fault_handler(f.u, on_fault, NULL);
	ck_assert(!vtd_fault_read(f.u, &r));
	for (unsigned i = 0; i < 11; i++)
		fault(i * PAGE_SIZE + 0x123);
	ck_assert_uint_eq(f.st.faults, 11);
	ck_assert_uint_eq(f.st.faults_lost, 3);
	ck_assert_uint_eq(interrupts, 1);
	ck_assert(vtd_fault_overflow(f.u, false));
	for (unsigned i = 0; i < 8; i++) {
		ck_assert(vtd_fault_read(f.u, &r));
		ck_assert_uint_eq(r.addr, i * PAGE_SIZE);
		ck_assert_uint_eq(r.sid, TEST_SID);
		ck_assert_uint_eq(r.reason, 1); /* no context table on that bus */
		ck_assert(r.write);
	}
	ck_assert(!vtd_fault_read(f.u, &r));
	fault(0x50000);
	ck_assert_uint_eq(f.st.faults_lost, 4); /* PFO is still set */
	ck_assert(vtd_fault_overflow(f.u, true));
	fault(0x60000);
	ck_assert_uint_eq(f.st.faults_lost, 4);
	ck_assert_uint_eq(interrupts, 2);
	ck_assert(vtd_fault_read(f.u, &r));
	ck_assert_uint_eq(r.addr, 0x60000);
	vtd_fixture_stop(&f);
}
END_TEST

/* Random faults and reads against a bounded queue. */
START_TEST(equals_queue)
{
	uint64_t expect[8] = {0};
	unsigned head = 0, count = 0;
	bool overflow = false;
	struct rng rng;

	vtd_fixture_defaults(&f);
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	rng_init(&rng, test_seed(), "fault");
	for (uint64_t i = 0; i < test_scale(20000); i++) {
		struct vtd_fault r;

		switch (rng_below(&rng, 5)) {
		case 0:
		case 1:
			fault(i << PAGE_SHIFT);
			if (overflow || count == 8)
				overflow = true;
			else
				expect[(head + count++) % 8] = i << PAGE_SHIFT;
			break;
		case 2:
		case 3:
			ck_assert_int_eq(vtd_fault_read(f.u, &r), count > 0);
			if (!count)
				break;
			ck_assert_uint_eq(r.addr, expect[head]);
			head = (head + 1) % 8;
			count--;
			break;
		default:
			ck_assert_int_eq(vtd_fault_overflow(f.u, true), overflow);
			overflow = false;
		}
	}
	vtd_fixture_stop(&f);
}
END_TEST

/* FPD: what an entry governs is not recorded; a missing entry is. */
START_TEST(fault_processing_disabled)
{
	struct vtd_context c = {.type = VTD_BLOCKED, .fault_disable = true};

	vtd_fixture_defaults(&f);
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	vtd_set_context(f.u, TEST_SID, NO_PASID, &c);
	fault(0x1000);
	ck_assert_uint_eq(f.st.faults, 0);
	c.fault_disable = false;
	vtd_set_context(f.u, TEST_SID + 8, NO_PASID, &c);
	{
		struct iommu_result r;

		ck_assert_int_eq(test_access(&f, TEST_SID + 8, 0, IOMMU_ACCESS_READ, 0, &r), -EFAULT);
	}
	ck_assert_uint_eq(f.st.faults, 1);
	vtd_fixture_stop(&f);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("records");

	tcase_add_test(c, ninth_is_lost);
	tcase_add_test(c, equals_queue);
	tcase_add_test(c, fault_processing_disabled);
	return test_run("fault", c, NULL);
}
