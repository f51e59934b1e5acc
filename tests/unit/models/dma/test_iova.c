/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IOVA allocator: range tree, per-CPU caches, depot. */
#include "dma_rig.h"
#include "models/dma/iommu.h"

struct fixture {
	struct rig r;
	struct iova_domain d;
	struct dma_stats *st;
};

static struct fixture fresh_on(enum kernel_version k, const char *cpus)
{
	const char *const set[] = {"cpu.count", cpus, NULL};
	struct fixture f = {.r = rig_new_with(IOMMU_STRICT, k, set)};

	f.st = &f.r.m->dma_stats;
	return f;
}

static void start(struct fixture *f)
{
	init_iova_domain(&f->d, f->r.dev->dma, f->r.dev, 1);
	ck_assert_int_eq(iova_domain_init_rcaches(&f->d), 0);
}

static void done(struct fixture *f)
{
	put_iova_domain(&f->d);
	rig_free(&f->r);
}

static uint64_t tree_alloc(struct fixture *f, uint64_t size, uint64_t limit)
{
	struct iova *iova = alloc_iova(&f->d, size, limit, true);

	return iova ? iova->pfn_lo : 0;
}

START_TEST(tree_vectors)
{
	static const uint64_t sizes[] = {1, 1, 2, 4, 8, 32, 33, 512, 1};
	static const uint64_t want[] = {0xfffff, 0xffffe, 0xffffc, 0xffff8, 0xffff0,
					0xfffc0, 0xfff80, 0xffc00, 0xffbff};
	struct fixture f = fresh_on(KERNEL_6_12, "1");

	start(&f);
	reserve_iova(&f.d, 0xfee00, 0xfeeff);
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++)
		ck_assert_uint_eq(tree_alloc(&f, sizes[i], 0xfffff), want[i]);
	free_iova(&f.d, 0xffffe);
	ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), 0xffffe);
	ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), 0xfffef);
	free_iova(&f.d, 0xfffff);
	ck_assert_uint_eq(tree_alloc(&f, 2, 0xfffff), 0xfffec);
	/* The free single page at the top is skipped: the hint has moved below it. */
	ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), 0xfffeb);
	done(&f);
}
END_TEST

/* Ranges that a search steps over, the one that it starts at included: counted, charged, under the lock. */
START_TEST(searches_are_charged_by_their_length)
{
	struct fixture f = fresh_on(KERNEL_7_0, "1");
	const struct cpu *cpu = f.r.m->sim.cpu;
	uint64_t pfn[8], start_steps;

	start(&f);
	start_steps = cpu->steps[COST_IOVA_TREE_STEP];
	for (unsigned i = 0; i < 8; i++)
		pfn[i] = tree_alloc(&f, 64, 0xfffff);
	ck_assert_uint_eq(f.st->tree_steps, 8); /* right below the one before */
	free_iova(&f.d, pfn[1]);
	ck_assert_uint_eq(tree_alloc(&f, 64, 0xfffff), pfn[1]); /* from pfn[0] down: one */
	ck_assert_uint_eq(f.st->tree_steps, 9);
	/* The hint is the range found last; six lie between it and the next gap. */
	tree_alloc(&f, 64, 0xfffff);
	ck_assert_uint_eq(f.st->tree_steps, 9 + 7);
	ck_assert_uint_eq(cpu->steps[COST_IOVA_TREE_STEP] - start_steps, 9 + 7);
	ck_assert_uint_eq(cpu->steps[COST_IOVA_RANGE], 8 + 1 + 1 + 1);
	done(&f);
}
END_TEST

