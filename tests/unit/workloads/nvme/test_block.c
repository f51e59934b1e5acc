/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block layer: bio building, splitting, gaps, runs. */
#include "workloads/nvme/block.h"

#include "support.h"

#define KEEP 0xffffffffull /* NVMe keeps the block layer's default segment boundary of 4 GiB */

static struct blk_limits nvme_limits(uint64_t max_bytes, unsigned max_segments, uint64_t virt)
{
	return (struct blk_limits){
	    .max_hw_bytes = max_bytes,
	    .max_bytes = max_bytes,
	    .max_segment_size = UINT32_MAX,
	    .seg_boundary_mask = KEEP,
	    .virt_boundary_mask = virt,
	    .max_segments = max_segments,
	    .logical_block_size = 512,
	};
}

static unsigned scattered_pages(struct phys_vec *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		v[i] = (struct phys_vec){0x100000 + 0x2000ull * i, 4096};
	return n;
}

/* Behind an IOMMU a request ends at 128 KiB, in an identity domain 132 KiB stay whole. */
START_TEST(size_limit_splits)
{
	struct blk_limits lim = nvme_limits(128 * KIB, 33, 4095);
	struct phys_vec v[33];
	struct blk_part part;
	unsigned n = scattered_pages(v, 33);

	blk_split(&lim, v, n, (struct blk_cursor){0, 0}, &part);
	ck_assert_uint_eq(part.bytes, 128 * KIB);
	ck_assert_uint_eq(part.segments, 32);
	blk_split(&lim, v, n, (struct blk_cursor){32, 0}, &part);
	ck_assert_uint_eq(part.bytes, 4 * KIB);
	lim = nvme_limits(8 * MIB, 256, 4095);
	blk_split(&lim, v, n, (struct blk_cursor){0, 0}, &part);
	ck_assert_uint_eq(part.bytes, 132 * KIB);
	ck_assert_uint_eq(part.segments, 33);
}
END_TEST

/* "The 512 KiB boundary" of A.2: scattered pages end at the segment limit, contiguous memory does not. */
START_TEST(segment_limit_splits)
{
	struct phys_vec v[256], whole = {0x40000000, 4 * MIB};
	unsigned limits[] = {127, 128, 256};
	uint64_t bytes[] = {508 * KIB, 512 * KIB, 1 * MIB};
	struct blk_part part;

	scattered_pages(v, 256);
	for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
		struct blk_limits lim = nvme_limits(8 * MIB, limits[i], 4095);

		blk_split(&lim, v, 256, (struct blk_cursor){0, 0}, &part);
		ck_assert_uint_eq(part.bytes, bytes[i]);
		ck_assert_uint_eq(part.segments, limits[i]);
		blk_split(&lim, &whole, 1, (struct blk_cursor){0, 0}, &part);
		ck_assert_uint_eq(part.bytes, 4 * MIB);
		ck_assert_uint_eq(part.segments, 1);
	}
}
END_TEST

START_TEST(virtual_boundary_splits_at_gaps)
{
	struct blk_limits lim = nvme_limits(128 * KIB, 33, 4095);
	struct phys_vec v[] = {{0x10200, 0xe00}, {0x20000, 0x1000}, {0x30000, 0x600}, {0x40600, 0xa00}};
	struct blk_part part;

	blk_split(&lim, v, 4, (struct blk_cursor){0, 0}, &part);
	ck_assert_uint_eq(part.bytes, 0xe00 + 0x1000 + 0x600);
	lim.virt_boundary_mask = 0;
	blk_split(&lim, v, 4, (struct blk_cursor){0, 0}, &part);
	ck_assert_uint_eq(part.bytes, 0xe00 + 0x1000 + 0x600 + 0xa00);
	ck_assert_uint_eq(part.gaps & 4095, 0x600);
	ck_assert_uint_eq(blk_gap_mask(part.gaps), ~0x1ffull);
}
END_TEST

/* Reference A.1 item 7. */
START_TEST(gap_masks)
{
	ck_assert_uint_eq(blk_gap_mask(0), 0);
	ck_assert_uint_eq(blk_gap_mask(1u << 9 | 1u << 14), ~0x1ffull);
	ck_assert_uint_eq(blk_gap_mask(1u << 12), ~0xfffull);
}
END_TEST

