/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steering by a recorded kernel: allocations whose caches are older than the recording and whose outcome it
 * dictates; state set and read from outside.
 */
#include "replay_hooks.h"
#include "flush_queue.h"
#include "swiotlb.h"

#include <string.h>

#define IOVA_PFN_UNKNOWN 0ull /* magazine entry of unknown contents; no range has this pfn */

/* What is not known of an allocator. */
struct iova_replay {
	bool stale_prediction; /* what a wrong prediction took is not known to be there */
	bool below[];          /* per cpu and class: below both magazines lie entries that nobody knows */
};

static struct iova_replay *replay_of(struct iova_domain *iovad)
{
	if (!iovad->replay)
		iovad->replay = g_malloc0(sizeof(*iovad->replay) + iovad->l->sim->ncpus * iovad->classes);
	return iovad->replay;
}

/* Whether unknown entries lie below the cache of (cpu, order). */
static bool *unknown_below(struct iova_domain *iovad, unsigned cpu, unsigned order)
{
	return &replay_of(iovad)->below[cpu * iovad->classes + order];
}

static void drop_unknown(struct iova_magazine *m)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < m->size; i++) {
		if (m->pfns[i] != IOVA_PFN_UNKNOWN)
			m->pfns[kept++] = m->pfns[i];
	}
	m->size = kept;
}

static bool take_from_magazine(struct iova_magazine *m, uint64_t pfn)
{
	for (uint64_t i = m->size; i-- > 0;) {
		if (m->pfns[i] != pfn)
			continue;
		for (uint64_t j = i + 1; j < m->size; j++)
			m->pfns[j - 1] = m->pfns[j];
		m->size--;
		return true;
	}
	return false;
}

/* Wherever pfn is cached (any CPU and class), it no longer is. */
static bool take_from_caches(struct iova_domain *iovad, uint64_t pfn)
{
	for (unsigned i = 0; i < iovad->classes; i++) {
		struct iova_rcache *rc = &iovad->rcaches[i];

		for (unsigned c = 0; c < iovad->l->sim->ncpus; c++) {
			if (take_from_magazine(rc->cpu_rcaches[c].loaded, pfn) ||
			    take_from_magazine(rc->cpu_rcaches[c].prev, pfn))
				return true;
		}
		for (struct iova_magazine *m = rc->depot; m; m = m->next) {
			if (take_from_magazine(m, pfn))
				return true;
		}
	}
	return false;
}

/* Make [pfn, pfn + pages) exactly one range of the tree, whatever was believed about it before. */
static struct iova *claim_range(struct iova_domain *iovad, uint64_t pfn, uint64_t pages)
{
	struct iova *iova;

	while ((iova = iova_overlap(iovad, pfn, pfn + pages - 1))) {
		if (iova->pfn_lo == pfn && iova->pfn_hi >= pfn + pages - 1)
			return iova;
		take_from_caches(iovad, iova->pfn_lo);
		remove_iova(iovad, iova);
	}
	return iova_insert(iovad, pfn, pfn + pages - 1);
}

/* An unknown entry, or what lies below all known ones, is reached: what came out is recorded. */
static bool resolve_unknown(struct iova_domain *iovad, struct iova_alloc_event *e)
{
	const struct dma_replay *r = iovad->l->replay;
	struct iova_cpu_rcache *c = &iovad->rcaches[e->order].cpu_rcaches[e->cpu];

	e->source = IOVA_FROM_UNKNOWN;
	e->pfn = 0;
	if (r->resolve_unknown && r->resolve_unknown(r->arg, e, &e->pfn) && e->pfn) {
		take_from_caches(iovad, e->pfn);
		claim_range(iovad, e->pfn, e->rounded);
		return true;
	}
	drop_unknown(c->loaded);
	drop_unknown(c->prev);
	*unknown_below(iovad, e->cpu, (unsigned)e->order) = false;
	return false;
}

