/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O page tables as software builds them: drivers/iommu/generic_pt (Linux 7.0), on the entry formats
 * of the Intel VT-d architecture specification rev 4.1, 9.7 and 9.8.
 */
#include "pgtable.h"

#include <string.h>

#define ENTRIES 512u
#define INDEX_BITS 9u
#define OUTPUT_BITS 52u
/* Host pointers of leaf tables by 2 MiB region: most operations touch a table that the last ones did. */
#define LEAF_CACHE 256u
#define LIST_SLAB 64u

struct pgtable_page {
	struct pgtable_page *next;
	phys_addr_t phys; /* 0: this node is on the free chain */
};

struct leaf_slot {
	uint64_t region; /* iova >> 21, plus 1 so that 0 is empty */
	uint64_t *table;
};

struct pgtable {
	struct pgtable_counters counters;
	struct sim *sim;
	struct memory *mem;
	enum vtd_format format;
	struct vtd_format_info f;
	unsigned page_sizes, node;
	phys_addr_t root;
	dma_addr_t last_iova;
	uint64_t leaf_bits[3][4]; /* a leaf without its address, by level - 1 and enum pgtable_prot */
	struct leaf_slot leaf_cache[LEAF_CACHE];
	struct pgtable_page *free_nodes;
	GPtrArray *node_slabs; /* LIST_SLAB nodes each */
};

static inline unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + (level - 1) * INDEX_BITS;
}

static inline unsigned level_index(dma_addr_t iova, unsigned level)
{
	return (unsigned)(iova >> level_shift(level)) & (ENTRIES - 1);
}

static inline bool present(const struct pgtable *t, uint64_t entry)
{
	return entry & t->f.present_mask;
}

static inline bool is_leaf(const struct pgtable *t, uint64_t entry, unsigned level)
{
	return level == 1 || entry & t->f.page_size_bit;
}

static inline uint64_t *entry_table(struct pgtable *t, uint64_t entry)
{
	return memory_ptr(t->mem, entry & t->f.address_mask);
}

/* ---- lists of detached tables ---- */

void pgtable_list_splice(struct pgtable_list *into, struct pgtable_list *from)
{
	if (!from->head)
		return;
	if (into->tail)
		into->tail->next = from->head;
	else
		into->head = from->head;
	into->tail = from->tail;
	into->count += from->count;
	*from = (struct pgtable_list){NULL, NULL, 0};
}

static struct pgtable_page *node_get(struct pgtable *t)
{
	struct pgtable_page *p;

	if (!t->free_nodes) {
		struct pgtable_page *slab = g_new0(struct pgtable_page, LIST_SLAB);

		g_ptr_array_add(t->node_slabs, slab);
		for (unsigned i = 0; i < LIST_SLAB; i++) {
			slab[i].next = t->free_nodes;
			t->free_nodes = &slab[i];
		}
	}
	p = t->free_nodes;
	t->free_nodes = p->next;
	return p;
}

static void detach(struct pgtable *t, struct pgtable_list *l, phys_addr_t table, dma_addr_t iova)
{
	struct leaf_slot *slot = &t->leaf_cache[(iova >> 21) % LEAF_CACHE];
	struct pgtable_page *p = node_get(t);

	if (slot->region == (iova >> 21) + 1)
		slot->region = 0;
	p->phys = table;
	p->next = NULL;
	if (l->tail)
		l->tail->next = p;
	else
		l->head = p;
	l->tail = p;
	l->count++;
}

static void free_table(struct pgtable *t, phys_addr_t table)
{
	memory_free_pages(t->mem, table, 0);
	ledger_release(&t->sim->ledger, LEDGER_IOMMU_PAGE_TABLES, PAGE_SIZE);
	t->counters.tables_freed++;
}

void pgtable_release(struct pgtable *t, struct pgtable_list *l)
{
	struct pgtable_page *p = l->head;

	while (p) {
		struct pgtable_page *next = p->next;

		free_table(t, p->phys);
		p->phys = 0;
		p->next = t->free_nodes;
		t->free_nodes = p;
		p = next;
	}
	*l = (struct pgtable_list){NULL, NULL, 0};
}

