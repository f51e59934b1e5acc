/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capability registers as kernels print them. */
#include "support.h"
#include "vtd_support.h"

START_TEST(cap_vectors)
{
	static const struct {
		uint64_t cap;
		unsigned domains, widths, mgaw, sizes, records, offset, mamv;
		bool psi, drain, pi, fs1g;
	} rows[] = {
	    {0xc90780106f0462, 256, 4, 48, 1, 8, 0x100, 9, true, true, false, false},
	    {0xd2078c106f0466, 65536, 4, 48, 7, 8, 0x100, 18, true, true, false, false},
	    {0x8d2078c106f0466, 65536, 4, 48, 7, 8, 0x100, 18, true, true, true, false},
	    {0x9ed008c40780466, 65536, 4, 57, 7, 1, 0x400, 45, true, true, true, true},
	};
	struct vtd_caps c;

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		vtd_decode_caps(rows[i].cap, 0, &c);
		ck_assert_uint_eq(c.domains, rows[i].domains);
		ck_assert_uint_eq(c.widths, rows[i].widths);
		ck_assert_uint_eq(c.mgaw, rows[i].mgaw);
		ck_assert_uint_eq(c.page_sizes, rows[i].sizes);
		ck_assert_uint_eq(c.fault_records, rows[i].records);
		ck_assert_uint_eq(c.fault_offset, rows[i].offset);
		ck_assert_uint_eq(c.mamv, rows[i].mamv);
		ck_assert_int_eq(c.psi, rows[i].psi);
		ck_assert_int_eq(c.drain_read && c.drain_write, rows[i].drain);
		ck_assert_int_eq(c.posted_interrupts, rows[i].pi);
		ck_assert_int_eq(c.first_1g, rows[i].fs1g);
		ck_assert(!c.caching_mode && !c.rwbf);
	}
}
END_TEST

START_TEST(ecap_vectors)
{
	struct vtd_caps c;

	for (unsigned i = 0; i < 2; i++) {
		vtd_decode_caps(0, i ? 0xf020df : 0xf020de, &c);
		ck_assert_int_eq(c.coherent, i);
		ck_assert(c.queued && c.device_tlb && c.interrupt_remapping && c.extended_interrupts);
		ck_assert(c.pass_through && c.snoop_control && !c.scalable);
		ck_assert_uint_eq(c.iotlb_offset, 0x200);
	}
	vtd_decode_caps(0, 0xf010db, &c);
	ck_assert(c.coherent && c.queued && !c.device_tlb && c.interrupt_remapping && c.pass_through);
	ck_assert_uint_eq(c.iotlb_offset, 0x100);
	vtd_decode_caps(0, 0x3ee9e86f050df, &c);
	ck_assert(c.coherent && c.queued && c.device_tlb && c.interrupt_remapping && c.extended_interrupts);
	ck_assert(c.pass_through && c.snoop_control && c.memory_types && c.nested && c.supervisor);
	ck_assert(c.no_write_flag && c.extended_accessed && c.invalidation_throttle && c.page_request_drain);
	ck_assert(c.scalable && c.second_stage_ad && c.second_stage && c.first_stage && c.walk_snoop &&
		  c.rid_pasid);
	ck_assert_uint_eq(c.pasid_bits, 20);
	ck_assert_uint_eq(c.iotlb_offset, 0x500);
}
END_TEST

static enum vtd_format format_of(uint64_t cap, uint64_t ecap, bool scalable, uint64_t levels)
{
	struct vtd_fixture f;
	enum vtd_format format;

	vtd_fixture_defaults(&f);
	f.p.iommu.cap = cap;
	f.p.iommu.ecap = ecap;
	f.p.iommu.scalable = scalable;
	f.p.iommu.levels = levels;
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	format = vtd_domain_format(f.u);
	vtd_fixture_stop(&f);
	return format;
}

START_TEST(domain_formats)
{
	const uint64_t sagaw_39 = 0xd2078c106f0266, sagaw_39_48 = 0xd2078c106f0666,
		       sagaw_48_57 = 0xd2078c106f0c66;

	ck_assert_int_eq(format_of(0xd2078c106f0466, 0xf020df, false, 0), VTD_SS_48);
	ck_assert_int_eq(format_of(sagaw_39, 0xf020df, false, 0), VTD_SS_39);
	ck_assert_int_eq(format_of(sagaw_39_48, 0xf020df, false, 0), VTD_SS_48);
	ck_assert_int_eq(format_of(sagaw_39_48, 0xf020df, false, 3), VTD_SS_39);
	ck_assert_int_eq(format_of(sagaw_48_57, 0xf020df, false, 0), VTD_SS_57);
	ck_assert_int_eq(format_of(sagaw_48_57, 0xf020df, false, 4), VTD_SS_48);
	ck_assert_int_eq(format_of(TEST_CAP_SCALABLE, TEST_ECAP_SCALABLE, true, 0), VTD_FS_57);
	ck_assert_int_eq(format_of(TEST_CAP_SCALABLE, TEST_ECAP_SCALABLE, true, 4), VTD_FS_48);
	/* Asked for scalable mode, but the unit has none. */
	ck_assert_int_eq(format_of(0xd2078c106f0466, 0xf020df, true, 0), VTD_SS_48);
}
END_TEST