static bool get_cached(struct iova_domain *iovad, struct iova_alloc_event *e)
{
	const struct iova_cpu_rcache *c;

	for (;;) {
		if (iova_rcache_get(iovad, e)) {
			if (e->pfn != IOVA_PFN_UNKNOWN)
				return true;
		} else {
			if (e->order < 0 || e->limit_pfn + 1 <= e->rounded)
				return false;
			c = &iovad->rcaches[e->order].cpu_rcaches[e->cpu];
			if (c->loaded->size || !*unknown_below(iovad, e->cpu, (unsigned)e->order))
				return false;
		}
		if (resolve_unknown(iovad, e))
			return true;
	}
}

/* Hints of the tree before an insertion, to take a wrong prediction back. */
struct iova_hints {
	struct iova *cached_node, *cached32_node;
	uint64_t max32_alloc_size;
};

static void undo_prediction(struct iova_domain *iovad, const struct iova_alloc_event *e,
			    const struct iova_hints *before)
{
	if (e->source == IOVA_FROM_CACHE) {
		struct iova_magazine *m = iovad->rcaches[e->order].cpu_rcaches[e->cpu].loaded;

		if (!replay_of(iovad)->stale_prediction)
			m->pfns[m->size++] = e->pfn;
		else if (*unknown_below(iovad, e->cpu, (unsigned)e->order))
			m->pfns[m->size++] = IOVA_PFN_UNKNOWN;
	} else if (e->source == IOVA_FROM_TREE) {
		remove_iova(iovad, find_iova(iovad, e->pfn));
		iovad->cached_node = before->cached_node;
		iovad->cached32_node = before->cached32_node;
		iovad->max32_alloc_size = before->max32_alloc_size;
	}
}

/* The recorded outcome in place of the predicted one, where they differ. */
static void take_outcome(struct iova_domain *iovad, struct iova_alloc_event *e,
			 const struct iova_hints *before)
{
	const struct dma_replay *r = iovad->l->replay;
	enum iova_source source = e->source;
	uint64_t pfn = e->pfn;
	struct iova *iova;

	replay_of(iovad)->stale_prediction = false;
	if (e->source == IOVA_FROM_UNKNOWN || !r->outcome || !r->outcome(r->arg, e, &pfn, &source))
		return;
	undo_prediction(iovad, e, before);
	e->pfn = pfn;
	e->source = pfn ? source : IOVA_FAILED;
	if (!pfn)
		return;
	take_from_caches(iovad, pfn);
	iova = claim_range(iovad, pfn, e->rounded);
	if (source == IOVA_FROM_TREE)
		iova_cached_insert_update(iovad, iova);
}

/* The fast path of an allocation under a replay, step for step as alloc_iova_fast takes it. */
static void steered_alloc(struct iova_domain *iovad, struct iova_alloc_event *e, bool flush_rcache)
{
	struct iova_hints before = {NULL, NULL, 0};

	if (!get_cached(iovad, e)) {
		before = (struct iova_hints){iovad->cached_node, iovad->cached32_node,
					     iovad->max32_alloc_size};
		if (!iova_tree_get(iovad, e) && flush_rcache) {
			iova_flush_rcaches(iovad);
			before = (struct iova_hints){iovad->cached_node, iovad->cached32_node,
						     iovad->max32_alloc_size};
			iova_tree_get(iovad, e);
		}
	}
	take_outcome(iovad, e, &before);
}

void dma_layer_set_replay(struct dma_layer *l, const struct dma_replay *r)
{
	l->replay = r;
	l->steered_alloc = r ? steered_alloc : NULL;
}

unsigned dma_replay_domain(const struct device *dev)
{
	return dev->domain ? dev->domain->did : 0;
}

/* ---- allocator ---- */

void dma_replay_cache_unknown(struct device *dev)
{
	struct iova_domain *iovad = &dev->domain->iovad;

	memset(replay_of(iovad)->below, true, dev->sim->ncpus * iovad->classes);
}

static void fill_unknown(struct iova_domain *iovad, struct iova_magazine *m, uint64_t n)
{
	m->size = MIN(n, iovad->magazine_size);
	for (uint64_t i = 0; i < m->size; i++)
		m->pfns[i] = IOVA_PFN_UNKNOWN;
}

void dma_replay_cache_fill(struct device *dev, unsigned cpu, unsigned order, unsigned loaded, unsigned prev)
{
	struct iova_domain *iovad = &dev->domain->iovad;
	struct iova_cpu_rcache *c = &iovad->rcaches[order].cpu_rcaches[cpu];

	fill_unknown(iovad, c->loaded, loaded);
	fill_unknown(iovad, c->prev, prev);
	*unknown_below(iovad, cpu, order) = true;
}

