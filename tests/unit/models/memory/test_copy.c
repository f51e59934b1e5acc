/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_copy against copying through a host buffer. */
#include "support.h"

#include "models/memory/memory.h"
#include <string.h>

static struct sim sim;
static struct memory *mem;

static void setup(void)
{
	struct memory_params p;

	sim_init(&sim, FIDELITY_COUNTS, 1, 1);
	param_defaults(&memory_param_table, &p);
	mem = memory_new(&sim, &p);
	param_clear(&memory_param_table, &p);
}

static void teardown(void)
{
	memory_free(mem);
	sim_fini(&sim);
}

/* Pages that never got contents read as zeroes, and get none by receiving zeroes. */
START_TEST(untouched_pages_stay_untouched)
{
	uint8_t byte = 9, seen[2];

	memory_copy(mem, 0x200000, 0x100000, 3 * PAGE_SIZE);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_ptr_null(memory_peek(mem, 0x200000 + i * PAGE_SIZE));
	memory_write(mem, 0x101234, &byte, 1);
	memory_copy(mem, 0x200000, 0x100000, 3 * PAGE_SIZE);
	ck_assert_ptr_null(memory_peek(mem, 0x200000));
	ck_assert_ptr_nonnull(memory_peek(mem, 0x201000));
	ck_assert_ptr_null(memory_peek(mem, 0x202000));
	memory_read(mem, 0x201234, &seen[0], 1);
	ck_assert_uint_eq(seen[0], 9);
	/* Zeroes of an untouched page overwrite what was there. */
	memory_copy(mem, 0x201000, 0x300000, PAGE_SIZE);
	memory_read(mem, 0x201234, &seen[1], 1);
	ck_assert_uint_eq(seen[1], 0);
}
END_TEST

START_TEST(any_alignment)
{
	uint8_t host[16 * 4096], from[4 * 4096], back[4 * 4096];
	const phys_addr_t base = 0x400000;
	struct rng rng;

	memset(host, 0, sizeof(host));
	rng_init(&rng, test_seed(), "copy");
	for (unsigned i = 0; i < 2000; i++) {
		size_t len = 1 + rng_below(&rng, sizeof(from) - 1);
		size_t src = rng_below(&rng, sizeof(host) / 2 - len), dst = sizeof(host) / 2;

		dst += rng_below(&rng, sizeof(host) / 2 - len);
		if (rng_below(&rng, 2)) {
			uint8_t fill = (uint8_t)rng_u64(&rng);
			size_t at = rng_below(&rng, sizeof(host));

			host[at] = fill;
			memory_write(mem, base + at, &fill, 1);
		}
		memory_copy(mem, base + dst, base + src, len);
		memcpy(from, host + src, len);
		memcpy(host + dst, from, len);
		memory_read(mem, base + dst, back, len);
		ck_assert_mem_eq(back, from, len);
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("copy");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, untouched_pages_stay_untouched);
	tcase_add_test(t, any_alignment);
	return test_run("memory copy", t, NULL);
}
