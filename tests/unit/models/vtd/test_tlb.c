/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Translation caches against an obviously correct twin and against miss counts of another simulator. */
#include "support.h"

#include <string.h>

/* ---- twin: slots with time stamps, everything by scanning ---- */

struct twin_entry {
	bool valid;
	struct tlb_key k;
	uint64_t used, queued, payload;
	uint64_t epoch;
};

struct twin {
	unsigned n, ways, sets;
	enum vtd_replacement r;
	struct twin_entry *e;
	unsigned *free, *nfree; /* per set: stack of free slots */
	bool *older_right;      /* PLRU: by set, then by node number of the tree */
	uint64_t clock, requests, interval;
	struct rng *rng;
};

static void twin_init(struct twin *t, unsigned entries, unsigned ways, enum vtd_replacement r,
		      uint64_t interval, struct rng *rng)
{
	*t = (struct twin){.ways = ways ? ways : entries, .r = r, .interval = interval, .rng = rng};
	t->sets = entries / t->ways;
	t->n = t->sets * t->ways;
	t->e = g_new0(struct twin_entry, t->n);
	t->free = g_new0(unsigned, t->n);
	t->nfree = g_new0(unsigned, t->sets);
	t->older_right = g_new0(bool, 4 * (size_t)t->n + 4 * t->sets);
	for (unsigned s = 0; s < t->sets; s++)
		for (unsigned w = t->ways; w-- > 0;)
			t->free[s * t->ways + t->nfree[s]++] = s * t->ways + w;
}

static void twin_fini(struct twin *t)
{
	g_free(t->e);
	g_free(t->free);
	g_free(t->nfree);
	g_free(t->older_right);
}

static bool key_eq(const struct tlb_key *a, const struct tlb_key *b)
{
	return a->tag == b->tag && a->page == b->page && a->shift == b->shift;
}

static int twin_find(struct twin *t, const struct tlb_key *k)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->e[i].valid && key_eq(&t->e[i].k, k))
			return (int)i;
	return -1;
}

/* The tree of one set as nested halves of [0, size). */
static void twin_tree_touch(bool *node, unsigned index, unsigned size, unsigned way)
{
	if (size == 1)
		return;
	node[index] = way < size / 2;
	if (way < size / 2)
		twin_tree_touch(node, 2 * index, size / 2, way);
	else
		twin_tree_touch(node, 2 * index + 1, size / 2, way - size / 2);
}

static unsigned twin_tree_victim(const bool *node, unsigned index, unsigned size, unsigned leaves)
{
	if (size == 1)
		return 0;
	if (node[index] && leaves > size / 2)
		return size / 2 + twin_tree_victim(node, 2 * index + 1, size / 2, leaves - size / 2);
	return twin_tree_victim(node, 2 * index, size / 2, MIN(leaves, size / 2));
}

static bool *twin_tree(struct twin *t, unsigned slot)
{
	return t->older_right + (size_t)(slot / t->ways) * 4 * t->ways;
}

static void twin_touch(struct twin *t, unsigned slot)
{
	uint64_t epoch = t->interval ? t->requests / t->interval : 0;

	t->e[slot].used = ++t->clock;
	if (t->e[slot].epoch != epoch) {
		t->e[slot].epoch = epoch;
		t->e[slot].queued = t->clock;
	}
	twin_tree_touch(twin_tree(t, slot), 1, 1u << order_base_2(t->ways), slot % t->ways);
}

static bool twin_before(const struct twin *t, unsigned a, unsigned b)
{
	uint64_t now = t->interval ? t->requests / t->interval : 0;
	uint64_t age_a = MIN(now - t->e[a].epoch, 3), age_b = MIN(now - t->e[b].epoch, 3);

	switch (t->r) {
	case VTD_LRU:
		return t->e[a].used < t->e[b].used;
	case VTD_AGEING:
		return age_a != age_b ? age_a > age_b : t->e[a].queued < t->e[b].queued;
	default:
		return t->e[a].queued < t->e[b].queued;
	}
}

