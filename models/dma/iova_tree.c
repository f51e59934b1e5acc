/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The range tree of the IOVA allocator: ordered by first pfn, closed by an anchor at the highest pfn.
 * Allocation looks for the first gap that fits from a hint downwards (drivers/iommu/iova.c, Linux 6.1
 * to 7.0, which do not differ here).
 */
#include "iova.h"

static int iova_compare(const struct iova *a, const struct iova *b)
{
	return (a->pfn_lo > b->pfn_lo) - (a->pfn_lo < b->pfn_lo);
}

/* Not every generated function is used. */
/* clang-format off */
RB_GENERATE_INTERNAL(iova_tree, iova, node, iova_compare, G_GNUC_UNUSED static)
/* clang-format on */

void init_iova_domain(struct iova_domain *iovad, struct dma_layer *l, struct device *dev, uint64_t start_pfn)
{
	*iovad = (struct iova_domain){.l = l, .dev = dev, .start_pfn = start_pfn};
	RB_INIT(&iovad->tree);
	spin_lock_init(&iovad->rbtree_lock, "iova_rbtree_lock");
	iovad->rbtree_lock.stats = &l->st->tree_lock;
	iovad->dma_32bit_pfn = (4 * GIB) >> PAGE_SHIFT;
	iovad->max32_alloc_size = iovad->dma_32bit_pfn;
	iovad->magazine_size = l->params.iova.magazine_size ? l->params.iova.magazine_size
							    : l->kernel->magazine_size;
	iovad->classes = (unsigned)l->params.iova.cache_classes;
	iovad->anchor.pfn_lo = iovad->anchor.pfn_hi = IOVA_ANCHOR;
	RB_INSERT(iova_tree, &iovad->tree, &iovad->anchor);
	iovad->cached_node = iovad->cached32_node = &iovad->anchor;
}

static struct iova *alloc_iova_mem(struct iova_domain *iovad)
{
	struct sim *sim = iovad->l->sim;

	ledger_charge(&sim->ledger, LEDGER_IOVA_RANGES, SIZEOF_STRUCT_IOVA);
	return slab_alloc(&sim->slab, sizeof(struct iova));
}

static void free_iova_mem(struct iova_domain *iovad, struct iova *iova)
{
	struct sim *sim = iovad->l->sim;

	ledger_release(&sim->ledger, LEDGER_IOVA_RANGES, SIZEOF_STRUCT_IOVA);
	slab_free(&sim->slab, iova, sizeof(*iova));
}

static void insert_node(struct iova_domain *iovad, struct iova *iova)
{
	const struct dma_observer *o = iovad->l->observer;
	struct iova *there = RB_INSERT(iova_tree, &iovad->tree, iova);

	g_assert(!there);
	iovad->nodes++;
	if (G_UNLIKELY(o) && o->tree_insert)
		o->tree_insert(o->arg, iovad->dev, iova->pfn_lo, iova->pfn_hi);
}

struct iova *iova_insert(struct iova_domain *iovad, uint64_t pfn_lo, uint64_t pfn_hi)
{
	struct iova *iova = alloc_iova_mem(iovad);

	iova->pfn_lo = pfn_lo;
	iova->pfn_hi = pfn_hi;
	insert_node(iovad, iova);
	return iova;
}

struct iova *iova_next(struct iova_domain *iovad, struct iova *iova)
{
	struct iova *next = RB_NEXT(iova_tree, &iovad->tree, iova);

	return next == &iovad->anchor ? NULL : next;
}

struct iova *iova_first(struct iova_domain *iovad)
{
	struct iova *first = RB_MIN(iova_tree, &iovad->tree);

	return first == &iovad->anchor ? NULL : first;
}

void iova_cached_insert_update(struct iova_domain *iovad, struct iova *new)
{
	if (new->pfn_hi < iovad->dma_32bit_pfn)
		iovad->cached32_node = new;
	else
		iovad->cached_node = new;
}

static void cached_delete_update(struct iova_domain *iovad, struct iova *old)
{
	struct iova *next = RB_NEXT(iova_tree, &iovad->tree, old);

	if (old == iovad->cached32_node ||
	    (old->pfn_hi < iovad->dma_32bit_pfn && old->pfn_lo >= iovad->cached32_node->pfn_lo))
		iovad->cached32_node = next;
	if (old->pfn_lo < iovad->dma_32bit_pfn)
		iovad->max32_alloc_size = iovad->dma_32bit_pfn;
	if (old->pfn_lo >= iovad->cached_node->pfn_lo)
		iovad->cached_node = next;
}

/* Where the second pass of a search starts: the lowest range that lies wholly above the limit. */
static struct iova *find_limit(struct iova_domain *iovad, uint64_t limit)
{
	struct iova key = {.pfn_lo = limit};

	if (limit > iovad->dma_32bit_pfn)
		return &iovad->anchor;
	return RB_NFIND(iova_tree, &iovad->tree, &key);
}

/*
 * One pass downwards from *curr: the highest candidate below limit in the first gap that takes it.
 * False if the pass reached low without one.
 */
static bool search_gap(struct iova_domain *iovad, struct iova *curr, uint64_t size, uint64_t limit,
		       uint64_t low, uint64_t align_mask, uint64_t *candidate)
{
	uint64_t high = limit, steps = 0;
	uint64_t new_pfn;

	do {
		high = MIN(high, curr->pfn_lo);
		new_pfn = (high - size) & align_mask;
		curr = RB_PREV(iova_tree, &iovad->tree, curr);
		steps++;
	} while (curr && new_pfn <= curr->pfn_hi && new_pfn >= low);

	iovad->l->st->tree_steps += steps;
	cpu_charge_n(sim_cpu(iovad->l->sim), COST_IOVA_TREE_STEP, steps);
	*candidate = new_pfn;
	return high >= size && new_pfn >= low;
}