/* ---- life ---- */

static phys_addr_t alloc_table(struct pgtable *t)
{
	phys_addr_t table = memory_alloc_pages(t->mem, t->node, 0);

	if (!table)
		return 0;
	ledger_charge(&t->sim->ledger, LEDGER_IOMMU_PAGE_TABLES, PAGE_SIZE);
	t->counters.tables_allocated++;
	return table;
}

/* A leaf of level without its address. */
static uint64_t leaf_bits(const struct pgtable *t, unsigned level, unsigned prot)
{
	uint64_t e = t->f.leaf_bits;

	if (prot & PGTABLE_READ)
		e |= t->f.read;
	if (prot & PGTABLE_WRITE)
		e |= t->f.write | t->f.leaf_write_bits;
	return level > 1 ? e | t->f.page_size_bit : e;
}

struct pgtable *pgtable_new(struct sim *sim, struct memory *mem, enum vtd_format format, unsigned page_sizes,
			    unsigned node)
{
	struct pgtable *t = g_new0(struct pgtable, 1);

	t->sim = sim;
	t->mem = mem;
	t->format = format;
	t->f = vtd_formats[format];
	t->page_sizes = page_sizes | VTD_PAGES_4K;
	t->node = node;
	t->last_iova = (UINT64_C(1) << (t->f.width - (t->f.first_stage ? 1 : 0))) - 1;
	for (unsigned level = 1; level <= G_N_ELEMENTS(t->leaf_bits); level++)
		for (unsigned prot = 0; prot < G_N_ELEMENTS(*t->leaf_bits); prot++)
			t->leaf_bits[level - 1][prot] = leaf_bits(t, level, prot);
	t->root = alloc_table(t);
	if (!t->root) {
		g_free(t);
		return NULL;
	}
	t->node_slabs = g_ptr_array_new_with_free_func(g_free);
	return t;
}

static void free_tree(struct pgtable *t, phys_addr_t table, unsigned level)
{
	const uint64_t *entries = memory_ptr(t->mem, table);

	for (unsigned i = 0; level > 1 && i < ENTRIES; i++)
		if (present(t, entries[i]) && !is_leaf(t, entries[i], level))
			free_tree(t, entries[i] & t->f.address_mask, level - 1);
	free_table(t, table);
}

void pgtable_free(struct pgtable *t)
{
	if (!t)
		return;
	free_tree(t, t->root, t->f.levels);
	for (guint s = 0; s < t->node_slabs->len; s++) {
		struct pgtable_page *slab = t->node_slabs->pdata[s];

		for (unsigned i = 0; i < LIST_SLAB; i++)
			if (slab[i].phys)
				free_table(t, slab[i].phys);
	}
	g_ptr_array_free(t->node_slabs, TRUE);
	g_free(t);
}

phys_addr_t pgtable_root(const struct pgtable *t)
{
	return t->root;
}

enum vtd_format pgtable_format(const struct pgtable *t)
{
	return t->format;
}

unsigned pgtable_page_sizes(const struct pgtable *t)
{
	return t->page_sizes;
}

dma_addr_t pgtable_last_iova(const struct pgtable *t)
{
	return t->last_iova;
}

const struct pgtable_counters *pgtable_counters(const struct pgtable *t)
{
	return &t->counters;
}

/* ---- map ---- */

unsigned pgtable_leaf_size(unsigned page_sizes, dma_addr_t iova, phys_addr_t pa, uint64_t len,
			   uint64_t *count)
{
	static const struct {
		unsigned flag, lg2;
	} sizes[] = {{VTD_PAGES_1G, 30}, {VTD_PAGES_2M, 21}, {VTD_PAGES_4K, 12}};
	unsigned next = 0; /* the next larger size of the table, 0 if none */

	if (len == PAGE_SIZE && page_sizes & VTD_PAGES_4K && !((iova | pa) & ~PAGE_MASK)) {
		*count = 1;
		return PAGE_SHIFT;
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		unsigned lg2 = sizes[i].lg2;

		if (!(page_sizes & sizes[i].flag))
			continue;
		if (!((iova | pa) & ((UINT64_C(1) << lg2) - 1)) && len >> lg2) {
			if (next && !((iova ^ pa) & ((UINT64_C(1) << next) - 1))) {
				uint64_t size = UINT64_C(1) << next;
				uint64_t to_boundary = size - (iova & (size - 1));

				len = MIN(len, to_boundary);
			}
			*count = len >> lg2;
			return lg2;
		}
		next = lg2;
	}
	return 0;
}

