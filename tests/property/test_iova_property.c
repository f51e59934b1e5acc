/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IOVA allocator against a naive one: a sorted array scanned in full for every request, magazines as
 * plain arrays. Every address handed out, every range and every cache must be equal.
 */
#include "../../models/dma/iommu.h"
#include "../../models/dma/timer.h"
#include "dma_rig.h"
#include "shrink.h"

#include <string.h>

#define B32 0x100000ull
#define CLASSES 6u
#define CPUS 2u
#define MAX_RANGES 20000u
#define MAX_DEPOT 2048u

struct range {
	uint64_t lo, hi;
};

struct stack {
	uint64_t pfn[128];
	unsigned n;
};

struct naive {
	struct range r[MAX_RANGES]; /* ascending */
	unsigned n;
	uint64_t hint32, hint; /* first pfn of the range, or the anchor */
	uint64_t max32;
	unsigned mag, depot_max;
	struct stack loaded[CPUS][CLASSES], prev[CPUS][CLASSES];
	struct stack depot[CLASSES][MAX_DEPOT];
	unsigned ndepot[CLASSES];
	bool armed[CLASSES];
	sim_time_t expiry[CLASSES];
	uint64_t order[CLASSES], next_order;
	sim_time_t now;
};

static uint64_t successor(const struct naive *v, uint64_t lo)
{
	uint64_t best = IOVA_ANCHOR;

	for (unsigned i = 0; i < v->n; i++)
		if (v->r[i].lo > lo && v->r[i].lo < best)
			best = v->r[i].lo;
	return best;
}

static void add_range(struct naive *v, uint64_t lo, uint64_t hi)
{
	unsigned i = v->n++;

	g_assert(v->n <= MAX_RANGES);
	for (; i && v->r[i - 1].lo > lo; i--)
		v->r[i] = v->r[i - 1];
	v->r[i] = (struct range){lo, hi};
}

static void drop_range(struct naive *v, uint64_t pfn)
{
	for (unsigned i = 0; i < v->n; i++) {
		uint64_t next;

		if (pfn < v->r[i].lo || pfn > v->r[i].hi)
			continue;
		next = successor(v, v->r[i].lo);
		if (v->r[i].lo == v->hint32 || (v->r[i].hi < B32 && v->r[i].lo >= v->hint32))
			v->hint32 = next;
		if (v->r[i].lo < B32)
			v->max32 = B32;
		if (v->r[i].lo >= v->hint)
			v->hint = next;
		memmove(&v->r[i], &v->r[i + 1], (--v->n - i) * sizeof(v->r[0]));
		return;
	}
}

/* The highest place below limit in any gap whose upper neighbour is not above upper; 0 if none. */
static uint64_t best_place(const struct naive *v, uint64_t upper, uint64_t size, uint64_t limit)
{
	uint64_t align = 1ull << order_base_2(size), best = 0;

	for (unsigned i = 0; i <= v->n; i++) {
		uint64_t top = i < v->n ? v->r[i].lo : IOVA_ANCHOR;
		uint64_t bottom = i ? v->r[i - 1].hi + 1 : 1;
		uint64_t place;

		if (top > upper)
			continue;
		top = MIN(top, limit);
		if (top < size)
			continue;
		place = (top - size) / align * align;
		if (place >= bottom && place > best)
			best = place;
	}
	return best;
}

static uint64_t naive_tree_alloc(struct naive *v, uint64_t size, uint64_t limit)
{
	uint64_t hint = limit <= B32 ? v->hint32 : v->hint, hint_hi = hint, pfn;

	if (limit <= B32 && size >= v->max32)
		return 0;
	for (unsigned i = 0; i < v->n; i++)
		if (v->r[i].lo == hint)
			hint_hi = v->r[i].hi;
	pfn = best_place(v, hint, size, limit);
	if (!pfn && hint_hi < limit) {
		/* Everything above the hint: gaps below the first range that starts at or above limit. */
		uint64_t upper = limit > B32 ? IOVA_ANCHOR : successor(v, limit - 1);

		pfn = best_place(v, upper, size, limit);
		if (pfn <= hint_hi)
			pfn = 0;
	}
	if (!pfn) {
		v->max32 = size;
		return 0;
	}
	add_range(v, pfn, pfn + size - 1);
	if (pfn + size - 1 < B32)
		v->hint32 = pfn;
	else
		v->hint = pfn;
	return pfn;
}

