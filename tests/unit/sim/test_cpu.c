/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "sim/cpu.h"

/* ---- what each piece of simulated work did, as text, so that an order is one comparison ---- */

struct log {
	struct sim *sim;
	GString *text;
};

static void note(struct log *l, const char *what)
{
	g_string_append_printf(l->text, "%s@%" G_GUINT64_FORMAT " ", what,
			       (l->sim->cpu ? l->sim->cpu->now : l->sim->now) / SIM_NS);
}

struct device_access {
	struct event ev;
	struct log *log;
	const char *name;
	struct cpu *interrupts; /* post w there when the access has happened */
	struct cpu_work *work;
};

static void device_access(struct event *ev, sim_time_t now)
{
	struct device_access *d = (struct device_access *)ev;

	ck_assert_ptr_null(d->log->sim->cpu);
	ck_assert_uint_eq(d->log->sim->now, now);
	note(d->log, d->name);
	if (d->work)
		cpu_post(d->interrupts, d->work, now);
}

static struct device_access access_at(struct log *l, const char *name)
{
	return (struct device_access){
	    .ev = {.fn = device_access, .priority = EVENT_HARDWARE}, .log = l, .name = name};
}

/* ---- a strict unmap: clear, wait for the invalidation, free ---- */

struct unmap {
	struct cpu_work work;
	struct log *log;
};

static void strict_unmap(struct cpu_work *w, struct cpu *c)
{
	struct unmap *u = (struct unmap *)w;

	cpu_spend(c, 100 * SIM_NS);
	note(u->log, "clear");
	cpu_wait_until(c, c->now + 400 * SIM_NS); /* wait descriptor */
	note(u->log, "invalidated");
	cpu_spend(c, 50 * SIM_NS);
	note(u->log, "free");
}

START_TEST(device_access_falls_inside_a_strict_unmap)
{
	struct sim s;
	struct log l = {&s, g_string_new(NULL)};
	struct unmap u = {.work = {.fn = strict_unmap}, .log = &l};
	struct device_access before = access_at(&l, "dma"), inside = before, at_end = before, after = before;

	sim_init(&s, FIDELITY_TIMING, 1, 1);
	sim_schedule(&s, &before.ev, 50 * SIM_NS);
	sim_schedule(&s, &inside.ev, 300 * SIM_NS);
	sim_schedule(&s, &at_end.ev, 500 * SIM_NS);
	sim_schedule(&s, &after.ev, 501 * SIM_NS);
	cpu_post(&s.cpus[0], &u.work, 0);
	sim_run(&s);
	/* Between two waiting points a path is atomic: the access at 50 sees the state after clearing. */
	ck_assert_str_eq(l.text->str, "clear@100 dma@50 dma@300 dma@500 invalidated@500 free@550 dma@501 ");
	ck_assert_uint_eq(cpu_busy(&s.cpus[0]), 550 * SIM_NS);
	ck_assert_uint_eq(s.events_run, 5);
	sim_fini(&s);
	g_string_free(l.text, TRUE);
}
END_TEST

/* ---- two CPUs and one lock ---- */

struct locker {
	struct cpu_work work;
	struct log *log;
	struct spinlock *lock;
	const char *name;
	sim_time_t before, hold, wait_inside;
};

static void locker(struct cpu_work *w, struct cpu *c)
{
	struct locker *k = (struct locker *)w;

	cpu_spend(c, k->before);
	spin_lock(c, k->lock);
	note(k->log, k->name);
	ck_assert_ptr_eq(k->lock->owner, c);
	cpu_spend(c, k->hold);
	if (k->wait_inside)
		cpu_wait_until(c, c->now + k->wait_inside);
	spin_unlock(c, k->lock);
	cpu_spend(c, 10 * SIM_NS);
}

START_TEST(two_cpus_contend_for_one_lock)
{
	struct sim s;
	struct spinlock lock;
	struct lock_stats of_class = {.acquired = 10, .wait_max = 5}; /* another lock's so far */
	struct log l = {&s, g_string_new(NULL)};
	/* The holder does not stop inside on the first run, and waits for hardware on the second. */
	sim_time_t wait = _i ? 150 * SIM_NS : 0, hold = _i ? 50 * SIM_NS : 200 * SIM_NS;
	struct locker a = {{.fn = locker}, &l, &lock, "A", 100 * SIM_NS, hold, wait};
	struct locker b = {{.fn = locker}, &l, &lock, "B", 150 * SIM_NS, hold, wait};
	struct locker d = {{.fn = locker}, &l, &lock, "D", 120 * SIM_NS, hold, wait};

	sim_init(&s, FIDELITY_TIMING, 3, 1);
	s.cost[COST_LOCK_HANDOFF] = 20 * SIM_NS;
	s.cost[COST_LOCK_WAITER] = 0;
	spin_lock_init(&lock, "lock");
	lock.stats = &of_class;
	cpu_post(&s.cpus[1], &b.work, 0);
	cpu_post(&s.cpus[2], &d.work, 0);
	cpu_post(&s.cpus[0], &a.work, 0);
	sim_run(&s);
	/* A holds 100..300, D asked at 120 and holds 320..520, B asked at 150 and holds 540..740. */
	ck_assert_str_eq(l.text->str, "A@100 D@320 B@540 ");
	ck_assert_uint_eq(s.cpus[1].steps[COST_LOCK_HANDOFF] + s.cpus[2].steps[COST_LOCK_HANDOFF], 2);
	ck_assert_uint_eq(of_class.acquired, 13);
	ck_assert_uint_eq(of_class.contended, 2);
	ck_assert_uint_eq(of_class.hold, 600 * SIM_NS);
	ck_assert_uint_eq(of_class.wait, (200 + 390) * SIM_NS);
	ck_assert_uint_eq(of_class.wait_max, 390 * SIM_NS);
	ck_assert_uint_eq(s.cpus[1].lock_wait, 390 * SIM_NS);
	ck_assert_uint_eq(s.cpus[2].lock_wait, 200 * SIM_NS);
	ck_assert_uint_eq(s.cpus[1].now, 750 * SIM_NS);
	ck_assert_ptr_null(lock.owner);
	sim_fini(&s);
	g_string_free(l.text, TRUE);
}
END_TEST

