/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded kernel runs through the NVMe workload: every count that does not depend on time must equal
 * what the kernel counted (the summary beside each recording). The directories under tests/data/kernel,
 * or those named in DMASIM_RECORDINGS (separated by colons; each holds NAME.trace.txt.zst and
 * NAME.summary.json, as recorded).
 */
#include "nvme_support.h"

#include <jansson.h>
#include <string.h>

struct replay {
	const char *path;
	json_t *summary;
	struct nvme_rig rig;
	bool lazy;
	bool unsplit;       /* give the requests as they were before the recorded kernel split them */
	unsigned joined;    /* how many of those there were */
	int64_t pool_pages; /* pages by which the recorded driver's descriptor pools grew meanwhile */
	unsigned wrong;
};

static const char *text(const json_t *summary, const char *object, const char *key)
{
	const json_t *o = object ? json_object_get(summary, object) : summary;
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void expect(struct replay *r, const char *what, int64_t got, int64_t want)
{
	if (got == want)
		return;
	printf("%s: %s is %" G_GINT64_FORMAT ", recorded %" G_GINT64_FORMAT "\n", r->path, what, got, want);
	r->wrong++;
}

static int64_t recorded(const struct replay *r, const char *object, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(r->summary, object), key));
}

struct bucket_check {
	struct replay *r;
	json_t *want;
	const char *what;
	int64_t extra; /* value whose recorded count has pool pages in it */
};

static void check_bucket(uint64_t lo, uint64_t hi, uint64_t count, void *arg)
{
	struct bucket_check *c = arg;
	g_autofree char *key = g_strdup_printf("%" G_GUINT64_FORMAT, lo);
	g_autofree char *what = g_strdup_printf("%s of %s", c->what, key);
	int64_t want = json_integer_value(json_object_get(c->want, key));

	(void)hi;
	if ((int64_t)lo == c->extra)
		want -= c->r->pool_pages;
	expect(c->r, what, (int64_t)count, want);
}

static void expect_hist(struct replay *r, const char *what, const struct hist *got, const char *object,
			const char *key, int64_t extra)
{
	json_t *want = json_object_get(json_object_get(r->summary, object), key), *value;
	struct bucket_check c = {r, want, what, extra};
	const char *name;
	int64_t sum = 0;

	json_object_foreach (want, name, value)
		sum += json_integer_value(value);
	hist_visit(got, check_bucket, &c);
	expect(r, what, (int64_t)hist_count(got), sum - (extra ? r->pool_pages : 0));
}

static struct nvme_rig rig_for(const json_t *summary)
{
	const char *kernel = text(summary, NULL, "kernel"), *mode = text(summary, NULL, "mode");
	enum kernel_version version = g_str_has_prefix(kernel, "6.1.")   ? KERNEL_6_1
				      : g_str_has_prefix(kernel, "6.12") ? KERNEL_6_12
									 : KERNEL_7_0;
	enum iommu_mode m = !strcmp(mode, "strict") ? IOMMU_STRICT
			    : !strcmp(mode, "lazy") ? IOMMU_LAZY
						    : IOMMU_PASSTHROUGH;
	bool bounce = !strcmp(mode, "swiotlb");

	return nvme_rig_new(version == KERNEL_7_0 ? "link" : "legacy", m, version, FIDELITY_COUNTS,
			    "cpu.count=2", "memory.size=4GiB", "memory.low_hole_base=2GiB",
			    "iommu.cap=0xd2008c222f0606", "iommu.ecap=0xf00f4a",
			    "iommu.reserved=80000000-afffffff,c0000000-febfffff", "flush_queue.hz=250",
			    "nvme.drive=qemu", bounce ? "swiotlb.force=true" : "swiotlb.force=false", NULL);
}

static void submit(struct replay *r, const struct trace_record *rec)
{
	GError *error = NULL;

	ck_assert_msg(nvme_workload.record(r->rig.workload, rec, &error), "%s: %s", r->path,
		      error ? error->message : "?");
}