static unsigned twin_victim(struct twin *t, unsigned set)
{
	unsigned best = set * t->ways;

	if (t->r == VTD_RANDOM)
		return best + (unsigned)rng_below(t->rng, t->ways);
	if (t->r == VTD_PLRU)
		return best + twin_tree_victim(twin_tree(t, best), 1, 1u << order_base_2(t->ways), t->ways);
	for (unsigned i = best + 1; i < (set + 1) * t->ways; i++)
		if (twin_before(t, i, best))
			best = i;
	return best;
}

static bool twin_insert(struct twin *t, const struct tlb_key *k, uint64_t payload)
{
	unsigned set = (unsigned)(k->page % t->sets), slot;
	bool evicted = !t->nfree[set];

	if (evicted)
		slot = twin_victim(t, set);
	else
		slot = t->free[set * t->ways + --t->nfree[set]];
	t->e[slot] = (struct twin_entry){.valid = true, .k = *k, .payload = payload, .epoch = UINT64_MAX};
	twin_touch(t, slot);
	return evicted;
}

static bool twin_covers(const struct tlb_key *k, uint64_t page, uint64_t count)
{
	for (uint64_t p = page; p < page + count; p++)
		if (p >> (k->shift - PAGE_SHIFT) == k->page)
			return true;
	return false;
}

static void twin_drop(struct twin *t, unsigned slot)
{
	unsigned set = slot / t->ways;

	t->e[slot].valid = false;
	t->free[set * t->ways + t->nfree[set]++] = slot;
}

/* ---- the cache and its twin do the same ---- */

struct pair {
	struct tlb *tlb;
	struct twin twin;
	struct rng rng, victim_a, victim_b;
};

static struct tlb_key random_key(struct rng *rng)
{
	static const uint8_t shifts[] = {12, 12, 12, 21, 30};
	struct tlb_key k = {.tag = 1 + rng_below(rng, 3), .shift = shifts[rng_below(rng, 5)]};

	k.page = rng_below(rng, k.shift == 12 ? 900 : 4);
	return k;
}

static void pair_access(struct pair *p, uint64_t step)
{
	struct tlb_key k = random_key(&p->rng);
	uint64_t *payload;
	int slot;

	p->twin.requests++;
	slot = twin_find(&p->twin, &k);
	ck_assert_int_eq(tlb_peek(p->tlb, &k) != NULL, slot >= 0);
	payload = tlb_lookup(p->tlb, &k);
	ck_assert_msg((payload != NULL) == (slot >= 0), "step %lu: hit differs", (unsigned long)step);
	if (payload) {
		ck_assert_uint_eq(*payload, p->twin.e[slot].payload);
		twin_touch(&p->twin, (unsigned)slot);
		return;
	}
	ck_assert_int_eq(tlb_insert(p->tlb, &k, step << 12), twin_insert(&p->twin, &k, step << 12));
}

static void pair_invalidate(struct pair *p)
{
	uint64_t tag = 1 + rng_below(&p->rng, 3), order = rng_below(&p->rng, 11),
		 page = rng_below(&p->rng, 900) >> order << order, count = UINT64_C(1) << order;
	unsigned expected = 0;

	if (p->twin.r == VTD_RANDOM || p->twin.r == VTD_PLRU) {
		/* The victim depends on slots: one entry, so that the order of freed slots is not in
		 * question. */
		struct tlb_key k = random_key(&p->rng);
		int slot = twin_find(&p->twin, &k);

		ck_assert_int_eq(tlb_remove(p->tlb, &k), slot >= 0);
		if (slot >= 0)
			twin_drop(&p->twin, (unsigned)slot);
		return;
	}
	if (rng_below(&p->rng, 20) == 0) {
		page = 0;
		count = UINT64_C(1) << 21;
	}
	for (unsigned i = 0; i < p->twin.n; i++) {
		struct twin_entry *e = &p->twin.e[i];

		if (!e->valid || e->k.tag != tag)
			continue;
		if (count < UINT64_C(1) << 21 && !twin_covers(&e->k, page, count))
			continue;
		twin_drop(&p->twin, i);
		expected++;
	}
	if (count == UINT64_C(1) << 21)
		ck_assert_uint_eq(tlb_invalidate_tag(p->tlb, tag), expected);
	else
		ck_assert_uint_eq(tlb_invalidate_range(p->tlb, tag, page, count), expected);
}

