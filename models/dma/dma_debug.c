/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of dma_debug.h, and the words of a violation. */
#include "dma_debug.h"

#include "dma_debug_table.h"
#include "iommu.h"

#include <string.h>

static const char *const kind_names[] = {"single mapping", "list segment", "IOVA range", "linked piece",
					 "coherent memory"};
static const char *const direction_names[] = {"bidirectional", "to device", "from device", "none"};

/* What happened to an address, for the words of a violation. */
struct past {
	const struct pcie_node *fn;
	const char *what;
	dma_addr_t addr;
	uint64_t size;
	enum dma_data_direction dir;
	sim_time_t when;
};
enum { PAST = 4096, SHOWN = 8 };

struct dma_debug {
	struct dma_layer *l;
	struct pcie_fabric *fabric;
	struct dma_observer observer;
	struct dma_debug_table table;
	struct past past[PAST];
	uint64_t npast;
	char *violation;
};
static bool same(const struct mapping *m, const struct mapping *like)
{
	return m->kind == like->kind && m->addr == like->addr && m->size == like->size && m->dir == like->dir;
}

static bool holds(const struct mapping *m, const struct mapping *like)
{
	return m->kind != RANGE && like->addr >= m->addr && like->addr - m->addr < m->size &&
	       like->size <= m->size - (like->addr - m->addr) &&
	       (m->dir == DMA_BIDIRECTIONAL || m->dir == like->dir);
}

static bool range_at(const struct mapping *m, const struct mapping *like)
{
	return m->kind == RANGE && m->addr == (like->addr & PAGE_MASK);
}

static bool any_piece(const struct mapping *m, const struct mapping *like)
{
	(void)like;
	return m->kind != RANGE;
}

/* ---- history and words ---- */

static void note(struct dma_debug *g, const struct pcie_node *fn, const char *what, dma_addr_t addr,
		 uint64_t size, enum dma_data_direction dir)
{
	g->past[g->npast++ % PAST] = (struct past){fn, what, addr, size, dir, dma_now(g->l)};
}

static void put_past(GString *out, const struct past *p)
{
	g_string_append_printf(
	    out, "\n  at %.3f us: %s 0x%" G_GINT64_MODIFIER "x, %" G_GUINT64_FORMAT " bytes, %s",
	    (double)p->when / (double)SIM_US, p->what, (guint64)p->addr, (guint64)p->size,
	    direction_names[p->dir]);
}

/* The last operations that touched the pages of [addr, addr + size), the newest last. */
static void put_history(const struct dma_debug *g, GString *out, const struct pcie_node *fn, dma_addr_t addr,
			uint64_t size)
{
	uint64_t first = addr & PAGE_MASK, last = addr + MAX(size, 1) - 1, found[SHOWN];
	unsigned n = 0;

	for (uint64_t i = g->npast; i && g->npast - i < PAST && n < SHOWN; i--) {
		const struct past *p = &g->past[(i - 1) % PAST];

		if (p->fn == fn && (p->addr & PAGE_MASK) <= last && p->addr + MAX(p->size, 1) - 1 >= first)
			found[n++] = i - 1;
	}
	if (n)
		g_string_append(out, "\nwhat happened there:");
	while (n--)
		put_past(out, &g->past[found[n] % PAST]);
}

static G_GNUC_PRINTF(6, 7) void violate(struct dma_debug *g, const struct pcie_node *fn, const char *what,
					dma_addr_t addr, uint64_t size, const char *format, ...)
{
	GString *out = g_string_new(NULL);
	va_list args;

	g_string_printf(out, "%s by %s at 0x%" G_GINT64_MODIFIER "x, %" G_GUINT64_FORMAT " bytes: ", what,
			fn->name, (guint64)addr, (guint64)size);
	va_start(args, format);
	g_string_append_vprintf(out, format, args);
	va_end(args);
	put_history(g, out, fn, addr, size);
	if (!g->violation)
		g->violation = g_string_free(out, FALSE);
	else
		g_string_free(out, TRUE);
}

/* ---- mapping and unmapping ---- */

