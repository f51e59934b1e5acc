/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event queue with a total order: earliest time first, then lowest priority number, then order of
 * scheduling. Equal scenario and seed therefore give equal bytes on every machine.
 *
 * Events are embedded in the object that waits (no allocation per event). The queue is an array
 * heap: its only memory is one array of keys that grows by doubling.
 */
#ifndef DMASIM_EVENT_H
#define DMASIM_EVENT_H

#include <dmasim/types.h>

struct event;
typedef void (*event_fn)(struct event *ev, sim_time_t now);

struct event {
	event_fn fn;
	uint32_t heap_index; /* position in the heap + 1, 0 when not scheduled */
	uint32_t priority;   /* see enum event_priority */
};

/* At one instant hardware acts before software sees it; timers come last. */
enum event_priority {
	EVENT_HARDWARE = 0,
	EVENT_CPU = 1,
	EVENT_TIMER = 2,
};

struct event_queue;

struct event_queue *event_queue_new(void);
void event_queue_free(struct event_queue *q);
/* Schedule ev at time; ev must not be scheduled. ev->fn and ev->priority must be set. */
void event_push(struct event_queue *q, struct event *ev, sim_time_t time);
/* Earliest time, SIM_TIME_NEVER when empty. */
sim_time_t event_peek_time(const struct event_queue *q);
/* Remove and return the first event, its time in *time; NULL when empty. */
struct event *event_pop(struct event_queue *q, sim_time_t *time);
/* Remove ev if it is scheduled; returns whether it was. */
bool event_cancel(struct event_queue *q, struct event *ev);
static inline bool event_is_scheduled(const struct event *ev)
{
	return ev->heap_index != 0;
}
size_t event_queue_size(const struct event_queue *q);

#endif