/* A seam inside a page counts although its two sides are adjacent (recordings of 7.0, d06). */
START_TEST(adjacent_seams_are_gaps)
{
	struct blk_limits lim = nvme_limits(128 * KIB, 33, 0);
	struct phys_vec v[] = {{0x10000, 0x600}, {0x10600, 0xa00}, {0x11000, 0x1000}};
	struct blk_map_iter it;
	struct blk_part part;
	struct phys_vec run;

	blk_split(&lim, v, 3, (struct blk_cursor){0, 0}, &part);
	ck_assert_uint_eq(part.segments, 3);
	ck_assert_uint_eq(blk_gap_mask(part.gaps), ~0x1ffull);
	blk_map_iter_init(&it, v, 3, UINT32_MAX, KEEP);
	ck_assert(blk_map_iter_next(&it, &run));
	ck_assert_uint_eq(run.paddr, 0x10000);
	ck_assert_uint_eq(run.len, 0x2000);
	ck_assert(!blk_map_iter_next(&it, &run));
}
END_TEST

START_TEST(pages_join_only_where_the_kernel_joins_them)
{
	struct blk_limits lim = nvme_limits(128 * KIB, 33, 0);
	struct trace_segment s[] = {{.phys = 0x1000, .len = 4096},
				    {.phys = 0x2000, .len = 512},
				    {.phys = 0x2200, .len = 512},
				    {.phys = 0x9000, .len = 4096}};
	struct phys_vec v[4];

	ck_assert_uint_eq(blk_add_segments(&lim, v, 0, s, 4), 4);
	lim.merge_pages = true;
	ck_assert_uint_eq(blk_add_segments(&lim, v, 0, s, 4), 2);
	ck_assert_uint_eq(v[0].len, 5120);
	ck_assert_uint_eq(v[1].paddr, 0x9000);
}
END_TEST

START_TEST(runs_end_at_the_segment_boundary)
{
	struct phys_vec v[] = {{0xffffe000, 0x1000}, {0xfffff000, 0x1000}, {0x100000000, 0x1000}};
	struct blk_map_iter it;
	struct phys_vec run;

	blk_map_iter_init(&it, v, 3, UINT32_MAX, KEEP);
	ck_assert(blk_map_iter_next(&it, &run));
	ck_assert_uint_eq(run.len, 0x2000);
	ck_assert(blk_map_iter_next(&it, &run));
	ck_assert_uint_eq(run.paddr, 0x100000000);
	ck_assert(!blk_map_iter_next(&it, &run));
}
END_TEST

/* ---- brute-force twins, in units of 512 bytes ---- */

#define UNIT 512u

struct unit {
	phys_addr_t paddr;
	bool starts_vec;
};

static unsigned to_units(const struct phys_vec *v, unsigned n, struct unit *u)
{
	unsigned k = 0;

	for (unsigned i = 0; i < n; i++) {
		for (uint32_t at = 0; at < v[i].len; at += UNIT)
			u[k++] = (struct unit){v[i].paddr + at, at == 0};
	}
	return k;
}

/* Take units one by one until a rule forbids the next. */
static uint64_t slow_split(const struct blk_limits *lim, const struct unit *u, unsigned n, unsigned from)
{
	uint64_t bytes = 0, seg_len = 0;
	unsigned segs = 0;

	for (unsigned i = from; i < n; i++) {
		bool first = i == from, open = !first && !u[i].starts_vec;

		if (!first && u[i].starts_vec &&
		    ((u[i].paddr | (u[i - 1].paddr + UNIT)) & lim->virt_boundary_mask))
			break;
		if (open && (seg_len == lim->max_segment_size || !(u[i].paddr & lim->seg_boundary_mask)))
			open = false;
		if (!open) {
			/* A segment that the limits cut inside a vector may only end on the virtual boundary.
			 */
			if (!first && !u[i].starts_vec && (u[i].paddr & lim->virt_boundary_mask))
				break;
			if (segs == lim->max_segments)
				break;
		}
		if (bytes == lim->max_bytes)
			break;
		if (!open) {
			segs++;
			seg_len = 0;
		}
		seg_len += UNIT;
		bytes += UNIT;
	}
	return align_down(bytes, lim->logical_block_size);
}

