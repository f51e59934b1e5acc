/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers of a recording's summary: what the lines say against what the recorder counted (lines may
 * be missing), and what the model counted against what the kernel's functions and the hardware did.
 */
#include "internal.h"
#include "workloads/nvme/block.h"

#include <inttypes.h>
#include <string.h>

void count_snapshot_take(struct count_snapshot *s, const struct machine *m, const struct replay_totals *t)
{
	s->dma = m->dma_stats;
	s->vtd = m->vtd_stats;
	s->totals = *t;
}

struct comparison {
	struct replay *replay;
	const char *path;
	json_t *summary;
	uint64_t compared;
};

/* One number; a summary that lacks it is older or made by other means: nothing to compare. */
static void check(struct comparison *c, const char *section, const char *key, uint64_t model)
{
	const json_t *v = json_object_get(json_object_get(c->summary, section), key);

	if (!json_is_integer(v))
		return;
	c->compared++;
	if ((uint64_t)json_integer_value(v) != model)
		replay_report(c->replay, "%s: %s.%s is %" PRIu64 ", recorded %" PRIu64, c->path, section, key,
			      model, (uint64_t)json_integer_value(v));
}

struct histogram_check {
	struct comparison *c;
	const char *section, *key;
	json_t *recorded;
	uint64_t buckets;
};

static void check_bucket(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	struct histogram_check *h = arg;
	g_autofree char *name = g_strdup_printf("%" PRIu64, lo);
	const json_t *v = json_object_get(h->recorded, name);

	(void)hi;
	h->buckets++;
	h->c->compared++;
	if ((uint64_t)json_integer_value(v) != count)
		replay_report(h->c->replay, "%s: %s.%s of %" PRIu64 " is %" PRIu64 ", recorded %" PRIu64,
			      h->c->path, h->section, h->key, lo, count, (uint64_t)json_integer_value(v));
}

static void check_histogram(struct comparison *c, const char *section, const char *key,
			    enum replay_histogram which)
{
	struct histogram_check h = {.c = c,
				    .section = section,
				    .key = key,
				    .recorded = json_object_get(json_object_get(c->summary, section), key)};

	if (!json_is_object(h.recorded))
		return;
	hist_visit(replay_histogram(c->replay, which), check_bucket, &h);
	if (h.buckets != json_object_size(h.recorded))
		replay_report(c->replay, "%s: %s.%s has %" PRIu64 " values, recorded %zu", c->path, section,
			      key, h.buckets, json_object_size(h.recorded));
}

/* ---- the lines themselves ---- */

/* Entry probe and tracepoint of one function carry one name on different kernels. */
static enum recording_kind line_group(enum recording_kind k)
{
	switch (k) {
	case REC_DMA_MAP_ENTER:
		return REC_DMA_MAP;
	case REC_DMA_UNMAP_ENTER:
		return REC_DMA_UNMAP;
	case REC_DMA_MAP_SG_ENTER:
		return REC_DMA_MAP_SG;
	default:
		return k;
	}
}

static void check_lines(struct comparison *c, const struct recording *rec)
{
	json_t *counts = json_object_get(c->summary, "trace_event_counts"), *value;
	uint64_t lines[REC_KINDS + 1] = {0}, recorded[REC_KINDS + 1] = {0};
	const char *key;

	if (!json_is_object(counts))
		return;
	for (unsigned i = 0; i < rec->events->len; i++)
		lines[line_group(recording_at(rec, i)->kind)]++;
	json_object_foreach (counts, key, value) {
		enum recording_kind k = recording_kind_of(key, false);

		if (k == REC_KINDS)
			k = recording_kind_of(key, true);
		recorded[k == REC_KINDS ? k : line_group(k)] += (uint64_t)json_integer_value(value);
	}
	for (unsigned k = 0; k < REC_KINDS; k++) {
		c->compared += recorded[k] != 0;
		if (lines[k] != recorded[k])
			replay_report(c->replay, "%s: %" PRIu64 " lines of %s, the recorder wrote %" PRIu64,
				      c->path, lines[k], recording_kind_names[k], recorded[k]);
	}
}