/* The table of level that holds the entry of iova, allocating what is missing on the way. */
static int descend_alloc(struct pgtable *t, dma_addr_t iova, unsigned level, uint64_t **table)
{
	struct leaf_slot *slot = &t->leaf_cache[(iova >> 21) % LEAF_CACHE];
	uint64_t *entries;

	t->counters.levels_read += t->f.levels - level;
	if (level == 1 && slot->region == (iova >> 21) + 1) {
		*table = slot->table;
		return 0;
	}
	entries = memory_ptr(t->mem, t->root);
	for (unsigned l = t->f.levels; l > level; l--) {
		uint64_t *e = &entries[level_index(iova, l)];

		if (!present(t, *e)) {
			phys_addr_t lower = alloc_table(t);

			if (!lower) {
				sim_refuse(t->sim, "no memory for page tables", NULL, 0);
				return -ENOMEM;
			}
			*e = lower | t->f.table_bits;
		} else if (is_leaf(t, *e, l)) {
			sim_refuse(t->sim, "something is mapped at this IOVA already", NULL, 0);
			return -EADDRINUSE;
		}
		entries = entry_table(t, *e);
	}
	if (level == 1) {
		slot->region = (iova >> 21) + 1;
		slot->table = entries;
	}
	*table = entries;
	return 0;
}

static bool subtree_empty(struct pgtable *t, uint64_t entry, unsigned level)
{
	const uint64_t *entries = entry_table(t, entry);

	for (unsigned i = 0; i < ENTRIES; i++) {
		if (!present(t, entries[i]))
			continue;
		if (is_leaf(t, entries[i], level) || !subtree_empty(t, entries[i], level - 1))
			return false;
	}
	return true;
}

/* Detach the table of level under entry, which starts at iova, and all below it; children first. */
static void detach_subtree(struct pgtable *t, uint64_t entry, unsigned level, dma_addr_t iova,
			   struct pgtable_list *l)
{
	const uint64_t *entries = entry_table(t, entry);

	for (unsigned i = 0; level > 1 && i < ENTRIES; i++)
		if (present(t, entries[i]))
			detach_subtree(t, entries[i], level - 1, iova + ((uint64_t)i << level_shift(level)),
				       l);
	detach(t, l, entry & t->f.address_mask, iova);
}

/* A leaf is to go where entry points to a table: allowed if nothing is mapped below. */
static RARE int replace_table(struct pgtable *t, uint64_t *entry, unsigned level, dma_addr_t iova,
			      struct pgtable_gather *g)
{
	if (is_leaf(t, *entry, level) || !subtree_empty(t, *entry, level - 1)) {
		sim_refuse(t->sim, "something is mapped at this IOVA already", NULL, 0);
		return -EADDRINUSE;
	}
	detach_subtree(t, *entry, level - 1, iova, &g->tables);
	g->start = MIN(g->start, iova);
	g->end = MAX(g->end, iova + (UINT64_C(1) << level_shift(level)) - 1);
	return 0;
}

static void count_leaves(struct pgtable *t, unsigned level, uint64_t n)
{
	t->counters.ptes_written += n;
	if (level == 1)
		t->counters.leaves_4k += n;
	else if (level == 2)
		t->counters.leaves_2m += n;
	else
		t->counters.leaves_1g += n;
}

