/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine with the NVMe workload on it, for tests that count what requests cause. */
#ifndef DMASIM_NVME_SUPPORT_H
#define DMASIM_NVME_SUPPORT_H

#include "support.h"
#include "workloads/nvme/nvme.h"

extern const struct workload_ops nvme_workload;

struct nvme_rig {
	struct config *config;
	struct machine *m;
	struct workload *workload;
	uint64_t time_ns;
};

/* settings: "nvme.sgl=false", ... NULL-terminated. Fails the test if anything is refused. */
struct nvme_rig nvme_rig_new(const char *api, enum iommu_mode mode, enum kernel_version kernel,
			     enum fidelity fidelity, ...) G_GNUC_NULL_TERMINATED;
void nvme_rig_free(struct nvme_rig *rig);
const struct nvme_stats *nvme_rig_stats(const struct nvme_rig *rig);
/* One request with these vectors (none: laid out by the machine); a nanosecond after the last one. */
void nvme_rig_submit(struct nvme_rig *rig, enum nvme_op op, uint64_t offset, uint64_t bytes,
		     const struct trace_segment *segs, unsigned nsegs);
void nvme_rig_finish(struct nvme_rig *rig);

/* n single pages, no two of them neighbours; and one contiguous buffer of at least bytes. */
void nvme_rig_scattered(struct nvme_rig *rig, struct trace_segment *segs, unsigned n);
phys_addr_t nvme_rig_contiguous(struct nvme_rig *rig, uint64_t bytes);

#endif
