/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dmasim/event.h>
#include <stdlib.h>

#define EVENT_MIN_CAPACITY 64u

static const struct event_key event_key_max = {UINT64_MAX, UINT64_MAX};

/* One 128-bit comparison; compiles to cmp and sbb without a branch. */
__extension__ typedef unsigned __int128 event_wide_t;

static inline event_wide_t wide(const struct event_key *k)
{
	return (event_wide_t)k->time << 64 | k->order;
}

static inline uint32_t first_child(uint32_t i)
{
	return 4 * (i - 2);
}

static inline uint32_t parent(uint32_t i)
{
	return i / 4 + 2;
}

static void event_queue_grow(struct event_queue *q, uint32_t capacity)
{
	struct event_key *keys = aligned_alloc(64, capacity * sizeof(*keys));

	g_assert(keys);
	for (uint32_t i = 0; i < capacity; i++)
		keys[i] = i < q->end && q->keys ? q->keys[i] : event_key_max;
	free(q->keys);
	q->keys = keys;
	q->events = g_renew(struct event *, q->events, capacity);
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
	free(q->keys);
	g_free(q->events);
	g_free(q);
}

static inline void place(struct event_queue *q, uint32_t i, struct event_key key, struct event *ev)
{
	q->keys[i] = key;
	q->events[i] = ev;
	ev->heap_index = i;
}

static void sift_up(struct event_queue *q, uint32_t i, struct event_key key, struct event *ev)
{
	event_wide_t w = wide(&key);

	while (i > EVENT_ROOT) {
		uint32_t p = parent(i);

		if (wide(&q->keys[p]) <= w)
			break;
		place(q, i, q->keys[p], q->events[p]);
		i = p;
	}
	place(q, i, key, ev);
}

/* Elements past the end hold the largest key, so a node with any child is compared with all four. */
static void sift_down(struct event_queue *q, uint32_t i, struct event_key key, struct event *ev)
{
	event_wide_t w = wide(&key);

	for (;;) {
		uint32_t c = first_child(i), low, high;
		const struct event_key *k = &q->keys[c];

		if (c >= q->end)
			break;
		low = wide(&k[1]) < wide(&k[0]) ? 1 : 0;
		high = wide(&k[3]) < wide(&k[2]) ? 3 : 2;
		if (wide(&k[high]) < wide(&k[low]))
			low = high;
		if (w <= wide(&k[low]))
			break;
		place(q, i, k[low], q->events[c + low]);
		i = c + low;
	}
	place(q, i, key, ev);
}

void event_push_at(struct event_queue *q, struct event *ev, sim_time_t time, event_order_t order)
{
	g_assert(!event_is_scheduled(ev));
	if (q->end == q->capacity)
		event_queue_grow(q, 2 * q->capacity);
	sift_up(q, q->end++, (struct event_key){time, order}, ev);
}

void event_push(struct event_queue *q, struct event *ev, sim_time_t time)
{
	event_push_at(q, ev, time, event_order(q, ev->priority));
}

static void event_remove(struct event_queue *q, uint32_t i)
{
	uint32_t last = --q->end;
	struct event_key key = q->keys[last];
	struct event *ev = q->events[last];

	q->events[i]->heap_index = 0;
	q->keys[last] = event_key_max;
	if (i == last)
		return;
	if (i > EVENT_ROOT && wide(&key) < wide(&q->keys[parent(i)]))
		sift_up(q, i, key, ev);
	else
		sift_down(q, i, key, ev);
}

struct event *event_pop(struct event_queue *q, sim_time_t *time)
{
	struct event *ev = event_peek(q);

	if (!ev)
		return NULL;
	*time = q->keys[EVENT_ROOT].time;
	event_remove(q, EVENT_ROOT);
	return ev;
}

bool event_cancel(struct event_queue *q, struct event *ev)
{
	if (!event_is_scheduled(ev))
		return false;
	event_remove(q, ev->heap_index);
	return true;
}
