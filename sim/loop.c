/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: whose stack runs what comes next. */
#include "loop.h"

void cpu_resume(struct event *ev, sim_time_t now)
{
	(void)ev;
	(void)now;
	g_assert_not_reached();
}

void sim_loop(struct sim *s, struct fibre *self)
{
	for (;;) {
		sim_time_t now = event_peek_time(s->events);
		struct event *ev;
		struct fibre *to;

		if (now > s->horizon || now == SIM_TIME_NEVER) {
			if (self == s->main_fibre)
				return;
			to = s->main_fibre;
		} else {
			ev = event_pop(s->events, &now);
			s->now = now;
			if (ev->fn != cpu_resume) {
				s->events_run++;
				ev->fn(ev, now);
				continue;
			}
			to = container_of(ev, struct cpu, resume)->fibre;
		}
		if (to != self)
			fibre_switch(self, to);
		return;
	}
}

void sim_run_until(struct sim *s, sim_time_t t)
{
	struct cpu *outside = s->cpu;

	g_assert(!s->in_loop);
	s->in_loop = true;
	s->horizon = t;
	s->cpu = NULL;
	sim_loop(s, s->main_fibre);
	s->cpu = outside;
	s->in_loop = false;
}

void sim_advance(struct sim *s, sim_time_t t)
{
	if (event_peek_time(s->events) <= t)
		sim_run_until(s, t);
	if (t > s->now)
		s->now = t;
}

void sim_run(struct sim *s)
{
	sim_run_until(s, SIM_TIME_NEVER);
}