/* iova.cache_classes: what is cached, what is advised, what it costs in memory. */
START_TEST(more_sizes_can_be_cached)
{
	const char *const set[] = {"cpu.count", "4", "iova.cache_classes", _i ? "10" : "6", NULL};
	struct rig r = rig_new_with(IOMMU_STRICT, KERNEL_7_0, set);
	struct dma_stats *st = &r.m->dma_stats;
	/* Two magazines of 1 KiB and 64 bytes per CPU and class; the array of classes in a power of two. */
	uint64_t bytes = _i ? 10 * 4 * (2 * 1024 + 64) + 2048 : 6 * 4 * (2 * 1024 + 64) + 1024;

	ck_assert_uint_eq(r.m->sim.ledger.accounts[LEDGER_IOVA_MAGAZINES].current, bytes);
	ck_assert_uint_eq(dma_opt_mapping_size(r.dev), _i ? 2 * MIB : 128 * KIB);
	for (unsigned i = 0; i < 3; i++) {
		dma_addr_t a = dma_map_page(r.dev, 0x10000000, 0, 2 * MIB, DMA_TO_DEVICE);

		dma_unmap_page(r.dev, a, 2 * MIB, DMA_TO_DEVICE);
	}
	ck_assert_uint_eq(st->tree_allocs, _i ? 1 : 3);
	ck_assert_uint_eq(st->rcache_hits, _i ? 2 : 0);
	ck_assert_uint_eq(st->tree_frees, _i ? 0 : 3);
	rig_free(&r);
}
END_TEST

START_TEST(tree_passes_reserved_range)
{
	struct fixture f = fresh_on(KERNEL_6_12, "1");

	start(&f);
	reserve_iova(&f.d, 0xfee00, 0xfeeff);
	ck_assert_uint_eq(tree_alloc(&f, 256, 0xfffff), 0xfff00);
	ck_assert_uint_eq(tree_alloc(&f, 4096, 0xfffff), 0xfd000);
	ck_assert_uint_eq(tree_alloc(&f, 4096, 0xfffff), 0xfc000);
	done(&f);
}
END_TEST

START_TEST(tree_above_32_bits)
{
	static const uint64_t sizes[] = {1, 2, 4, 512};
	static const uint64_t want[] = {0xfffffffff, 0xffffffffc, 0xffffffff8, 0xffffffc00};
	struct fixture f = fresh_on(KERNEL_6_12, "1");

	start(&f);
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++)
		ck_assert_uint_eq(tree_alloc(&f, sizes[i], (1ull << 36) - 1), want[i]);
	done(&f);
}
END_TEST

START_TEST(tree_second_pass_and_failure)
{
	struct fixture f = fresh_on(KERNEL_6_12, "1");

	start(&f);
	reserve_iova(&f.d, 1, 0xffff7); /* eight pages are left at the top */
	for (uint64_t pfn = 0xfffff; pfn >= 0xffff8; pfn--)
		ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), pfn);
	free_iova(&f.d, 0xffff8);
	free_iova(&f.d, 0xffffe);
	free_iova(&f.d, 0xffffa);
	/* The hint is the successor of what was freed last below it; the gap above needs the second pass. */
	ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), 0xffffe);
	ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), 0xffffa);
	ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), 0xffff8);
	ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), 0);
	ck_assert_uint_eq(f.d.max32_alloc_size, 1);
	/* Early failure while nothing was freed, and its end. */
	ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), 0);
	free_iova(&f.d, 0xffffd);
	ck_assert_uint_eq(f.d.max32_alloc_size, 0x100000);
	ck_assert_uint_eq(tree_alloc(&f, 1, 0xfffff), 0xffffd);
	done(&f);
}
END_TEST

START_TEST(high_failure_lowers_max32)
{
	struct fixture f = fresh_on(KERNEL_6_12, "1");

	start(&f);
	reserve_iova(&f.d, 1, 0x1fffff);
	ck_assert_uint_eq(tree_alloc(&f, 4, 0x1fffff), 0);
	ck_assert_uint_eq(f.d.max32_alloc_size, 4);
	done(&f);
}
END_TEST

