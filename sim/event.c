/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event.h"
#include <stdlib.h>

#define EVENT_MIN_CAPACITY 64u

static const struct event_item unused = {SIM_TIME_NEVER, NULL};

static inline uint32_t first_child(uint32_t i)
{
	return 4 * (i - 2);
}

static inline uint32_t parent(uint32_t i)
{
	return i / 4 + 2;
}

static inline bool before(const struct event_item *a, const struct event_item *b)
{
	return a->time < b->time || (a->time == b->time && a->ev->order < b->ev->order);
}

static void event_queue_grow(struct event_queue *q, uint32_t capacity)
{
	struct event_item *items = aligned_alloc(64, capacity * sizeof(*items));

	g_assert(items);
	for (uint32_t i = 0; i < capacity; i++)
		items[i] = i < q->end && q->items ? q->items[i] : unused;
	free(q->items);
	q->items = items;
	q->capacity = capacity;
}

struct event_queue *event_queue_new(void)
{
	struct event_queue *q = g_new0(struct event_queue, 1);

	q->end = EVENT_ROOT;
	event_queue_grow(q, EVENT_MIN_CAPACITY);
	return q;
}

void event_queue_free(struct event_queue *q)
{
	if (!q)
		return;
	free(q->items);
	g_free(q);
}

static inline void place(struct event_item *items, uint32_t i, struct event_item x)
{
	items[i] = x;
	x.ev->heap_index = i;
}

static G_GNUC_NO_INLINE uint32_t first_of_ties(const struct event_item *x)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < 4; i++)
		if (x[i].ev && before(&x[i], &x[best]))
			best = i;
	return best;
}

/*
 * First of four siblings. Times alone decide without a branch; the events' orders are looked at only
 * when times tie. Unused siblings come last and lose every tie.
 */
static inline uint32_t first_of_four(const struct event_item *x)
{
	sim_time_t t0 = x[0].time, t1 = x[1].time, t2 = x[2].time, t3 = x[3].time;
	sim_time_t low = MIN(t0, t1), high = MIN(t2, t3), best = MIN(low, high);
	uint32_t i = high < low ? 2 + (t3 < t2) : t1 < t0;

	if (G_UNLIKELY((t0 == best) + (t1 == best) + (t2 == best) + (t3 == best) > 1))
		return first_of_ties(x);
	return i;
}

/* Move the hole at i up to where x belongs. */
static void sift_up(struct event_queue *q, uint32_t i, struct event_item x)
{
	struct event_item *items = q->items;

	while (i > EVENT_ROOT && before(&x, &items[parent(i)])) {
		place(items, i, items[parent(i)]);
		i = parent(i);
	}
	place(items, i, x);
}

/* Move the hole at i down to where x belongs. */
static void sift_down(struct event_queue *q, uint32_t i, struct event_item x)
{
	struct event_item *items = q->items;
	uint32_t c;

	while ((c = first_child(i)) < q->end) {
		c += first_of_four(&items[c]);
		if (before(&x, &items[c]))
			break;
		place(items, i, items[c]);
		i = c;
	}
	place(items, i, x);
}

/* Fill the hole at i with the last element: down to a leaf first, as it nearly always belongs there. */
static void close_hole(struct event_queue *q, uint32_t i)
{
	struct event_item *items = q->items, x = items[--q->end];
	uint32_t c;

	items[q->end] = unused;
	if (i == q->end)
		return;
	while ((c = first_child(i)) < q->end) {
		c += first_of_four(&items[c]);
		place(items, i, items[c]);
		i = c;
	}
	sift_up(q, i, x);
}

void event_queue_settle(struct event_queue *q)
{
	q->hole = false;
	close_hole(q, EVENT_ROOT);
}

void event_push_at(struct event_queue *q, struct event *ev, sim_time_t time, event_order_t order)
{
	struct event_item x = {time, ev};

	g_assert(!event_is_scheduled(ev));
	ev->order = order;
	if (q->hole) {
		q->hole = false;
		sift_down(q, EVENT_ROOT, x);
		return;
	}
	if (q->end == q->capacity)
		event_queue_grow(q, 2 * q->capacity);
	sift_up(q, q->end++, x);
}

void event_push(struct event_queue *q, struct event *ev, sim_time_t time)
{
	event_push_at(q, ev, time, event_order(q, ev->priority));
}

struct event *event_pop(struct event_queue *q, sim_time_t *time)
{
	struct event *ev = event_peek(q);

	if (!ev)
		return NULL;
	*time = q->items[EVENT_ROOT].time;
	ev->heap_index = 0;
	q->hole = true;
	return ev;
}

bool event_cancel(struct event_queue *q, struct event *ev)
{
	if (!event_is_scheduled(ev))
		return false;
	if (q->hole)
		event_queue_settle(q);
	/* Closing a hole below the root may have to move its filler above i: sift_up() does. */
	close_hole(q, ev->heap_index);
	ev->heap_index = 0;
	return true;
}