START_TEST(lock_of_a_lone_cpu_takes_no_time_and_no_turn)
{
	struct sim s;
	struct spinlock lock;
	struct log l = {&s, g_string_new(NULL)};
	struct locker a = {{.fn = locker}, &l, &lock, "A", 100 * SIM_NS, 5 * SIM_NS, 0};
	struct device_access dma = access_at(&l, "dma");

	sim_init(&s, FIDELITY_TIMING, 1, 1);
	s.cost[COST_LOCK_HANDOFF] = 20 * SIM_NS;
	s.cost[COST_LOCK_WAITER] = 0;
	spin_lock_init(&lock, "lock");
	sim_schedule(&s, &dma.ev, 50 * SIM_NS);
	cpu_post(&s.cpus[0], &a.work, 0);
	sim_run(&s);
	ck_assert_str_eq(l.text->str, "A@100 dma@50 ");
	ck_assert_uint_eq(s.cpus[0].lock_wait, 0);
	ck_assert_uint_eq(s.cpus[0].now, 115 * SIM_NS);
	sim_fini(&s);
	g_string_free(l.text, TRUE);
}
END_TEST

/* ---- works of one CPU ---- */

struct noter {
	struct cpu_work work;
	struct log *log;
	const char *name;
	sim_time_t length;
};

static void noter(struct cpu_work *w, struct cpu *c)
{
	struct noter *n = (struct noter *)w;

	note(n->log, n->name);
	cpu_spend(c, n->length);
}

START_TEST(works_run_by_ready_time_then_posting_order)
{
	struct sim s;
	struct log l = {&s, g_string_new(NULL)};
	struct noter a = {{.fn = noter}, &l, "a", 30 * SIM_NS}, b = a, c = a, d = a, irq = a;
	struct device_access dma = access_at(&l, "dma");

	b.name = "b", c.name = "c", d.name = "d", irq.name = "irq";
	sim_init(&s, FIDELITY_TIMING, 1, 1);
	/* An interrupt at 110 is posted while b runs (100..130) and comes before d, ready at 120. */
	dma.interrupts = &s.cpus[0];
	dma.work = &irq.work;
	sim_schedule(&s, &dma.ev, 110 * SIM_NS);
	cpu_post(&s.cpus[0], &d.work, 120 * SIM_NS);
	cpu_post(&s.cpus[0], &b.work, 100 * SIM_NS);
	cpu_post(&s.cpus[0], &a.work, 10 * SIM_NS);
	cpu_post(&s.cpus[0], &c.work, 10 * SIM_NS);
	sim_run(&s);
	ck_assert_str_eq(l.text->str, "a@10 c@40 b@100 dma@110 irq@130 d@160 ");
	ck_assert_uint_eq(cpu_busy(&s.cpus[0]), 150 * SIM_NS);
	ck_assert_uint_eq(s.cpus[0].now, 190 * SIM_NS);
	sim_fini(&s);
	g_string_free(l.text, TRUE);
}
END_TEST

START_TEST(advance_stops_inside_a_work_and_goes_on)
{
	struct sim s;
	struct log l = {&s, g_string_new(NULL)};
	struct unmap u = {.work = {.fn = strict_unmap}, .log = &l};

	sim_init(&s, FIDELITY_TIMING, 2, 1);
	cpu_post(&s.cpus[1], &u.work, 0);
	sim_advance(&s, 200 * SIM_NS);
	ck_assert_uint_eq(s.now, 200 * SIM_NS);
	ck_assert_str_eq(l.text->str, "clear@100 ");
	ck_assert_ptr_eq(s.cpu, &s.cpus[0]);
	sim_advance(&s, 400 * SIM_NS);
	ck_assert_str_eq(l.text->str, "clear@100 ");
	sim_advance(&s, 600 * SIM_NS);
	ck_assert_str_eq(l.text->str, "clear@100 invalidated@500 free@550 ");
	sim_fini(&s);
	g_string_free(l.text, TRUE);
}
END_TEST