void dma_replay_depot_fill(struct device *dev, unsigned order, unsigned magazines)
{
	struct iova_domain *iovad = &dev->domain->iovad;
	struct iova_rcache *rc = &iovad->rcaches[order];

	while (rc->depot)
		iova_magazine_free(iovad, iova_depot_pop(rc));
	for (unsigned i = 0; i < magazines; i++) {
		struct iova_magazine *m = iova_magazine_alloc(iovad);

		fill_unknown(iovad, m, iovad->magazine_size);
		iova_depot_push(rc, m);
	}
}

enum iova_source dma_replay_cache_peek(struct device *dev, unsigned cpu, uint64_t pages, uint64_t limit_pfn,
				       uint64_t *pfn)
{
	struct iova_domain *iovad = &dev->domain->iovad;
	unsigned order = order_base_2(pages);
	const struct iova_cpu_rcache *c;
	const struct iova_magazine *m;

	if (order >= iovad->classes)
		return IOVA_FROM_TREE;
	c = &iovad->rcaches[order].cpu_rcaches[cpu];
	m = c->loaded->size ? c->loaded : c->prev;
	if (!m->size && *unknown_below(iovad, cpu, order))
		return IOVA_FROM_UNKNOWN;
	if (!m->size)
		m = iovad->rcaches[order].depot;
	limit_pfn -= pages - 1;
	for (uint64_t i = m ? m->size : 0; i-- > 0;) {
		if (m->pfns[i] == IOVA_PFN_UNKNOWN)
			return IOVA_FROM_UNKNOWN;
		if (m->pfns[i] <= limit_pfn) {
			*pfn = m->pfns[i];
			return IOVA_FROM_CACHE;
		}
	}
	return IOVA_FROM_TREE;
}

static void forget(struct iova_magazine *m, bool (*stale)(void *arg, uint64_t pfn), void *arg)
{
	for (uint64_t i = 0; i < m->size; i++) {
		if (m->pfns[i] != IOVA_PFN_UNKNOWN && stale(arg, m->pfns[i]))
			m->pfns[i] = IOVA_PFN_UNKNOWN;
	}
}

void dma_replay_cache_forget(struct device *dev, unsigned cpu, unsigned order,
			     bool (*stale)(void *arg, uint64_t pfn), void *arg, bool empty)
{
	struct iova_domain *iovad = &dev->domain->iovad;
	struct iova_cpu_rcache *c = &iovad->rcaches[order].cpu_rcaches[cpu];

	forget(c->loaded, stale, arg);
	forget(c->prev, stale, arg);
	replay_of(iovad)->stale_prediction = true;
	*unknown_below(iovad, cpu, order) = !empty;
	if (empty) {
		drop_unknown(c->loaded);
		drop_unknown(c->prev);
	}
}

int dma_replay_reserve(struct device *dev, uint64_t pfn, uint64_t pages)
{
	struct iova_domain *iovad = &dev->domain->iovad;

	if (iova_overlap(iovad, pfn, pfn + pages - 1))
		return -EEXIST;
	iova_insert(iovad, pfn, pfn + pages - 1);
	return 0;
}

/* Pages that the allocator gives for an allocation of pages. */
static uint64_t rounded(const struct iova_domain *iovad, uint64_t pages)
{
	return order_base_2(pages) < iovad->classes ? 1ull << order_base_2(pages) : pages;
}

void dma_replay_claim(struct device *dev, uint64_t pfn, uint64_t pages)
{
	struct iova_domain *iovad = &dev->domain->iovad;

	take_from_caches(iovad, pfn);
	claim_range(iovad, pfn, rounded(iovad, pages));
}

