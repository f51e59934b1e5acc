/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How full the caches were when a recording began. In lazy mode a flush releases hundreds of ranges at
 * once; where they go depends on how much room each magazine had. The fill is unknown, but it shows: of all
 * fills, the one under which most allocations of the recording are as the caches' rules predict.
 * Linux drivers/iommu/iova.c: two magazines per CPU, a depot of full ones.
 */
#include "internal.h"

#include <string.h>

enum { MAX_CPUS = 8, MAX_DEPOT = 4, STAMPS = 1 << 20, COST_WRONG = 64, MAX_MAGAZINE = 512 };
#define UNKNOWN 0u

struct magazine {
	unsigned n;
	uint32_t pfns[MAX_MAGAZINE];
};

struct caches {
	struct magazine mags[2 * MAX_CPUS + 64]; /* storage; indices below */
	unsigned loaded[MAX_CPUS], prev[MAX_CPUS];
	unsigned depot[64], ndepot;
	unsigned spare[2 * MAX_CPUS + 64], nspare;
};

struct fit {
	const struct cache_op *ops;
	unsigned nops, ncpus, size; /* of a magazine */
	struct caches *c;
	uint32_t *stamp; /* per pfn: generation in which it is known to be cached */
	uint32_t generation;
};

static void fill_unknown(struct magazine *m, unsigned n)
{
	m->n = n;
	memset(m->pfns, 0, n * sizeof(m->pfns[0]));
}

static void reset(struct fit *f, const struct replay_fill *fill)
{
	struct caches *c = f->c;

	f->generation++;
	c->nspare = c->ndepot = 0;
	for (unsigned i = 2 * MAX_CPUS + 64; i-- > 0;)
		c->spare[c->nspare++] = i;
	for (unsigned i = 0; i < f->ncpus; i++) {
		c->loaded[i] = c->spare[--c->nspare];
		c->prev[i] = c->spare[--c->nspare];
		fill_unknown(&c->mags[c->loaded[i]], fill->loaded[i]);
		fill_unknown(&c->mags[c->prev[i]], fill->prev[i]);
	}
	for (unsigned i = 0; i < fill->depot; i++) {
		c->depot[c->ndepot] = c->spare[--c->nspare];
		fill_unknown(&c->mags[c->depot[c->ndepot++]], f->size);
	}
}

static void put(struct fit *f, unsigned cpu, uint32_t pfn)
{
	struct caches *c = f->c;
	struct magazine *m = &c->mags[c->loaded[cpu]];

	if (m->n == f->size) {
		if (c->mags[c->prev[cpu]].n < f->size) {
			unsigned swap = c->loaded[cpu];

			c->loaded[cpu] = c->prev[cpu];
			c->prev[cpu] = swap;
		} else if (c->ndepot < 63 && c->nspare) {
			c->depot[c->ndepot++] = c->loaded[cpu];
			c->loaded[cpu] = c->spare[--c->nspare];
			c->mags[c->loaded[cpu]].n = 0;
		} else {
			return;
		}
		m = &c->mags[c->loaded[cpu]];
	}
	m->pfns[m->n++] = pfn;
	f->stamp[pfn % STAMPS] = f->generation;
}

static bool drop(struct magazine *m, uint32_t pfn)
{
	for (unsigned i = m->n; i-- > 0;) {
		if (m->pfns[i] != pfn)
			continue;
		memmove(&m->pfns[i], &m->pfns[i + 1], (m->n - i - 1) * sizeof(m->pfns[0]));
		m->n--;
		return true;
	}
	return false;
}

static void drop_anywhere(struct fit *f, uint32_t pfn)
{
	struct caches *c = f->c;

	for (unsigned i = 0; i < f->ncpus; i++)
		if (drop(&c->mags[c->loaded[i]], pfn) || drop(&c->mags[c->prev[i]], pfn))
			return;
	for (unsigned i = 0; i < c->ndepot; i++)
		if (drop(&c->mags[c->depot[i]], pfn))
			return;
}

/* The magazine that the next range comes from, NULL if there is none. */
static struct magazine *top(struct fit *f, unsigned cpu)
{
	struct caches *c = f->c;
	unsigned swap = c->loaded[cpu];

