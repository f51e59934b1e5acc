/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine with one device behind the IOMMU, for tests of the DMA layer. */
#ifndef DMASIM_TEST_DMA_RIG_H
#define DMASIM_TEST_DMA_RIG_H

#include "models/dma/replay_hooks.h"
#include "support.h"
#include <dmasim/dma-mapping.h>

struct rig {
	struct config *config;
	struct machine *m;
	struct device *dev;
};

static inline struct rig rig_new_with(enum iommu_mode mode, enum kernel_version k, const char *const *set)
{
	struct rig r = {.config = config_new()};
	GError *error = NULL;

	for (; set && *set; set += 2)
		ck_assert_msg(config_set(r.config, set[0], set[1], "test", &error), "%s",
			      error ? error->message : "");
	r.m = machine_new(r.config, mode, &kernel_profiles[k], FIDELITY_COUNTS, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	r.dev = machine_add_device(r.m, "0000:08:00.0", &error);
	ck_assert_ptr_nonnull(r.dev);
	r.m->sim.cpu = &r.m->sim.cpus[0];
	return r;
}

static inline struct rig rig_new(enum iommu_mode mode, enum kernel_version k)
{
	return rig_new_with(mode, k, NULL);
}

static inline void rig_free(struct rig *r)
{
	machine_free(r->m);
	config_free(r->config);
}

#endif