START_TEST(reserve_extends_and_inserts)
{
	struct fixture f = fresh_on(KERNEL_6_12, "1");
	struct iova *n;

	start(&f);
	reserve_iova(&f.d, 100, 109);
	reserve_iova(&f.d, 95, 104); /* extends down, the rest is covered */
	n = find_iova(&f.d, 95);
	ck_assert_uint_eq(n->pfn_lo, 95);
	ck_assert_uint_eq(n->pfn_hi, 109);
	reserve_iova(&f.d, 105, 120); /* what remains above becomes a range */
	n = find_iova(&f.d, 110);
	ck_assert_uint_eq(n->pfn_lo, 110);
	ck_assert_uint_eq(n->pfn_hi, 120);
	reserve_iova(&f.d, 90, 130); /* over two ranges: down, and the rest above */
	ck_assert_uint_eq(find_iova(&f.d, 90)->pfn_lo, 90);
	ck_assert_uint_eq(find_iova(&f.d, 130)->pfn_lo, 121);
	reserve_iova(&f.d, 100, 101);
	ck_assert_uint_eq(f.d.nodes, 3);
	reserve_iova(&f.d, 5, IOVA_ANCHOR);
	ck_assert_uint_eq(f.d.nodes, 3);
	done(&f);
}
END_TEST

START_TEST(classes_and_rounding)
{
	struct fixture f = fresh_on(KERNEL_6_12, "1");
	uint64_t a, b;

	start(&f);
	/* 17 pages are rounded to 32 and cached; the free uses class 5 as well. */
	a = alloc_iova_fast(&f.d, 17, 0xfffff, true);
	ck_assert_uint_eq(a % 32, 0);
	ck_assert_uint_eq(find_iova(&f.d, a)->pfn_hi, a + 31);
	free_iova_fast(&f.d, a, 17);
	ck_assert_uint_eq(alloc_iova_fast(&f.d, 32, 0xfffff, true), a);
	/* 33 pages: not rounded, not cached, aligned to 64. */
	b = alloc_iova_fast(&f.d, 33, 0xfffff, true);
	ck_assert_uint_eq(b % 64, 0);
	ck_assert_uint_eq(find_iova(&f.d, b)->pfn_hi, b + 32);
	free_iova_fast(&f.d, b, 33);
	ck_assert_ptr_null(find_iova(&f.d, b));
	ck_assert_uint_eq(f.st->rcache_hits, 1);
	ck_assert_uint_eq(f.st->tree_allocs, 2);
	ck_assert_uint_eq(f.st->tree_frees, 1);
	done(&f);
}
END_TEST

START_TEST(lifo_per_cpu)
{
	struct fixture f = fresh_on(KERNEL_6_12, "2");
	struct sim *s = &f.r.m->sim;
	uint64_t p[3];

	start(&f);
	for (int i = 0; i < 3; i++)
		p[i] = alloc_iova_fast(&f.d, 1, 0xfffff, true);
	s->cpu = &s->cpus[1];
	for (int i = 0; i < 3; i++)
		free_iova_fast(&f.d, p[i], 1);
	for (int i = 2; i >= 0; i--)
		ck_assert_uint_eq(alloc_iova_fast(&f.d, 1, 0xfffff, true), p[i]);
	s->cpu = &s->cpus[0];
	ck_assert_uint_eq(alloc_iova_fast(&f.d, 1, 0xfffff, true), p[2] - 1);
	done(&f);
}
END_TEST

START_TEST(limit_skips_high_entries)
{
	struct fixture f = fresh_on(KERNEL_6_12, "1");
	uint64_t low, high, top;

	start(&f);
	low = alloc_iova_fast(&f.d, 1, 0xfffff, true);
	high = alloc_iova_fast(&f.d, 1, 1ull << 30, true);
	top = alloc_iova_fast(&f.d, 1, 1ull << 30, true);
	free_iova_fast(&f.d, low, 1);
	free_iova_fast(&f.d, high, 1);
	free_iova_fast(&f.d, top, 1);
	ck_assert_uint_eq(alloc_iova_fast(&f.d, 1, 0xfffff, true), low);
	/* The top entry filled the hole: it is now below the other one. */
	ck_assert_uint_eq(alloc_iova_fast(&f.d, 1, 1ull << 30, true), high);
	ck_assert_uint_eq(alloc_iova_fast(&f.d, 1, 1ull << 30, true), top);
	done(&f);
}
END_TEST