static void map(struct dma_debug *g, struct device *dev, const char *what, dma_addr_t addr, uint64_t size,
		enum dma_data_direction dir, enum kind kind)
{
	struct mapping like = {.addr = addr, .size = size};
	uint32_t other;

	note(g, dev->pci, what, addr, size, dir);
	if (!size)
		return;
	/* What need not be unmapped (plain memory on the direct path) is not kept: nobody tells when it ends.
	 */
	if (kind != COHERENT && !dma_need_unmap(dev))
		return;
	/* Behind an IOMMU an address is given to one at a time; on the direct path memory may be mapped
	 * twice. */
	if (use_dma_iommu(dev)) {
		other = dma_debug_find(&g->table, dev->pci, &like, any_piece);
		if (other)
			violate(g, dev->pci, what, addr, size,
				"overlaps the %s of %" G_GUINT64_FORMAT " bytes",
				kind_names[g->table.mappings[other].kind],
				(guint64)g->table.mappings[other].size);
	}
	dma_debug_add(&g->table, dev, addr, size, dir, kind);
}

/* Take away the mapping that is like this one, or say how the one that is there differs. */
static void unmap(struct dma_debug *g, struct device *dev, const char *what, const struct mapping *like)
{
	uint32_t i = dma_debug_find(&g->table, dev->pci, like, same);
	const struct mapping *m = &g->table.mappings[i];

	note(g, dev->pci, what, like->addr, like->size, like->dir);
	if (!i && !use_dma_iommu(dev) && like->kind != COHERENT)
		return; /* mapped when it needed no unmapping */
	if (!i)
		violate(g, dev->pci, what, like->addr, like->size, "nothing is mapped there");
	else if (m->kind != like->kind)
		violate(g, dev->pci, what, like->addr, like->size, "it is: %s, not: %s", kind_names[m->kind],
			kind_names[like->kind]);
	else if (m->addr != like->addr || m->size != like->size)
		violate(g, dev->pci, what, like->addr, like->size,
			"the mapping begins at 0x%" G_GINT64_MODIFIER "x and has %" G_GUINT64_FORMAT " bytes",
			(guint64)m->addr, (guint64)m->size);
	else if (m->dir != like->dir)
		violate(g, dev->pci, what, like->addr, like->size, "it was mapped %s, and is unmapped %s",
			direction_names[m->dir], direction_names[like->dir]);
	else
		dma_debug_remove(&g->table, i);
}

static void map_list(struct dma_debug *g, struct device *dev, const struct dma_call_args *a)
{
	struct scatterlist *s = (struct scatterlist *)a->sg;

	for (unsigned i = 0; i < a->segments; i++, s = sg_next(s))
		if (!(s->dma_flags & SG_DMA_BUS_ADDRESS))
			map(g, dev, "dma_map_sg", s->dma_address, s->dma_length, a->dir, LIST);
}

static void unmap_list(struct dma_debug *g, struct device *dev, const struct dma_call_args *a)
{
	struct scatterlist *s = (struct scatterlist *)a->sg;

	for (unsigned i = 0; i < a->nents && s && s->dma_length && !g->violation; i++, s = sg_next(s)) {
		struct mapping like = {dev, s->dma_address, s->dma_length, 0, LIST, a->dir, 0};

		if (!(s->dma_flags & SG_DMA_BUS_ADDRESS))
			unmap(g, dev, "dma_unmap_sg", &like);
	}
}

/* ---- ranges and their pieces ---- */

static struct mapping *range_of(struct dma_debug *g, const struct device *dev, const char *what,
				const struct dma_call_args *a)
{
	struct mapping like = {.addr = a->addr};
	uint32_t i = dma_debug_find(&g->table, dev->pci, &like, range_at);

	if (i && g->table.mappings[i].kind == RANGE)
		return &g->table.mappings[i];
	violate(g, dev->pci, what, a->addr, a->size, "no range of dma_iova_try_alloc begins there");
	return NULL;
}

