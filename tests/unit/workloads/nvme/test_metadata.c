/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Separate metadata of a request in each driver generation: one piece, scatterlist, one range, pieces. */
#include "nvme_support.h"

#include <string.h>

enum form { POINTER, SCATTERLIST, RANGE, PIECES };
static const struct row {
	const char *api;
	enum kernel_version kernel;
	const char *sgl;
	enum iommu_mode mode;
	uint64_t bytes;
	unsigned first; /* bytes of the data's first vector */
	enum form form;
} rows[] = {
    {"legacy", KERNEL_6_12, "nvme.sgl=true", IOMMU_STRICT, 64 * KIB, 4096, POINTER},
    {"link", KERNEL_7_0, "nvme.sgl=false", IOMMU_STRICT, 64 * KIB, 4096, POINTER},
    {"legacy", KERNEL_7_0, "nvme.sgl=true", IOMMU_STRICT, 64 * KIB, 4096, SCATTERLIST},
    {"legacy", KERNEL_7_0, "nvme.sgl=true", IOMMU_LAZY, 64 * KIB, 4096, SCATTERLIST},
    {"legacy", KERNEL_7_0, "nvme.sgl=true", IOMMU_OFF, 64 * KIB, 4096, SCATTERLIST},
    {"link", KERNEL_7_0, "nvme.sgl=true", IOMMU_STRICT, 64 * KIB, 4096, RANGE},
    {"link", KERNEL_7_0, "nvme.sgl=true", IOMMU_LAZY, 64 * KIB, 4096, RANGE},
    {"link", KERNEL_7_0, "nvme.sgl=true", IOMMU_OFF, 64 * KIB, 4096, PIECES},
    /* A seam of the data inside a page: no range for the metadata either. */
    {"link", KERNEL_7_0, "nvme.sgl=true", IOMMU_STRICT, 62 * KIB, 2048, PIECES},
    {"premapped", KERNEL_7_0, "nvme.sgl=true", IOMMU_STRICT, 64 * KIB, 4096, RANGE},
    /* Less than a page; more pages than a list has room for. */
    {"link", KERNEL_7_0, "nvme.sgl=true", IOMMU_STRICT, 8 * KIB, 4096, POINTER},
    {"link", KERNEL_7_0, "nvme.sgl=true", IOMMU_OFF, 256 * KIB, 4096, POINTER},
};

#define MOST 64u

static struct nvme_rig open_rig(const struct row *r, enum fidelity fidelity)
{
	return nvme_rig_new(r->api, r->mode, r->kernel, fidelity, r->sgl, "nvme.metadata=128B",
			    "nvme.metadata_scattered=true", "nvme.queue_depth=64", NULL);
}

static unsigned vectors(struct nvme_rig *rig, const struct row *r, struct trace_segment *s)
{
	unsigned n = (unsigned)div_round_up(r->bytes, PAGE_SIZE);

	nvme_rig_scattered(rig, s, n);
	s[0].len = r->first;
	return n;
}

static void assert_clean(const struct nvme_rig *rig, const struct row *r)
{
	const struct dma_stats *d = &rig->m->dma_stats;

	ck_assert_uint_eq(rig->m->io.failed, 0);
	ck_assert_uint_eq(nvme_rig_stats(rig)->drive.errors, 0);
	ck_assert_uint_eq(rig->m->vtd_stats.faults, 0);
	if (!strcmp(r->api, "premapped"))
		return; /* its mappings stay */
	ck_assert_uint_eq(d->iova_pages_allocated, d->iova_pages_freed);
	ck_assert_uint_eq(d->iommu_map_bytes, d->iommu_unmap_bytes);
	for (unsigned a = 0; a < LEDGER_TOTAL; a++)
		if (ledger_per_request(a))
			ck_assert_uint_eq(rig->m->sim.ledger.accounts[a].current, 0);
}

