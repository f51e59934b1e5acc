/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "sim/event.h"

static void nothing(struct event *ev, sim_time_t now)
{
	(void)ev;
	(void)now;
}

struct place {
	sim_time_t time;
	uint32_t priority;
	char name;
};

/* Pop everything; the names in order of popping. */
static char *drain(struct event_queue *q, const struct event *events, const struct place *places, size_t n)
{
	char *out = g_new0(char, n + 1);
	struct event *ev;
	sim_time_t now;

	for (size_t i = 0; (ev = event_pop(q, &now)); i++) {
		const struct place *p = &places[ev - events];

		ck_assert_uint_lt(i, n);
		ck_assert_uint_eq(now, p->time);
		ck_assert(!event_is_scheduled(ev));
		out[i] = p->name;
	}
	return out;
}

START_TEST(orders_by_time_then_priority_then_scheduling)
{
	static const struct place places[] = {
	    {20, EVENT_TIMER, 'f'}, {20, EVENT_CPU, 'd'}, {10, EVENT_TIMER, 'b'},   {20, EVENT_HARDWARE, 'c'},
	    {20, EVENT_CPU, 'e'},   {0, EVENT_CPU, 'a'},  {UINT64_MAX - 1, 0, 'g'},
	};
	struct event events[G_N_ELEMENTS(places)];
	struct event_queue *q = event_queue_new();
	g_autofree char *order = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		events[i] = (struct event){.fn = nothing, .priority = places[i].priority};
		event_push(q, &events[i], places[i].time);
	}
	ck_assert_uint_eq(event_queue_size(q), G_N_ELEMENTS(places));
	ck_assert_uint_eq(event_peek_time(q), 0);
	ck_assert_ptr_eq(event_peek(q), &events[5]);
	order = drain(q, events, places, G_N_ELEMENTS(places));
	ck_assert_str_eq(order, "abcdefg");
	event_queue_free(q);
}
END_TEST

/* Distinct (time, priority): no insertion order may change what comes out. All 7! orders. */
START_TEST(insertion_order_does_not_matter)
{
	static const struct place places[] = {{5, 0, 'a'}, {5, 1, 'b'}, {5, 2, 'c'}, {6, 0, 'd'},
					      {6, 1, 'e'}, {7, 2, 'f'}, {9, 0, 'g'}};
	enum { N = G_N_ELEMENTS(places) };
	unsigned permutation[N], counters[N] = {0}, tried = 0;
	struct event events[N];
	struct event_queue *q = event_queue_new();

	for (unsigned i = 0; i < N; i++)
		permutation[i] = i;
	for (unsigned i = 0;;) {
		g_autofree char *order = NULL;

		for (unsigned k = 0; k < N; k++) {
			unsigned e = permutation[k];

			events[e] = (struct event){.fn = nothing, .priority = places[e].priority};
			event_push(q, &events[e], places[e].time);
		}
		order = drain(q, events, places, N);
		ck_assert_str_eq(order, "abcdefg");
		tried++;
		/* Heap's algorithm, next permutation. */
		while (i < N && counters[i] >= i)
			counters[i++] = 0;
		if (i == N)
			break;
		unsigned other = i & 1 ? counters[i] : 0, keep = permutation[i];

		permutation[i] = permutation[other];
		permutation[other] = keep;
		counters[i]++;
		i = 0;
	}
	ck_assert_uint_eq(tried, 5040);
	event_queue_free(q);
}
END_TEST

START_TEST(cancel_removes_exactly_one)
{
	struct event a = {.fn = nothing}, b = a, c = a;
	struct event_queue *q = event_queue_new();
	sim_time_t now;

	ck_assert(!event_cancel(q, &a));
	event_push(q, &a, 1);
	event_push(q, &b, 2);
	event_push(q, &c, 3);
	ck_assert(event_cancel(q, &a));
	ck_assert(!event_is_scheduled(&a));
	ck_assert(!event_cancel(q, &a));
	ck_assert(event_cancel(q, &c));
	ck_assert_ptr_eq(event_pop(q, &now), &b);
	ck_assert_ptr_null(event_pop(q, &now));
	ck_assert_uint_eq(event_peek_time(q), SIM_TIME_NEVER);
	event_queue_free(q);
}
END_TEST

START_TEST(a_place_drawn_earlier_is_kept)
{
	struct event a = {.fn = nothing, .priority = EVENT_CPU}, b = a;
	struct event_queue *q = event_queue_new();
	event_order_t order = event_order(q, EVENT_CPU);
	sim_time_t now;

	event_push(q, &b, 7);
	ck_assert(!event_first_before(q, 7, order));
	ck_assert(event_first_before(q, 8, order));
	ck_assert(event_first_before(q, 7, event_order(q, EVENT_CPU)));
	event_push_at(q, &a, 7, order);
	ck_assert_ptr_eq(event_pop(q, &now), &a);
	ck_assert_ptr_eq(event_pop(q, &now), &b);
	event_queue_free(q);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("event");

	tcase_add_test(t, orders_by_time_then_priority_then_scheduling);
	tcase_add_test(t, insertion_order_does_not_matter);
	tcase_add_test(t, cancel_removes_exactly_one);
	tcase_add_test(t, a_place_drawn_earlier_is_kept);
	return test_run("event", t, NULL);
}
