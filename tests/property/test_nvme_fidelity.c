/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With one request in flight, fidelity counts and timing agree on every count: random traces through
 * every API and mode, all counters of the DMA layer, the VT-d unit, the fabric, the drive and the
 * driver, and all exact histograms.
 */
#include "nvme_support.h"

#include "experiment/result.h"
#include <string.h>

#define REQUESTS 300u
/* Far enough apart that each request has ended before the next; all within the flush-queue timeout set. */
#define SPACING_NS 200000u

/* Whether the block layer passes the vectors as one request: parts of a split overlap in time. */
static bool one_request(const struct nvme_rig *rig, const struct trace_segment *s, unsigned n, uint64_t bytes)
{
	const struct blk_limits *lim =
	    &nvme_dev_at((const struct nvme_workload *)(const void *)rig->workload, 0)->limits;
	struct phys_vec v[64];
	struct blk_part part;

	if (bytes % lim->logical_block_size)
		return false;
	blk_split(lim, v, blk_add_segments(lim, v, 0, s, n), (struct blk_cursor){0, 0}, &part);
	return part.bytes == bytes;
}

static void random_vectors(struct rng *r, phys_addr_t at, struct trace_segment *s, unsigned *n,
			   uint64_t *bytes)
{
	*n = 1 + (unsigned)rng_below(r, rng_below(r, 4) ? 8 : 40);
	*bytes = 0;
	for (unsigned i = 0; i < *n; i++) {
		uint32_t units = 1 + (uint32_t)rng_below(r, 8);

		s[i] = (struct trace_segment){.phys = at, .len = rng_below(r, 5) ? 4096 : 512 * units};
		*bytes += s[i].len;
		at += s[i].len;
		if (rng_below(r, 2))
			at = align_up(at, PAGE_SIZE) + PAGE_SIZE * rng_below(r, 2);
	}
}

static void submit_random(struct nvme_rig *rig, struct rng *r)
{
	static const enum nvme_op ops[] = {NVME_OP_READ,  NVME_OP_READ,  NVME_OP_WRITE,
					   NVME_OP_WRITE, NVME_OP_FLUSH, NVME_OP_DISCARD};
	enum nvme_op op = ops[rng_below(r, G_N_ELEMENTS(ops))];
	struct trace_segment s[64];
	phys_addr_t at = nvme_rig_contiguous(rig, MIB);
	uint64_t bytes;
	unsigned n;

	do {
		random_vectors(r, at, s, &n, &bytes);
	} while (!one_request(rig, s, n, bytes));
	nvme_rig_submit(rig, op, 4096 * rng_below(r, 1000), bytes, s, n);
	rig->time_ns += SPACING_NS;
}

static struct nvme_rig run(const struct dma_api *api, enum iommu_mode mode, enum fidelity fidelity, bool sgl,
			   unsigned seed)
{
	struct nvme_rig rig = nvme_rig_new(
	    api->name, mode, api->shipped, fidelity, "nvme.drive=null", "nvme.queue_depth=1",
	    "nvme.pattern=true", "flush_queue.timeout=1s", sgl ? "nvme.sgl=true" : "nvme.sgl=false", NULL);
	struct rng r;

	rng_init(&r, test_seed() + seed, "fidelity");
	for (unsigned i = 0; i < REQUESTS; i++)
		submit_random(&rig, &r);
	nvme_rig_finish(&rig);
	return rig;
}

static void compare(const struct stat_table *t, const void *a, const void *b, const char *where)
{
	for (size_t i = 0; i < t->nspecs; i++) {
		const struct stat_spec *s = &t->specs[i];
		struct stat_value x, y;

		/* Events are what timing adds; "ns*bytes" is a time in disguise. */
		if (s->kind != STAT_COUNTER || s->needs_timing || !strcmp(s->name, "sim.events") ||
		    g_str_has_prefix(s->unit, "ns"))
			continue;
		x = stat_read(s, a, FIDELITY_COUNTS);
		y = stat_read(s, b, FIDELITY_TIMING);
		ck_assert_msg(x.i == y.i,
			      "seed %" G_GUINT64_FORMAT " %s: %s is %" G_GUINT64_FORMAT
			      " in counts, %" G_GUINT64_FORMAT " in timing",
			      test_seed(), where, s->name, x.i, y.i);
	}
}

static void append(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	(void)hi;
	g_string_append_printf(arg, "%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT " ", lo, count);
}

static void compare_hist(const struct hist *a, const struct hist *b)
{
	GString *x = g_string_new(NULL), *y = g_string_new(NULL);

	hist_visit(a, append, x);
	hist_visit(b, append, y);
	ck_assert_str_eq(x->str, y->str);
	g_string_free(x, TRUE);
	g_string_free(y, TRUE);
}

START_TEST(counts_agree)
{
	bool sgl = _i & 1;
	enum iommu_mode mode = (enum iommu_mode)(_i >> 1);

	for (const struct dma_api *const *api = dma_apis; *api; api++) {
		struct nvme_rig c = run(*api, mode, FIDELITY_COUNTS, sgl, (unsigned)_i);
		struct nvme_rig t = run(*api, mode, FIDELITY_TIMING, sgl, (unsigned)_i);
		g_autofree char *where = g_strdup_printf("%s %s%s", (*api)->name, iommu_mode_names[mode],
							 sgl ? " sgl" : "");

		for (const struct stat_group *g = stat_groups; g->table; g++)
			compare(g->table, (char *)c.m + g->offset, (char *)t.m + g->offset, where);
		compare(&nvme_stat_table, nvme_rig_stats(&c), nvme_rig_stats(&t), where);
		compare_hist(c.m->dma_stats.map_size, t.m->dma_stats.map_size);
		compare_hist(c.m->dma_stats.unmap_size, t.m->dma_stats.unmap_size);
		compare_hist(c.m->dma_stats.iova_pages, t.m->dma_stats.iova_pages);
		if (mode != IOMMU_OFF)
			compare_hist(c.m->vtd_stats.page_span, t.m->vtd_stats.page_span);
		ck_assert_uint_eq(c.m->io.completed + c.m->io.failed, REQUESTS);
		ck_assert_uint_eq(nvme_rig_stats(&t)->mismatches + nvme_rig_stats(&t)->drive.mismatches, 0);
		nvme_rig_free(&c);
		nvme_rig_free(&t);
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("fidelities");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, counts_agree, 0, 2 * IOMMU_MODES);
	return test_run("nvme fidelity", t, NULL);
}
