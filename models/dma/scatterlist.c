/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scatterlist tables: how many arrays of what size the kernel allocates for n entries, and the chain of
 * links through them (Linux lib/scatterlist.c, lib/sg_pool.c, include/linux/scatterlist.h).
 */
#include "sim/cpu.h"
#include <dmasim/scatterlist.h>

#include <string.h>

#define SG_BYTES sizeof(struct scatterlist)

unsigned sg_linked_arrays(unsigned n)
{
	return n <= SG_MAX_SINGLE_ALLOC ? 0 : (n - 2) / (SG_MAX_SINGLE_ALLOC - 1);
}

/* kmalloc's size classes up to one page (mm/slab_common.c). */
static uint64_t kmalloc_size(uint64_t bytes)
{
	if (bytes <= 8)
		return 8;
	if (bytes > 64 && bytes <= 96)
		return 96;
	if (bytes > 128 && bytes <= 192)
		return 192;
	return (uint64_t)1 << order_base_2(bytes);
}

static uint64_t final_table_bytes(unsigned entries)
{
	return kmalloc_size(SG_BYTES * entries);
}

/* Pools of 8, 16, 32, 64 and 128 entries. */
static uint64_t final_pool_bytes(unsigned entries)
{
	return SG_BYTES * (entries <= 8 ? 8 : (uint64_t)1 << order_base_2(entries));
}

uint64_t sg_table_bytes(unsigned n)
{
	unsigned k = sg_linked_arrays(n);

	return n ? k * PAGE_SIZE + final_table_bytes(n - k * (SG_MAX_SINGLE_ALLOC - 1)) : 0;
}

uint64_t sg_pool_bytes(unsigned n)
{
	unsigned k = sg_linked_arrays(n);

	return n ? k * PAGE_SIZE + final_pool_bytes(n - k * (SG_MAX_SINGLE_ALLOC - 1)) : 0;
}

void sg_init_table(struct scatterlist *sg, unsigned n)
{
	memset(sg, 0, SG_BYTES * n);
	sg[n - 1].page_link = SG_END;
}

struct scatterlist *sg_next(struct scatterlist *sg)
{
	if (sg->page_link & SG_END)
		return NULL;
	sg++;
	if (G_UNLIKELY(sg->page_link & SG_CHAIN))
		sg = (struct scatterlist *)(uintptr_t)(sg->page_link & ~3ull);
	return sg;
}

void sg_chain(struct scatterlist *prev, unsigned nprev, struct scatterlist *next)
{
	prev[nprev - 1].offset = 0;
	prev[nprev - 1].length = 0;
	prev[nprev - 1].page_link = (uint64_t)(uintptr_t)next | SG_CHAIN;
}

/*
 * Arrays for n entries after prev (nprev entries, NULL at the start of a table), which then links to them.
 * Costs one allocation per array. Returns the first new array.
 */
static struct scatterlist *alloc_arrays(struct sim *sim, unsigned n, struct scatterlist *prev, unsigned nprev,
					uint64_t (*final_bytes)(unsigned))
{
	struct scatterlist *head = NULL;

	while (n) {
		unsigned here = MIN(n, SG_MAX_SINGLE_ALLOC);
		struct scatterlist *array = slab_alloc(&sim->slab, SG_BYTES * here);

		ledger_charge(&sim->ledger, LEDGER_SG_TABLES,
			      here == SG_MAX_SINGLE_ALLOC ? PAGE_SIZE : final_bytes(here));
		if (sim->cpu)
			cpu_charge(sim->cpu, COST_SG_ALLOC);
		sg_init_table(array, here);
		if (prev)
			sg_chain(prev, nprev, array);
		if (!head)
			head = array;
		if (here == n)
			break;
		prev = array;
		nprev = here;
		n -= here - 1;
	}
	return head;
}

static void free_arrays(struct sim *sim, struct scatterlist *array, unsigned n,
			uint64_t (*final_bytes)(unsigned))
{
	while (n) {
		unsigned here = MIN(n, SG_MAX_SINGLE_ALLOC);
		struct scatterlist *next = NULL;

		if (here < n)
			next = (struct scatterlist *)(uintptr_t)(array[here - 1].page_link & ~3ull);
		ledger_release(&sim->ledger, LEDGER_SG_TABLES,
			       here == SG_MAX_SINGLE_ALLOC ? PAGE_SIZE : final_bytes(here));
		slab_free(&sim->slab, array, SG_BYTES * here);
		if (here == n)
			break;
		array = next;
		n -= here - 1;
	}
}

int sg_alloc_table(struct sim *sim, struct sg_table *t, unsigned n)
{
	*t = (struct sg_table){0};
	if (n == 0)
		return -EINVAL;
	t->sgl = alloc_arrays(sim, n, NULL, 0, final_table_bytes);
	t->nents = t->orig_nents = n;
	return 0;
}

void sg_free_table(struct sim *sim, struct sg_table *t)
{
	if (!t->sgl)
		return;
	free_arrays(sim, t->sgl, t->orig_nents, final_table_bytes);
	*t = (struct sg_table){0};
}

int sg_alloc_table_chained(struct sim *sim, struct sg_table *t, unsigned n, struct scatterlist *first,
			   unsigned ninline)
{
	*t = (struct sg_table){0};
	if (n == 0)
		return -EINVAL;
	t->nents = t->orig_nents = n;
	/* An inline array of one entry could hold nothing but the link. */
	if (!first || ninline <= 1) {
		t->sgl = alloc_arrays(sim, n, NULL, 0, final_pool_bytes);
		return 0;
	}
	t->sgl = first;
	if (n <= ninline) {
		sg_init_table(first, n);
		return 0;
	}
	sg_init_table(first, ninline);
	alloc_arrays(sim, n - (ninline - 1), first, ninline, final_pool_bytes);
	return 0;
}

void sg_free_table_chained(struct sim *sim, struct sg_table *t, unsigned ninline)
{
	unsigned n = t->orig_nents;

	if (!t->sgl)
		return;
	if (ninline <= 1) {
		free_arrays(sim, t->sgl, n, final_pool_bytes);
	} else if (n > ninline) {
		struct scatterlist *link = &t->sgl[ninline - 1];

		free_arrays(sim, (struct scatterlist *)(uintptr_t)(link->page_link & ~3ull),
			    n - (ninline - 1), final_pool_bytes);
	}
	*t = (struct sg_table){0};
}
