/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nvme_support.h"

#include <stdarg.h>
#include <string.h>

static void set(struct config *c, const char *setting)
{
	g_auto(GStrv) pair = g_strsplit(setting, "=", 2);
	GError *error = NULL;

	ck_assert_msg(config_set(c, pair[0], pair[1], "test", &error), "%s: %s", setting,
		      error ? error->message : "?");
}

struct nvme_rig nvme_rig_new(const char *api, enum iommu_mode mode, enum kernel_version kernel,
			     enum fidelity fidelity, ...)
{
	struct nvme_rig rig = {.config = config_new()};
	GError *error = NULL;
	va_list args;

	va_start(args, fidelity);
	for (const char *s = va_arg(args, const char *); s; s = va_arg(args, const char *))
		set(rig.config, s);
	va_end(args);
	rig.m = machine_new(rig.config, mode, &kernel_profiles[kernel], fidelity, test_seed(), &error);
	ck_assert_msg(rig.m, "%s", error ? error->message : "?");
	ck_assert_ptr_nonnull(dma_api_find(api));
	rig.workload = nvme_workload.create(rig.m, dma_api_find(api), &error);
	ck_assert_msg(rig.workload, "%s", error ? error->message : "?");
	return rig;
}

void nvme_rig_free(struct nvme_rig *rig)
{
	nvme_workload.destroy(rig->workload);
	machine_free(rig->m);
	config_free(rig->config);
}

const struct nvme_stats *nvme_rig_stats(const struct nvme_rig *rig)
{
	return rig->workload->stats;
}

void nvme_rig_submit(struct nvme_rig *rig, enum nvme_op op, uint64_t offset, uint64_t bytes,
		     const struct trace_segment *segs, unsigned nsegs)
{
	struct trace_record rec = {
	    .time_ns = rig->time_ns++,
	    .segs = segs,
	    .nsegs = nsegs,
	    .nvme = {.op = op, .offset = offset, .bytes = bytes, .done_ns = TRACE_NO_TIME},
	};
	GError *error = NULL;

	ck_assert_msg(nvme_workload.record(rig->workload, &rec, &error), "%s", error ? error->message : "?");
}

void nvme_rig_finish(struct nvme_rig *rig)
{
	GError *error = NULL;

	ck_assert_msg(nvme_workload.finish(rig->workload, &error), "%s", error ? error->message : "?");
}

void nvme_rig_scattered(struct nvme_rig *rig, struct trace_segment *segs, unsigned n)
{
	/* Every other page of one block: whatever the fragmentation, no two are neighbours. */
	phys_addr_t base = nvme_rig_contiguous(rig, 2ull * n * PAGE_SIZE);

	for (unsigned i = 0; i < n; i++)
		segs[i] = (struct trace_segment){.phys = base + 2ull * (n - 1 - i) * PAGE_SIZE,
						 .len = PAGE_SIZE};
}

phys_addr_t nvme_rig_contiguous(struct nvme_rig *rig, uint64_t bytes)
{
	phys_addr_t base = memory_alloc_pages(rig->m->memory, 0,
					      order_base_2(div_round_up(bytes, PAGE_SIZE)));

	ck_assert_uint_ne(base, 0);
	return base;
}
