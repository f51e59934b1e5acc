/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop.h"

void sim_init(struct sim *s, enum fidelity f, unsigned ncpus, uint64_t seed)
{
	g_assert(ncpus > 0);
	*s = (struct sim){
	    .fidelity = f,
	    .timing = f == FIDELITY_TIMING,
	    .seed = seed,
	    .events = event_queue_new(),
	    .cpus = g_new0(struct cpu, ncpus),
	    .ncpus = ncpus,
	};
	for (unsigned i = 0; i < ncpus; i++) {
		s->cpus[i].sim = s;
		s->cpus[i].id = i;
		cpu_init(&s->cpus[i]);
	}
	s->cpu = s->cpus;
	if (s->timing)
		s->main_fibre = fibre_new_main();
	for (unsigned i = 0; i < COST_COUNT; i++)
		s->cost[i] = (sim_time_t)(cost_info[i].default_ns * SIM_NS + 0.5);
}

void sim_fini(struct sim *s)
{
	for (unsigned i = 0; i < s->ncpus; i++)
		fibre_free(s->cpus[i].fibre);
	fibre_free(s->main_fibre);
	event_queue_free(s->events);
	g_free(s->cpus);
	slab_fini(&s->slab);
	*s = (struct sim){0};
}

void sim_abandon(struct sim *s)
{
	sim_time_t at;

	/* Events lie in what is about to be freed. */
	while (event_peek_time(s->events) != SIM_TIME_NEVER)
		event_pop(s->events, &at);
	s->timing = false;
	s->fidelity = FIDELITY_COUNTS;
	for (unsigned i = 0; i < s->ncpus; i++) {
		s->cpus[i].running = false;
		s->cpus[i].works = NULL;
	}
	s->cpu = s->cpus;
	s->in_loop = false;
}