static void compare(enum vtd_replacement r, unsigned entries, unsigned ways)
{
	uint64_t interval = r == VTD_AGEING ? 37 : 0, n = test_scale(10000);
	struct pair p = {0};
	unsigned valid;

	rng_init(&p.rng, test_seed(), "ops");
	rng_init(&p.victim_a, test_seed(), "victim");
	rng_init(&p.victim_b, test_seed(), "victim");
	p.tlb = tlb_new(entries, ways, r, false, interval, &p.victim_a);
	twin_init(&p.twin, entries, ways, r, interval, &p.victim_b);
	for (uint64_t i = 0; i < n; i++) {
		if (rng_below(&p.rng, 40) == 0)
			pair_invalidate(&p);
		else
			pair_access(&p, i);
		if (i % 16)
			continue;
		valid = 0;
		for (unsigned e = 0; e < p.twin.n; e++)
			valid += p.twin.e[e].valid;
		ck_assert_uint_eq(tlb_count(p.tlb), valid);
		ck_assert_uint_eq(tlb_count_shift(p.tlb, 12) + tlb_count_shift(p.tlb, 21) +
				      tlb_count_shift(p.tlb, 30),
				  valid);
	}
	twin_fini(&p.twin);
	tlb_free(p.tlb);
}

static const struct {
	unsigned entries, ways;
} shapes[] = {{64, 0}, {118, 0}, {64, 4}, {60, 5}, {128, 8}, {7, 1}, {1, 1}, {96, 12}};

START_TEST(equals_twin)
{
	for (unsigned s = 0; s < G_N_ELEMENTS(shapes); s++)
		compare((enum vtd_replacement)_i, shapes[s].entries, shapes[s].ways);
}
END_TEST

/* ---- miss counts of libCacheSim on a fixed trace ---- */

#define ZIPF_PAGES 65536u

/* splitmix64 (Steele, Lea, Flood 2014), as the trace's definition asks. */
static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

/* Pages drawn with weight floor(2^40 / (rank + 1)), ranks spread over 2^16 pages by an odd factor. */
static uint64_t *zipf_trace(uint64_t n, uint64_t seed)
{
	uint64_t *cumulative = g_new(uint64_t, ZIPF_PAGES), *pages = g_new(uint64_t, n), total = 0;

	for (uint32_t i = 0; i < ZIPF_PAGES; i++)
		cumulative[i] = total += (UINT64_C(1) << 40) / (i + 1u);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t r = splitmix(&seed) % total;
		uint32_t lo = 0, hi = ZIPF_PAGES - 1;

		while (lo < hi) {
			uint32_t mid = (lo + hi) / 2;

			if (cumulative[mid] > r)
				hi = mid;
			else
				lo = mid + 1;
		}
		pages[i] = 0x100000 + (lo * UINT32_C(40503) & 0xffff);
	}
	g_free(cumulative);
	return pages;
}

static uint64_t count_misses(const uint64_t *pages, uint64_t n, unsigned sets, unsigned ways,
			     enum vtd_replacement r)
{
	struct tlb *t = tlb_new((uint64_t)sets * ways, ways, r, false, 0, NULL);
	uint64_t misses = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct tlb_key k = {1, pages[i], 12};

		if (tlb_lookup(t, &k))
			continue;
		misses++;
		tlb_insert(t, &k, 0);
	}
	tlb_free(t);
	return misses;
}

START_TEST(equals_oracle)
{
	char *text, **lines;
	uint64_t *pages = NULL;
	unsigned rows = 0;

	ck_assert(g_file_get_contents(DMASIM_TEST_DATA "/vtd/lru_oracle.csv", &text, NULL, NULL));
	lines = g_strsplit(text, "\n", 0);
	for (unsigned i = 1; lines[i] && *lines[i]; i++) {
		char **f = g_strsplit(lines[i], ",", 0);
		uint64_t n = g_ascii_strtoull(f[3], NULL, 10), expected = g_ascii_strtoull(f[7], NULL, 10);
		unsigned sets = (unsigned)atoi(f[5]), ways = (unsigned)atoi(f[6]);

		ck_assert_str_eq(f[0], "zipf1");
		if (!pages) {
			char *sum;

			pages = zipf_trace(n, g_ascii_strtoull(f[1], NULL, 10));
			sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)pages, 8 * n);
			ck_assert_str_eq(sum, f[2]);
			g_free(sum);
		}
		ck_assert_msg(count_misses(pages, n, sets, ways, strcmp(f[4], "LRU") ? VTD_FIFO : VTD_LRU) ==
				  expected,
			      "%s", lines[i]);
		rows++;
		g_strfreev(f);
	}
	ck_assert_uint_eq(rows, 22);
	g_free(pages);
	g_strfreev(lines);
	g_free(text);
}
END_TEST

