/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address map and contents of simulated physical memory. */
#include "internal.h"

#include <string.h>

#define SLAB_PAGES 64

phys_addr_t memory_max(const struct memory *m)
{
	return m->high_last ? m->high_last : m->low_last;
}

static bool is_ram(const struct memory *m, phys_addr_t phys)
{
	return phys <= m->low_last || (phys >= 4 * GIB && phys <= m->high_last);
}

/* The BAR that holds phys, or NULL. Few and sorted: binary search. */
static RARE struct bar *bar_find(const struct memory *m, phys_addr_t phys)
{
	guint lo = 0, hi = m->bars->len;

	while (lo < hi) {
		guint mid = (lo + hi) / 2;
		struct bar *b = &g_array_index(m->bars, struct bar, mid);

		if (phys < b->base)
			hi = mid;
		else if (phys > b->last)
			lo = mid + 1;
		else
			return b;
	}
	return NULL;
}

void memory_add_bar(struct memory *m, phys_addr_t base, uint64_t size, enum memory_kind kind, void *owner)
{
	struct bar b = {.base = base, .last = base + size - 1, .kind = kind, .owner = owner};
	guint at = 0;

	g_assert(size && !((base | size) & ~PAGE_MASK) && b.last > base);
	g_assert(kind == MEMORY_P2P || kind == MEMORY_MMIO);
	g_assert(base > m->low_last && (!m->high_last || b.last < 4 * GIB || base > m->high_last));
	while (at < m->bars->len && g_array_index(m->bars, struct bar, at).base < base)
		at++;
	g_assert(at == 0 || g_array_index(m->bars, struct bar, at - 1).last < base);
	g_assert(at == m->bars->len || g_array_index(m->bars, struct bar, at).base > b.last);
	b.contents = g_new0(struct page_contents *, bar_chunks(&b));
	g_array_insert_val(m->bars, at, b);
}

enum memory_kind memory_kind(const struct memory *m, phys_addr_t phys)
{
	const struct bar *b;

	if (G_LIKELY(is_ram(m, phys)))
		return MEMORY_RAM;
	b = bar_find(m, phys);
	return b ? b->kind : MEMORY_NONE;
}

void memory_set_bar_kind(struct memory *m, phys_addr_t phys, enum memory_kind kind)
{
	struct bar *b = bar_find(m, phys);

	g_assert(b);
	b->kind = kind;
}

void *memory_bar_owner(const struct memory *m, phys_addr_t phys, phys_addr_t *base)
{
	const struct bar *b = bar_find(m, phys);

	if (!b)
		return NULL;
	if (base)
		*base = b->base;
	return b->owner;
}

unsigned memory_node(const struct memory *m, phys_addr_t phys)
{
	return is_ram(m, phys) ? page_node(m, (uint32_t)(phys >> PAGE_SHIFT)) : 0;
}

static uint8_t *host_page(struct memory *m)
{
	uint8_t *page = m->free_host;

	if (!page) {
		uint8_t *slab = g_malloc((SLAB_PAGES + 1) * PAGE_SIZE);

		g_ptr_array_add(m->slabs, slab);
		/* g_malloc aligns to 16 bytes only; host pages on page bounds keep simulated lines on lines.
		 */
		slab = (uint8_t *)align_up((uintptr_t)slab, PAGE_SIZE);
		for (unsigned i = 0; i < SLAB_PAGES; i++) {
			memcpy(slab + i * PAGE_SIZE, &m->free_host, sizeof(m->free_host));
			m->free_host = slab + i * PAGE_SIZE;
		}
		page = m->free_host;
	}
	memcpy(&m->free_host, page, sizeof(m->free_host));
	memset(page, 0, PAGE_SIZE);
	return page;
}

/* Where the radix keeps the contents pointer of phys; NULL in a hole, or if make is false and none is there.
 */
static RARE uint8_t **contents_slot(struct memory *m, phys_addr_t phys, bool make)
{
	struct page_contents **chunk;
	uint64_t pfn = phys >> PAGE_SHIFT;

	if (is_ram(m, phys)) {
		chunk = &m->contents[pfn >> CHUNK_LG2];
	} else {
		struct bar *b = bar_find(m, phys);

		if (!b)
			return NULL;
		pfn = (phys - b->base) >> PAGE_SHIFT;
		chunk = &b->contents[pfn >> CHUNK_LG2];
	}
	if (!*chunk) {
		if (!make)
			return NULL;
		*chunk = g_new0(struct page_contents, 1);
	}
	return &(*chunk)->page[pfn & (CHUNK_PAGES - 1)];
}

static RARE void *memory_ptr_slow(struct memory *m, phys_addr_t phys)
{
	uint8_t **slot = contents_slot(m, phys, true);

	if (!slot)
		return NULL;
	if (!*slot)
		*slot = host_page(m);
	return *slot + (phys & ~PAGE_MASK);
}

/* The byte at phys if its page has contents, NULL if it has none yet or never will. */
static inline uint8_t *have_contents(const struct memory *m, phys_addr_t phys)
{
	uint64_t chunk = phys >> (PAGE_SHIFT + CHUNK_LG2);
	uint8_t *page = NULL;

	if (G_LIKELY(chunk < m->nchunks && m->contents[chunk]))
		page = m->contents[chunk]->page[(phys >> PAGE_SHIFT) & (CHUNK_PAGES - 1)];
	return G_LIKELY(page) ? page + (phys & ~PAGE_MASK) : NULL;
}

inline void *memory_ptr(struct memory *m, phys_addr_t phys)
{
	uint8_t *p = have_contents(m, phys);

	return G_LIKELY(p) ? p : memory_ptr_slow(m, phys);
}

void *memory_peek(const struct memory *m, phys_addr_t phys)
{
	uint8_t **slot, *p = have_contents(m, phys);

	if (G_LIKELY(p))
		return p;
	slot = contents_slot((struct memory *)(uintptr_t)m, phys, false);
	return slot && *slot ? *slot + (phys & ~PAGE_MASK) : NULL;
}

/* Queue entries, which most accesses are, without a call. */
static inline void copy_bytes(void *to, const void *from, size_t n)
{
	if (n == 16)
		memcpy(to, from, 16);
	else if (n == 64)
		memcpy(to, from, 64);
	else
		memcpy(to, from, n);
}

void memory_read(struct memory *m, phys_addr_t phys, void *dst, size_t len)
{
	uint8_t *to = dst;

	while (len) {
		size_t part = MIN(len, PAGE_SIZE - (phys & ~PAGE_MASK));
		const void *from = memory_peek(m, phys);

		if (from)
			copy_bytes(to, from, part);
		else /* never written: zeroes, without giving the page contents */
			memset(to, 0, part);
		to += part;
		phys += part;
		len -= part;
	}
}

void memory_write(struct memory *m, phys_addr_t phys, const void *src, size_t len)
{
	const uint8_t *from = src;

	while (len) {
		size_t part = MIN(len, PAGE_SIZE - (phys & ~PAGE_MASK));
		uint8_t *to = memory_ptr(m, phys);

		if (to) /* writes to a hole are lost, as on a real bus */
			copy_bytes(to, from, part);
		from += part;
		phys += part;
		len -= part;
	}
}

void memory_drop(struct memory *m, phys_addr_t page)
{
	uint8_t **slot = contents_slot(m, page & PAGE_MASK, false);

	if (!slot || !*slot)
		return;
	memcpy(*slot, &m->free_host, sizeof(m->free_host));
	m->free_host = *slot;
	*slot = NULL;
}
