/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the event loop and the simulated CPUs share inside sim. */
#ifndef DMASIM_LOOP_H
#define DMASIM_LOOP_H

#include "fibre.h"

#include "cpu.h"

/*
 * Run events up to s->horizon on the stack of self. The loop belongs to no stack: hardware events run
 * on whichever stack has the loop, and a CPU's turn goes from the stack that meets its resume event
 * straight to that CPU's. Returns when it is self's turn: for a CPU, when its resume event has come;
 * for the main fibre, when no event is left up to the horizon.
 */
void sim_loop(struct sim *s, struct fibre *self);

/* Enter the loop from outside, for events up to and including t. */
void sim_run_until(struct sim *s, sim_time_t t);

void cpu_init(struct cpu *c);
/* The function of every CPU's resume event; the loop knows it and never calls it. */
void cpu_resume(struct event *ev, sim_time_t now);
/* Let the loop run until c's resume event, which somebody else schedules. */
void cpu_block(struct cpu *c);

#endif