/* Write count leaves of one size; *done grows by the bytes written. */
static int map_leaves(struct pgtable *t, dma_addr_t iova, phys_addr_t pa, unsigned lg2, uint64_t count,
		      unsigned prot, uint64_t *done, struct pgtable_gather *g)
{
	unsigned level = (lg2 - PAGE_SHIFT) / INDEX_BITS + 1;
	uint64_t bits = t->leaf_bits[level - 1][prot & (PGTABLE_READ | PGTABLE_WRITE)];

	while (count) {
		unsigned index = level_index(iova, level), n = (unsigned)MIN(count, ENTRIES - index), i;
		uint64_t *table;
		int ret = descend_alloc(t, iova, level, &table);

		if (ret)
			return ret;
		for (i = 0; i < n; i++) {
			uint64_t *e = &table[index + i];

			if (G_UNLIKELY(present(t, *e))) {
				ret = replace_table(t, e, level, iova + ((uint64_t)i << lg2), g);
				if (ret)
					break;
			}
			*e = bits | (pa + ((uint64_t)i << lg2));
		}
		count_leaves(t, level, i);
		t->counters.tables_visited += i > 0;
		*done += (uint64_t)i << lg2;
		if (ret)
			return ret;
		iova += (uint64_t)n << lg2;
		pa += (uint64_t)n << lg2;
		count -= n;
	}
	return 0;
}

int pgtable_map(struct pgtable *t, dma_addr_t iova, phys_addr_t pa, uint64_t len, unsigned prot,
		uint64_t *mapped, struct pgtable_gather *g)
{
	*mapped = 0;
	if (!(prot & (PGTABLE_READ | PGTABLE_WRITE)))
		return -EINVAL;
	if (pa >> OUTPUT_BITS)
		return -ERANGE;
	if (!len)
		return -EINVAL;
	if (iova + len - 1 < iova)
		return -EOVERFLOW;
	if (iova + len - 1 > pgtable_last_iova(t))
		return -ERANGE;
	if (len == PAGE_SIZE && (iova | pa) & ~PAGE_MASK)
		return -ENXIO;
	do {
		uint64_t count, before = *mapped;
		unsigned lg2 = pgtable_leaf_size(t->page_sizes, iova, pa, len, &count);
		int ret;

		if (!lg2)
			return -ENXIO;
		ret = map_leaves(t, iova, pa, lg2, count, prot, mapped, g);
		if (ret)
			return ret;
		iova += *mapped - before;
		pa += *mapped - before;
		len -= *mapped - before;
	} while (len);
	return 0;
}

/* The entry of the page at iova where the way down to it is known; NULL elsewhere. */
static inline uint64_t *known_entry(struct pgtable *t, dma_addr_t iova)
{
	const struct leaf_slot *slot = &t->leaf_cache[(iova >> 21) % LEAF_CACHE];

	return G_LIKELY(slot->region == (iova >> 21) + 1) ? &slot->table[level_index(iova, 1)] : NULL;
}

unsigned pgtable_map_page(struct pgtable *t, dma_addr_t iova, phys_addr_t pa, unsigned prot)
{
	uint64_t *e = known_entry(t, iova);

	prot &= PGTABLE_READ | PGTABLE_WRITE;
	if (!e || present(t, *e) || (iova | pa) & ~PAGE_MASK || pa >> OUTPUT_BITS || !prot)
		return 0;
	*e = t->leaf_bits[0][prot] | pa;
	t->counters.levels_read += t->f.levels - 1;
	t->counters.ptes_written++;
	t->counters.leaves_4k++;
	t->counters.tables_visited++;
	return t->f.levels - 1;
}

/* ---- unmap ---- */

unsigned pgtable_unmap_page(struct pgtable *t, dma_addr_t iova)
{
	uint64_t *e = known_entry(t, iova);

	if (!e || !present(t, *e) || iova & ~PAGE_MASK)
		return 0;
	*e = 0;
	t->counters.levels_read += t->f.levels - 1;
	t->counters.ptes_cleared++;
	t->counters.tables_visited++;
	return t->f.levels - 1;
}

struct unmap {
	dma_addr_t last; /* inclusive */
	uint64_t done;
	struct pgtable_list *tables;
};