/* A request as it was before the recorded kernel split it: its parts, one after the other on a CPU. */
struct whole {
	struct trace_record rec;
	GArray *segs;
	bool open;
};

/* Two pieces that a split has cut out of one vector: adjacent, and part of something larger than a page. */
static bool same_vector(const struct trace_segment *a, const struct trace_segment *b)
{
	return a->phys + a->len == b->phys &&
	       (a->len > PAGE_SIZE || b->len > PAGE_SIZE || a->len % PAGE_SIZE);
}

static void join(struct whole *w, const struct trace_record *part)
{
	unsigned first = 0;

	if (!w->open) {
		w->rec = *part;
		w->rec.nvme.bytes = 0;
		w->rec.nvme.split_done = w->rec.nvme.split_front = false;
		g_array_set_size(w->segs, 0);
	} else {
		struct trace_segment *last = &g_array_index(w->segs, struct trace_segment, w->segs->len - 1);

		ck_assert_uint_eq(part->nvme.offset, w->rec.nvme.offset + w->rec.nvme.bytes);
		if (same_vector(last, &part->segs[0])) {
			last->len += part->segs[0].len;
			first = 1;
		}
	}
	g_array_append_vals(w->segs, part->segs + first, part->nsegs - first);
	w->rec.nvme.bytes += part->nvme.bytes;
	w->rec.nvme.done_ns = part->nvme.done_ns;
	w->rec.nvme.done_cpu = part->nvme.done_cpu;
	w->open = part->nvme.split_front;
}

static void feed(struct replay *r)
{
	GError *error = NULL;
	struct trace_options options = TRACE_OPTIONS_DEFAULT;
	struct trace_reader *reader = trace_open(r->path, &options, &error);
	struct whole whole[2];
	struct trace_record rec;
	int got;

	ck_assert_msg(reader, "%s: %s", r->path, error ? error->message : "?");
	for (unsigned i = 0; i < 2; i++)
		whole[i] = (struct whole){.segs = g_array_new(FALSE, FALSE, sizeof(struct trace_segment))};
	while ((got = trace_next(reader, &rec, &error)) == 1) {
		struct whole *w = &whole[rec.cpu % 2];

		if (!r->unsplit || (!w->open && !rec.nvme.split_front)) {
			submit(r, &rec);
			continue;
		}
		join(w, &rec);
		if (w->open)
			continue;
		r->joined++;
		w->rec.segs = (const struct trace_segment *)(void *)w->segs->data;
		w->rec.nsegs = w->segs->len;
		submit(r, &w->rec);
	}
	ck_assert_msg(got == 0, "%s: %s", r->path, error ? error->message : "?");
	for (unsigned i = 0; i < 2; i++)
		g_array_free(whole[i].segs, TRUE);
	trace_close(reader);
	nvme_rig_finish(&r->rig);
}

static void check_requests(struct replay *r)
{
	const struct nvme_stats *st = nvme_rig_stats(&r->rig);

	expect(r, "requests", (int64_t)st->commands, recorded(r, "block", "issued"));
	expect(r, "bytes", (int64_t)(st->bytes_read + st->bytes_written), recorded(r, "block", "bytes"));
	expect(r, "failed requests", (int64_t)r->rig.m->io.failed, 0);
	expect(r, "drive commands", (int64_t)st->drive.commands, recorded(r, "nvme", "setup_cmd"));
}

static void check_calls(struct replay *r)
{
	const struct dma_stats *d = &r->rig.m->dma_stats;

	expect(r, "map_page", (int64_t)d->map_page_calls, recorded(r, "dma_api", "map_page"));
	expect(r, "unmap_page", (int64_t)d->unmap_page_calls, recorded(r, "dma_api", "unmap_page"));
	expect(r, "map_phys", (int64_t)d->map_phys_calls, recorded(r, "dma_api", "map_phys"));
	expect(r, "unmap_phys", (int64_t)d->unmap_phys_calls, recorded(r, "dma_api", "unmap_phys"));
	expect(r, "map_sg", (int64_t)d->map_sg_calls, recorded(r, "dma_api", "map_sg"));
	expect(r, "unmap_sg", (int64_t)d->unmap_sg_calls, recorded(r, "dma_api", "unmap_sg"));
	expect(r, "iova_try_alloc", (int64_t)d->iova_try_alloc_calls,
	       recorded(r, "dma_api", "iova_try_alloc"));
	expect(r, "iova_link", (int64_t)d->link_calls, recorded(r, "dma_api", "iova_link"));
	expect(r, "iova_sync", (int64_t)d->sync_calls, recorded(r, "dma_api", "iova_sync"));
	expect(r, "iova_destroy", (int64_t)d->destroy_calls, recorded(r, "dma_api", "iova_destroy"));
}