static void link_piece(struct dma_debug *g, struct device *dev, const struct dma_call_args *a)
{
	struct mapping *r = range_of(g, dev, "dma_iova_link", a);

	if (!r)
		return;
	if (a->addr + a->offset + a->size > r->addr + r->size) {
		violate(g, dev->pci, "dma_iova_link", a->addr + a->offset, a->size, "ends beyond its range");
		return;
	}
	r->linked += a->size;
	map(g, dev, "dma_iova_link", a->addr + a->offset, a->size, a->dir, PIECE);
}

/* All pieces of [offset, offset + size) of the range, which must begin and end with them. */
static void unlink_pieces(struct dma_debug *g, const struct device *dev, const char *what,
			  const struct dma_call_args *a, struct mapping *r)
{
	dma_addr_t at = a->addr + a->offset, end = at + a->size;

	note(g, dev->pci, what, at, a->size, a->dir);
	while (at < end) {
		struct mapping like = {dev, at, 0, 0, PIECE, a->dir, 0};
		uint32_t i = dma_debug_find(&g->table, dev->pci, &like, any_piece);
		const struct mapping *m = &g->table.mappings[i];

		if (!i || m->addr != at || m->addr + m->size > end || m->dir != a->dir) {
			violate(g, dev->pci, what, a->addr + a->offset, a->size,
				"at 0x%" G_GINT64_MODIFIER "x: %s", (guint64)at,
				!i || m->addr > at ? "beyond what was linked"
				: m->dir != a->dir ? "linked in another direction"
						   : "a piece would be unlinked in part");
			return;
		}
		at += m->size;
		r->linked -= m->size;
		dma_debug_remove(&g->table, i);
	}
}

static void end_range(struct dma_debug *g, const struct device *dev, const char *what,
		      const struct dma_call_args *a)
{
	struct mapping *r = range_of(g, dev, what, a);

	if (!r)
		return;
	if (a->size)
		unlink_pieces(g, dev, what, a, r);
	if (g->violation)
		return;
	if (r->linked) {
		violate(g, dev->pci, what, a->addr, a->size, "%" G_GUINT64_FORMAT " bytes are still linked",
			(guint64)r->linked);
		return;
	}
	note(g, dev->pci, what, r->addr, r->size, DMA_NONE);
	dma_debug_remove(&g->table, (uint32_t)(r - g->table.mappings));
}

/* ---- what uses mappings ---- */

/* Is [addr, addr + size) mapped, by one mapping or several side by side, in a direction that allows dir? */
static void touch(struct dma_debug *g, const struct pcie_node *fn, const char *what, dma_addr_t addr,
		  uint64_t size, enum dma_data_direction dir)
{
	struct mapping like = {.addr = addr, .size = size, .dir = dir};

	while (like.size && !g->violation) {
		uint32_t i = dma_debug_find(&g->table, fn, &like, holds);
		const struct mapping *m = &g->table.mappings[i];
		uint64_t n;

		if (!i) {
			violate(g, fn, what, addr, size, "nothing is mapped at 0x%" G_GINT64_MODIFIER "x",
				(guint64)like.addr);
			return;
		}
		if (m->dir != DMA_BIDIRECTIONAL && m->dir != dir) {
			violate(g, fn, what, addr, size, "mapped %s", direction_names[m->dir]);
			return;
		}
		n = MIN(like.size, m->size - (like.addr - m->addr));
		like.addr += n;
		like.size -= n;
	}
}