static void empty_stack(struct naive *v, struct stack *s)
{
	for (unsigned i = 0; i < s->n; i++)
		drop_range(v, s->pfn[i]);
	s->n = 0;
}

static uint64_t naive_get(struct naive *v, unsigned cpu, unsigned class, uint64_t limit)
{
	struct stack *l = &v->loaded[cpu][class], *p = &v->prev[cpu][class], tmp;

	if (!l->n && p->n) {
		tmp = *l;
		*l = *p;
		*p = tmp;
	} else if (!l->n && v->ndepot[class]) {
		*l = v->depot[class][--v->ndepot[class]];
	}
	for (unsigned i = l->n; i-- > 0;) {
		uint64_t pfn = l->pfn[i];

		if (pfn > limit)
			continue;
		l->pfn[i] = l->pfn[--l->n];
		return pfn;
	}
	return 0;
}

static void arm(struct naive *v, unsigned class)
{
	if (v->armed[class])
		return;
	v->armed[class] = true;
	v->expiry[class] = timer_expiry(v->now, 100 * SIM_MS, 250);
	v->order[class] = v->next_order++;
}

static void naive_free(struct naive *v, unsigned cpu, uint64_t pfn, uint64_t size)
{
	unsigned class = order_base_2(size);
	struct stack *l, *p, tmp;

	if (class >= CLASSES) {
		drop_range(v, pfn);
		return;
	}
	l = &v->loaded[cpu][class];
	p = &v->prev[cpu][class];
	if (l->n == v->mag) {
		tmp = *l;
		if (p->n < v->mag) {
			*l = *p;
			*p = tmp;
		} else {
			l->n = 0;
			if (v->depot_max && v->ndepot[class] == v->depot_max) {
				l->pfn[l->n++] = pfn;
				empty_stack(v, &tmp);
				return;
			}
			g_assert(v->ndepot[class] < MAX_DEPOT);
			v->depot[class][v->ndepot[class]++] = tmp;
			if (!v->depot_max)
				arm(v, class);
		}
	}
	l->pfn[l->n++] = pfn;
}

static uint64_t naive_alloc(struct naive *v, unsigned cpu, uint64_t size, uint64_t limit, bool flush)
{
	unsigned class = order_base_2(size);
	uint64_t pfn = 0;

	if (size < 32)
		size = 1ull << class;
	if (class < CLASSES)
		pfn = naive_get(v, cpu, class, limit + 1 - size);
	if (!pfn)
		pfn = naive_tree_alloc(v, size, limit + 1);
	if (pfn || !flush)
		return pfn;
	for (unsigned c = 0; c < CPUS; c++) {
		for (unsigned k = 0; k < CLASSES; k++) {
			empty_stack(v, &v->loaded[c][k]);
			empty_stack(v, &v->prev[c][k]);
		}
	}
	for (unsigned k = 0; k < CLASSES; k++)
		while (v->ndepot[k])
			empty_stack(v, &v->depot[k][--v->ndepot[k]]);
	return naive_tree_alloc(v, size, limit + 1);
}

static void naive_advance(struct naive *v, sim_time_t to)
{
	for (;;) {
		int next = -1;

		for (unsigned k = 0; k < CLASSES; k++)
			if (v->armed[k] && v->expiry[k] <= to &&
			    (next < 0 || v->expiry[k] < v->expiry[next] ||
			     (v->expiry[k] == v->expiry[next] && v->order[k] < v->order[next])))
				next = (int)k;
		if (next < 0)
			break;
		v->now = v->expiry[next];
		v->armed[next] = false;
		if (v->ndepot[next] > CPUS) {
			empty_stack(v, &v->depot[next][--v->ndepot[next]]);
			arm(v, (unsigned)next);
		}
	}
	v->now = to;
}

/* ---- comparison ---- */

enum kind { ALLOC, ALLOC_MANY, ALLOC_LARGE, FREE, FREE_MANY, TICK, KINDS };
static const char *const kind_names[] = {"alloc", "alloc many", "alloc>32", "free", "free many", "time"};

struct live {
	uint64_t pfn, size;
};

struct state {
	struct rig r;
	struct iova_domain d;
	struct naive *v;
	struct live live[512];
	unsigned nlive;
};

