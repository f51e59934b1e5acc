/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event queue with a total order: earliest time first, then lowest priority number, then order of
 * scheduling. Equal scenario and seed therefore give equal bytes on every machine.
 *
 * Events are embedded in the object that waits (no allocation per event). The queue is an array
 * heap: its only memory is one array of keys that grows by doubling.
 */
#ifndef DMASIM_SIM_EVENT_H
#define DMASIM_SIM_EVENT_H

#include <dmasim/types.h>

struct event;
typedef void (*event_fn)(struct event *ev, sim_time_t now);

/* Place in the total order at one instant: priority in the top bits, then order of scheduling. */
typedef uint64_t event_order_t;
#define EVENT_ORDER_SHIFT 60

struct event {
	event_fn fn;
	uint32_t heap_index; /* element of the heap, 0 when not scheduled */
	uint32_t priority;   /* see enum event_priority */
	event_order_t order; /* set when scheduled */
};

/* At one instant hardware acts before software sees it; timers come last. */
enum event_priority {
	EVENT_HARDWARE = 0,
	EVENT_CPU = 1,
	EVENT_TIMER = 2,
};

/*
 * 4-ary array heap. The root is element 3, so that four children share one cache line; unused
 * elements hold the largest time. A pop leaves a hole at the root, which the next push fills: an
 * event that schedules its successor costs one pass over the heap instead of two. Members are private
 * to sim/event.c and the inlines below.
 */
#define EVENT_ROOT 3u
struct event_queue {
	struct event_item {
		sim_time_t time;
		struct event *ev;
	} * items;
	uint32_t end;      /* one past the last used element */
	uint32_t capacity; /* elements allocated, a multiple of 4 */
	bool hole;         /* the root has been popped */
	uint64_t sequence; /* of the next event */
};

struct event_queue *event_queue_new(void);
void event_queue_free(struct event_queue *q);
/* Schedule ev at time; ev must not be scheduled. ev->fn and ev->priority must be set. */
void event_push(struct event_queue *q, struct event *ev, sim_time_t time);
/* Draw the place that an event scheduled now would get; push it later, if at all. */
static inline event_order_t event_order(struct event_queue *q, uint32_t priority)
{
	return (event_order_t)priority << EVENT_ORDER_SHIFT | q->sequence++;
}
/* Schedule ev at a place drawn before. */
void event_push_at(struct event_queue *q, struct event *ev, sim_time_t time, event_order_t order);
/* Close the hole that a pop has left. */
void event_queue_settle(struct event_queue *q);
/* Earliest time, SIM_TIME_NEVER when empty. */
static inline sim_time_t event_peek_time(struct event_queue *q)
{
	if (q->hole)
		event_queue_settle(q);
	return q->items[EVENT_ROOT].time;
}
/* First event, NULL when empty. */
static inline struct event *event_peek(struct event_queue *q)
{
	if (q->hole)
		event_queue_settle(q);
	return q->items[EVENT_ROOT].ev;
}
/* Is the first event before this place? */
static inline bool event_first_before(struct event_queue *q, sim_time_t time, event_order_t order)
{
	sim_time_t first = event_peek_time(q);

	return first < time || (first == time && q->items[EVENT_ROOT].ev->order < order);
}
/* Remove and return the first event, its time in *time; NULL when empty. */
struct event *event_pop(struct event_queue *q, sim_time_t *time);
/* Remove ev if it is scheduled; returns whether it was. */
bool event_cancel(struct event_queue *q, struct event *ev);
static inline bool event_is_scheduled(const struct event *ev)
{
	return ev->heap_index != 0;
}
static inline size_t event_queue_size(const struct event_queue *q)
{
	return q->end - EVENT_ROOT - q->hole;
}

#endif