static void probe(void *arg)
{
	struct log *l = arg;
	struct cpu *c = l->sim->cpu;

	ck_assert_uint_eq(c->id, 1);
	cpu_spend(c, 10 * SIM_NS);
	cpu_wait_until(c, c->now + 90 * SIM_NS);
	note(l, "probe");
}

START_TEST(cpu_run_returns_when_its_code_has_ended)
{
	struct sim s;
	struct log l = {&s, g_string_new(NULL)};
	struct device_access early = access_at(&l, "dma"), late = early;

	sim_init(&s, _i ? FIDELITY_TIMING : FIDELITY_COUNTS, 2, 1);
	sim_schedule(&s, &early.ev, 60 * SIM_NS);
	sim_schedule(&s, &late.ev, 5000 * SIM_NS);
	cpu_run(&s.cpus[1], probe, &l);
	/* Counts: the events are timers that fire by the trace's time. */
	ck_assert_str_eq(l.text->str, _i ? "dma@60 probe@100 " : "probe@100 ");
	ck_assert_ptr_eq(s.cpu, &s.cpus[0]);
	sim_run(&s);
	ck_assert_str_eq(l.text->str, _i ? "dma@60 probe@100 dma@5000 " : "probe@100 dma@60 dma@5000 ");
	sim_fini(&s);
	g_string_free(l.text, TRUE);
}
END_TEST

/* ---- counts ---- */

struct nested {
	struct cpu_work work;
	struct log *log;
	struct cpu *other;
	struct noter inner;
};

static void nested(struct cpu_work *w, struct cpu *c)
{
	struct nested *n = (struct nested *)w;

	cpu_spend(c, 5 * SIM_NS);
	note(n->log, "begin");
	cpu_post(n->other, &n->inner.work, c->now);
	ck_assert_ptr_eq(c->sim->cpu, c);
	note(n->log, "end");
}

START_TEST(counts_runs_works_at_once)
{
	struct sim s;
	struct log l = {&s, g_string_new(NULL)};
	struct nested n = {{.fn = nested}, &l, NULL, {{.fn = noter}, &l, "inner", 7 * SIM_NS}};

	sim_init(&s, FIDELITY_COUNTS, 2, 1);
	sim_advance(&s, 1000 * SIM_NS);
	n.other = &s.cpus[_i];
	cpu_post(&s.cpus[0], &n.work, s.now);
	ck_assert_str_eq(l.text->str,
			 _i ? "begin@1005 inner@1005 end@1005 " : "begin@1005 inner@1005 end@1012 ");
	ck_assert_ptr_eq(s.cpu, &s.cpus[0]);
	/* The next work starts at the trace's time again, and the time spent adds up. */
	sim_advance(&s, 1001 * SIM_NS);
	cpu_post(&s.cpus[0], &n.inner.work, s.now);
	ck_assert(g_str_has_suffix(l.text->str, " inner@1001 "));
	ck_assert_uint_eq(cpu_busy(&s.cpus[0]) + cpu_busy(&s.cpus[1]), 19 * SIM_NS);
	sim_fini(&s);
	g_string_free(l.text, TRUE);
}
END_TEST

START_TEST(charges_are_counted_per_step)
{
	struct sim s;
	struct cpu *c;

	sim_init(&s, FIDELITY_COUNTS, 1, 1);
	c = sim_cpu(&s);
	s.cost[COST_KMALLOC] = 40 * SIM_NS;
	s.cost[COST_SWIOTLB_COPY_KIB] = 100 * SIM_NS;
	cpu_charge(c, COST_KMALLOC);
	cpu_charge_n(c, COST_KMALLOC, 3);
	cpu_charge_time(c, COST_SWIOTLB_COPY_KIB, 50 * SIM_NS);
	cpu_charge(c, COST_SWIOTLB_COPY_KIB);
	ck_assert_uint_eq(c->steps[COST_KMALLOC], 4);
	ck_assert_uint_eq(cpu_step_time(c, COST_KMALLOC), 160 * SIM_NS);
	ck_assert_uint_eq(cpu_step_time(c, COST_SWIOTLB_COPY_KIB), 150 * SIM_NS);
	ck_assert_uint_eq(cpu_busy(c), 310 * SIM_NS);
	sim_fini(&s);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("cpu");

	tcase_add_test(t, device_access_falls_inside_a_strict_unmap);
	tcase_add_loop_test(t, two_cpus_contend_for_one_lock, 0, 2);
	tcase_add_test(t, lock_of_a_lone_cpu_takes_no_time_and_no_turn);
	tcase_add_test(t, works_run_by_ready_time_then_posting_order);
	tcase_add_test(t, advance_stops_inside_a_work_and_goes_on);
	tcase_add_loop_test(t, cpu_run_returns_when_its_code_has_ended, 0, 2);
	tcase_add_loop_test(t, counts_runs_works_at_once, 0, 2);
	tcase_add_test(t, charges_are_counted_per_step);
	return test_run("cpu", t, NULL);
}
