/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units (tags, buffer lines) in use, each given back at a known time. They are kept in the order of these
 * times, in a ring: what is taken later comes back later with few exceptions, so that a new entry has its
 * place at the end or close to it, and what has come back goes from the front.
 */
#ifndef DMASIM_PCIE_CREDITS_H
#define DMASIM_PCIE_CREDITS_H

#include "pcie.h"

static inline void credits_init(struct pcie_credits *c, uint64_t limit)
{
	*c = (struct pcie_credits){.limit = (uint32_t)MIN(limit, UINT32_MAX)};
}

static inline void credits_fini(struct pcie_credits *c)
{
	g_free(c->entries);
	c->entries = NULL;
}

/* Entry i in the order of return; capacity is a power of two. */
static inline struct pcie_credit *credit_at(const struct pcie_credits *c, uint32_t i)
{
	return &c->entries[(c->first + i) & (c->capacity - 1)];
}

/* First moment >= t at which units are there; more than exist wait for all. */
static inline sim_time_t credits_wait(struct pcie_credits *c, sim_time_t t, uint32_t units)
{
	while (c->n) {
		const struct pcie_credit *e = credit_at(c, 0);

		if (e->free > t && c->used + units <= c->limit)
			break;
		t = MAX(t, e->free);
		c->used -= e->units;
		c->first++;
		c->n--;
	}
	return t;
}

static RARE void credits_grow(struct pcie_credits *c)
{
	uint32_t capacity = c->capacity ? 2 * c->capacity : 16;
	struct pcie_credit *entries = g_new(struct pcie_credit, capacity);

	for (uint32_t i = 0; i < c->n; i++)
		entries[i] = *credit_at(c, i);
	g_free(c->entries);
	c->entries = entries;
	c->capacity = capacity;
	c->first = 0;
}

static inline void credits_take(struct pcie_credits *c, uint32_t units, sim_time_t until)
{
	uint32_t i = c->n;

	if (i == c->capacity)
		credits_grow(c);
	for (; i && credit_at(c, i - 1)->free > until; i--)
		*credit_at(c, i) = *credit_at(c, i - 1);
	*credit_at(c, i) = (struct pcie_credit){until, units};
	c->n++;
	c->used += units;
}

#endif
