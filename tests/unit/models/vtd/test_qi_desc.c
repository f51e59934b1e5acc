/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptor encodings: fields at the bit positions of the specification, ranges against brute force. */
#include "support.h"

START_TEST(fields)
{
	struct qi_desc d = qi_desc_iotlb(0x1234, QI_PAGE, 0x123456789000, 9, true, true);

	ck_assert_uint_eq(d.qw0, 0x1234 << 16 | 0xf2); /* G = 3, DW, DR, type 2 */
	ck_assert_uint_eq(d.qw1, 0x123456789049);      /* address, IH, AM */
	ck_assert_uint_eq(qi_desc_type(&d), QI_IOTLB);
	/* As recorded from Linux: a lazy flush of domain 3. */
	d = qi_desc_iotlb(3, QI_DOMAIN, 0x5000, 7, true, true);
	ck_assert_uint_eq(d.qw0, 3 << 16 | 0xe2);
	ck_assert_uint_eq(d.qw1, 0);
	d = qi_desc_wait(0x12345678, 2);
	ck_assert_uint_eq(d.qw0, UINT64_C(0x200000025));
	ck_assert_uint_eq(d.qw1, 0x12345678);
	d = qi_desc_context(7, QI_CC_DEVICE, 0x0100, 3);
	ck_assert_uint_eq(d.qw0, UINT64_C(3) << 48 | UINT64_C(0x100) << 32 | 7 << 16 | 0x31);
	d = qi_desc_device_tlb(0x0100, 0x123, 5, 0x4000, 0);
	ck_assert_uint_eq(d.qw0, UINT64_C(0x12) << 52 | UINT64_C(0x100) << 32 | 5 << 16 | 3 << 12 | 3);
	ck_assert_uint_eq(d.qw1, 0x4000);
	d = qi_desc_iec(true, 0x55, 2);
	ck_assert_uint_eq(d.qw0, UINT64_C(0x55) << 32 | UINT64_C(2) << 27 | 0x14);
	d = qi_desc_piotlb(9, 0x12345, QI_PIOTLB_PAGE, 0x8000, 3, false);
	ck_assert_uint_eq(d.qw0, UINT64_C(0x12345) << 32 | 9 << 16 | 0x36);
	ck_assert_uint_eq(d.qw1, 0x8003);
	d = qi_desc_pasid_cache(9, 0x12345, QI_PC_PASID);
	ck_assert_uint_eq(d.qw0, UINT64_C(0x12345) << 32 | 9 << 16 | 0x17);
	d = qi_desc_pdevice_tlb(0x0100, 0x123, 5, 0x12345, 0x4000, 1);
	ck_assert_uint_eq(d.qw0, UINT64_C(0x12) << 52 | UINT64_C(0x12345) << 32 | 0x100 << 16 | 3 << 12 |
				     5 << 4 | 8);
	ck_assert_uint_eq(d.qw1, 0x4800);
	d = qi_desc_page_response(0x0100, true, 0x12345, VTD_PAGE_FAILURE, 0x1ff);
	ck_assert_uint_eq(d.qw0, UINT64_C(0x12345) << 32 | 0x100 << 16 | 0xf << 12 | 1 << 4 | 9);
	ck_assert_uint_eq(d.qw1, 0xff8);
}
END_TEST

START_TEST(device_tlb_sizes)
{
	/* 12: 0 -> 8 KiB; 01 -> 16 KiB; 011 -> 32 KiB. */
	ck_assert_uint_eq(qi_desc_device_tlb(0, 0, 0, 0x10000, 1).qw1, 0x10001);
	ck_assert_uint_eq(qi_desc_device_tlb(0, 0, 0, 0x10000, 2).qw1, 0x11001);
	ck_assert_uint_eq(qi_desc_device_tlb(0, 0, 0, 0x10000, 3).qw1, 0x13001);
	ck_assert_uint_eq(qi_desc_device_tlb(0, 0, 0, 0, 52).qw1, UINT64_C(0x7ffffffffffff001));
	for (unsigned order = 1; order <= 52; order++)
		ck_assert_uint_eq(qi_device_tlb_order(qi_desc_device_tlb(0, 0, 0, 0, order).qw1), order);
}
END_TEST

/* Smallest order whose aligned block holds both ends, by trying. */
static unsigned order_slow(uint64_t first, uint64_t last)
{
	unsigned order = 0;

	while (first >> order != last >> order)
		order++;
	return order;
}

START_TEST(range_orders)
{
	static const struct {
		uint64_t page, n;
		unsigned order;
	} rows[] = {{0, 1, 0},    {0, 3, 2},     {1, 2, 2},
		    {3, 2, 3},    {7, 2, 4},     {511, 2, 10},
		    {512, 64, 6}, {480, 64, 10}, {(1 << 18) - 1, 2, 19}};
	struct rng rng;

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		ck_assert_uint_eq(qi_range_order(rows[i].page, rows[i].page + rows[i].n - 1), rows[i].order);
	rng_init(&rng, test_seed(), "order");
	for (uint64_t i = 0; i < test_scale(400000); i++) {
		uint64_t first = rng_u64(&rng) >> (12 + rng_below(&rng, 40)),
			 last = first + rng_below(&rng, 5000);

		ck_assert_uint_eq(qi_range_order(first, last), order_slow(first, last));
	}
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("descriptors");

	tcase_add_test(c, fields);
	tcase_add_test(c, device_tlb_sizes);
	tcase_add_test(c, range_orders);
	return test_run("qi_desc", c, NULL);
}