	if (c->mags[swap].n)
		return &c->mags[swap];
	if (c->mags[c->prev[cpu]].n) {
		c->loaded[cpu] = c->prev[cpu];
		c->prev[cpu] = swap;
		return &c->mags[c->loaded[cpu]];
	}
	/* One of the depot may have lost all of its ranges to allocations that were not predicted. */
	while (c->ndepot) {
		c->spare[c->nspare++] = c->loaded[cpu];
		c->loaded[cpu] = c->depot[--c->ndepot];
		if (c->mags[c->loaded[cpu]].n)
			return &c->mags[c->loaded[cpu]];
	}
	return NULL;
}

/* Cost of one allocation: nothing if it is predicted, little if something unknown shows itself. */
static unsigned get(struct fit *f, const struct cache_op *op)
{
	struct magazine *m = top(f, op->cpu);
	bool cached = f->stamp[op->pfn % STAMPS] == f->generation;
	unsigned cost = COST_WRONG;

	f->stamp[op->pfn % STAMPS] = 0;
	if (op->what == CACHE_GET_TREE) {
		for (cost = 0; (m = top(f, op->cpu)); cost = COST_WRONG)
			m->n = 0;
		return cost;
	}
	if (!m)
		return cached ? COST_WRONG : 1;
	if (m->pfns[m->n - 1] == op->pfn) {
		m->n--;
		return 0;
	}
	if (m->pfns[m->n - 1] == UNKNOWN && !cached) {
		m->n--;
		return 1;
	}
	if (cached)
		drop_anywhere(f, op->pfn);
	return cost;
}

static uint64_t cost_of(struct fit *f, const struct replay_fill *fill, uint64_t limit)
{
	uint64_t cost = 0;

	reset(f, fill);
	for (unsigned i = 0; i < f->nops && cost < limit; i++) {
		if (f->ops[i].what == CACHE_PUT)
			put(f, f->ops[i].cpu, f->ops[i].pfn);
		else
			cost += get(f, &f->ops[i]);
	}
	return cost;
}

/* One coordinate at a time, until nothing gets better. */
static uint64_t descend(struct fit *f, struct replay_fill *fill, uint64_t best)
{
	bool better = true;

	for (unsigned round = 0; better && round < 4; round++) {
		better = false;
		for (unsigned k = 0; k < 2 * f->ncpus; k++) {
			struct replay_fill try = *fill;
			uint16_t *at = k & 1 ? &try.prev[k / 2] : &try.loaded[k / 2];

			for (unsigned v = 0; v <= f->size; v++) {
				uint64_t cost;

				*at = (uint16_t)v;
				cost = cost_of(f, &try, best);
				if (cost < best) {
					best = cost;
					*fill = try;
					better = true;
				}
			}
		}
	}
	return best;
}

struct replay_fill replay_fit(const struct replay *r, unsigned order)
{
	static const uint16_t starts[] = {0, 64, 127};
	g_autoptr(GArray) ops = g_array_new(FALSE, FALSE, sizeof(struct cache_op));
	struct fit f = {.ncpus = MIN(r->config.sim->ncpus, MAX_CPUS), .size = r->config.magazine_size};
	struct replay_fill best = {0};
	uint64_t least = UINT64_MAX;

	if (f.size > MAX_MAGAZINE || !f.size || r->config.sim->ncpus > MAX_CPUS)
		return best;
	for (unsigned i = 0; i < r->cache_ops->len; i++) {
		struct cache_op op = g_array_index(r->cache_ops, struct cache_op, i);

		if (op.order == order)
			g_array_append_val(ops, op);
	}
	f.ops = (const struct cache_op *)ops->data;
	f.nops = ops->len;
	f.c = g_new0(struct caches, 1);
	f.stamp = g_new0(uint32_t, STAMPS);
	for (unsigned depot = 0; depot < MAX_DEPOT; depot++) {
		for (unsigned s = 0; s < G_N_ELEMENTS(starts); s++) {
			struct replay_fill fill = {.depot = (uint8_t)depot};
			uint64_t cost;

			for (unsigned c = 0; c < f.ncpus; c++)
				fill.loaded[c] = fill.prev[c] = (uint16_t)MIN(starts[s], f.size);
			cost = cost_of(&f, &fill, least);
			cost = descend(&f, &fill, MIN(cost, least));
			if (cost < least) {
				least = cost;
				best = fill;
			}
		}
	}
	best.use = least != UINT64_MAX;
	best.wrong = least / COST_WRONG;
	g_free(f.c);
	g_free(f.stamp);
	return best;
}