static bool same_stack(const struct iova_magazine *m, const struct stack *s)
{
	return m->size == s->n && !memcmp(m->pfns, s->pfn, s->n * sizeof(s->pfn[0]));
}

static char *compare(struct state *st)
{
	struct naive *v = st->v;
	unsigned i = 0;

	for (struct iova *n = iova_first(&st->d); n; n = iova_next(&st->d, n), i++) {
		if (i == v->n || n->pfn_lo != v->r[i].lo || n->pfn_hi != v->r[i].hi)
			return g_strdup_printf("range %u differs", i);
		if (i && v->r[i].lo <= v->r[i - 1].hi)
			return g_strdup("ranges overlap");
	}
	if (i != v->n)
		return g_strdup("ranges are missing");
	if (st->d.cached32_node->pfn_lo != v->hint32 || st->d.cached_node->pfn_lo != v->hint ||
	    st->d.max32_alloc_size != v->max32)
		return g_strdup("hints differ");
	for (unsigned k = 0; k < CLASSES; k++) {
		if (st->d.rcaches[k].depot_size != v->ndepot[k])
			return g_strdup("depot differs");
		i = v->ndepot[k];
		for (const struct iova_magazine *m = st->d.rcaches[k].depot; m; m = m->next)
			if (!same_stack(m, &v->depot[k][--i]))
				return g_strdup_printf("depot of class %u differs", k);
		for (unsigned c = 0; c < CPUS; c++) {
			const struct iova_cpu_rcache *cr = &st->d.rcaches[k].cpu_rcaches[c];

			if (!same_stack(cr->loaded, &v->loaded[c][k]) ||
			    !same_stack(cr->prev, &v->prev[c][k]))
				return g_strdup_printf("cache of cpu %u class %u differs", c, k);
			for (unsigned j = 0; j < cr->loaded->size; j++)
				if (cr->loaded->pfns[j] & ((1u << k) - 1))
					return g_strdup("a cached pfn is not aligned to its class");
		}
	}
	return NULL;
}

static char *do_alloc(struct state *st, const struct op *o, unsigned cpu)
{
	static const uint64_t limits[] = {0xfffff, 0xfffff, 0xfffff, 0xffff0, 0xfff80, (1ull << 36) - 1};
	uint64_t limit = limits[o->b % G_N_ELEMENTS(limits)];
	uint64_t size = o->kind == ALLOC_LARGE ? 33 + o->a % (o->a % 8 ? 40 : 700)
					       : 1 + o->a % (1 + o->a / 64 % 32);
	uint64_t want, got;
	bool flush = o->c & 1;

	if (st->nlive == G_N_ELEMENTS(st->live))
		return NULL;
	want = naive_alloc(st->v, cpu, size, limit, flush);
	got = alloc_iova_fast(&st->d, size, limit, flush);
	if (got != want)
		return g_strdup_printf("alloc %lu pages up to %lx: got %lx, want %lx", (unsigned long)size,
				       (unsigned long)limit, (unsigned long)got, (unsigned long)want);
	if (got)
		st->live[st->nlive++] = (struct live){got, size};
	return NULL;
}

static void do_free(struct state *st, uint32_t which, unsigned cpu)
{
	struct live *l;

	if (!st->nlive)
		return;
	l = &st->live[which % st->nlive];
	naive_free(st->v, cpu, l->pfn, l->size);
	free_iova_fast(&st->d, l->pfn, l->size);
	*l = st->live[--st->nlive];
}

static char *do_op(struct state *st, const struct op *o)
{
	struct sim *sim = &st->r.m->sim;
	unsigned cpu = (o->c >> 1) % CPUS;

	sim->cpu = &sim->cpus[cpu];
	switch (o->kind) {
	case ALLOC:
	case ALLOC_LARGE:
		return do_alloc(st, o, cpu);
	case ALLOC_MANY:
		for (unsigned i = o->b % 64; i; i--) {
			char *why = do_alloc(st, o, cpu);

			if (why)
				return why;
		}
		return NULL;
	case FREE_MANY:
		for (unsigned i = o->a % 64; i; i--)
			do_free(st, o->b + i, cpu);
		return NULL;
	case TICK:
		sim_advance(sim, sim->now + o->a % (120 * SIM_MS));
		naive_advance(st->v, sim->now);
		return NULL;
	default:
		do_free(st, o->a, cpu);
		return NULL;
	}
}

