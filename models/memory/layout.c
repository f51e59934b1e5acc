/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Physical layout of data buffers: runs of neighbouring pages whose length the fragmentation sets. */
#include "internal.h"

#define HUGE_PAGES 512u /* of a 2 MiB folio */
/* Runs longer than this come from the buddy lists: a random place rarely has that much room. */
#define SCATTER_MAX_RUN 16u

/* Pages until the next break, at most left: each further page is a neighbour with chance 1 - f. */
static unsigned run_length(struct rng *rng, double f, uint64_t left)
{
	unsigned n = 1;

	if (f >= 1)
		return 1;
	left = MIN(left, UINT64_C(1) << BUDDY_MAX_ORDER);
	if (f <= 0)
		return (unsigned)left;
	while (n < left && rng_double(rng) >= f)
		n++;
	return n;
}

static uint32_t take_run(struct memory *m, struct rng *rng, unsigned node, unsigned want, uint32_t avoid,
			 unsigned *got)
{
	uint32_t pfn;

	if (m->params.fragmentation > 0 && want <= SCATTER_MAX_RUN)
		return memory_alloc_scattered(m, rng, node, want, avoid, got);
	for (; want; want /= 2) {
		pfn = memory_alloc_exact(m, node, want);
		if (pfn) {
			*got = want;
			return pfn;
		}
	}
	return 0;
}

struct layout {
	struct phys_vec *vec;
	unsigned n, max;
	uint64_t offset, left; /* into the next page; bytes to lay out */
};

static void put(struct layout *l, uint32_t pfn, uint64_t pages)
{
	uint64_t len = MIN(l->left, pages * PAGE_SIZE - l->offset);

	l->vec[l->n].paddr = ((phys_addr_t)pfn << PAGE_SHIFT) + l->offset;
	l->vec[l->n].len = (uint32_t)len;
	l->n++;
	l->left -= len;
	l->offset = 0;
}

static bool lay_out_huge(struct memory *m, unsigned node, struct layout *l)
{
	while (l->left && l->n < l->max) {
		uint64_t pages = MIN(div_round_up(l->offset + l->left, PAGE_SIZE), HUGE_PAGES);
		uint32_t pfn = memory_alloc_exact(m, node, pages);

		if (!pfn)
			return false;
		put(l, pfn, pages);
	}
	return true;
}

static bool lay_out_pages(struct memory *m, struct rng *rng, unsigned node, struct layout *l)
{
	uint32_t avoid = 0;

	while (l->left && l->n < l->max) {
		uint64_t pages = MIN(div_round_up(l->offset + l->left, PAGE_SIZE), l->max - l->n);
		unsigned got = 0, want = pages == 1 ? 1 : run_length(rng, m->params.fragmentation, pages);
		uint32_t pfn = take_run(m, rng, node, want, avoid, &got);

		if (!pfn)
			return false;
		for (unsigned i = 0; i < got; i++)
			put(l, pfn + i, 1);
		avoid = pfn + got;
	}
	return true;
}

unsigned memory_lay_out(struct memory *m, struct rng *rng, unsigned node, uint64_t offset, uint64_t bytes,
			struct phys_vec *vec, unsigned max)
{
	struct layout l = {vec, 0, max, offset & ~PAGE_MASK, bytes};
	bool huge = m->params.huge_share > 0 && rng_double(rng) < m->params.huge_share;

	node %= (unsigned)m->params.nodes;
	if (huge ? lay_out_huge(m, node, &l) : lay_out_pages(m, rng, node, &l))
		return l.n;
	memory_release(m, vec, l.n);
	return 0;
}

void memory_release(struct memory *m, const struct phys_vec *vec, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		phys_addr_t first = vec[i].paddr >> PAGE_SHIFT,
			    last = (vec[i].paddr + vec[i].len - 1) >> PAGE_SHIFT;

		memory_free_range(m, (uint32_t)first, last - first + 1);
	}
}
