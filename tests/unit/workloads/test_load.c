/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What workloads that make their own load share: buffers, accesses, how requests end, failed set-ups. */
#include "nowhere_api.h"
#include "workload_rig.h"
#include "workloads/load.h"

struct probe_stats {
	uint64_t seen;
};
/* Of the machine's own tables, so that the configuration knows it. */
extern const struct param_table crypto_param_table;

struct probe {
	struct load base;
	char params[256]; /* crypto's */
	struct probe_stats st;
	struct load_buffer buffer;
	struct cpu_work work;
	unsigned runs, releases;
	sim_time_t done;
	bool read, wrote, mapped;
};
static struct probe seen;
static unsigned vectors;

static void use(struct cpu_work *work, struct cpu *cpu)
{
	struct probe *p = container_of(work, struct probe, work);

	p->done = cpu->now;
	p->mapped = load_buffer_map(&p->base, &p->buffer, 2, DMA_TO_DEVICE);
	if (!p->mapped) {
		machine_io_refused(p->base.m);
		return;
	}
	p->read = load_access_all(&p->base, &p->buffer.obj, PCIE_READ, cpu->now, &p->done);
	p->wrote = load_access_all(&p->base, &p->buffer.obj, PCIE_WRITE, cpu->now, &p->done);
	load_buffer_unmap(&p->base, &p->buffer);
	load_request_done(&p->base, p->read, 7, cpu->now, p->done);
	load_request_done(&p->base, p->wrote, 100, cpu->now, p->done);
}

static bool set_up(struct load *l, GError **error)
{
	struct probe *p = (struct probe *)l;

	p->work.fn = use;
	if (!load_device(l, NULL, 0, error))
		return false;
	if (load_buffer_open(l, &p->buffer, vectors, 6000, 512, 0))
		return true;
	g_set_error(error, PARAM_ERROR, 0, "no memory");
	return false;
}

static bool run(struct load *l, GError **error)
{
	(void)error;
	((struct probe *)l)->runs++;
	load_run_on_first_cpu(l, &((struct probe *)l)->work);
	return true;
}

static void release(struct load *l)
{
	load_buffer_close(l, &((struct probe *)l)->buffer);
	((struct probe *)l)->releases++;
	seen = *(struct probe *)l;
}

extern const struct workload_ops probe_workload;
static const struct load_ops ops = {
    .workload = &probe_workload,
    .size = sizeof(struct probe),
    .stats = offsetof(struct probe, st),
    .params = offsetof(struct probe, params),
    .set_up = set_up,
    .run = run,
    .release = release,
};

static struct workload *create(struct machine *m, const struct dma_api *api, GError **error)
{
	return load_new(&ops, m, api, error);
}

const struct workload_ops probe_workload = {
    .kind = WORKLOAD_CRYPTO,
    .name = "probe",
    .params = &crypto_param_table,
    .create = create,
    .finish = load_finish,
    .destroy = load_destroy,
};

static void open(struct workload_rig *r, const struct dma_api *api)
{
	workload_rig_open(r, "crypto", "legacy", IOMMU_STRICT, FIDELITY_TIMING);
	r->ops = &probe_workload;
	if (api)
		r->api = api;
	vectors = 4;
	seen = (struct probe){0};
}

/* Vectors start where they were asked to; a mapped list may be read, not written: one of each. */
START_TEST(done_and_failed)
{
	struct workload_rig r;
	const struct probe *p;

	open(&r, NULL);
	workload_rig_run(&r);
	p = (const struct probe *)r.w;
	ck_assert_uint_eq(p->runs, 1);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(p->buffer.vecs[i].paddr & ~PAGE_MASK, i ? 0 : 512);
		ck_assert_uint_eq(p->buffer.vecs[i].len, 6000);
	}
	ck_assert(p->mapped && p->read && !p->wrote);
	ck_assert_uint_gt(p->done, 0);
	ck_assert_uint_eq(r.m->io.completed, 1);
	ck_assert_uint_eq(r.m->io.bytes, 7);
	ck_assert_uint_eq(r.m->io.failed, 1);
	ck_assert_uint_eq(r.m->io.refused, 0);
	ck_assert_uint_eq(hist_count(r.m->io.latency_ns), 1);
	ck_assert_uint_eq(r.m->io.last, p->done);
	ck_assert_ptr_nonnull(strstr(r.m->io.failure, "no translation for an access by 0000:"));
	ck_assert_uint_eq(r.m->dma_stats.iova_allocs, r.m->dma_stats.iova_frees);
	r.ops->destroy(r.w);
	r.w = NULL;
	ck_assert_uint_eq(seen.releases, 1);
	ck_assert_uint_eq(seen.buffer.n, 0);
	workload_rig_close(&r);
}
END_TEST

START_TEST(refused)
{
	struct workload_rig r;

	open(&r, &refuse_api);
	workload_rig_run(&r);
	ck_assert_uint_eq(r.m->io.failed, 1);
	ck_assert_uint_eq(r.m->io.refused, 1);
	ck_assert_uint_eq(r.m->io.completed, 0);
	ck_assert_ptr_nonnull(strstr(r.m->io.failure, "not today, 0000:"));
	workload_rig_close(&r);
}
END_TEST

/* More vectors than there is memory: an error, everything is given back, nothing runs. */
START_TEST(failed_set_up)
{
	GError *error = NULL;
	struct workload_rig r;

	open(&r, NULL);
	workload_rig_set(&r, "memory.size", "64MiB");
	vectors = 20000;
	r.m = machine_new(r.config, r.mode, &kernel_profiles[r.api->shipped], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	ck_assert_ptr_null(r.ops->create(r.m, r.api, &error));
	ck_assert_str_eq(error->message, "no memory");
	g_clear_error(&error);
	ck_assert_uint_eq(seen.releases, 1);
	ck_assert_uint_eq(seen.runs, 0);
	/* What was taken can be taken again. */
	vectors = 4000;
	r.w = r.ops->create(r.m, r.api, &error);
	ck_assert_ptr_nonnull(r.w);
	workload_rig_close(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("load");

	tcase_add_test(t, done_and_failed);
	tcase_add_test(t, refused);
	tcase_add_test(t, failed_set_up);
	return test_run("load", t, NULL);
}