static bool unmap_leaves(struct pgtable *t, uint64_t *table, unsigned level, dma_addr_t iova, struct unmap *u)
{
	unsigned first = level_index(iova, level), shift = level_shift(level);
	uint64_t span = (u->last >> shift) - (iova >> shift);
	unsigned last = (unsigned)MIN(first + span, ENTRIES - 1), i = first;

	while (i <= last && present(t, table[i]))
		table[i++] = 0;
	t->counters.ptes_cleared += i - first;
	t->counters.tables_visited += i > first;
	u->done += (uint64_t)(i - first) << shift;
	return i > last;
}

/* Unmap from iova on within table, to its end or u->last; false: stopped by a hole or a misaligned leaf. */
static bool unmap_table(struct pgtable *t, uint64_t *table, unsigned level, dma_addr_t iova, struct unmap *u)
{
	unsigned shift = level_shift(level);
	bool cleared = false;

	if (level == 1)
		return unmap_leaves(t, table, level, iova, u);
	for (unsigned i = level_index(iova, level); i < ENTRIES; i++) {
		dma_addr_t start = align_down(iova, UINT64_C(1) << shift),
			   end = start + (UINT64_C(1) << shift) - 1;
		uint64_t entry = table[i];

		if (!present(t, entry))
			return false;
		if (is_leaf(t, entry, level)) {
			if (iova != start)
				return false;
			table[i] = 0;
			u->done += UINT64_C(1) << shift;
			t->counters.ptes_cleared++;
			t->counters.large_cleared++;
		} else {
			t->counters.levels_read++;
			if (!unmap_table(t, entry_table(t, entry), level - 1, iova, u))
				return false;
			if (iova == start && u->last >= end) {
				table[i] = 0;
				detach(t, u->tables, entry & t->f.address_mask, start);
			} else {
				goto next;
			}
		}
		t->counters.tables_visited += !cleared;
		cleared = true;
	next:
		if (end >= u->last)
			return true;
		iova = end + 1;
	}
	return true;
}

uint64_t pgtable_unmap(struct pgtable *t, dma_addr_t iova, uint64_t len, struct pgtable_gather *g)
{
	struct leaf_slot *slot = &t->leaf_cache[(iova >> 21) % LEAF_CACHE];
	struct unmap u = {.last = iova + len - 1, .tables = &g->tables};

	if (!len || u.last < iova || u.last > pgtable_last_iova(t) || (iova | len) & ~PAGE_MASK)
		return 0;
	if (G_LIKELY(slot->region == (iova >> 21) + 1 && u.last >> 21 == iova >> 21 &&
		     len < UINT64_C(1) << 21)) {
		t->counters.levels_read += t->f.levels - 1;
		unmap_leaves(t, slot->table, 1, iova, &u);
		return u.done;
	}
	unmap_table(t, memory_ptr(t->mem, t->root), t->f.levels, iova, &u);
	return u.done;
}

/* ---- lookup ---- */

phys_addr_t pgtable_iova_to_phys(struct pgtable *t, dma_addr_t iova, uint64_t *size)
{
	struct leaf_slot *slot = &t->leaf_cache[(iova >> 21) % LEAF_CACHE];
	unsigned level = t->f.levels;
	uint64_t *entries, entry;

	if (iova > pgtable_last_iova(t))
		return 0;
	if (G_LIKELY(slot->region == (iova >> 21) + 1)) {
		level = 1;
		entry = slot->table[level_index(iova, 1)];
	} else {
		entries = memory_ptr(t->mem, t->root);
		entry = entries[level_index(iova, level)];
		while (present(t, entry) && !is_leaf(t, entry, level)) {
			entries = entry_table(t, entry);
			level--;
			entry = entries[level_index(iova, level)];
			if (level == 1)
				*slot = (struct leaf_slot){(iova >> 21) + 1, entries};
		}
	}
	if (!present(t, entry))
		return 0;
	if (size)
		*size = UINT64_C(1) << level_shift(level);
	return (entry & t->f.address_mask & ~((UINT64_C(1) << level_shift(level)) - 1)) |
	       (iova & ((UINT64_C(1) << level_shift(level)) - 1));
}
