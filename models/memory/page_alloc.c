/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page allocator: a binary buddy allocator per node (D. E. Knuth, TAOCP vol. 1, 2.5; the scheme of
 * Linux mm/page_alloc.c) with a short list of single pages in front of it, and scatter zones in
 * which pages are handed out at random places, as a machine does after days of uptime.
 */
#include "internal.h"

/* Legacy BIOS area: never handed out (and page 0 with it). */
#define FIRST_PFN ((uint32_t)(MIB >> PAGE_SHIFT))
#define ZONE_MAX_ORDER 16 /* 256 MiB */
#define ZONE_TRIES 8

static inline unsigned zone_of(uint32_t pfn)
{
	return pfn >= 4 * GIB >> PAGE_SHIFT ? ZONE_NORMAL : ZONE_DMA32;
}

static void list_add(struct memory *m, struct memory_node *n, uint32_t pfn, unsigned order)
{
	struct page_info *p = page_info(m, pfn);

	p->order = (uint8_t)order;
	p->free = 1;
	p->prev = 0;
	p->next = n->free_head[zone_of(pfn)][order];
	if (p->next)
		page_info(m, p->next)->prev = pfn;
	n->free_head[zone_of(pfn)][order] = pfn;
	n->free_pages += UINT64_C(1) << order;
}

static void list_del(struct memory *m, struct memory_node *n, uint32_t pfn)
{
	struct page_info *p = page_info(m, pfn);

	if (p->prev)
		page_info(m, p->prev)->next = p->next;
	else
		n->free_head[zone_of(pfn)][p->order] = p->next;
	if (p->next)
		page_info(m, p->next)->prev = p->prev;
	p->free = 0;
	n->free_pages -= UINT64_C(1) << p->order;
}

static bool valid_pfn(const struct memory *m, uint64_t pfn)
{
	phys_addr_t phys = pfn << PAGE_SHIFT;

	return pfn >= FIRST_PFN && (phys <= m->low_last || (phys >= 4 * GIB && phys <= m->high_last));
}

static void buddy_free(struct memory *m, uint32_t pfn, unsigned order)
{
	unsigned node = page_node(m, pfn);
	struct memory_node *n = &m->nodes[node];

	g_assert(!page_info(m, pfn)->free);
	for (; order < BUDDY_MAX_ORDER; order++) {
		uint32_t buddy = pfn ^ (UINT32_C(1) << order);
		struct page_info *b;

		if (!valid_pfn(m, buddy) || page_node(m, buddy) != node)
			break;
		b = page_info(m, buddy);
		if (!b->free || b->order != order)
			break;
		list_del(m, n, buddy);
		pfn &= ~(UINT32_C(1) << order);
	}
	list_add(m, n, pfn, order);
}

/* Cut a free block that is on no list down to order, keeping the half that contains want. */
static uint32_t buddy_split(struct memory *m, struct memory_node *n, uint32_t pfn, unsigned from,
			    unsigned order)
{
	while (from > order) {
		from--;
		list_add(m, n, pfn + (UINT32_C(1) << from), from);
	}
	page_info(m, pfn)->order = (uint8_t)order;
	return pfn;
}

static uint32_t buddy_alloc_node(struct memory *m, unsigned node, unsigned order)
{
	struct memory_node *n = &m->nodes[node];

	for (unsigned zone = ZONES; zone-- > 0;)
		for (unsigned o = order; o <= BUDDY_MAX_ORDER; o++) {
			uint32_t pfn = n->free_head[zone][o];

			if (!pfn)
				continue;
			list_del(m, n, pfn);
			return buddy_split(m, n, pfn, o, order);
		}
	return 0;
}

static void pcp_drain(struct memory *m, struct memory_node *n, unsigned keep)
{
	while (n->npcp > keep)
		buddy_free(m, n->pcp[--n->npcp], 0);
}

/* Own node first, then the others in order, as a zone list falls back. */
static uint32_t buddy_alloc(struct memory *m, unsigned node, unsigned order)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < m->params.nodes; i++) {
			uint32_t pfn = buddy_alloc_node(m, (unsigned)((node + i) % m->params.nodes), order);

			if (pfn)
				return pfn;
		}
		/* Single pages held back may complete a block. */
		for (unsigned i = 0; i < m->params.nodes; i++)
			pcp_drain(m, &m->nodes[i], 0);
	}
	return 0;
}