/* What the sequences together have exercised. */
struct coverage {
	uint64_t failures, flushes, refills, spills, trims, hits, operations;
};

static void cover(struct coverage *c, const struct dma_stats *st)
{
	c->failures += st->iova_failures;
	c->flushes += st->rcache_flushes;
	c->refills += st->depot_refills;
	c->spills += st->depot_spills;
	c->trims += st->depot_trims;
	c->hits += st->rcache_hits;
	c->operations += st->iova_allocs + st->iova_frees;
}

static char *run(const struct op *ops, unsigned n, uint64_t seed, void *arg)
{
	static const char *const magazines[] = {"127", "2", "5"};
	const char *const set[] = {"cpu.count", "2", "iova.magazine_size", magazines[seed % 3], NULL};
	enum kernel_version k = seed / 3 % KERNEL_VERSIONS;
	struct state *st = g_new0(struct state, 1);
	char *why = NULL;

	st->r = rig_new_with(IOMMU_STRICT, k, set);
	init_iova_domain(&st->d, st->r.dev->dma, st->r.dev, 1);
	iova_domain_init_rcaches(&st->d);
	st->v = g_new0(struct naive, 1);
	st->v->hint = st->v->hint32 = IOVA_ANCHOR;
	st->v->max32 = B32;
	st->v->mag = (unsigned)st->d.magazine_size;
	st->v->depot_max = kernel_profiles[k].depot_max;
	if (seed & 1) {
		/* Little room: failures, second passes, flush and retry. */
		reserve_iova(&st->d, 1, 0xfffff - 1500);
		add_range(st->v, 1, 0xfffff - 1500);
	}
	reserve_iova(&st->d, 0xffe00, 0xffe3f);
	add_range(st->v, 0xffe00, 0xffe3f);
	for (unsigned i = 0; i < n && !why; i++) {
		why = do_op(st, &ops[i]);
		if (!why && i % 16 == 15)
			why = compare(st);
	}
	if (!why)
		why = compare(st);
	cover(arg, &st->r.m->dma_stats);
	put_iova_domain(&st->d);
	g_free(st->v);
	rig_free(&st->r);
	g_free(st);
	return why;
}

START_TEST(equals_naive_allocator)
{
	struct coverage c = {0};
	struct sequence_test t = {
	    .name = "iova", .kinds = KINDS, .kind_names = kind_names, .length = 500, .run = run, .arg = &c};

	for (uint64_t want = test_scale(1000000), step = test_scale(100000) / 10; c.operations < want;)
		sequence_test_run(&t, step);
	ck_assert_uint_gt(c.failures, 1000);
	ck_assert_uint_gt(c.flushes, 100);
	ck_assert_uint_gt(c.refills, 1000);
	ck_assert_uint_gt(c.spills, 1000);
	ck_assert_uint_gt(c.trims, 100);
	ck_assert_uint_gt(c.hits, c.operations / 10);
}
END_TEST

/* The machinery itself: a sequence that fails when two given kinds follow each other at any distance. */
static char *two_culprits(const struct op *ops, unsigned n, uint64_t seed, void *arg)
{
	bool first = false;

	(void)seed;
	(void)arg;
	for (unsigned i = 0; i < n; i++) {
		if (first && ops[i].kind == 3)
			return g_strdup("3 after 5");
		first |= ops[i].kind == 5;
	}
	return NULL;
}

START_TEST(shrinks_to_the_culprits)
{
	struct sequence_test t = {.name = "shrink", .kinds = 7, .length = 500, .run = two_culprits};
	struct op ops[500];
	struct rng rng;

	rng_init(&rng, test_seed(), "shrink");
	for (unsigned i = 0; i < 500; i++)
		ops[i] = (struct op){.kind = (uint8_t)rng_below(&rng, 7), .a = i};
	ck_assert_uint_eq(sequence_shrink(&t, ops, 500, 0), 2);
	ck_assert_uint_eq(ops[0].kind, 5);
	ck_assert_uint_eq(ops[1].kind, 3);
	ck_assert_uint_lt(ops[0].a, ops[1].a);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("iova");

	tcase_set_timeout(t, 500);
	tcase_add_test(t, shrinks_to_the_culprits);
	tcase_add_test(t, equals_naive_allocator);
	return test_run("iova_property", t, NULL);
}
