/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event heap against a list that is searched from end to end. */
#include "support.h"

#include "sim/event.h"
#include "sim/rng.h"

enum { EVENTS = 700 };

struct listed {
	struct event ev;
	sim_time_t time;
	uint64_t sequence;
	bool in;
};

struct list {
	struct listed items[EVENTS];
	uint64_t sequence;
	unsigned count;
};

static struct listed *list_first(struct list *l)
{
	struct listed *best = NULL;

	for (unsigned i = 0; i < EVENTS; i++) {
		struct listed *e = &l->items[i];

		if (!e->in)
			continue;
		if (!best || e->time < best->time ||
		    (e->time == best->time &&
		     (e->ev.priority < best->ev.priority ||
		      (e->ev.priority == best->ev.priority && e->sequence < best->sequence))))
			best = e;
	}
	return best;
}

static void fn(struct event *ev, sim_time_t now)
{
	(void)ev;
	(void)now;
}

START_TEST(heap_equals_list)
{
	static const unsigned targets[] = {3, 40, 650};
	struct list *l = g_new0(struct list, 1);
	struct event_queue *q = event_queue_new();
	uint64_t n = test_scale(200000), seed = test_seed();
	sim_time_t now = 0;
	struct rng r;

	g_printerr("seed %" G_GUINT64_FORMAT "\n", seed);
	rng_init(&r, seed, "event queue");
	for (unsigned i = 0; i < EVENTS; i++)
		l->items[i].ev.fn = fn;
	for (uint64_t i = 0; i < n; i++) {
		struct listed *e = &l->items[rng_below(&r, EVENTS)], *first = list_first(l);
		bool push = rng_below(&r, 100) < (l->count < targets[i * 9 / n % 3] ? 60 : 40);

		ck_assert_uint_eq(event_queue_size(q), l->count);
		ck_assert_uint_eq(event_peek_time(q), first ? first->time : SIM_TIME_NEVER);
		if (push && !e->in) {
			/* Few distinct times, so that ties are common. */
			e->time = now + rng_below(&r, 1 + rng_below(&r, 50));
			e->ev.priority = (uint32_t)rng_below(&r, 3);
			e->sequence = l->sequence++;
			e->in = true;
			l->count++;
			event_push(q, &e->ev, e->time);
		} else if (rng_below(&r, 5) == 0) {
			ck_assert_int_eq(event_cancel(q, &e->ev), e->in);
			l->count -= e->in;
			e->in = false;
		} else {
			struct event *ev = event_pop(q, &now);

			ck_assert_ptr_eq(ev, first ? &first->ev : NULL);
			if (first) {
				ck_assert_uint_eq(now, first->time);
				first->in = false;
				l->count--;
			}
		}
	}
	event_queue_free(q);
	g_free(l);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("event queue");

	tcase_set_timeout(t, 300);
	tcase_add_test(t, heap_equals_list);
	return test_run("event queue", t, NULL);
}
