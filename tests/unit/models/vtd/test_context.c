/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Context and PASID caches: hits, reads, staleness, invalidation scopes, faults. */
#include "support.h"
#include "vtd_support.h"

static struct vtd_fixture f;
static const struct vtd_context pt = {.type = VTD_PASSTHROUGH, .did = 1};

static void start(bool scalable)
{
	vtd_fixture_defaults(&f);
	f.p.iommu.cap = TEST_CAP_SCALABLE;
	f.p.iommu.ecap = TEST_ECAP_SCALABLE;
	f.p.iommu.scalable = scalable;
	f.p.pwc.context_entries = f.p.pwc.pasid_entries = 4;
	vtd_fixture_start(&f, FIDELITY_COUNTS);
}

static uint64_t reads_of(uint16_t sid)
{
	uint64_t before = f.st.context_memory_reads;
	struct iommu_result r;

	test_access(&f, sid, 0x1000, IOMMU_ACCESS_READ, 0, &r);
	return f.st.context_memory_reads - before;
}

START_TEST(lru_of_four)
{
	start(_i);
	for (uint16_t s = 0; s < 5; s++)
		vtd_set_context(f.u, 0x100 + s, NO_PASID, &pt);
	for (uint16_t s = 0; s < 4; s++)
		ck_assert_uint_eq(reads_of(0x100 + s), _i ? 4 : 2);
	for (unsigned k = 0; k < 3; k++)
		for (uint16_t s = 0; s < 4; s++)
			ck_assert_uint_eq(reads_of(0x100 + s), 0);
	ck_assert_uint_eq(reads_of(0x104), _i ? 4 : 2); /* 0x100 goes */
	ck_assert_uint_eq(reads_of(0x101), 0);
	ck_assert_uint_eq(reads_of(0x100), _i ? 4 : 2);
	ck_assert_uint_eq(f.st.context_lookups, 4 + 12 + 3);
	ck_assert_uint_eq(f.st.context_hits, 12 + 1);
	ck_assert_uint_eq(f.st.pasid_lookups, _i ? 19 : 0);
	ck_assert_uint_eq(f.st.pasid_hits, _i ? 13 : 0);
	vtd_fixture_stop(&f);
}
END_TEST

static bool allowed(uint16_t sid)
{
	struct iommu_result r;

	return test_access(&f, sid, 0x1000, IOMMU_ACCESS_READ, 0, &r) == 0;
}

/* What was cached holds until it is invalidated; a fault is never cached. */
START_TEST(stale_until_invalidated)
{
	struct qi_desc cc = qi_desc_context(1, QI_CC_DEVICE, 0x100, 0),
		       pc = qi_desc_pasid_cache(1, 0, QI_PC_PASID);

	start(_i);
	ck_assert(!allowed(0x100));
	vtd_set_context(f.u, 0x100, NO_PASID, &pt);
	ck_assert(allowed(0x100));
	vtd_set_context(f.u, 0x100, NO_PASID, NULL);
	ck_assert(allowed(0x100));
	if (_i)
		vtd_qi_execute(f.u, &pc, 1, 0);
	vtd_qi_execute(f.u, &cc, 1, 0);
	ck_assert(!allowed(0x100));
	ck_assert_uint_eq(f.st.qi_context, 1);
	vtd_fixture_stop(&f);
}
END_TEST

START_TEST(scopes)
{
	static const struct {
		struct qi_desc d;
		bool gone[4];
	} rows[] = {
	    {{.qw0 = 0x11}, {true, true, true, true}},                            /* global */
	    {{.qw0 = 0x21 | 7 << 16}, {true, false, true, false}},                /* domain 7 */
	    {{.qw0 = 0x31 | UINT64_C(0x101) << 32}, {false, true, false, false}}, /* device */
	    {{.qw0 = 0x31 | UINT64_C(0x100) << 32 | UINT64_C(2) << 48}, {true, false, true, false}},
	    {{.qw0 = 0x31 | UINT64_C(0x102) << 32 | UINT64_C(3) << 48}, {true, true, true, true}},
	    {{.qw0 = 0x31 | UINT64_C(0x100) << 32 | UINT64_C(1) << 48}, {true, false, false, false}},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct vtd_context c = pt;

		start(false);
		for (uint16_t s = 0; s < 4; s++) {
			c.did = s % 2 ? 8 : 7;
			vtd_set_context(f.u, 0x100 + s, NO_PASID, &c);
			allowed(0x100 + s);
		}
		vtd_qi_execute(f.u, &rows[i].d, 1, 0);
		for (uint16_t s = 0; s < 4; s++)
			ck_assert_uint_eq(reads_of(0x100 + s), rows[i].gone[s] ? 2 : 0);
		vtd_fixture_stop(&f);
	}
}
END_TEST

START_TEST(pasid_faults)
{
	struct iommu_request rq = {.sid = 0x100, .pasid = 3, .access = IOMMU_ACCESS_READ, .addr = 0x1000};
	struct iommu_result r;

	start(false);
	vtd_set_context(f.u, 0x100, NO_PASID, &pt);
	ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), -EFAULT);
	ck_assert_uint_eq(r.fault, 0x31);
	vtd_fixture_stop(&f);
	start(true);
	ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), -EFAULT);
	ck_assert_uint_eq(r.fault, 0x39);
	vtd_set_context(f.u, 0x100, NO_PASID, &pt);
	ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), -EFAULT);
	ck_assert_uint_eq(r.fault, 0x45);
	vtd_set_context(f.u, 0x100, 4, &pt);
	ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), -EFAULT);
	ck_assert_uint_eq(r.fault, 0x59);
	rq.pasid = 64 * 5;
	ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), -EFAULT);
	ck_assert_uint_eq(r.fault, 0x51);
	rq.pasid = 4;
	ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), 0);
	rq.sid = 0x105;
	rq.pasid = NO_PASID;
	ck_assert_int_eq(vtd_translate(f.u, &rq, 0, &r), -EFAULT);
	ck_assert_uint_eq(r.fault, 0x41);
	vtd_fixture_stop(&f);
}
END_TEST

START_TEST(interrupts_are_not_translated)
{
	struct iommu_result r;

	start(false);
	ck_assert_int_eq(test_access(&f, 0x100, 0xfee00000, IOMMU_ACCESS_WRITE, 0, &r), 0);
	ck_assert_uint_eq(r.phys, 0xfee00000);
	ck_assert_uint_eq(f.st.context_lookups, 0);
	vtd_fixture_stop(&f);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("caches");

	tcase_add_loop_test(c, lru_of_four, 0, 2);
	tcase_add_loop_test(c, stale_until_invalidated, 0, 2);
	tcase_add_test(c, scopes);
	tcase_add_test(c, pasid_faults);
	tcase_add_test(c, interrupts_are_not_translated);
	return test_run("context", c, NULL);
}