static uint32_t alloc_page(struct memory *m, unsigned node)
{
	struct memory_node *n = &m->nodes[node];
	unsigned order = order_base_2(PCP_BATCH);
	uint32_t pfn;

	if (G_LIKELY(n->npcp))
		return n->pcp[--n->npcp];
	pfn = buddy_alloc_node(m, node, order);
	if (!pfn)
		return buddy_alloc(m, node, 0);
	for (unsigned i = PCP_BATCH; i-- > 1;)
		n->pcp[n->npcp++] = pfn + i;
	return pfn;
}

static void free_page(struct memory *m, uint32_t pfn)
{
	struct memory_node *n = &m->nodes[page_node(m, pfn)];

	if (n->npcp == PCP_HIGH)
		pcp_drain(m, n, PCP_HIGH / 2);
	n->pcp[n->npcp++] = pfn;
}

phys_addr_t memory_alloc_pages(struct memory *m, unsigned node, unsigned order)
{
	if (order > BUDDY_MAX_ORDER)
		return 0;
	node %= (unsigned)m->params.nodes;
	return (phys_addr_t)(order ? buddy_alloc(m, node, order) : alloc_page(m, node)) << PAGE_SHIFT;
}

static phys_addr_t alloc_in_zone_below(struct memory *m, unsigned zone, phys_addr_t limit, unsigned order)
{
	for (unsigned o = order; o <= BUDDY_MAX_ORDER; o++)
		for (unsigned node = 0; node < m->params.nodes; node++) {
			struct memory_node *n = &m->nodes[node];
			uint32_t pfn = n->free_head[zone][o];

			while (pfn && ((phys_addr_t)pfn << PAGE_SHIFT) + (PAGE_SIZE << order) > limit)
				pfn = page_info(m, pfn)->next;
			if (!pfn)
				continue;
			list_del(m, n, pfn);
			return (phys_addr_t)buddy_split(m, n, pfn, o, order) << PAGE_SHIFT;
		}
	return 0;
}

phys_addr_t memory_alloc_pages_below(struct memory *m, phys_addr_t limit, unsigned order)
{
	unsigned zones = limit > 4 * GIB ? ZONES : ZONE_DMA32 + 1;

	for (unsigned zone = zones; zone-- > 0;) {
		phys_addr_t found = alloc_in_zone_below(m, zone, limit, order);

		if (found)
			return found;
	}
	return 0;
}
void memory_free_range(struct memory *m, uint32_t pfn, uint64_t n)
{
	struct scatter_zone *z = m->zone_of[pfn >> m->zone_order];

	for (uint64_t i = 0; i < n; i++)
		memory_drop(m, (phys_addr_t)(pfn + i) << PAGE_SHIFT);
	if (z) {
		for (uint64_t i = 0; i < n; i++) {
			uint32_t at = pfn + (uint32_t)i - z->base;

			g_assert(z->bits[at / 64] >> at % 64 & 1);
			z->bits[at / 64] &= ~(UINT64_C(1) << at % 64);
		}
		z->used -= (uint32_t)n;
		return;
	}
	if (n == 1) {
		free_page(m, pfn);
		return;
	}
	while (n) {
		unsigned order = MIN((unsigned)__builtin_ctz(pfn), 63 - (unsigned)__builtin_clzll(n));

		order = MIN(order, BUDDY_MAX_ORDER);
		buddy_free(m, pfn, order);
		pfn += UINT32_C(1) << order;
		n -= UINT64_C(1) << order;
	}
}

void memory_free_pages(struct memory *m, phys_addr_t base, unsigned order)
{
	g_assert(base && !(base & ~PAGE_MASK));
	memory_free_range(m, (uint32_t)(base >> PAGE_SHIFT), UINT64_C(1) << order);
}

uint32_t memory_alloc_exact(struct memory *m, unsigned node, uint64_t n)
{
	unsigned order = order_base_2(n);
	uint32_t pfn;

	if (order > BUDDY_MAX_ORDER)
		return 0;
	pfn = order ? buddy_alloc(m, node, order) : alloc_page(m, node);
	if (pfn && n < UINT64_C(1) << order)
		memory_free_range(m, pfn + (uint32_t)n, (UINT64_C(1) << order) - n);
	return pfn;
}

/* ---- scatter zones ---- */

static struct scatter_zone *zone_add(struct memory *m, unsigned node)
{
	struct memory_node *n = &m->nodes[node];
	uint32_t base = buddy_alloc_node(m, node, m->zone_order);
	struct scatter_zone *z;

	if (!base)
		return NULL;
	z = g_new0(struct scatter_zone, 1);
	z->base = base;
	z->pages = UINT32_C(1) << m->zone_order;
	z->bits = g_new0(uint64_t, MAX(z->pages / 64, 1));
	m->zone_of[base >> m->zone_order] = z;
	g_ptr_array_add(n->zones, z);
	return z;
}

