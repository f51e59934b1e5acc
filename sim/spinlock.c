/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loop.h"

void spin_lock_init(struct spinlock *l, const char *name)
{
	*l = (struct spinlock){.name = name, .handover = true};
}

void mutex_init(struct spinlock *l, const char *name)
{
	*l = (struct spinlock){.name = name};
}

/* The lock is released at free_at and comes to c, behind which so many wait. */
static void waited(struct cpu *c, struct spinlock *l, sim_time_t free_at, unsigned waiting)
{
	sim_time_t asked = c->now, t;

	cpu_spend(c, free_at - asked);
	if (l->handover) {
		cpu_charge(c, COST_LOCK_HANDOFF);
		cpu_charge_n(c, COST_LOCK_WAITER, waiting);
	}
	t = c->now - asked;
	c->lock_wait += t;
	if (l->stats) {
		l->stats->contended++;
		l->stats->wait += t;
		l->stats->wait_max = MAX(l->stats->wait_max, t);
	}
}

/*
 * Owners seldom give up their turn while they hold a lock, so that it is free again when the next CPU's
 * code runs, only later: who got it after t was queued in front at t.
 */
static unsigned queued_at(const struct spinlock *l, sim_time_t t)
{
	unsigned n = 0;

	while (n < SPINLOCK_GRANTS && l->grants[(l->next_grant - 1 - n) % SPINLOCK_GRANTS] > t)
		n++;
	return n;
}

void spin_lock_slow(struct cpu *c, struct spinlock *l)
{
	if (c->sim->ncpus > 1)
		cpu_sync_slow(c);
	if (l->owner) {
		g_assert(l->owner != c);
		if (l->last)
			l->last->lock_next = c;
		else
			l->first = c;
		l->last = c;
		l->waiting++;
		cpu_block(c);
		g_assert(l->owner == c);
	} else if (l->free_at > c->now) {
		waited(c, l, l->free_at, queued_at(l, c->now));
	}
	if (l->stats)
		l->stats->acquired++;
	l->grants[l->next_grant++ % SPINLOCK_GRANTS] = c->now;
	l->owner = c;
	l->taken_at = c->now;
}

void spin_unlock_slow(struct cpu *c, struct spinlock *l)
{
	struct cpu *next = l->first;

	g_assert(l->owner == c);
	if (l->stats)
		l->stats->hold += c->now - l->taken_at;
	l->free_at = c->now;
	l->owner = next;
	if (!next)
		return;
	l->first = next->lock_next;
	if (!l->first)
		l->last = NULL;
	next->lock_next = NULL;
	l->waiting--;
	waited(next, l, c->now, l->waiting);
	event_push(c->sim->events, &next->resume, next->now);
}
