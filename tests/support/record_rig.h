/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A workload rig that is fed records, for tests of operation counts per event. */
#ifndef DMASIM_TEST_RECORD_RIG_H
#define DMASIM_TEST_RECORD_RIG_H

#include "workload_rig.h"

/* Build machine and workload of an opened rig. */
static inline void record_rig_start(struct workload_rig *r)
{
	GError *error = NULL;

	r->m = machine_new(r->config, r->mode,
			   r->kernel ? kernel_profile_find(r->kernel) : &kernel_profiles[r->api->shipped],
			   r->fidelity, 1, &error);
	ck_assert_msg(r->m != NULL, "%s", error ? error->message : "");
	r->w = r->ops->create(r->m, r->api, &error);
	ck_assert_msg(r->w != NULL, "%s", error ? error->message : "");
}

static inline void record_rig_feed(struct workload_rig *r, const struct trace_record *rec)
{
	GError *error = NULL;

	ck_assert_msg(r->ops->record(r->w, rec, &error), "%s", error ? error->message : "");
}

/* The record must be refused with a message that holds text. */
static inline void record_rig_refuse(struct workload_rig *r, const struct trace_record *rec, const char *text)
{
	GError *error = NULL;

	ck_assert(!r->ops->record(r->w, rec, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error->message, text), "%s", error->message);
	g_clear_error(&error);
}

static inline void record_rig_finish(struct workload_rig *r)
{
	GError *error = NULL;

	ck_assert_msg(r->ops->finish(r->w, &error), "%s", error ? error->message : "");
}

/* A generator's whole trace; settings "key=value ...". */
static inline void record_rig_generate(struct workload_rig *r, const char *generator, const char *settings)
{
	const struct trace_generator *g = trace_generator_find(generator);
	char **list = g_strsplit(settings, " ", -1);
	void *params = g_malloc0(g->params->struct_size);
	struct trace_reader *reader;
	struct trace_record rec;
	GError *error = NULL;

	param_defaults(g->params, params);
	for (unsigned i = 0; list[i]; i++)
		ck_assert_msg(trace_generator_set(g, params, list[i], &error), "%s",
			      error ? error->message : "");
	reader = trace_generate(g, params, 1, &error);
	ck_assert_msg(reader != NULL, "%s", error ? error->message : "");
	while (trace_next(reader, &rec, &error) == 1)
		record_rig_feed(r, &rec);
	ck_assert_ptr_null(error);
	trace_close(reader);
	param_clear(g->params, params);
	g_free(params);
	g_strfreev(list);
}

static inline uint64_t record_rig_flushes(const struct workload_rig *r)
{
	return r->m->vtd_stats.qi_iotlb_page + r->m->vtd_stats.qi_iotlb_domain +
	       r->m->vtd_stats.qi_iotlb_global;
}
static inline uint64_t record_rig_ledger(const struct workload_rig *r, enum ledger_account a)
{
	return r->m->sim.ledger.accounts[a].current;
}

/* After finish: everything was given back. */
static inline void record_rig_balance(const struct workload_rig *r)
{
	const struct dma_stats *st = &r->m->dma_stats;

	ck_assert_uint_eq(st->iova_allocs, st->iova_frees);
	ck_assert_uint_eq(st->iova_pages_allocated, st->iova_pages_freed);
	ck_assert_uint_eq(st->iommu_map_bytes, st->iommu_unmap_bytes);
	for (unsigned a = 0; a < LEDGER_TOTAL; a++)
		if (ledger_per_request(a))
			ck_assert_uint_eq(r->m->sim.ledger.accounts[a].current, 0);
}

#endif