/* limit is exclusive. */
static bool find_free(struct iova_domain *iovad, uint64_t size, uint64_t limit, bool size_aligned,
		      uint64_t *new_pfn)
{
	uint64_t align_mask = size_aligned ? ~0ull << order_base_2(size) : ~0ull;
	struct iova *hint = limit <= iovad->dma_32bit_pfn ? iovad->cached32_node : iovad->cached_node;
	uint64_t retry_pfn = hint->pfn_hi;

	if (limit <= iovad->dma_32bit_pfn && size >= iovad->max32_alloc_size)
		return false;
	if (search_gap(iovad, hint, size, limit, iovad->start_pfn, align_mask, new_pfn))
		return true;
	/* Gaps above the hint have not been looked at. */
	if (retry_pfn < limit &&
	    search_gap(iovad, find_limit(iovad, limit), size, limit, retry_pfn + 1, align_mask, new_pfn))
		return true;
	iovad->max32_alloc_size = size;
	return false;
}

void iova_charge_tree(struct iova_domain *iovad)
{
	struct cpu *cpu = sim_cpu(iovad->l->sim);

	cpu_charge(cpu, COST_IOVA_TREE_FIXED);
	cpu_charge_n(cpu, COST_IOVA_TREE_LEVEL, order_base_2(iovad->nodes + 1));
}

struct iova *alloc_iova(struct iova_domain *iovad, uint64_t size, uint64_t limit_pfn, bool size_aligned)
{
	struct cpu *cpu = sim_cpu(iovad->l->sim);
	struct iova *iova = alloc_iova_mem(iovad);
	uint64_t pfn;

	cpu_charge(cpu, COST_IOVA_RANGE);
	spin_lock(cpu, &iovad->rbtree_lock);
	iova_charge_tree(iovad);
	if (find_free(iovad, size, limit_pfn + 1, size_aligned, &pfn)) {
		iova->pfn_lo = pfn;
		iova->pfn_hi = pfn + size - 1;
		insert_node(iovad, iova);
		iova_cached_insert_update(iovad, iova);
	} else {
		free_iova_mem(iovad, iova);
		iova = NULL;
	}
	spin_unlock(cpu, &iovad->rbtree_lock);
	return iova;
}

struct iova *find_iova(struct iova_domain *iovad, uint64_t pfn)
{
	struct iova *n = RB_ROOT(&iovad->tree);

	while (n) {
		if (pfn < n->pfn_lo)
			n = RB_LEFT(n, node);
		else if (pfn > n->pfn_hi)
			n = RB_RIGHT(n, node);
		else
			return n == &iovad->anchor ? NULL : n;
	}
	return NULL;
}

struct iova *iova_overlap(struct iova_domain *iovad, uint64_t pfn_lo, uint64_t pfn_hi)
{
	struct iova *n = RB_ROOT(&iovad->tree), *found = NULL;

	while (n) {
		if (n->pfn_hi < pfn_lo) {
			n = RB_RIGHT(n, node);
		} else {
			if (n->pfn_lo <= pfn_hi)
				found = n;
			n = RB_LEFT(n, node);
		}
	}
	return found == &iovad->anchor ? NULL : found;
}

void remove_iova(struct iova_domain *iovad, struct iova *iova)
{
	const struct dma_observer *o = iovad->l->observer;

	cached_delete_update(iovad, iova);
	RB_REMOVE(iova_tree, &iovad->tree, iova);
	iovad->nodes--;
	if (G_UNLIKELY(o) && o->tree_remove)
		o->tree_remove(o->arg, iovad->dev, iova->pfn_lo, iova->pfn_hi);
	free_iova_mem(iovad, iova);
}

void free_iova(struct iova_domain *iovad, uint64_t pfn)
{
	struct cpu *cpu = sim_cpu(iovad->l->sim);
	struct iova *iova;

	spin_lock(cpu, &iovad->rbtree_lock);
	iova_charge_tree(iovad);
	iova = find_iova(iovad, pfn);
	if (iova)
		remove_iova(iovad, iova);
	spin_unlock(cpu, &iovad->rbtree_lock);
	cpu_charge(cpu, COST_IOVA_RANGE);
}

void reserve_iova(struct iova_domain *iovad, uint64_t pfn_lo, uint64_t pfn_hi)
{
	struct iova *n;

	if (pfn_hi < pfn_lo || pfn_hi >= IOVA_ANCHOR)
		return;
	while ((n = iova_overlap(iovad, pfn_lo, pfn_hi))) {
		if (pfn_lo < n->pfn_lo)
			n->pfn_lo = pfn_lo;
		if (pfn_hi <= n->pfn_hi)
			return;
		pfn_lo = n->pfn_hi + 1;
	}
	iova_insert(iovad, pfn_lo, pfn_hi);
}

void iova_tree_free(struct iova_domain *iovad)
{
	struct iova *iova;

	RB_REMOVE(iova_tree, &iovad->tree, &iovad->anchor);
	while ((iova = RB_ROOT(&iovad->tree))) {
		RB_REMOVE(iova_tree, &iovad->tree, iova);
		free_iova_mem(iovad, iova);
	}
}
