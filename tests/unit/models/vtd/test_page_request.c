/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-request queue: capacity, overflow, responses. */
#include "support.h"
#include "vtd_support.h"

static struct vtd_fixture f;
static unsigned interrupts, responses;

static void on_request(void *arg, struct vtd_unit *u)
{
	(void)arg;
	(void)u;
	interrupts++;
}

static void on_response(void *arg, uint16_t sid, uint32_t pasid, enum vtd_page_response code, uint16_t group,
			sim_time_t when)
{
	(void)arg;
	(void)when;
	ck_assert_uint_eq(sid, TEST_SID);
	ck_assert_uint_eq(pasid, 9);
	ck_assert_int_eq(code, VTD_PAGE_SUCCESS);
	ck_assert_uint_eq(group, responses++);
}

/* 2048 entries hold 2047 requests; the next is lost, and all others until the overflow is cleared. */
START_TEST(overflow)
{
	struct iommu_page_request r = {.sid = TEST_SID, .pasid = 9, .read = true, .last = true}, got;

	vtd_fixture_defaults(&f);
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	interrupts = 0;
	vtd_set_page_request_handler(f.u, on_request, NULL);
	for (unsigned i = 0; i < 2047; i++) {
		r.addr = i * PAGE_SIZE;
		ck_assert_int_eq(vtd_page_request(f.u, &r), 0);
	}
	ck_assert_int_eq(vtd_page_request(f.u, &r), -ENOSPC);
	ck_assert_uint_eq(interrupts, 1);
	ck_assert(vtd_page_request_overflow(f.u, false));
	ck_assert(vtd_page_request_read(f.u, &got));
	ck_assert_uint_eq(got.addr, 0);
	ck_assert_int_eq(vtd_page_request(f.u, &r), -ENOSPC);
	for (unsigned i = 1; i < 2047; i++) {
		ck_assert(vtd_page_request_read(f.u, &got));
		ck_assert_uint_eq(got.addr, i * PAGE_SIZE);
	}
	ck_assert(!vtd_page_request_read(f.u, &got));
	ck_assert(vtd_page_request_overflow(f.u, true));
	ck_assert_int_eq(vtd_page_request(f.u, &r), 0);
	ck_assert_uint_eq(interrupts, 2);
	ck_assert_uint_eq(f.st.page_requests, 2050);
	ck_assert_uint_eq(f.st.page_requests_lost, 2);
	vtd_fixture_stop(&f);
}
END_TEST

START_TEST(responses_reach_the_device)
{
	vtd_fixture_defaults(&f);
	f.p.iommu.cap = TEST_CAP_SCALABLE;
	f.p.iommu.ecap = TEST_ECAP_SCALABLE;
	f.p.iommu.scalable = true;
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	responses = 0;
	vtd_set_page_response(f.u, on_response, NULL);
	for (unsigned group = 0; group < 3; group++) {
		const struct qi_desc d = qi_desc_page_response(TEST_SID, true, 9, VTD_PAGE_SUCCESS, group);

		vtd_qi_execute(f.u, &d, 1, 0);
	}
	ck_assert_uint_eq(responses, 3);
	ck_assert_uint_eq(f.st.page_responses, 3);
	vtd_fixture_stop(&f);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("queue");

	tcase_add_test(c, overflow);
	tcase_add_test(c, responses_reach_the_device);
	return test_run("page_request", c, NULL);
}
