/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hold model (D. Jones, "An empirical comparison of priority-queue and event-set implementations",
 * CACM 29(4), 1986): N events pending; pop the first, push it again an exponential time later. The
 * event queue beside a plain binary heap of values, and the cost of a simulated CPU's turn.
 */
#include "sim/cpu.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- a binary heap of values ---- */

struct plain_item {
	sim_time_t time;
	uint64_t sequence;
	struct event *event;
};

struct plain_heap {
	struct plain_item *items;
	size_t n;
	uint64_t sequence;
};

static inline bool before(const struct plain_item *a, const struct plain_item *b)
{
	return a->time != b->time ? a->time < b->time : a->sequence < b->sequence;
}

static void plain_push(struct plain_heap *h, struct event *e, sim_time_t time)
{
	struct plain_item x = {time, h->sequence++, e};
	size_t i = h->n++;

	while (i && before(&x, &h->items[(i - 1) / 2])) {
		h->items[i] = h->items[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->items[i] = x;
}

static struct plain_item plain_pop(struct plain_heap *h)
{
	struct plain_item first = h->items[0], last = h->items[--h->n];
	size_t i = 0, c;

	while ((c = 2 * i + 1) < h->n) {
		if (c + 1 < h->n && before(&h->items[c + 1], &h->items[c]))
			c++;
		if (!before(&h->items[c], &last))
			break;
		h->items[i] = h->items[c];
		i = c;
	}
	h->items[i] = last;
	return first;
}

/* ---- hold model ---- */

static void nothing(struct event *ev, sim_time_t now)
{
	(void)ev;
	(void)now;
}

static double rate_plain(struct event *events, size_t n, const sim_time_t *gaps, size_t ops)
{
	struct plain_heap h = {.items = g_new(struct plain_item, n)};
	double t;

	for (size_t i = 0; i < n; i++)
		plain_push(&h, &events[i], gaps[i % 65536]);
	t = seconds();
	for (size_t i = 0; i < ops; i++) {
		struct plain_item e = plain_pop(&h);

		plain_push(&h, e.event, e.time + gaps[i % 65536]);
	}
	t = seconds() - t;
	g_free(h.items);
	return (double)ops / t;
}

static double rate_queue(struct event *events, size_t n, const sim_time_t *gaps, size_t ops)
{
	struct event_queue *q = event_queue_new();
	double t;

	for (size_t i = 0; i < n; i++)
		event_push(q, &events[i], gaps[i % 65536]);
	t = seconds();
	for (size_t i = 0; i < ops; i++) {
		sim_time_t now;
		struct event *ev = event_pop(q, &now);

		event_push(q, ev, now + gaps[i % 65536]);
	}
	t = seconds() - t;
	event_queue_free(q);
	return (double)ops / t;
}

/* ---- CPUs that take turns: each wait lets the other one run ---- */

struct turns {
	struct cpu_work work;
	unsigned left;
};

static void turns(struct cpu_work *w, struct cpu *c)
{
	for (struct turns *t = (struct turns *)w; t->left; t->left--)
		cpu_wait_until(c, c->now + SIM_NS);
}

static double rate_turns(unsigned ncpus, unsigned n)
{
	struct turns w[2] = {{{.fn = turns}, n / ncpus}, {{.fn = turns}, n / ncpus}};
	struct sim s;
	double t;

	sim_init(&s, FIDELITY_TIMING, ncpus, 1);
	for (unsigned i = 0; i < ncpus; i++)
		cpu_post(&s.cpus[i], &w[i].work, 0);
	t = seconds();
	sim_run(&s);
	t = seconds() - t;
	sim_fini(&s);
	return n / t;
}

int main(int argc, char **argv)
{
	size_t ops = argc > 1 ? strtoull(argv[1], NULL, 0) : 4000000;
	g_autofree sim_time_t *gaps = g_new(sim_time_t, 65536);
	struct rng r;

	rng_init(&r, 1, "gaps");
	for (unsigned i = 0; i < 65536; i++)
		gaps[i] = (sim_time_t)rng_exponential(&r, 1e6);
	printf("%10s %16s %16s %8s\n", "pending", "queue events/s", "value heap", "ratio");
	for (size_t n = 10; n <= 1000000; n *= 10) {
		g_autofree struct event *events = g_new0(struct event, n);
		double queue = 0, plain = 0;

		for (size_t i = 0; i < n; i++)
			events[i].fn = nothing;
		/* The better of three each: other load on the machine only ever slows one down. */
		for (unsigned k = 0; k < 3; k++) {
			double a = rate_queue(events, n, gaps, ops), b = rate_plain(events, n, gaps, ops);

			queue = MAX(queue, a);
			plain = MAX(plain, b);
			for (size_t i = 0; i < n; i++)
				events[i].heap_index = 0;
		}
		printf("%10zu %16.0f %16.0f %8.2f\n", n, queue, plain, queue / plain);
	}
	printf("waiting points/s: %.0f with one CPU, %.0f when two take turns\n",
	       rate_turns(1, (unsigned)ops), rate_turns(2, (unsigned)ops));
	return 0;
}
