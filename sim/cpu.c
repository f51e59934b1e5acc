/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop.h"

void cpu_init(struct cpu *c)
{
	c->resume.fn = cpu_resume;
	c->resume.priority = EVENT_CPU;
}

/* No code ran between the CPU's clock and t. In counts fidelity t may be earlier: the trace's time. */
static void cpu_idle_until(struct cpu *c, sim_time_t t)
{
	c->idle += t - c->now;
	c->now = t;
}

void cpu_block(struct cpu *c)
{
	c->sim->cpu = NULL;
	sim_loop(c->sim, c->fibre);
	c->sim->cpu = c;
}

/*
 * Hardware events that come first run right here, on this CPU's stack; only when another CPU is due
 * (or the loop's caller wants no more) does this one give up its turn, keeping its place in the order.
 */
void cpu_sync_slow(struct cpu *c)
{
	struct sim *s = c->sim;
	event_order_t order;

	g_assert(s->cpu == c && c->running);
	if (event_peek_time(s->events) > c->now && c->now <= s->horizon) {
		if (c->now > s->now)
			s->now = c->now;
		return;
	}
	order = event_order(s->events, EVENT_CPU);
	s->cpu = NULL;
	while (c->now <= s->horizon && event_first_before(s->events, c->now, order)) {
		struct event *ev = event_peek(s->events);

		if (ev->fn == cpu_resume)
			break;
		event_pop(s->events, &s->now);
		s->events_run++;
		ev->fn(ev, s->now);
	}
	if (c->now > s->horizon || event_first_before(s->events, c->now, order)) {
		event_push_at(s->events, &c->resume, c->now, order);
		sim_loop(s, c->fibre);
	}
	s->cpu = c;
	if (c->now > s->now)
		s->now = c->now;
}

/* Earliest work at or before the CPU's clock once everything earlier has happened, NULL if none. */
static struct cpu_work *cpu_next_work(struct cpu *c)
{
	struct cpu_work *w = c->works;

	if (w && w->ready <= c->now) {
		c->running = true;
		cpu_sync_slow(c);
		w = c->works;
		c->works = w->next;
		return w;
	}
	if (w)
		event_push(c->sim->events, &c->resume, w->ready);
	cpu_block(c);
	if (c->sim->now > c->now)
		cpu_idle_until(c, c->sim->now);
	return NULL;
}

static void cpu_main(void *arg)
{
	struct cpu *c = arg;

	c->sim->cpu = c;
	for (;;) {
		struct cpu_work *w = cpu_next_work(c);

		if (w) {
			c->sim->events_run++;
			w->fn(w, c);
		}
		c->running = false;
	}
}

/* Counts: the work runs at once, inside the code of the current CPU if there is one. */
static void cpu_run_now(struct cpu *c, struct cpu_work *w, sim_time_t at)
{
	struct sim *s = c->sim;
	struct cpu *outer = s->cpu;
	bool nested = c->running;

	if (!nested)
		cpu_idle_until(c, at > s->now ? at : s->now);
	s->cpu = c;
	c->running = true;
	w->fn(w, c);
	c->running = nested;
	s->cpu = outer;
}

void cpu_post(struct cpu *c, struct cpu_work *w, sim_time_t at)
{
	struct sim *s = c->sim;
	struct cpu_work **link = &c->works;

	if (!s->timing) {
		cpu_run_now(c, w, at);
		return;
	}
	w->ready = at > s->now ? at : s->now;
	/* Most come in the order in which they run. */
	if (*link && c->last_work->ready <= w->ready)
		link = &c->last_work->next;
	while (*link && (*link)->ready <= w->ready)
		link = &(*link)->next;
	w->next = *link;
	*link = w;
	if (!w->next)
		c->last_work = w;
	if (!c->fibre)
		c->fibre = fibre_new(cpu_main, c);
	/* A CPU between works waits for its first one: move its turn forward if this is it. */
	if (!c->running && c->works == w) {
		event_cancel(s->events, &c->resume);
		event_push(s->events, &c->resume, w->ready > c->now ? w->ready : c->now);
	}
}

struct run_work {
	struct cpu_work work;
	void (*fn)(void *arg);
	void *arg;
	bool done;
};

static void run_work(struct cpu_work *w, struct cpu *c)
{
	struct run_work *r = (struct run_work *)w;

	r->fn(r->arg);
	r->done = true;
	c->sim->horizon = 0; /* back to whoever called cpu_run() */
}

void cpu_run(struct cpu *c, void (*fn)(void *arg), void *arg)
{
	struct sim *s = c->sim;
	struct run_work r = {.work = {.fn = run_work}, .fn = fn, .arg = arg};

	if (s->timing && c->running && s->cpu == c) {
		fn(arg);
		return;
	}
	cpu_post(c, &r.work, s->now);
	if (!s->timing)
		return;
	sim_run_until(s, SIM_TIME_NEVER);
	g_assert(r.done);
}
