/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "sim/slab.h"
#include <string.h>

/* Blocks of one class come back last in, first out; blocks of another class never. */
START_TEST(recycles_by_class)
{
	struct slab s = {{NULL}};
	void *a = slab_alloc(&s, 100), *b = slab_alloc(&s, 128), *c;

	slab_free(&s, a, 100);
	slab_free(&s, b, 128);
	ck_assert_ptr_eq(slab_alloc(&s, 65), b);
	ck_assert_ptr_eq(slab_alloc(&s, 100), a);
	slab_free(&s, a, 100);
	c = slab_alloc(&s, 129);
	ck_assert_ptr_ne(c, a);
	slab_free(&s, c, 129);
	slab_free(&s, b, 65);
	slab_free(&s, NULL, 100);
	slab_fini(&s);
	for (unsigned i = 0; i < G_N_ELEMENTS(s.free); i++)
		ck_assert_ptr_null(s.free[i]);
}
END_TEST

/* Every size up to a page, and one above the largest class, can be written to its last byte. */
START_TEST(blocks_are_large_enough)
{
	struct slab s = {{NULL}};
	size_t huge = ((size_t)1 << SLAB_MAX_LG2) + 1;
	char *p;

	for (size_t n = 1; n <= 4096; n++) {
		p = slab_alloc(&s, n);
		memset(p, (int)n, n);
		slab_free(&s, p, n);
	}
	p = slab_alloc(&s, huge);
	memset(p, 1, huge);
	slab_free(&s, p, huge);
	slab_fini(&s);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("slab");

	tcase_add_test(t, recycles_by_class);
	tcase_add_test(t, blocks_are_large_enough);
	return test_run("slab", t, NULL);
}
