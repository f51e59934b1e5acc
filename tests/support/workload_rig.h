/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One machine, one API and one workload that makes its own load, for tests of operation counts. */
#ifndef DMASIM_TEST_WORKLOAD_RIG_H
#define DMASIM_TEST_WORKLOAD_RIG_H

#include "machine/machine.h"

#include <dmasim/workload.h>
#include <string.h>

#include "support.h"

struct workload_rig {
	struct config *config;
	struct machine *m;
	const struct workload_ops *ops;
	const struct dma_api *api;
	struct workload *w;
	enum iommu_mode mode;
	enum fidelity fidelity;
	const char *kernel; /* NULL: as the API shipped */
};

static inline void workload_rig_open(struct workload_rig *r, const char *workload, const char *api,
				     enum iommu_mode mode, enum fidelity fidelity)
{
	*r = (struct workload_rig){.config = config_new(), .mode = mode, .fidelity = fidelity};
	for (const struct workload_ops *const *w = workloads; *w; w++)
		if (!strcmp((*w)->name, workload))
			r->ops = *w;
	r->api = dma_api_find(api);
	ck_assert_ptr_nonnull(r->ops);
	ck_assert_ptr_nonnull(r->api);
}

static inline void workload_rig_set(struct workload_rig *r, const char *key, const char *value)
{
	GError *error = NULL;

	ck_assert_msg(config_set(r->config, key, value, "test", &error), "%s", error ? error->message : "");
}

/* Build the machine and the workload and run the whole load; the results stay until close. */
static inline void workload_rig_run(struct workload_rig *r)
{
	GError *error = NULL;

	r->m = machine_new(r->config, r->mode,
			   r->kernel ? kernel_profile_find(r->kernel) : &kernel_profiles[r->api->shipped],
			   r->fidelity, 1, &error);
	ck_assert_msg(r->m != NULL, "%s", error ? error->message : "");
	r->w = r->ops->create(r->m, r->api, &error);
	ck_assert_msg(r->w != NULL, "%s", error ? error->message : "");
	ck_assert_msg(r->ops->finish(r->w, &error), "%s", error ? error->message : "");
}

static inline uint64_t workload_rig_stat(struct workload_rig *r, const char *name)
{
	const struct stat_table *t = r->ops->stats;

	for (size_t i = 0; i < t->nspecs; i++)
		if (!strcmp(t->specs[i].name, name))
			return stat_read(&t->specs[i], r->w->stats, r->fidelity).i;
	ck_abort_msg("no statistic %s", name);
	return 0;
}

/* A value of the curve that a measuring workload leaves. */
static inline double workload_rig_cell(struct workload_rig *r, unsigned row, const char *column)
{
	const struct workload_curve *c = &r->w->curve;

	ck_assert_uint_lt(row, c->nrows);
	for (unsigned i = 0; i < c->ncolumns; i++)
		if (!strcmp(c->columns[i], column))
			return c->values[(size_t)row * c->ncolumns + i];
	ck_abort_msg("no column %s", column);
	return 0;
}

static inline void workload_rig_close(struct workload_rig *r)
{
	r->ops->destroy(r->w);
	machine_free(r->m);
	config_free(r->config);
}

#endif