static void check_iommu(struct replay *r)
{
	const struct dma_stats *d = &r->rig.m->dma_stats;
	int64_t pool = r->pool_pages * (int64_t)PAGE_SIZE;

	expect(r, "iommu map", (int64_t)d->iommu_map_ops, recorded(r, "iommu", "map") - r->pool_pages);
	expect(r, "iommu map bytes", (int64_t)d->iommu_map_bytes, recorded(r, "iommu", "map_bytes") - pool);
	expect(r, "iommu unmap", (int64_t)d->iommu_unmap_ops, recorded(r, "iommu", "unmap"));
	expect(r, "iommu unmap bytes", (int64_t)d->iommu_unmap_bytes, recorded(r, "iommu", "unmap_bytes"));
	expect(r, "IOVA allocations", (int64_t)d->iova_allocs, recorded(r, "iova", "alloc") - r->pool_pages);
	expect(r, "IOVA frees", (int64_t)d->iova_frees, recorded(r, "iova", "free"));
	expect_hist(r, "iommu map size", d->map_size, "iommu", "map_size_hist", PAGE_SIZE);
	expect_hist(r, "iommu unmap size", d->unmap_size, "iommu", "unmap_size_hist", 0);
	expect_hist(r, "IOVA pages", d->iova_pages, "iova", "alloc_pages_hist", 1);
	expect(r, "bounces", (int64_t)d->swiotlb_bounces, recorded(r, "swiotlb", "bounced"));
}

static void check_invalidations(struct replay *r)
{
	const struct vtd_stats *v = &r->rig.m->vtd_stats;
	json_t *kernel = json_object_get(json_object_get(r->summary, "invalidation_kernel"),
					 "qi_descriptors");

	expect(r, "page-selective descriptors", (int64_t)v->qi_iotlb_page,
	       json_integer_value(json_object_get(kernel, "iotlb_page")));
	expect(r, "domain-selective descriptors", (int64_t)v->qi_iotlb_domain,
	       json_integer_value(json_object_get(kernel, "iotlb_domain")));
	expect(r, "executed page-selective", (int64_t)v->qi_iotlb_page,
	       recorded(r, "invalidation_emulator", "iotlb_page"));
	expect(r, "executed domain-selective", (int64_t)v->qi_iotlb_domain,
	       recorded(r, "invalidation_emulator", "iotlb_domain"));
	expect(r, "executed global", (int64_t)v->qi_iotlb_global,
	       recorded(r, "invalidation_emulator", "iotlb_global"));
	expect(r, "wait descriptors", (int64_t)v->qi_wait, recorded(r, "invalidation_emulator", "wait"));
	expect_hist(r, "page span", v->page_span, "invalidation_emulator", "iotlb_page_span_hist", 0);
}

/* Without translation nothing may have been lost: all data arrived where the kernel's buffers are. */
static void check_identities(struct replay *r)
{
	const struct machine *m = r->rig.m;

	expect(r, "IOVA pages freed", (int64_t)m->dma_stats.iova_pages_freed,
	       (int64_t)m->dma_stats.iova_pages_allocated);
	expect(r, "lookups", (int64_t)m->vtd_stats.iotlb_lookups,
	       (int64_t)(m->vtd_stats.iotlb_hits + m->vtd_stats.iotlb_misses));
	expect(r, "faults", (int64_t)m->vtd_stats.faults, 0);
	for (unsigned a = 0; a < LEDGER_TOTAL; a++) {
		if (ledger_per_request(a))
			expect(r, ledger_name(a), (int64_t)m->sim.ledger.accounts[a].current, 0);
	}
}