static void call(void *arg, struct device *dev, enum dma_call what, const struct dma_call_args *a)
{
	struct dma_debug *g = arg;
	struct mapping *r;

	if (g->violation)
		return;
	switch (what) {
	case DMA_CALL_MAP:
		if (a->addr != DMA_MAPPING_ERROR)
			map(g, dev, "dma_map_phys", a->addr, a->size, a->dir, SINGLE);
		break;
	case DMA_CALL_UNMAPPING:
		unmap(g, dev, "dma_unmap_phys",
		      &(struct mapping){dev, a->addr, a->size, 0, SINGLE, a->dir, 0});
		break;
	case DMA_CALL_MAP_SG:
		map_list(g, dev, a);
		break;
	case DMA_CALL_UNMAP_SG:
		unmap_list(g, dev, a);
		break;
	case DMA_CALL_ALLOC:
		map(g, dev, "dma_alloc", a->addr, a->size, DMA_BIDIRECTIONAL, COHERENT);
		break;
	case DMA_CALL_FREE:
		unmap(g, dev, "dma_free",
		      &(struct mapping){dev, a->addr, a->size, 0, COHERENT, DMA_BIDIRECTIONAL, 0});
		break;
	case DMA_CALL_TRY_ALLOC_RET:
		if (a->ok) {
			note(g, dev->pci, "dma_iova_try_alloc", a->addr, a->size, DMA_NONE);
			dma_debug_add(&g->table, dev, a->addr, a->size, DMA_NONE, RANGE);
		}
		break;
	case DMA_CALL_LINKED:
		link_piece(g, dev, a);
		break;
	case DMA_CALL_UNLINK:
		r = range_of(g, dev, "dma_iova_unlink", a);
		if (r)
			unlink_pieces(g, dev, "dma_iova_unlink", a, r);
		break;
	case DMA_CALL_DESTROY:
		if (a->size) /* else it frees the range */
			end_range(g, dev, "dma_iova_destroy", a);
		break;
	case DMA_CALL_FREE_RANGE:
		end_range(g, dev, "dma_iova_free", a);
		break;
	case DMA_CALL_SYNC_SINGLE:
		if (use_dma_iommu(dev) || dma_need_unmap(dev))
			touch(g, dev->pci, "dma_sync_single", a->addr, a->size, a->dir);
		break;
	default: /* what is under way, or has failed */
		break;
	}
}

/* A device's access. Peer memory that is reached directly, and what the device had translated, is not mapped.
 */
static void device_access(void *arg, const struct pcie_dma *d)
{
	struct dma_debug *g = arg;

	if (g->violation || d->translated || d->astray || !d->len || pcie_is_peer_address(d->fn, d->addr))
		return;
	if (d->fn->owner && !use_dma_iommu(d->fn->owner))
		return; /* all memory is within reach of the direct path */
	touch(g, d->fn, d->op == PCIE_READ ? "device read" : "device write", d->addr, d->len,
	      d->op == PCIE_READ ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
}

/* The range may be given to somebody else from now on. */
static void iova_free(void *arg, struct device *dev, unsigned cpu, uint64_t pfn, uint64_t pages, bool cached)
{
	struct dma_debug *g = arg;
	dma_addr_t addr = pfn << PAGE_SHIFT;

	(void)cpu;
	(void)cached;
	if (g->violation || !dev->domain || !dev->pci->iommu)
		return;
	if (iommu_is_cached(dev->pci->iommu, dev->domain->did, addr, pages << PAGE_SHIFT))
		violate(g, dev->pci, "free_iova", addr, pages << PAGE_SHIFT,
			"a translation cache still holds an entry: it was not invalidated");
}

/* ---- life ---- */

struct dma_debug *dma_debug_new(struct dma_layer *l, struct pcie_fabric *fabric)
{
	struct dma_debug *g = g_new0(struct dma_debug, 1);

	g->l = l;
	g->fabric = fabric;
	dma_debug_table_init(&g->table);
	g->observer = (struct dma_observer){.arg = g, .call = call, .iova_free = iova_free};
	dma_layer_set_observer(l, &g->observer);
	pcie_set_watch(fabric, device_access, g);
	return g;
}

void dma_debug_free(struct dma_debug *g)
{
	if (!g)
		return;
	dma_layer_set_observer(g->l, NULL);
	pcie_set_watch(g->fabric, NULL, NULL);
	dma_debug_table_clear(&g->table);
	g_free(g->violation);
	g_free(g);
}

void dma_debug_end(struct dma_debug *g)
{
	for (uint32_t i = 1; i < g->table.nmappings && g->table.live && !g->violation; i++) {
		const struct mapping *m = &g->table.mappings[i];

		if (m->size)
			violate(g, m->dev->pci, "leak", m->addr, m->size,
				"%s (%s) was never undone; %" G_GUINT64_FORMAT " mappings are left",
				kind_names[m->kind], direction_names[m->dir], (guint64)g->table.live);
	}
}

const char *dma_debug_violation(const struct dma_debug *g)
{
	return g->violation;
}
