/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simulated CPUs. Kernel code paths are plain C; they charge time to the CPU they run on, whose own
 * clock runs ahead of the global one, and are atomic between *waiting points*:
 *
 *   cpu_wait_until()   spin until a hardware completion
 *   spin_lock()        contended lock
 *   cpu_sync()         let everything with an earlier clock happen first
 *
 * In fidelity = timing a waiting point switches from the CPU's fibre to the event loop, so hardware
 * events and other CPUs with earlier clocks run before the path goes on. In fidelity = counts there
 * are no fibres and each waiting point costs one untaken branch.
 */
#ifndef DMASIM_SIM_CPU_H
#define DMASIM_SIM_CPU_H

#include "sim.h"

struct fibre;
struct cpu_work;
typedef void (*cpu_work_fn)(struct cpu_work *w, struct cpu *cpu);

/* A piece of kernel work to run on a CPU (system call, interrupt, timer); embedded by its owner. */
struct cpu_work {
	cpu_work_fn fn;
	struct cpu_work *next;
	sim_time_t ready; /* earliest start */
};

struct cpu {
	struct sim *sim;
	unsigned id, node;
	sim_time_t now;                    /* local clock, >= sim->now while running */
	sim_time_t lock_wait;              /* part of cpu_busy() spent waiting for locks */
	uint64_t steps[COST_COUNT];        /* units charged per step, for whole-unit charges */
	sim_time_t step_extra[COST_COUNT]; /* time charged per step by cpu_charge_time() */
	/* private to sim */
	sim_time_t idle; /* part of now in which no code ran (modulo 2^64) */
	struct fibre *fibre;
	struct event resume;        /* scheduled while the fibre waits for its turn */
	struct cpu_work *works;     /* by ready time */
	struct cpu_work *last_work; /* of works, if there are any */
	struct cpu *lock_next;      /* in the queue of a spinlock */
	bool running;               /* inside a work */
};

static inline struct cpu *sim_cpu(struct sim *s)
{
	return s->cpu;
}
static inline unsigned smp_processor_id(const struct sim *s)
{
	return s->cpu->id;
}

static inline void cpu_spend(struct cpu *c, sim_time_t t)
{
	c->now += t;
}
/* Total time charged or waited. */
static inline sim_time_t cpu_busy(const struct cpu *c)
{
	return c->now - c->idle;
}
static inline void cpu_charge_n(struct cpu *c, enum cost step, uint64_t n)
{
	c->steps[step] += n;
	cpu_spend(c, c->sim->cost[step] * n);
}
/* Charge a time that is no whole number of units (a copy of some bytes) under step. */
static inline void cpu_charge_time(struct cpu *c, enum cost step, sim_time_t t)
{
	c->step_extra[step] += t;
	cpu_spend(c, t);
}
/* Time charged to step so far. */
static inline sim_time_t cpu_step_time(const struct cpu *c, enum cost step)
{
	return c->steps[step] * c->sim->cost[step] + c->step_extra[step];
}
static inline void cpu_charge(struct cpu *c, enum cost step)
{
	cpu_charge_n(c, step, 1);
}

/*
 * Queue w to run on c no earlier than at. In counts fidelity it runs at once, before the call
 * returns (nested on the current CPU's code if there is one). Works of one CPU run in the order of
 * their ready time, ties in posting order, each to its end.
 */
void cpu_post(struct cpu *c, struct cpu_work *w, sim_time_t at);
/*
 * Run fn(arg) as c's code and return when it has ended: probing and tearing down a driver, tests. In
 * timing fidelity the machine runs until then; call it from outside events and other CPUs' code.
 */
void cpu_run(struct cpu *c, void (*fn)(void *arg), void *arg);

/* Whether other work is due on c, whose code runs: long work posts itself again and returns then. */
static inline bool cpu_work_due(const struct cpu *c)
{
	return G_UNLIKELY(c->works != NULL) && c->works->ready <= c->now;
}

void cpu_sync_slow(struct cpu *c);
/* Waiting point: everything earlier than the CPU's clock happens first. */
static inline void cpu_sync(struct cpu *c)
{
	if (G_UNLIKELY(c->sim->timing))
		cpu_sync_slow(c);
}
/* Waiting point: the CPU spins until t (its clock becomes at least t). */
static inline void cpu_wait_until(struct cpu *c, sim_time_t t)
{
	if (t > c->now)
		cpu_spend(c, t - c->now);
	if (G_UNLIKELY(c->sim->timing))
		cpu_sync_slow(c);
}

/*
 * A kernel lock, FIFO. Taking it is a waiting point, so CPUs ask for it in the order of their clocks;
 * releasing it is none: who asks later for a moment at which it was held, waits until it was released. A
 * contended spinlock comes to its next owner by the costs of a hand-over (lock_handoff, lock_waiter).
 */
#define SPINLOCK_GRANTS 64u
/* What all locks of a class did, in fidelity = timing; as the kernel's lock_stat. */
struct lock_stats {
	uint64_t acquired, contended;
	sim_time_t wait, wait_max, hold;
};
struct spinlock {
	const char *name;
	struct lock_stats *stats; /* of its class, NULL: not kept */
	bool handover;            /* contention costs; without it a mutex, whose waiters sleep */
	struct cpu *owner;
	sim_time_t taken_at, free_at;
	struct cpu *first, *last; /* waiting CPUs; empty unless contended */
	unsigned waiting;
	sim_time_t grants[SPINLOCK_GRANTS]; /* when its latest owners got it, a ring */
	unsigned next_grant;
};
void spin_lock_init(struct spinlock *l, const char *name);
void mutex_init(struct spinlock *l, const char *name);
void spin_lock_slow(struct cpu *c, struct spinlock *l);
void spin_unlock_slow(struct cpu *c, struct spinlock *l);
static inline void spin_lock(struct cpu *c, struct spinlock *l)
{
	if (G_UNLIKELY(c->sim->timing))
		spin_lock_slow(c, l);
}
static inline void spin_unlock(struct cpu *c, struct spinlock *l)
{
	if (G_UNLIKELY(c->sim->timing))
		spin_unlock_slow(c, l);
}

#endif
