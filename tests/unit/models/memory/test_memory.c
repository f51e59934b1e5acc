/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address map and contents. */
#include "support.h"

#include <string.h>

static struct sim sim;
static struct memory *m;

static void start(uint64_t size, uint64_t nodes)
{
	struct memory_params p;

	param_defaults(&memory_param_table, &p);
	p.size = size;
	p.nodes = nodes;
	sim_init(&sim, FIDELITY_COUNTS, 1, test_seed());
	m = memory_new(&sim, &p);
}

static void stop(void)
{
	memory_free(m);
	sim_fini(&sim);
}

START_TEST(address_map)
{
	int owner;
	phys_addr_t base = 0;

	start(8 * GIB, 1);
	memory_add_bar(m, 0xc0000000, MIB, MEMORY_MMIO, &owner);
	memory_add_bar(m, 0x380000000000, 16 * GIB, MEMORY_P2P, &owner);
	memory_add_bar(m, 0xb0000000, MIB, MEMORY_MMIO, NULL);
	ck_assert_uint_eq(memory_max(m), 10 * GIB - 1); /* 2 GiB below the hole, 6 above 4 GiB */
	ck_assert_int_eq(memory_kind(m, 0), MEMORY_RAM);
	ck_assert_int_eq(memory_kind(m, 2 * GIB - 1), MEMORY_RAM);
	ck_assert_int_eq(memory_kind(m, 2 * GIB), MEMORY_NONE);
	ck_assert_int_eq(memory_kind(m, 0xc0000000), MEMORY_MMIO);
	ck_assert_int_eq(memory_kind(m, 0xc00fffff), MEMORY_MMIO);
	ck_assert_int_eq(memory_kind(m, 0xc0100000), MEMORY_NONE);
	ck_assert_int_eq(memory_kind(m, 4 * GIB - 1), MEMORY_NONE);
	ck_assert_int_eq(memory_kind(m, 4 * GIB), MEMORY_RAM);
	ck_assert_int_eq(memory_kind(m, 10 * GIB - 1), MEMORY_RAM);
	ck_assert_int_eq(memory_kind(m, 10 * GIB), MEMORY_NONE);
	ck_assert_int_eq(memory_kind(m, 0x380000000000 + 16 * GIB - 1), MEMORY_P2P);
	ck_assert_int_eq(memory_kind(m, UINT64_MAX), MEMORY_NONE);
	ck_assert_ptr_eq(memory_bar_owner(m, 0x380000001234, &base), &owner);
	ck_assert_uint_eq(base, 0x380000000000);
	ck_assert_ptr_null(memory_bar_owner(m, 0x1000, NULL));
	ck_assert_ptr_null(memory_ptr(m, 2 * GIB));
	stop();
}
END_TEST

/* Random writes against a plain array, in RAM on both sides of the hole and in a BAR. */
START_TEST(contents_equal_array)
{
	static const phys_addr_t bases[] = {16 * MIB - 64 * KIB, 4 * GIB, 0x380000000000};
	uint8_t *model = g_malloc0(3 * 128 * KIB), buffer[9000];
	struct rng rng;

	start(8 * GIB, 1);
	memory_add_bar(m, 0x380000000000, MIB, MEMORY_P2P, NULL);
	rng_init(&rng, test_seed(), "memory");
	for (uint64_t i = 0; i < test_scale(5000); i++) {
		unsigned b = (unsigned)rng_below(&rng, 3);
		size_t len = 1 + rng_below(&rng, sizeof(buffer)), at = rng_below(&rng, 128 * KIB - len);

		if (rng_below(&rng, 2)) {
			for (size_t k = 0; k < len; k++)
				buffer[k] = (uint8_t)rng_u64(&rng);
			memory_write(m, bases[b] + at, buffer, len);
			memcpy(model + b * 128 * KIB + at, buffer, len);
		} else if (rng_below(&rng, 20) == 0) {
			at &= ~(size_t)4095;
			memory_drop(m, bases[b] + at);
			memset(model + b * 128 * KIB + at, 0, 4096);
		} else {
			memory_read(m, bases[b] + at, buffer, len);
			ck_assert_mem_eq(buffer, model + b * 128 * KIB + at, len);
		}
	}
	g_free(model);
	stop();
}
END_TEST

START_TEST(reading_gives_no_contents)
{
	uint8_t byte = 1;

	start(8 * GIB, 1);
	memory_read(m, 0x5000, &byte, 1);
	ck_assert_uint_eq(byte, 0);
	ck_assert_ptr_null(memory_peek(m, 0x5000));
	ck_assert_ptr_nonnull(memory_ptr(m, 0x5000));
	ck_assert_ptr_eq(memory_peek(m, 0x5678), memory_ptr(m, 0x5678));
	stop();
}
END_TEST

/* A page that was freed comes back empty. */
START_TEST(freed_pages_lose_contents)
{
	phys_addr_t a;
	uint64_t *word;

	start(64 * MIB, 1);
	for (unsigned i = 0; i < 1000; i++) {
		a = memory_alloc_pages(m, 0, 0);
		word = memory_ptr(m, a);
		ck_assert_uint_eq(*word, 0);
		*word = UINT64_MAX;
		memory_free_pages(m, a, 0);
		ck_assert_ptr_null(memory_peek(m, a));
	}
	stop();
}
END_TEST

START_TEST(nodes_share_equally)
{
	start(8 * GIB, 4);
	ck_assert_uint_eq(memory_node(m, 0), 0);
	ck_assert_uint_eq(memory_node(m, 2 * GIB - 1), 0);
	ck_assert_uint_eq(memory_node(m, 4 * GIB), 1);
	ck_assert_uint_eq(memory_node(m, 6 * GIB), 2);
	ck_assert_uint_eq(memory_node(m, 10 * GIB - 1), 3);
	stop();
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("memory");

	tcase_add_test(c, address_map);
	tcase_add_test(c, contents_equal_array);
	tcase_add_test(c, reading_gives_no_contents);
	tcase_add_test(c, freed_pages_lose_contents);
	tcase_add_test(c, nodes_share_equally);
	return test_run("memory", c, NULL);
}