/* The entry of pfn leaves its ring without being freed. */
static void drop_queued(struct iommu_domain *d, uint64_t pfn)
{
	struct flush_queue *fq = d->fq;

	for (unsigned c = 0; fq && c < d->l->sim->ncpus; c++) {
		struct fq_ring *r = &fq->rings[c];
		unsigned mask = fq->size - 1, to = r->head;

		for (unsigned i = r->head; i != r->tail; i = (i + 1) & mask) {
			if (r->entries[i].iova_pfn == pfn) {
				iommu_release_tables(d, &r->entries[i].freelist);
				continue;
			}
			if (to != i) {
				struct fq_entry moved = r->entries[i];

				r->entries[i] = r->entries[to];
				r->entries[to] = moved;
			}
			to = (to + 1) & mask;
		}
		r->tail = to;
	}
}

void dma_replay_free(struct device *dev, uint64_t pfn, uint64_t pages)
{
	drop_queued(dev->domain, pfn);
	dma_replay_claim(dev, pfn, pages);
	free_iova_fast(&dev->domain->iovad, pfn, pages);
}

/* ---- mappings and tables ---- */

/* Table entries for [iova, iova + size). The memory behind them is never accessed: its address only decides
 * leaves. */
static int map_unseen(struct iommu_domain *d, dma_addr_t iova, size_t size, bool small)
{
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	uint64_t mapped = 0;
	int err = pgtable_map(d->pt, iova, small ? iova + PAGE_SIZE : iova, size, IOMMU_READ | IOMMU_WRITE,
			      &mapped, &g);

	iommu_release_tables(d, &g.tables);
	return err;
}

int dma_replay_adopt(struct device *dev, dma_addr_t iova, size_t size, bool small)
{
	if (map_unseen(dev->domain, iova, size, small))
		return -EEXIST;
	dma_replay_claim(dev, iova >> PAGE_SHIFT, size >> PAGE_SHIFT);
	return 0;
}

void dma_replay_fill(struct device *dev, dma_addr_t iova, size_t size)
{
	for (dma_addr_t at = iova; at < iova + size; at += PAGE_SIZE)
		if (!pgtable_iova_to_phys(dev->domain->pt, at, NULL))
			map_unseen(dev->domain, at, PAGE_SIZE, true);
}

void dma_replay_clear(struct device *dev, dma_addr_t iova, size_t size)
{
	struct iommu_domain *d = dev->domain;
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	dma_addr_t end = iova + size;

	while (iova < end) {
		uint64_t done = pgtable_unmap(d->pt, iova, end - iova, &g);

		iova += done ? done : PAGE_SIZE; /* a hole */
	}
	iommu_release_tables(d, &g.tables);
}

int dma_replay_map(struct device *dev, dma_addr_t iova, phys_addr_t phys, size_t size)
{
	return iommu_map(dev->domain, iova, phys, size, IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE);
}

size_t dma_replay_unmap(struct device *dev, dma_addr_t iova, size_t size)
{
	return iommu_unmap(dev->domain, iova, size);
}

void dma_replay_table(struct device *dev, dma_addr_t iova, bool present)
{
	struct iommu_domain *d = dev->domain;
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	dma_addr_t base = align_down(iova, 2 * MIB);
	uint64_t size = present ? PAGE_SIZE : 2 * MIB, mapped = 0;

	/* A page leaves its table behind; a large leaf takes the place of an empty one. */
	if (!pgtable_map(d->pt, base, base, size, IOMMU_READ | IOMMU_WRITE, &mapped, &g) && mapped)
		pgtable_unmap(d->pt, base, mapped, &g);
	iommu_release_tables(d, &g.tables);
}

void dma_replay_release(struct device *dev, dma_addr_t iova, size_t size)
{
	__iommu_dma_unmap(dev, iova, size);
}

/* ---- flush queue ---- */

void dma_replay_flush_timer(struct device *dev, unsigned cpu)
{
	struct flush_queue *fq = dev->domain ? dev->domain->fq : NULL;

	if (fq)
		cpu_post(&dev->sim->cpus[cpu], &fq->work, dma_now(dev->dma));
}

bool dma_replay_ring_head(struct device *dev, unsigned cpu, uint64_t *pfn, uint64_t *complete)
{
	const struct flush_queue *fq = dev->domain ? dev->domain->fq : NULL;
	const struct fq_ring *r = fq ? &fq->rings[cpu] : NULL;

	if (!r || r->head == r->tail)
		return false;
	*pfn = *complete = r->entries[r->head].iova_pfn;
	for (unsigned i = r->head; i != r->tail; i = (i + 1) & (fq->size - 1)) {
		if (r->entries[i].counter < fq->finish_count)
			*complete = r->entries[i].iova_pfn;
	}
	return true;
}