static unsigned replay(const char *path, const char *summary_path, bool unsplit, unsigned *joined)
{
	json_error_t json_error;
	struct replay r = {
	    .path = path, .summary = json_load_file(summary_path, 0, &json_error), .unsplit = unsplit};

	ck_assert_msg(r.summary, "%s: %s", summary_path, json_error.text);
	r.lazy = !strcmp(text(r.summary, NULL, "mode"), "lazy");
	r.rig = rig_for(r.summary);
	/* An allocation more than there are frees is a page of a descriptor pool (README of the recordings).
	 */
	if (!r.lazy)
		r.pool_pages = recorded(&r, "iova", "alloc") - recorded(&r, "iova", "free");
	else
		r.pool_pages = recorded(&r, "iova", "alloc") - recorded(&r, "iommu", "unmap");
	feed(&r);
	check_requests(&r);
	check_calls(&r);
	if (r.lazy) { /* how often the timer fires, and when ranges are free again, depends on time */
		expect(&r, "IOVA allocations", (int64_t)r.rig.m->dma_stats.iova_allocs,
		       recorded(&r, "iova", "alloc") - r.pool_pages);
		expect_hist(&r, "iommu map size", r.rig.m->dma_stats.map_size, "iommu", "map_size_hist",
			    PAGE_SIZE);
	} else {
		check_iommu(&r);
		check_invalidations(&r);
	}
	check_identities(&r);
	*joined += r.joined;
	nvme_rig_free(&r.rig);
	json_decref(r.summary);
	return r.wrong;
}

static unsigned replay_directory(const char *dir, bool unsplit, unsigned *joined, unsigned *wrong)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;
	unsigned n = 0;

	ck_assert_msg(d, "%s cannot be read", dir);
	while ((name = g_dir_read_name(d))) {
		g_autofree char *path = g_build_filename(dir, name, NULL), *summary = NULL;

		/* Driver teardown (rebind) and pure map lists (md*) are not NVMe requests. */
		if (name[0] != 'd' || !g_str_has_suffix(name, ".trace.txt.zst") || strstr(name, "rebind"))
			continue;
		summary = g_strdup_printf("%.*s.summary.json", (int)(strlen(path) - strlen(".trace.txt.zst")),
					  path);
		*wrong += replay(path, summary, unsplit, joined);
		n++;
	}
	g_dir_close(d);
	return n;
}

/* _i: 0 as recorded, 1 with every split taken back, so that the model has to split again. */
START_TEST(recordings_are_exact)
{
	const char *named = g_getenv("DMASIM_RECORDINGS");
	g_auto(GStrv) dirs = NULL;
	unsigned wrong = 0, joined = 0, n = 0;

	if (named) {
		dirs = g_strsplit(named, ":", -1);
	} else {
		GStrvBuilder *b = g_strv_builder_new();
		GDir *d = g_dir_open(DMASIM_TEST_DATA "/kernel", 0, NULL);
		const char *name;

		while (d && (name = g_dir_read_name(d))) {
			g_autofree char *path = g_build_filename(DMASIM_TEST_DATA "/kernel", name, NULL);

			if (g_file_test(path, G_FILE_TEST_IS_DIR))
				g_strv_builder_add(b, path);
		}
		g_dir_close(d);
		dirs = g_strv_builder_end(b);
		g_strv_builder_unref(b);
	}
	for (unsigned i = 0; dirs[i]; i++)
		n += replay_directory(dirs[i], _i, &joined, &wrong);
	ck_assert_msg(n > 0, "no recordings found");
	printf("%u recordings replayed, %u splits taken back\n", n, joined);
	if (_i && !named)
		ck_assert_uint_gt(joined, 0);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("recordings");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, recordings_are_exact, 0, 2);
	return test_run("nvme recordings", t, NULL);
}
