/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What workloads that replay a trace share: devices, jobs used again, the end on a CPU. */
#include "record_rig.h"
#include "workloads/replayer.h"

/* The pre-mapped API with a look at where its mappings are undone. */
static struct dma_api watched;
static struct sim *sim;
static unsigned made, freed, freed_on_cpu;

static void *watched_new(struct machine *m, struct device *dev)
{
	sim = &m->sim;
	made++;
	return dma_api_find("premapped")->instance_new(m, dev);
}

static void watched_free(void *instance)
{
	freed++;
	freed_on_cpu += sim->cpu && sim->cpu->running;
	dma_api_find("premapped")->instance_free(instance);
}

static void watch(struct workload_rig *r)
{
	watched = *r->api;
	watched.instance_new = watched_new;
	watched.instance_free = watched_free;
	r->api = &watched;
	made = freed = freed_on_cpu = 0;
}

static const struct {
	const char *workload, *generator, *settings;
} loads[] = {
    {"nvme", "nvme", "requests=50"},
    {"rdma_odp", "rdma_odp", "messages=50 region_bytes=1MiB"},
    {"vfio_migration", "vfio_migration", "state_bytes=4MiB"},
    {"dma_replay", NULL, NULL},
    {"rdma_rw", NULL, "rdma_rw.requests=20"},
    {"crypto", NULL, "crypto.requests=20"},
    {"dmabuf_p2p", NULL, "dmabuf_p2p.kind=dram"},
};

/* An API's mappings are undone by code that runs on a CPU: what it costs is charged to one. */
START_TEST(instances_end_on_a_cpu)
{
	unsigned load = (unsigned)_i / 2;
	struct workload_rig r;

	workload_rig_open(&r, loads[load].workload, "premapped", IOMMU_STRICT,
			  _i % 2 ? FIDELITY_TIMING : FIDELITY_COUNTS);
	watch(&r);
	if (loads[load].generator) {
		record_rig_start(&r);
		record_rig_generate(&r, loads[load].generator, loads[load].settings);
		record_rig_finish(&r);
	} else if (r.ops->needs_trace) {
		struct trace_record rec = {
		    .dma = {.event = DMA_EV_MAP, .dir = DMA_TO_DEVICE, .phys = GIB, .bytes = 8 * PAGE_SIZE}};

		record_rig_start(&r);
		record_rig_feed(&r, &rec);
		record_rig_finish(&r);
	} else {
		g_auto(GStrv) set = g_strsplit(loads[load].settings, "=", 2);

		workload_rig_set(&r, set[0], set[1]);
		workload_rig_run(&r);
	}
	ck_assert_uint_gt(made, 0);
	ck_assert_uint_gt(r.m->dma_stats.map_calls, r.m->dma_stats.unmap_calls);
	r.ops->destroy(r.w);
	ck_assert_uint_eq(freed, made);
	ck_assert_uint_eq(freed_on_cpu, made);
	ck_assert_uint_eq(r.m->sim.ledger.accounts[LEDGER_DRIVER_REGISTRATIONS].current, 0);
	machine_free(r.m);
	config_free(r.config);
}
END_TEST

/* Memory does not grow with the trace: one job serves all events that do not overlap. */
START_TEST(jobs_are_used_again)
{
	struct trace_segment seg[3] = {{.phys = GIB, .len = PAGE_SIZE},
				       {.phys = 3 * GIB, .len = PAGE_SIZE},
				       {.phys = 2 * GIB, .len = PAGE_SIZE}};
	struct trace_record rec = {.odp = {.event = ODP_REG, .mr = 7, .bytes = 64 * PAGE_SIZE}};
	struct workload_rig r;
	const struct replayer *p;

	workload_rig_open(&r, "rdma_odp", "link", IOMMU_STRICT, FIDELITY_COUNTS);
	record_rig_start(&r);
	record_rig_feed(&r, &rec);
	p = (const struct replayer *)r.w;
	for (unsigned i = 0; i < 200; i++) {
		rec = (struct trace_record){.time_ns = i * 1000,
					    .odp = {.event = i % 2 ? ODP_INVAL : ODP_FAULT, .mr = 7}};
		rec.odp.bytes = (1 + i % 3) * PAGE_SIZE;
		rec.segs = seg;
		rec.nsegs = i % 2 ? 0 : 1 + i % 3;
		record_rig_feed(&r, &rec);
		ck_assert_uint_eq(p->in_flight, 0);
		ck_assert_uint_eq(p->jobs->len, 1);
	}
	ck_assert_uint_eq(r.m->io.records, 201);
	record_rig_finish(&r);
	record_rig_balance(&r);
	workload_rig_close(&r);
}
END_TEST

/* A device that a record names brings those before it into being; nobody pays for those behind it. */
START_TEST(devices_as_named)
{
	struct trace_record rec = {.device = 2, .odp = {.event = ODP_REG, .mr = 1, .bytes = PAGE_SIZE}};
	struct workload_rig r;

	workload_rig_open(&r, "rdma_odp", "premapped", IOMMU_STRICT, FIDELITY_COUNTS);
	watch(&r);
	record_rig_start(&r);
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(made, 3);
	rec.device = 1;
	record_rig_feed(&r, &rec);
	ck_assert_uint_eq(made, 3);
	record_rig_finish(&r);
	workload_rig_close(&r);
	ck_assert_uint_eq(freed_on_cpu, 3);
}
END_TEST

/* The first job that fails ends the run, with its record. */
START_TEST(failure_names_the_record)
{
	struct trace_segment seg = {.phys = GIB, .len = PAGE_SIZE};
	struct trace_record rec = {
	    .where = 17,
	    .segs = &seg,
	    .nsegs = 1,
	    .vfio = {.event = VFIO_ALLOC, .bytes = 4 * PAGE_SIZE, .direction = DMA_FROM_DEVICE}};
	struct workload_rig r;

	workload_rig_open(&r, "vfio_migration", "link", IOMMU_STRICT, FIDELITY_COUNTS);
	record_rig_start(&r);
	record_rig_refuse(&r, &rec, "record at 17: the segments hold fewer bytes");
	rec.where = 18;
	record_rig_refuse(&r, &rec, "record at 17");
	workload_rig_close(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("replayer");

	tcase_add_loop_test(t, instances_end_on_a_cpu, 0, 2 * (int)G_N_ELEMENTS(loads));
	tcase_add_test(t, jobs_are_used_again);
	tcase_add_test(t, devices_as_named);
	tcase_add_test(t, failure_names_the_record);
	return test_run("replayer", t, NULL);
}