struct asked {
	uint64_t cap, ecap, levels;
	bool scalable, nested;
	const char *says; /* NULL: fine */
};

/* What a unit cannot do is an error that names key and bits, never something else in its place. */
START_TEST(impossible_parameters)
{
	const uint64_t cap = 0xd2078c106f0466, ecap = 0xf020df, all = 0x8d2078c10780e66;
	const struct asked cases[] = {
	    {cap, ecap, 0, false, false, NULL},
	    {cap, ecap, 4, false, false, NULL},
	    {all, ecap, 3, false, false, NULL},
	    {all, ecap, 5, false, false, NULL},
	    {0, ecap, 0, false, false, "SAGAW"},
	    {cap, ecap, 3, false, false, "iommu.levels = 3"},
	    {cap, ecap, 5, false, false, "iommu.levels = 5"},
	    {all, ecap, 2, false, false, "3 4 5"},
	    {cap, ecap, 0, true, false, "SMTS"},
	    {cap, ecap, 0, false, true, "NEST"},
	    {cap, TEST_ECAP_SCALABLE & ~(UINT64_C(3) << 46), 0, true, false, "SSTS"},
	    {TEST_CAP_SCALABLE, TEST_ECAP_SCALABLE, 0, true, true, NULL},
	    {TEST_CAP_SCALABLE, TEST_ECAP_SCALABLE, 0, false, true, "iommu.scalable"},
	    {TEST_CAP_SCALABLE & ~(UINT64_C(0x1f) << 8), TEST_ECAP_SCALABLE, 0, true, false, NULL},
	    {TEST_CAP_SCALABLE & ~(UINT64_C(0x1f) << 8), TEST_ECAP_SCALABLE, 0, true, true, "SAGAW"},
	    {TEST_CAP_SCALABLE, TEST_ECAP_SCALABLE, 5, true, false, NULL},
	    {TEST_CAP_SCALABLE, TEST_ECAP_SCALABLE, 3, true, false, "first-stage"},
	    {TEST_CAP_SCALABLE & ~(UINT64_C(1) << 60), TEST_ECAP_SCALABLE, 5, true, false, "bit 60"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct iommu_params p = {.cap = cases[i].cap,
					       .ecap = cases[i].ecap,
					       .levels = cases[i].levels,
					       .scalable = cases[i].scalable,
					       .nested = cases[i].nested};
		g_autoptr(GError) error = NULL;
		const struct walker_params w = {.read_latency = 1};
		bool ok = vtd_params_check(&p, &w, &error);

		ck_assert_msg(ok == !cases[i].says, "case %zu: %s", i, error ? error->message : "accepted");
		if (!ok)
			ck_assert_msg(strstr(error->message, cases[i].says), "case %zu: %s", i,
				      error->message);
	}
}
END_TEST

/* read_latency is the mean of slow and other reads: no others make up for slow ones beyond it. */
START_TEST(slow_reads_within_the_mean)
{
	static const struct {
		double share;
		sim_time_t extra, mean;
		bool ok;
	} cases[] = {
	    {0.09, 160, 197, true},   {0.5, 394, 197, true}, {0.5, 396, 197, false}, {0.5, 10000, 197, false},
	    {0.5, 10000, 5000, true}, {0, 10000, 0, true},   {1, 197, 197, true},    {0.09, 160, 10, false},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct iommu_params p = {.cap = TEST_CAP_SCALABLE, .ecap = TEST_ECAP_SCALABLE};
		const struct walker_params w = {.slow_share = cases[i].share,
						.slow_extra = cases[i].extra * SIM_NS,
						.read_latency = cases[i].mean * SIM_NS};
		g_autoptr(GError) error = NULL;

		ck_assert_msg(vtd_params_check(&p, &w, &error) == cases[i].ok, "case %zu", i);
		if (cases[i].ok)
			continue;
		ck_assert_ptr_nonnull(strstr(error->message, "walker.slow_share"));
		ck_assert_ptr_nonnull(strstr(error->message, "walker.slow_extra"));
		ck_assert_ptr_nonnull(strstr(error->message, "walker.read_latency"));
	}
}
END_TEST

START_TEST(page_sizes)
{
	struct vtd_fixture f;

	for (unsigned large = 0; large < 2; large++) {
		vtd_fixture_defaults(&f);
		f.p.iommu.superpages = large;
		f.p.iommu.cap = TEST_CAP_SCALABLE;
		vtd_fixture_start(&f, FIDELITY_COUNTS);
		ck_assert_uint_eq(vtd_domain_page_sizes(f.u, VTD_SS_48), large ? 7 : 1);
		ck_assert_uint_eq(vtd_domain_page_sizes(f.u, VTD_FS_48), large ? 7 : 1);
		vtd_fixture_stop(&f);
	}
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("registers");

	tcase_add_test(c, cap_vectors);
	tcase_add_test(c, ecap_vectors);
	tcase_add_test(c, domain_formats);
	tcase_add_test(c, impossible_parameters);
	tcase_add_test(c, slow_reads_within_the_mean);
	tcase_add_test(c, page_sizes);
	return test_run("caps", c, NULL);
}