/* Counts of one request, against those of the same data without metadata. */
START_TEST(one_request)
{
	const struct row *r = &rows[_i];
	struct nvme_rig rig = open_rig(r, FIDELITY_COUNTS),
			bare = nvme_rig_new(r->api, r->mode, r->kernel, FIDELITY_COUNTS, r->sgl, NULL);
	const struct dma_stats *d = &rig.m->dma_stats, *b = &bare.m->dma_stats;
	const struct nvme_stats *st = nvme_rig_stats(&rig);
	const struct nvme_workload *w = (const void *)rig.workload;
	struct trace_segment s[MOST];
	bool translated = r->mode >= IOMMU_LAZY;
	unsigned nvecs = vectors(&rig, r, s), n;

	nvme_rig_submit(&rig, NVME_OP_WRITE, 0, r->bytes, s, nvecs);
	n = nvme_dev_at(w, 0)->queues[0].requests[0].meta.segments;
	ck_assert_uint_eq(nvme_dev_at(w, 0)->queues[0].requests[0].meta.len, r->bytes / 512 * 128);
	nvme_rig_finish(&rig);
	nvecs = vectors(&bare, r, s);
	nvme_rig_submit(&bare, NVME_OP_WRITE, 0, r->bytes, s, nvecs);
	nvme_rig_finish(&bare);

	if (r->form == POINTER)
		ck_assert_uint_eq(n, 1);
	else
		ck_assert_uint_gt(n, 1);
	ck_assert_uint_eq(d->iova_allocs - b->iova_allocs, !translated ? 0 : r->form == PIECES ? n : 1);
	ck_assert_uint_eq(d->map_page_calls - b->map_page_calls, r->form == POINTER);
	ck_assert_uint_eq(d->link_calls - b->link_calls, r->form == RANGE ? n : 0);
	ck_assert_uint_eq(d->sync_calls - b->sync_calls, r->form == RANGE);
	ck_assert_uint_eq(d->map_sg_calls - b->map_sg_calls, r->form == SCATTERLIST);
	ck_assert_uint_eq(d->iotlb_syncs - b->iotlb_syncs, r->mode != IOMMU_STRICT ? 0
							   : r->form == PIECES     ? n
										   : 1);
	ck_assert_uint_eq(d->fq_entries - b->fq_entries, r->mode == IOMMU_LAZY);
	ck_assert_uint_eq(st->meta_lists, r->form == SCATTERLIST || r->form == PIECES);
	ck_assert_uint_eq(st->meta_iova, r->form == RANGE);
	/* What the drive reads: one descriptor, and those behind it if it has more than one range. */
	if (r->form != POINTER && strcmp(r->api, "premapped"))
		ck_assert_uint_eq(st->drive.fetched_lists -
				      (st->sgl_small + st->sgl_pages), /* the data's own */
				  !st->meta_lists                        ? 0
				  : r->form == SCATTERLIST && translated ? 1
									 : 2);
	/* A list of metadata needs SGLs for the data. */
	if (r->form != POINTER)
		ck_assert_uint_eq(st->sgl_inline + st->sgl_small + st->sgl_pages, 1);
	assert_clean(&rig, r);
	nvme_rig_free(&rig);
	nvme_rig_free(&bare);
}
END_TEST

/* Many of different sizes, reads and writes, in time: the drive finds all of it, nothing is left. */
START_TEST(in_time)
{
	const struct row *r = &rows[_i];
	struct nvme_rig rig = open_rig(r, FIDELITY_TIMING);
	struct trace_segment s[MOST];
	unsigned nvecs = vectors(&rig, r, s);

	for (unsigned i = 0; i < 40; i++) {
		unsigned pages = 1 + i * 7 % nvecs;
		uint64_t bytes = (pages - 1) * PAGE_SIZE + s[0].len;

		nvme_rig_submit(&rig, i % 3 ? NVME_OP_READ : NVME_OP_WRITE, i * MIB, bytes, s, pages);
		if (i % 5 == 0)
			nvme_rig_submit(&rig, NVME_OP_FLUSH, 0, 0, NULL, 0);
	}
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(rig.m->io.completed, 48);
	assert_clean(&rig, r);
	nvme_rig_free(&rig);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("metadata");

	tcase_add_loop_test(t, one_request, 0, (int)G_N_ELEMENTS(rows));
	tcase_add_loop_test(t, in_time, 0, (int)G_N_ELEMENTS(rows));
	return test_run("metadata", t, NULL);
}