/* n single pages allocated and then freed on this CPU. */
static void alloc_free(struct fixture *f, unsigned n, uint64_t *pfn)
{
	for (unsigned i = 0; i < n; i++)
		pfn[i] = alloc_iova_fast(&f->d, 1, 0xfffff, true);
	for (unsigned i = 0; i < n; i++)
		free_iova_fast(&f->d, pfn[i], 1);
}

START_TEST(depot_and_magazine_order)
{
	struct fixture f = fresh_on(KERNEL_6_12, "1");
	uint64_t pfn[3 * 127 + 1];

	start(&f);
	/* Magazines A and B fill, A goes behind B; with both full, B goes to the depot. */
	alloc_free(&f, 3 * 127 + 1, pfn);
	ck_assert_uint_eq(f.st->depot_spills, 2);
	ck_assert_uint_eq(f.d.rcaches[0].depot_size, 2);
	/* Loaded: the last one; then the previous magazine, which is the first that was filled. */
	ck_assert_uint_eq(alloc_iova_fast(&f.d, 1, 0xfffff, true), pfn[381]);
	for (int i = 126; i >= 0; i--)
		ck_assert_uint_eq(alloc_iova_fast(&f.d, 1, 0xfffff, true), pfn[i]);
	for (int i = 380; i >= 254; i--)
		ck_assert_uint_eq(alloc_iova_fast(&f.d, 1, 0xfffff, true), pfn[i]);
	ck_assert_uint_eq(f.st->depot_refills, 1);
	ck_assert_uint_eq(alloc_iova_fast(&f.d, 1, 0xfffff, true), pfn[253]);
	done(&f);
}
END_TEST

START_TEST(trimmer)
{
	struct fixture f = fresh_on(KERNEL_6_12, "1");
	struct sim *s = &f.r.m->sim;
	uint64_t *pfn = g_new(uint64_t, 6 * 127 + 1);
	uint64_t nodes;

	start(&f);
	alloc_free(&f, 6 * 127 + 1, pfn);
	ck_assert_uint_eq(f.d.rcaches[0].depot_size, 5);
	nodes = f.d.nodes;
	/* 100 ms are 25 ticks of 4 ms; armed in tick 0 it fires with tick 26, one magazine at a time. */
	sim_advance(s, 103 * SIM_MS);
	ck_assert_uint_eq(f.d.rcaches[0].depot_size, 5);
	for (unsigned left = 4; left >= 1; left--) {
		sim_advance(s, s->now + 104 * SIM_MS);
		ck_assert_uint_eq(f.d.rcaches[0].depot_size, left);
		ck_assert_uint_eq(f.d.nodes, nodes - (5 - left) * 127);
	}
	/* One CPU: one magazine stays, and nothing runs any more. */
	sim_run(s);
	ck_assert_uint_eq(f.d.rcaches[0].depot_size, 1);
	ck_assert_uint_eq(f.st->depot_trims, 4);
	g_free(pfn);
	done(&f);
}
END_TEST

START_TEST(depot_limit_of_6_1)
{
	struct fixture f = fresh_on(KERNEL_6_1, "1");
	unsigned n = 36 * 127;
	uint64_t *pfn = g_new(uint64_t, n);

	start(&f);
	alloc_free(&f, n, pfn);
	/* 2 magazines with the CPU, 32 in the depot, two returned to the tree, and no timer. */
	ck_assert_uint_eq(f.d.rcaches[0].depot_size, 32);
	ck_assert_uint_eq(f.d.nodes, 34 * 127);
	ck_assert_uint_eq(event_queue_size(f.r.m->sim.events), 0);
	g_free(pfn);
	done(&f);
}
END_TEST

START_TEST(flush_and_retry)
{
	struct fixture f = fresh_on(KERNEL_6_12, "2");
	struct sim *s = &f.r.m->sim;
	uint64_t p[4];

	start(&f);
	reserve_iova(&f.d, 1, 0xffffb); /* four pages are left */
	for (int i = 0; i < 4; i++)
		p[i] = alloc_iova_fast(&f.d, 1, 0xfffff, true);
	s->cpu = &s->cpus[1];
	for (int i = 0; i < 4; i++)
		free_iova_fast(&f.d, p[i], 1);
	s->cpu = &s->cpus[0];
	/* Without it the request fails although all four pages lie in the other CPU's cache. */
	ck_assert_uint_eq(alloc_iova_fast(&f.d, 4, 0xfffff, false), 0);
	ck_assert_uint_eq(alloc_iova_fast(&f.d, 4, 0xfffff, true), 0xffffc);
	ck_assert_uint_eq(f.st->rcache_flushes, 1);
	ck_assert_uint_eq(f.st->iova_failures, 1);
	done(&f);
}
END_TEST