static unsigned random_vecs(struct rng *r, struct phys_vec *v)
{
	unsigned n = 1 + (unsigned)rng_below(r, 12);
	phys_addr_t at = 0x10000 + UNIT * rng_below(r, 64);

	for (unsigned i = 0; i < n; i++) {
		v[i] = (struct phys_vec){at, UNIT * (uint32_t)(1 + rng_below(r, rng_below(r, 4) ? 8 : 40))};
		at += v[i].len;
		if (rng_below(r, 2))
			at = align_up(at, PAGE_SIZE) + PAGE_SIZE * rng_below(r, 8) + UNIT * rng_below(r, 3);
	}
	return n;
}

START_TEST(split_equals_unit_by_unit)
{
	struct rng r;

	rng_init(&r, test_seed(), "split");
	for (unsigned round = 0; round < test_scale(20000); round++) {
		struct blk_limits lim = nvme_limits(UNIT * (8 + rng_below(&r, 100)),
						    1 + (unsigned)rng_below(&r, 9),
						    rng_below(&r, 2) ? 4095 : 0);
		struct phys_vec v[12];
		struct unit u[12 * 40];
		struct blk_cursor at = {0, 0};
		unsigned n = random_vecs(&r, v), k = to_units(v, n, u), from = 0;

		lim.max_segment_size = PAGE_SIZE << rng_below(&r, 3);
		lim.seg_boundary_mask = (PAGE_SIZE << rng_below(&r, 4)) - 1;
		lim.logical_block_size = rng_below(&r, 4) ? 512 : 4096;
		while (from < k) {
			struct phys_vec cut[13 * 40];
			struct blk_part part;
			uint64_t want = slow_split(&lim, u, k, from);

			blk_split(&lim, v, n, at, &part);
			/* Only a split is rounded to blocks; what is left at the end may be odd. */
			if (from + part.bytes / UNIT == k)
				want = align_down(part.bytes, lim.logical_block_size);
			ck_assert_msg(align_down(part.bytes, lim.logical_block_size) == want,
				      "seed %" G_GUINT64_FORMAT " round %u: %" G_GUINT64_FORMAT
				      " bytes, want %" G_GUINT64_FORMAT,
				      test_seed(), round, part.bytes, want);
			if (part.bytes == 0)
				break;
			blk_cut(v, &at, part.bytes, cut);
			ck_assert_uint_eq(cut[0].paddr, u[from].paddr);
			from += (unsigned)(part.bytes / UNIT);
		}
	}
}
END_TEST

/* Runs, unit by unit: a new one wherever adjacency, size or boundary demand it. */
START_TEST(runs_equal_unit_by_unit)
{
	struct rng r;

	rng_init(&r, test_seed(), "runs");
	for (unsigned round = 0; round < test_scale(20000); round++) {
		struct phys_vec v[12], run;
		struct unit u[12 * 40];
		struct blk_map_iter it;
		unsigned n = random_vecs(&r, v), k = to_units(v, n, u), at = 0;
		uint64_t boundary = (PAGE_SIZE << rng_below(&r, 6)) - 1;

		blk_map_iter_init(&it, v, n, UINT32_MAX, boundary);
		while (blk_map_iter_next(&it, &run)) {
			ck_assert_uint_eq(run.paddr, u[at].paddr);
			for (uint32_t len = UNIT; len < run.len; len += UNIT) {
				at++;
				ck_assert_uint_eq(u[at].paddr, run.paddr + len);
				ck_assert_uint_ne(u[at].paddr & boundary, 0);
			}
			at++;
			/* It ended because it had to, or because a whole vector did not fit in front of the
			 * boundary. */
			if (at < k && u[at].paddr == u[at - 1].paddr + UNIT)
				ck_assert(!(u[at].paddr & boundary) || u[at].starts_vec);
		}
		ck_assert_uint_eq(at, k);
	}
}
END_TEST

int main(void)
{
	TCase *rules = tcase_create("rules"), *twins = tcase_create("twins");

	tcase_add_test(rules, size_limit_splits);
	tcase_add_test(rules, segment_limit_splits);
	tcase_add_test(rules, virtual_boundary_splits_at_gaps);
	tcase_add_test(rules, gap_masks);
	tcase_add_test(rules, adjacent_seams_are_gaps);
	tcase_add_test(rules, pages_join_only_where_the_kernel_joins_them);
	tcase_add_test(rules, runs_end_at_the_segment_boundary);
	tcase_set_timeout(twins, 120);
	tcase_add_test(twins, split_equals_unit_by_unit);
	tcase_add_test(twins, runs_equal_unit_by_unit);
	return test_run("block", rules, twins, NULL);
}