bool dma_replay_has_queue(struct device *dev)
{
	return dev->domain && dev->domain->fq;
}

unsigned dma_replay_ring_entries(struct device *dev, unsigned cpu)
{
	const struct flush_queue *fq = dev->domain ? dev->domain->fq : NULL;

	return fq ? (fq->rings[cpu].tail - fq->rings[cpu].head) & (fq->size - 1) : 0;
}

/* ---- bounce pool ---- */

unsigned dma_replay_bounce_areas(struct device *dev)
{
	const struct swiotlb *sw = dev->dma->swiotlb;

	return sw && sw->pools ? sw->pools->nareas : 0;
}

int dma_replay_bounce_area(struct device *dev, dma_addr_t addr)
{
	const struct swiotlb *sw = dev->dma->swiotlb;
	const struct io_tlb_pool *pool = sw ? sw->pools : NULL;

	if (!pool || addr < pool->start || addr >= pool->end)
		return -1;
	return (int)(((addr - pool->start) >> IO_TLB_SHIFT) / pool->area_nslabs);
}

void dma_replay_bounce_hint(struct device *dev, dma_addr_t addr)
{
	struct io_tlb_pool *pool = dev->dma->swiotlb->pools;
	int area = dma_replay_bounce_area(dev, addr);

	g_assert(area >= 0);
	/* Padding slots come before the one that the data starts in. */
	pool->areas[area].index = (uint32_t)((((addr & ~(phys_addr_t)dev->min_align_mask) - pool->start) >>
					      IO_TLB_SHIFT) %
					     pool->area_nslabs);
}

/* ---- dump ---- */

static void dump_magazine(GString *s, const char *name, const struct iova_magazine *m)
{
	g_string_append_printf(s, " %s[%" G_GUINT64_FORMAT "]", name, m->size);
	for (uint64_t i = m->size; i-- > 0;) {
		if (m->pfns[i] == IOVA_PFN_UNKNOWN)
			g_string_append(s, " ?");
		else
			g_string_append_printf(s, " %" G_GINT64_MODIFIER "x", m->pfns[i]);
		if (m->size - i == 16 && i) {
			g_string_append(s, " ...");
			break;
		}
	}
}

static void dump_hint(GString *s, const char *name, const struct iova *n)
{
	if (n->pfn_lo == IOVA_ANCHOR)
		g_string_append_printf(s, " %s=anchor", name);
	else
		g_string_append_printf(s, " %s=%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x", name,
				       n->pfn_lo, n->pfn_hi);
}

char *dma_replay_dump(struct device *dev)
{
	struct iova_domain *iovad = &dev->domain->iovad;
	GString *s = g_string_new(NULL);

	g_string_append_printf(s, "tree: %" G_GUINT64_FORMAT " ranges, max32=%" G_GUINT64_FORMAT,
			       iovad->nodes, iovad->max32_alloc_size);
	dump_hint(s, "cached32", iovad->cached32_node);
	dump_hint(s, "cached", iovad->cached_node);
	g_string_append_c(s, '\n');
	for (unsigned i = 0; i < iovad->classes; i++) {
		struct iova_rcache *rc = &iovad->rcaches[i];

		for (unsigned c = 0; c < dev->sim->ncpus; c++) {
			struct iova_cpu_rcache *cr = &rc->cpu_rcaches[c];
			bool below = *unknown_below(iovad, c, i);

			if (!cr->loaded->size && !cr->prev->size && !below)
				continue;
			g_string_append_printf(s, "class %u pages, cpu %u:", 1u << i, c);
			dump_magazine(s, "loaded", cr->loaded);
			dump_magazine(s, "prev", cr->prev);
			g_string_append(s, below ? " and unknown ones below\n" : "\n");
		}
		if (rc->depot_size)
			g_string_append_printf(s, "class %u pages, depot: %u magazines\n", 1u << i,
					       rc->depot_size);
	}
	return g_string_free(s, FALSE);
}