/* Metamorphic: with true LRU and full associativity a larger cache never misses more. */
START_TEST(lru_inclusion)
{
	uint64_t n = test_scale(100000), *pages = zipf_trace(n, test_seed()), last = UINT64_MAX;

	for (unsigned entries = 8; entries <= 4096; entries *= 2) {
		uint64_t misses = count_misses(pages, n, 1, entries, VTD_LRU);

		ck_assert_uint_le(misses, last);
		last = misses;
	}
	g_free(pages);
}
END_TEST

START_TEST(empty_cache)
{
	struct tlb *t = tlb_new(0, 0, VTD_LRU, false, 0, NULL);
	struct tlb_key k = {1, 2, 12};

	ck_assert_ptr_null(tlb_lookup(t, &k));
	ck_assert(!tlb_insert(t, &k, 1));
	ck_assert_ptr_null(tlb_lookup(t, &k));
	ck_assert_uint_eq(tlb_invalidate_all(t), 0);
	tlb_free(t);
}
END_TEST

START_TEST(hashed_sets_keep_entries)
{
	struct tlb *t = tlb_new(128, 8, VTD_LRU, true, 0, NULL);
	unsigned hits = 0;

	/* Pages 16 apart share one set of 16 when it is chosen by the low bits; hashed they spread. */
	for (unsigned pass = 0; pass < 2; pass++)
		for (uint64_t i = 0; i < 64; i++) {
			struct tlb_key k = {1, i * 16, 12};

			if (tlb_lookup(t, &k))
				hits++;
			else
				tlb_insert(t, &k, 0);
		}
	ck_assert_uint_gt(hits, 32);
	tlb_free(t);
}
END_TEST

struct removed {
	unsigned n, slot;
	uint64_t page;
};

static void on_removed(void *arg, const struct tlb_key *k, uint64_t payload, unsigned slot)
{
	struct removed *r = arg;

	ck_assert(payload & TLB_REPORT);
	r->n++;
	r->slot = slot;
	r->page = k->page;
}

START_TEST(removal_is_reported)
{
	struct tlb *t = tlb_new(2, 0, VTD_LRU, false, 0, NULL);
	struct tlb_key a = {1, 10, 12}, b = {1, 11, 12}, c = {1, 12, 12};
	struct removed r = {0};
	unsigned slot;

	tlb_set_removed(t, on_removed, &r);
	tlb_insert(t, &a, 0x1000 | TLB_REPORT);
	slot = tlb_last_slot(t);
	tlb_insert(t, &b, 0x2000);
	ck_assert(tlb_insert(t, &c, 0x3000));
	ck_assert_uint_eq(r.n, 1);
	ck_assert_uint_eq(r.slot, slot);
	ck_assert_uint_eq(r.page, 10);
	ck_assert_uint_eq(tlb_invalidate_tag(t, 1), 2);
	ck_assert_uint_eq(r.n, 1);
	tlb_free(t);
}
END_TEST

int main(void)
{
	TCase *twin = tcase_create("twin"), *oracle = tcase_create("oracle"), *rules = tcase_create("rules");

	tcase_add_loop_test(twin, equals_twin, VTD_LRU, VTD_AGEING + 1);
	tcase_add_test(oracle, equals_oracle);
	tcase_add_test(oracle, lru_inclusion);
	tcase_set_timeout(twin, 300);
	tcase_set_timeout(oracle, 300);
	tcase_add_test(rules, empty_cache);
	tcase_add_test(rules, hashed_sets_keep_entries);
	tcase_add_test(rules, removal_is_reported);
	return test_run("tlb", twin, oracle, rules, NULL);
}
