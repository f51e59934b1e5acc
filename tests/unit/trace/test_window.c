/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sorting window against a stable sort, the table of open requests against a list. */
#include "support.h"
#include "trace/pairs.h"

#include "sim/rng.h"

START_TEST(test_sorts)
{
	struct window *w = window_new(500, 64);
	struct rng rng;
	uint64_t last_time = 0, last_where = 0, out = 0, in = 0;
	struct held *h;

	rng_init(&rng, test_seed(), "window");
	for (unsigned i = 0; i < 20000 || window_count(w);) {
		if (i < 20000 && !window_ready(w, false)) {
			uint64_t base = i * 20;

			h = window_slot(w);
			/* Up to 25 records late, never later than the window holds. */
			h->rec.time_ns = (base > 500 ? base - rng_below(&rng, 500) : base) / 16 * 16;
			h->rec.where = ++i;
			for (unsigned k = 0; k < i % 5; k++)
				held_segment(h, i, k + 1, 0, 0);
			ck_assert_int_ne(window_push(w, h), WINDOW_TOO_LATE);
			in++;
			continue;
		}
		h = window_take(w);
		ck_assert_uint_ge(h->rec.time_ns, last_time);
		/* Ties keep the order of arrival. */
		if (h->rec.time_ns == last_time && out > 0)
			ck_assert_uint_gt(h->rec.where, last_where);
		last_time = h->rec.time_ns;
		last_where = h->rec.where;
		ck_assert_uint_eq(h->rec.nsegs, h->rec.where % 5);
		for (unsigned k = 0; k < h->rec.nsegs; k++)
			ck_assert(h->rec.segs[k].phys == h->rec.where && h->rec.segs[k].len == k + 1);
		out++;
	}
	ck_assert_uint_eq(in, out);
	ck_assert_ptr_null(window_take(w));
	window_free(w);
}
END_TEST

/* A request that waits for its completion holds back the ones behind it, up to the bound. */
START_TEST(test_pending)
{
	struct window *w = window_new(10, 8);
	struct held *first = window_slot(w);

	first->pending = true;
	window_push(w, first);
	for (unsigned i = 1; i < 7; i++) {
		struct held *h = window_slot(w);

		h->rec.time_ns = i * 1000;
		window_push(w, h);
		ck_assert(!window_ready(w, false));
	}
	first->pending = false;
	ck_assert(window_ready(w, false));
	first->pending = true;
	window_push(w, window_slot(w)); /* at time 0, behind the first: full */
	ck_assert(window_ready(w, false));
	ck_assert_ptr_eq(window_take(w), first);
	ck_assert(first->unfinished);
	window_free(w);
}
END_TEST

START_TEST(test_too_late)
{
	struct window *w = window_new(0, 4);
	struct held *h = window_slot(w);

	h->rec.time_ns = 100;
	window_push(w, h);
	window_take(w);
	h = window_slot(w);
	h->rec.time_ns = 99;
	ck_assert_int_eq(window_push(w, h), WINDOW_TOO_LATE);
	h->rec.time_ns = 100;
	ck_assert_int_eq(window_push(w, h), WINDOW_IN_ORDER);
	window_free(w);
}
END_TEST

START_TEST(test_pairs)
{
	struct window *w = window_new(UINT64_MAX, 100000);
	GPtrArray *live = g_ptr_array_new();
	struct pairs p;
	struct rng rng;

	rng_init(&rng, test_seed(), "pairs");
	pairs_init(&p);
	for (unsigned i = 0; i < 50000; i++) {
		if (live->len < 2000 && rng_below(&rng, 2)) {
			struct held *h = window_slot(w);

			h->rec.where = i;
			window_push(w, h);
			pairs_add(&p, i % 3000 * 4096 + i / 3000, h);
			g_ptr_array_add(live, h);
		} else if (live->len) {
			unsigned k = (unsigned)rng_below(&rng, live->len);
			struct held *h = live->pdata[k];
			uint64_t key = h->rec.where % 3000 * 4096 + h->rec.where / 3000;

			ck_assert_ptr_eq(pairs_take(&p, key), h);
			ck_assert_ptr_null(pairs_take(&p, key));
			g_ptr_array_remove_index_fast(live, k);
		}
	}
	for (unsigned k = 0; k < live->len; k++) {
		struct held *h = live->pdata[k];

		ck_assert_ptr_eq(pairs_take(&p, h->rec.where % 3000 * 4096 + h->rec.where / 3000), h);
	}
	ck_assert_uint_eq(p.used, 0);
	pairs_fini(&p);
	g_ptr_array_free(live, TRUE);
	window_free(w);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("window");

	tcase_add_test(tc, test_sorts);
	tcase_add_test(tc, test_pending);
	tcase_add_test(tc, test_too_late);
	tcase_add_test(tc, test_pairs);
	return test_run("sorting window", tc, NULL);
}
