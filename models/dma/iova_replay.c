/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replaying a recorded kernel through the IOVA allocator: caches whose contents are older than the
 * recording, outcomes that the recording dictates, dumps for divergence reports.
 */
#include "iommu.h"
#include "iova.h"

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

bool iova_resolve_unknown(struct iova_domain *iovad, struct iova_cpu_rcache *c, struct iova_alloc_event *e)
{
	const struct dma_observer *o = iovad->l->observer;

	e->source = IOVA_FROM_UNKNOWN;
	e->pfn = 0;
	if (o && o->resolve_unknown && o->resolve_unknown(o->arg, e, &e->pfn) && e->pfn) {
		take_from_caches(iovad, e->pfn);
		claim_range(iovad, e->pfn, e->rounded);
		return true;
	}
	drop_unknown(c->loaded);
	drop_unknown(c->prev);
	c->unknown = false;
	return false;
}

static void undo_prediction(struct iova_domain *iovad, const struct iova_alloc_event *e,
			    const struct iova_hints *before)
{
	struct iova_magazine *m;

	if (e->source == IOVA_FROM_CACHE) {
		const struct iova_cpu_rcache *c = &iovad->rcaches[e->order].cpu_rcaches[e->cpu];

		m = c->loaded;
		if (!iovad->stale_prediction)
			m->pfns[m->size++] = e->pfn;
		else if (c->unknown)
			m->pfns[m->size++] = IOVA_PFN_UNKNOWN;
	} else if (e->source == IOVA_FROM_TREE) {
		remove_iova(iovad, find_iova(iovad, e->pfn));
		iovad->cached_node = before->cached_node;
		iovad->cached32_node = before->cached32_node;
		iovad->max32_alloc_size = before->max32_alloc_size;
	}
}

void iova_observe_alloc(struct iova_domain *iovad, struct iova_alloc_event *e,
			const struct iova_hints *before)
{
	const struct dma_observer *o = iovad->l->observer;
	enum iova_source source = e->source;
	uint64_t pfn = e->pfn;

	iovad->stale_prediction = false;
	if (e->source != IOVA_FROM_UNKNOWN && o->outcome && o->outcome(o->arg, e, &pfn, &source)) {
		undo_prediction(iovad, e, before);
		e->pfn = pfn;
		e->source = pfn ? source : IOVA_FAILED;
		if (pfn) {
			struct iova *iova;

			take_from_caches(iovad, pfn);
			iova = claim_range(iovad, pfn, e->rounded);
			if (source == IOVA_FROM_TREE)
				iova_cached_insert_update(iovad, iova);
		}
	}
	if (o->iova_alloc)
		o->iova_alloc(o->arg, e);
}

/* ---- loading and looking ---- */

void dma_layer_set_observer(struct dma_layer *l, const struct dma_observer *o)
{
	l->observer = o;
}

void dma_replay_cache_unknown(struct device *dev, int cpu, int order, unsigned fill, bool more)
{
	struct iova_domain *iovad = &dev->domain->iovad;
	unsigned ncpus = dev->sim->ncpus;

	for (unsigned i = 0; i < iovad->classes; i++) {
		for (unsigned c = 0; c < ncpus; c++) {
			struct iova_cpu_rcache *cr = &iovad->rcaches[i].cpu_rcaches[c];

			if ((order >= 0 && i != (unsigned)order) || (cpu >= 0 && c != (unsigned)cpu))
				continue;
			for (unsigned n = 0; n < fill && n < 2 * iovad->magazine_size; n++) {
				struct iova_magazine *m = n < iovad->magazine_size ? cr->loaded : cr->prev;

				if (m->size < iovad->magazine_size)
					m->pfns[m->size++] = IOVA_PFN_UNKNOWN;
			}
			cr->unknown = more;
		}
	}
}

int dma_replay_cache_load(struct device *dev, unsigned cpu, unsigned order, const uint64_t *pfns, unsigned n)
{
	struct iova_domain *iovad = &dev->domain->iovad;
	struct iova_cpu_rcache *c;

	if (cpu >= dev->sim->ncpus || order >= iovad->classes)
		return -EINVAL;
	c = &iovad->rcaches[order].cpu_rcaches[cpu];
	if (c->loaded->size + c->prev->size + n > 2 * iovad->magazine_size)
		return -ENOSPC;
	for (unsigned i = 0; i < n; i++) {
		struct iova_magazine *m = c->loaded;

		if (m->size == iovad->magazine_size) {
			c->loaded = c->prev;
			c->prev = m;
			m = c->loaded;
		}
		take_from_caches(iovad, pfns[i]);
		claim_range(iovad, pfns[i], 1ull << order);
		m->pfns[m->size++] = pfns[i];
	}
	return 0;
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
	if (!m->size && c->unknown)
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
	struct iova_cpu_rcache *c = &dev->domain->iovad.rcaches[order].cpu_rcaches[cpu];

	forget(c->loaded, stale, arg);
	forget(c->prev, stale, arg);
	dev->domain->iovad.stale_prediction = true;
	c->unknown = !empty;
	if (empty) {
		drop_unknown(c->loaded);
		drop_unknown(c->prev);
	}
}

int dma_replay_adopt(struct device *dev, dma_addr_t iova, size_t size)
{
	struct iommu_domain *d = dev->domain;
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	uint64_t pfn = iova >> PAGE_SHIFT, pages = size >> PAGE_SHIFT, mapped = 0;
	int err = pgtable_map(d->pt, iova, iova, size, IOMMU_READ | IOMMU_WRITE, &mapped, &g);

	iommu_release_tables(d, &g.tables);
	if (err)
		return -EEXIST;
	take_from_caches(&d->iovad, pfn);
	claim_range(&d->iovad, pfn,
		    order_base_2(pages) < d->iovad.classes ? 1ull << order_base_2(pages) : pages);
	return 0;
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

int dma_replay_reserve(struct device *dev, uint64_t pfn, uint64_t pages)
{
	struct iova_domain *iovad = &dev->domain->iovad;

	if (iova_overlap(iovad, pfn, pfn + pages - 1))
		return -EEXIST;
	iova_insert(iovad, pfn, pfn + pages - 1);
	return 0;
}

bool dma_replay_find(struct device *dev, uint64_t pfn, uint64_t *pfn_lo, uint64_t *pfn_hi)
{
	struct iova *iova = find_iova(&dev->domain->iovad, pfn);

	if (!iova)
		return false;
	*pfn_lo = iova->pfn_lo;
	*pfn_hi = iova->pfn_hi;
	return true;
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

			if (!cr->loaded->size && !cr->prev->size && !cr->unknown)
				continue;
			g_string_append_printf(s, "class %u pages, cpu %u:", 1u << i, c);
			dump_magazine(s, "loaded", cr->loaded);
			dump_magazine(s, "prev", cr->prev);
			g_string_append(s, cr->unknown ? " and unknown ones below\n" : "\n");
		}
		if (rc->depot_size)
			g_string_append_printf(s, "class %u pages, depot: %u magazines\n", 1u << i,
					       rc->depot_size);
	}
	return g_string_free(s, FALSE);
}