/* A zone at most half full, so that a random probe succeeds soon; the fullest one when RAM is short. */
static struct scatter_zone *zone_pick(struct memory *m, unsigned node)
{
	struct memory_node *n = &m->nodes[node];
	struct scatter_zone *z;

	for (guint i = 0; i < n->zones->len; i++) {
		z = n->zones->pdata[n->zone_now];
		if (z->used <= z->pages / 2)
			return z;
		n->zone_now = (n->zone_now + 1) % n->zones->len;
	}
	z = zone_add(m, node);
	if (z) {
		n->zone_now = n->zones->len - 1;
		return z;
	}
	for (guint i = 0; i < n->zones->len; i++) {
		z = n->zones->pdata[i];
		if (z->used < z->pages)
			return z;
	}
	return NULL;
}

static bool zone_taken(const struct scatter_zone *z, uint32_t at)
{
	return z->bits[at / 64] >> at % 64 & 1;
}

static unsigned zone_run(const struct scatter_zone *z, uint32_t at, unsigned want)
{
	unsigned n = 0;

	while (n < want && at + n < z->pages && !zone_taken(z, at + n))
		n++;
	return n;
}

uint32_t memory_alloc_scattered(struct memory *m, struct rng *rng, unsigned node, unsigned want,
				uint32_t avoid, unsigned *got)
{
	struct scatter_zone *z = zone_pick(m, node);
	uint32_t best = 0;
	unsigned n = 0;

	*got = 1;
	if (!z)
		return buddy_alloc(m, node, 0);
	for (unsigned try = 0; try < ZONE_TRIES && n < want; try++) {
		uint32_t at = (uint32_t)rng_below(rng, z->pages);
		unsigned run = z->base + at == avoid ? 0 : zone_run(z, at, want);

		if (run > n) {
			n = run;
			best = at;
		}
	}
	if (!n) {
		/* Nearly full: the first hole from a random place. */
		best = (uint32_t)rng_below(rng, z->pages);
		while (zone_taken(z, best))
			best = (best + 1) % z->pages;
		n = 1;
	}
	for (uint32_t i = best; i < best + n; i++)
		z->bits[i / 64] |= UINT64_C(1) << i % 64;
	z->used += n;
	*got = n;
	return z->base + best;
}

/* ---- life ---- */

/* Put [pfn, end) on the free lists as aligned blocks that do not cross a node. */
static void seed_range(struct memory *m, uint64_t pfn, uint64_t end)
{
	while (pfn < end) {
		unsigned order = MIN((unsigned)__builtin_ctzll(pfn), BUDDY_MAX_ORDER);

		while (pfn + (UINT64_C(1) << order) > end ||
		       page_node(m, (uint32_t)pfn) !=
			   page_node(m, (uint32_t)(pfn + (UINT64_C(1) << order) - 1)))
			order--;
		list_add(m, &m->nodes[page_node(m, (uint32_t)pfn)], (uint32_t)pfn, order);
		pfn += UINT64_C(1) << order;
	}
}

void memory_alloc_init(struct memory *m)
{
	m->nodes = g_new0(struct memory_node, m->params.nodes);
	for (unsigned i = 0; i < m->params.nodes; i++)
		m->nodes[i].zones = g_ptr_array_new();
	/* A zone takes at most an eighth of a node. */
	m->zone_order = 0;
	while (m->zone_order < ZONE_MAX_ORDER && UINT64_C(16) << m->zone_order <= m->node_pages)
		m->zone_order++;
	m->zone_of = g_new0(struct scatter_zone *, (memory_max(m) >> PAGE_SHIFT >> m->zone_order) + 1);
	seed_range(m, FIRST_PFN, (m->low_last + 1) >> PAGE_SHIFT);
	if (m->high_last)
		seed_range(m, 4 * GIB >> PAGE_SHIFT, (m->high_last + 1) >> PAGE_SHIFT);
}

void memory_alloc_fini(struct memory *m)
{
	for (unsigned i = 0; i < m->params.nodes; i++) {
		GPtrArray *zones = m->nodes[i].zones;

		for (guint z = 0; z < zones->len; z++) {
			g_free(((struct scatter_zone *)zones->pdata[z])->bits);
			g_free(zones->pdata[z]);
		}
		g_ptr_array_free(zones, TRUE);
	}
	g_free(m->nodes);
	g_free(m->zone_of);
}