static void check_block(struct comparison *c, const struct recording *rec)
{
	uint64_t issued = 0, bytes = 0, splits = 0, setup = 0, complete = 0;

	for (unsigned i = 0; i < rec->events->len; i++) {
		const struct recording_event *e = recording_at(rec, i);

		issued += e->kind == REC_BLOCK_ISSUE;
		bytes += e->kind == REC_BLOCK_ISSUE ? e->block.bytes : 0;
		splits += e->kind == REC_BLOCK_SPLIT;
		setup += e->kind == REC_NVME_SETUP;
		complete += e->kind == REC_NVME_COMPLETE;
	}
	check(c, "block", "issued", issued);
	check(c, "block", "bytes", bytes);
	check(c, "block", "splits", splits);
	check(c, "nvme", "setup_cmd", setup);
	check(c, "nvme", "complete_rq", complete);
}

/* ---- the model's counters ---- */

static void check_dma_api(struct comparison *c, const struct dma_stats *a, const struct dma_stats *b,
			  const struct kernel_profile *kernel)
{
#define DELTA(member) (b->member - a->member)
	if (kernel->has_map_phys) {
		/* Which of them came through dma_map_page is not in the recording. */
		check(c, "dma_api", "map_phys", DELTA(map_phys_calls));
		check(c, "dma_api", "unmap_phys", DELTA(unmap_phys_calls));
		check(c, "dma_api", "iova_try_alloc", DELTA(iova_try_alloc_calls));
		check(c, "dma_api", "iova_link", DELTA(link_calls));
		check(c, "dma_api", "iova_sync", DELTA(sync_calls));
		check(c, "dma_api", "iova_destroy", DELTA(destroy_calls));
	} else {
		check(c, "dma_api", "map_page", DELTA(map_page_calls));
		check(c, "dma_api", "unmap_page", DELTA(unmap_page_calls));
	}
	check(c, "dma_api", "map_sg", DELTA(map_sg_calls));
	check(c, "dma_api", "unmap_sg", DELTA(unmap_sg_calls));
}

static void check_iommu(struct comparison *c, const struct dma_stats *a, const struct dma_stats *b)
{
	check(c, "iommu", "map", DELTA(iommu_map_ops));
	check(c, "iommu", "map_bytes", DELTA(iommu_map_bytes));
	check_histogram(c, "iommu", "map_size_hist", REPLAY_HIST_MAP);
	check(c, "iommu", "unmap", DELTA(iommu_unmap_ops));
	check(c, "iommu", "unmap_bytes", DELTA(iommu_unmap_bytes));
	check_histogram(c, "iommu", "unmap_size_hist", REPLAY_HIST_UNMAP);
	check(c, "iova", "alloc", DELTA(iova_allocs));
	check_histogram(c, "iova", "alloc_pages_hist", REPLAY_HIST_ALLOC);
	check(c, "iova", "tree_alloc", DELTA(tree_allocs));
	check(c, "iova", "free", DELTA(iova_frees));
	check(c, "swiotlb", "bounced", DELTA(swiotlb_bounces));
	check_histogram(c, "swiotlb", "size_hist", REPLAY_HIST_BOUNCE);
}

/* First-stage descriptors, which the unit counts with the others of their granularity. */
struct pasid_counts {
	uint64_t pages, domains;
};

static void check_kernel_descriptors(struct comparison *c, const struct vtd_stats *a,
				     const struct vtd_stats *b, uint64_t foreign,
				     const struct pasid_counts *pasid)
{
	json_t *kinds = json_object_get(json_object_get(c->summary, "invalidation_kernel"), "qi_descriptors");
	const struct {
		const char *key;
		uint64_t model;
	} rows[] = {{"iotlb_page", DELTA(qi_iotlb_page) - pasid->pages},
		    {"iotlb_domain", DELTA(qi_iotlb_domain) - pasid->domains},
		    {"p_iotlb_inv", pasid->pages + pasid->domains},
		    {"iotlb_global", DELTA(qi_iotlb_global)},
		    {"dev_tlb_inv", DELTA(qi_device_tlb)},
		    {"iec_inv", foreign}};

	if (!json_is_object(kinds))
		return;
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint64_t recorded = (uint64_t)json_integer_value(json_object_get(kinds, rows[i].key));

		c->compared++;
		if (recorded != rows[i].model)
			replay_report(c->replay,
				      "%s: invalidation_kernel.qi_descriptors.%s is %" PRIu64
				      ", recorded %" PRIu64,
				      c->path, rows[i].key, rows[i].model, recorded);
	}
	check_histogram(c, "invalidation_kernel", "iotlb_page_span_hist", REPLAY_HIST_SPAN);
}