START_TEST(hot_unplug)
{
	struct fixture f = fresh_on(KERNEL_6_12, "1");
	uint64_t p[200];

	start(&f);
	alloc_free(&f, 200, p);
	ck_assert_uint_eq(f.d.nodes, 200);
	free_cpu_cached_iovas(&f.d, 0);
	ck_assert_uint_eq(f.d.nodes, 0);
	done(&f);
}
END_TEST

START_TEST(footprint)
{
	struct fixture f = fresh_on(KERNEL_6_12, "2");
	struct ledger *l = &f.r.m->sim.ledger;
	uint64_t magazines = l->accounts[LEDGER_IOVA_MAGAZINES].current, ranges;

	start(&f);
	/* Per domain: class array, six per-CPU arrays, two magazines per CPU and class. */
	ck_assert_uint_eq(l->accounts[LEDGER_IOVA_MAGAZINES].current - magazines,
			  1024 + 2 * 6 * 64 + 2 * 12288);
	ranges = l->accounts[LEDGER_IOVA_RANGES].current;
	free_iova_fast(&f.d, alloc_iova_fast(&f.d, 1, 0xfffff, true), 1);
	ck_assert_uint_eq(l->accounts[LEDGER_IOVA_RANGES].current - ranges, 64);
	done(&f);
}
END_TEST

/* ---- replay ---- */

/* Memory of magazines: with the domain, or since 7.3 when a CPU first frees. */
START_TEST(magazines_per_release)
{
	for (enum kernel_version k = KERNEL_7_2; k <= KERNEL_7_3; k++) {
		struct fixture f = fresh_on(k, "2");
		const struct ledger_entry *e = &f.r.m->sim.ledger.accounts[LEDGER_IOVA_MAGAZINES];
		uint64_t before, magazine = 8 * 128, pfn;

		start(&f);
		before = e->current;
		pfn = alloc_iova_fast(&f.d, 1, 0xfffff, true);
		free_iova_fast(&f.d, pfn, 1);
		ck_assert_uint_eq(e->current - before, k == KERNEL_7_3 ? magazine : 0);
		pfn = alloc_iova_fast(&f.d, 1, 0xfffff, true);
		free_iova_fast(&f.d, pfn, 1);
		ck_assert_uint_eq(e->current - before, k == KERNEL_7_3 ? magazine : 0);
		done(&f);
	}
}
END_TEST

int main(void)
{
	TCase *tree = tcase_create("tree"), *cache = tcase_create("cache");

	tcase_add_test(tree, tree_vectors);
	tcase_add_test(tree, tree_passes_reserved_range);
	tcase_add_test(tree, searches_are_charged_by_their_length);
	tcase_add_loop_test(tree, more_sizes_can_be_cached, 0, 2);
	tcase_add_test(tree, tree_above_32_bits);
	tcase_add_test(tree, tree_second_pass_and_failure);
	tcase_add_test(tree, high_failure_lowers_max32);
	tcase_add_test(tree, reserve_extends_and_inserts);
	tcase_add_test(cache, classes_and_rounding);
	tcase_add_test(cache, lifo_per_cpu);
	tcase_add_test(cache, limit_skips_high_entries);
	tcase_add_test(cache, depot_and_magazine_order);
	tcase_add_test(cache, trimmer);
	tcase_add_test(cache, depot_limit_of_6_1);
	tcase_add_test(cache, flush_and_retry);
	tcase_add_test(cache, hot_unplug);
	tcase_add_test(cache, footprint);
	tcase_add_test(tree, magazines_per_release);
	return test_run("iova", tree, cache, NULL);
}
