/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "sim/cpu.h"

/*
 * A small machine with everything that could leak between two of them: CPUs that block in the middle,
 * a lock, hardware, random streams. What happens is folded into one number.
 */
enum { CPUS = 3, WORKS = 40 };

struct toy;
struct toy_work {
	struct cpu_work work;
	struct toy *toy;
	struct event interrupt;
	unsigned left;
};

struct toy {
	struct sim sim;
	struct spinlock lock;
	struct lock_stats locks;
	struct rng rng;
	uint64_t digest;
	struct toy_work works[WORKS];
};

static void fold(struct toy *t, uint64_t what)
{
	t->digest = (t->digest ^ what ^ t->sim.now ^ (t->sim.cpu ? t->sim.cpu->now : 0)) * 0x100000001b3;
}

static void toy_interrupt(struct event *ev, sim_time_t now)
{
	struct toy_work *w = container_of(ev, struct toy_work, interrupt);

	fold(w->toy, 1);
	cpu_post(&w->toy->sim.cpus[rng_below(&w->toy->rng, CPUS)], &w->work, now);
}

static void toy_work(struct cpu_work *work, struct cpu *c)
{
	struct toy_work *w = (struct toy_work *)work;
	struct toy *t = w->toy;

	cpu_spend(c, rng_below(&t->rng, 300));
	spin_lock(c, &t->lock);
	fold(t, c->id);
	cpu_spend(c, rng_below(&t->rng, 100));
	if (rng_below(&t->rng, 2))
		cpu_wait_until(c, c->now + rng_below(&t->rng, 500));
	spin_unlock(c, &t->lock);
	fold(t, 77);
	if (w->left--)
		sim_schedule(&t->sim, &w->interrupt, c->now + rng_below(&t->rng, 2000));
}

static struct toy *toy_new(enum fidelity f, uint64_t seed)
{
	struct toy *t = g_new0(struct toy, 1);

	sim_init(&t->sim, f, CPUS, seed);
	spin_lock_init(&t->lock, "toy");
	t->lock.stats = &t->locks;
	rng_init(&t->rng, seed, "toy");
	for (unsigned i = 0; i < WORKS; i++) {
		struct toy_work *w = &t->works[i];

		*w = (struct toy_work){.work = {.fn = toy_work}, .toy = t, .left = 20};
		w->interrupt = (struct event){.fn = toy_interrupt, .priority = EVENT_HARDWARE};
		sim_schedule(&t->sim, &w->interrupt, rng_below(&t->rng, 5000));
	}
	return t;
}

static uint64_t toy_free(struct toy *t)
{
	uint64_t digest = t->digest ^ t->locks.wait ^ t->sim.events_run << 32;

	sim_fini(&t->sim);
	g_free(t);
	return digest;
}

static uint64_t alone(enum fidelity f, uint64_t seed)
{
	struct toy *t = toy_new(f, seed);

	sim_run(&t->sim);
	return toy_free(t);
}

START_TEST(two_sims_interleaved_equal_two_separate_ones)
{
	enum fidelity f = _i ? FIDELITY_TIMING : FIDELITY_COUNTS;
	uint64_t a = alone(f, 1), b = alone(f, 2);
	struct toy *x = toy_new(f, 1), *y = toy_new(f, 2);
	struct rng steps;
	sim_time_t tx = 0, ty = 0;

	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(a, alone(f, 1));
	rng_init(&steps, test_seed(), "steps");
	while (event_queue_size(x->sim.events) || event_queue_size(y->sim.events)) {
		if (rng_below(&steps, 2))
			sim_advance(&x->sim, tx += rng_below(&steps, 700));
		else
			sim_advance(&y->sim, ty += rng_below(&steps, 700));
	}
	ck_assert_uint_eq(toy_free(x), a);
	ck_assert_uint_eq(toy_free(y), b);
}
END_TEST

START_TEST(clock_never_goes_back)
{
	struct sim s;

	sim_init(&s, FIDELITY_COUNTS, 1, 1);
	sim_advance(&s, 10);
	sim_advance(&s, 5);
	ck_assert_uint_eq(s.now, 10);
	sim_fini(&s);
}
END_TEST

static void again(struct event *ev, sim_time_t now)
{
	struct sim **s = (struct sim **)(ev + 1);

	sim_schedule(*s, ev, now - 5); /* the past is now */
}

START_TEST(scheduling_in_the_past_means_now)
{
	struct sim s;
	struct {
		struct event ev;
		struct sim *s;
	} e = {{.fn = again}, &s};

	sim_init(&s, FIDELITY_COUNTS, 1, 1);
	sim_advance(&s, 100);
	sim_schedule(&s, &e.ev, 7);
	ck_assert_uint_eq(event_peek_time(s.events), 100);
	event_cancel(s.events, &e.ev);
	sim_fini(&s);
}
END_TEST

START_TEST(costs_start_at_their_defaults)
{
	struct sim s;

	sim_init(&s, FIDELITY_COUNTS, 1, 1);
	for (unsigned i = 0; i < COST_COUNT; i++)
		ck_assert_double_eq_tol((double)s.cost[i], cost_info[i].default_ns * 1000, 0.5);
	sim_fini(&s);
}
END_TEST

static void never(struct event *ev, sim_time_t now)
{
	(void)ev;
	(void)now;
	ck_abort_msg("an event of an abandoned run");
}

static struct spinlock gate;

static void stays_halfway(struct cpu_work *w, struct cpu *c)
{
	(void)w;
	spin_lock(c, &gate);
	cpu_wait_until(c, 50 * SIM_US);
	ck_abort_msg("code of an abandoned run");
}

static void tears_down(void *arg)
{
	struct cpu *c = arg;

	spin_lock(c, &gate); /* held by one that does not go on */
	cpu_wait_until(c, c->now + SIM_US);
	spin_unlock(c, &gate);
	cpu_sync(c);
}

/* CPUs stand in the middle of their work, events lie in memory that goes first: everything can be freed. */
START_TEST(abandoned_runs_can_be_taken_down)
{
	struct event *early = g_new0(struct event, 64), late = {.fn = never};
	struct cpu_work works[2] = {{.fn = stays_halfway}, {.fn = stays_halfway}};
	struct sim s;

	sim_init(&s, FIDELITY_TIMING, 2, 1);
	gate = (struct spinlock){0};
	for (unsigned i = 0; i < 2; i++)
		cpu_post(&s.cpus[i], &works[i], SIM_US);
	for (unsigned i = 0; i < 64; i++) {
		early[i].fn = never;
		sim_schedule(&s, &early[i], (100 + i) * SIM_US);
	}
	sim_schedule(&s, &late, 90 * SIM_US);
	sim_advance(&s, 10 * SIM_US);
	sim_abandon(&s);
	g_free(early);
	event_cancel(s.events, &late);
	for (unsigned i = 0; i < 2; i++)
		cpu_run(&s.cpus[i], tears_down, &s.cpus[i]);
	sim_fini(&s);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("sim");

	tcase_add_loop_test(t, two_sims_interleaved_equal_two_separate_ones, 0, 2);
	tcase_add_test(t, clock_never_goes_back);
	tcase_add_test(t, scheduling_in_the_past_means_now);
	tcase_add_test(t, costs_start_at_their_defaults);
	tcase_add_test(t, abandoned_runs_can_be_taken_down);
	return test_run("sim", t, NULL);
}