/* What the hardware executed: every submission of others is one descriptor and one wait. */
static void check_emulator(struct comparison *c, const struct vtd_stats *a, const struct vtd_stats *b,
			   uint64_t foreign, const struct pasid_counts *pasid)
{
	check(c, "invalidation_emulator", "iotlb_page", DELTA(qi_iotlb_page) - pasid->pages);
	check(c, "invalidation_emulator", "iotlb_domain", DELTA(qi_iotlb_domain) - pasid->domains);
	check(c, "invalidation_emulator", "pasid_iotlb_page", pasid->pages);
	check(c, "invalidation_emulator", "pasid_iotlb_domain", pasid->domains);
	check(c, "invalidation_emulator", "device_iotlb", DELTA(qi_device_tlb));
	check(c, "invalidation_emulator", "iotlb_global", DELTA(qi_iotlb_global));
	check_histogram(c, "invalidation_emulator", "iotlb_page_span_hist", REPLAY_HIST_SPAN);
	check(c, "invalidation_emulator", "wait", DELTA(qi_wait) + foreign);
	check(c, "invalidation_emulator", "interrupt_entry_cache", foreign);
	check(c, "invalidation_emulator", "descriptors_total", DELTA(qi_total) + 2 * foreign);
}

/* Change of the kernel's count of table pages; older tables make the model allocate more, never less. */
static void check_tables(struct comparison *c, const struct dma_stats *a, const struct dma_stats *b,
			 bool exact)
{
	json_t *pages = json_object_get(c->summary, "pagetable_pages");
	const json_t *before = json_object_get(json_object_get(pages, "before"), "nr_iommu_pages");
	const json_t *after = json_object_get(json_object_get(pages, "after"), "nr_iommu_pages");
	int64_t model = (int64_t)DELTA(table_pages_allocated) - (int64_t)DELTA(table_pages_freed), recorded;

	if (!before || !after)
		return;
	recorded = json_integer_value(after) - json_integer_value(before);
	c->compared++;
	if (exact ? model != recorded : model < recorded)
		replay_report(c->replay, "%s: page tables grow by %" PRId64 " pages, recorded %" PRId64,
			      c->path, model, recorded);
}
#undef DELTA

/* The queue's limits as the kernel printed them. */
static void check_limits(struct comparison *c, const struct blk_limits *lim)
{
	json_t *limits = json_object_get(c->summary, "queue_limits");
	const struct {
		const char *key;
		uint64_t model;
	} rows[] = {{"max_hw_sectors_kb", lim->max_hw_bytes / KIB},
		    {"max_sectors_kb", lim->max_bytes / KIB},
		    {"max_segments", lim->max_segments},
		    {"max_segment_size", lim->max_segment_size},
		    {"virt_boundary_mask", lim->virt_boundary_mask}};

	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *text = json_string_value(json_object_get(limits, rows[i].key));

		if (!text)
			continue;
		c->compared++;
		if (g_ascii_strtoull(text, NULL, 10) != rows[i].model)
			replay_report(c->replay, "%s: queue_limits.%s is %" PRIu64 ", recorded %s", c->path,
				      rows[i].key, rows[i].model, text);
	}
}

uint64_t verify_counts(struct replay *r, const char *path, json_t *summary, const struct recording *rec,
		       const struct count_snapshot *before, const struct count_snapshot *after,
		       const struct verify_boot *boot, const struct blk_limits *limits)
{
	struct comparison c = {.replay = r, .path = path, .summary = summary};
	uint64_t foreign = after->totals.foreign - before->totals.foreign;
	struct pasid_counts pasid = {after->totals.pasid_pages - before->totals.pasid_pages,
				     after->totals.pasid_domains - before->totals.pasid_domains};

	check_lines(&c, rec);
	check_block(&c, rec);
	check_dma_api(&c, &before->dma, &after->dma, boot->kernel);
	check_iommu(&c, &before->dma, &after->dma);
	check_kernel_descriptors(&c, &before->vtd, &after->vtd, foreign, &pasid);
	check_emulator(&c, &before->vtd, &after->vtd, foreign, &pasid);
	/* An allocator that is empty looks new, but its tables may be older: the first recording cannot tell.
	 */
	check_tables(&c, &before->dma, &after->dma,
		     boot->fresh && boot->recordings->len && !after->totals.bound);
	if (limits)
		check_limits(&c, limits);
	return c.compared;
}
