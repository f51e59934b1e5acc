/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of a machine that every model holds on to: clock, events, CPUs, ledger, random seed.
 * Nothing in dmasim is global; a process may hold any number of struct sim.
 */
#ifndef DMASIM_SIM_SIM_H
#define DMASIM_SIM_SIM_H

#include "cost.h"
#include "event.h"
#include "ledger.h"
#include "rng.h"
#include "slab.h"
#include <dmasim/types.h>
#include <signal.h>

struct cpu;
struct fibre;
struct timeline;

/*
 * Why a model last gave up a mapping or an access. Whoever decides that says so, whoever reports a failed
 * request asks. Nothing is put into words until then, since some requests are tried again and succeed.
 */
struct refusal {
	const char *what; /* NULL: nothing was given up */
	const char *who;  /* the device, or the port in its way; NULL: none in particular */
	uint64_t bytes;   /* that it was about; 0: does not matter */
};

struct sim {
	sim_time_t now; /* global clock: everything before it has happened */
	enum fidelity fidelity;
	bool timing; /* fidelity == FIDELITY_TIMING: the one branch that waiting points test */
	uint64_t seed;
	struct event_queue *events;
	struct cpu *cpus; /* array */
	unsigned ncpus;
	struct cpu *cpu;    /* whose kernel code runs now; NULL in events; outside the loop the first CPU */
	sim_time_t horizon; /* the event loop goes no further */
	bool in_loop;
	struct fibre *main_fibre; /* stack of who called the event loop; NULL in counts */
	sim_time_t cost[COST_COUNT];
	struct ledger ledger;
	struct slab slab;           /* host memory for request-rate arrays; sim_fini empties it */
	struct timeline *timeline;  /* NULL unless asked for */
	unsigned timeline_first;    /* this machine's tracks: first + enum timeline_kind */
	void (*between)(void *arg); /* a look at the machine between requests of such loads; NULL: none */
	void *between_arg;
	const volatile sig_atomic_t *interrupt; /* set: loads end early; NULL unless somebody may ask */
	struct refusal refusal;                 /* the last one */
	uint64_t events_run;                    /* hardware and timer events, and works of CPUs */
};

void sim_init(struct sim *s, enum fidelity f, unsigned ncpus, uint64_t seed);
void sim_fini(struct sim *s);
/* Run all events up to and including t, then set the clock to t (never backwards). */
void sim_advance(struct sim *s, sim_time_t t);
/*
 * The run goes no further, whatever is under way: kernel code that still runs, to free what there is, runs
 * at once as in counts, and never waits for a CPU that will not go on.
 */
void sim_abandon(struct sim *s);
/* Run until no event is left (timers that re-arm only on demand end by themselves). */
void sim_run(struct sim *s);

/*
 * Workloads that make their own load call this between requests, which is when time series are sampled.
 * True: make no more, drain and tear down.
 */
static inline bool sim_interrupted(struct sim *s)
{
	if (G_UNLIKELY(s->between))
		s->between(s->between_arg);
	return s->interrupt && *s->interrupt;
}

static inline void sim_refuse(struct sim *s, const char *what, const char *who, uint64_t bytes)
{
	s->refusal = (struct refusal){what, who, bytes};
}

static inline void sim_schedule(struct sim *s, struct event *ev, sim_time_t at)
{
	event_push(s->events, ev, at < s->now ? s->now : at);
}

#endif
