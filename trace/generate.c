/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "generate.h"
#include "reader.h"

#include <string.h>

static const struct generator_ops *const generators[] = {
    &generator_nvme,
    &generator_odp,
    &generator_vfio,
};

struct source {
	const struct generator_ops *ops;
	void *params, *state;
	bool ready;
};

static int next_generated(struct trace_reader *r, struct trace_record *rec, GError **error G_GNUC_UNUSED)
{
	const struct source *s = r->state;

	return s->ops->next(s->state, rec);
}

static void close_generated(struct trace_reader *r)
{
	struct source *s = r->state;

	if (s->ready && s->ops->fini)
		s->ops->fini(s->state);
	if (s->params)
		param_clear(s->ops->pub.params, s->params);
	g_free(s->params);
	g_free(s->state);
}

static const struct format_ops generated[TRACE_WORKLOADS] = {
#define GENERATED(w)                                                    \
	[w] = {.pub = {"generator", "synthetic trace", w, false, NULL}, \
	       .state_size = sizeof(struct source),                     \
	       .close = close_generated,                                \
	       .next = next_generated}
    GENERATED(TRACE_NVME),
    GENERATED(TRACE_RDMA_ODP),
    GENERATED(TRACE_VFIO_MIGRATION),
    GENERATED(TRACE_DMA),
#undef GENERATED
};

const struct trace_generator *const *trace_generators(void)
{
	static const struct trace_generator *const list[] = {
	    &generator_nvme.pub,
	    &generator_odp.pub,
	    &generator_vfio.pub,
	    NULL,
	};

	return list;
}

static const struct generator_ops *find_ops(const struct trace_generator *g)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(generators); i++)
		if (&generators[i]->pub == g)
			return generators[i];
	return NULL;
}

const struct trace_generator *trace_generator_find(const char *name)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(generators); i++)
		if (strcmp(generators[i]->pub.name, name) == 0)
			return &generators[i]->pub;
	return NULL;
}

struct trace_reader *trace_generate(const struct trace_generator *g, const void *params, uint64_t seed,
				    GError **error)
{
	const struct generator_ops *ops = find_ops(g);
	struct trace_reader *r;
	struct source *s;

	g_assert(ops);
	r = reader_new_source(&generated[g->workload], g->name);
	s = r->state;
	s->ops = ops;
	s->params = g_malloc0(g->params->struct_size);
	param_copy(g->params, s->params, params);
	s->state = g_malloc0(ops->state_size);
	if (!ops->init(s->state, s->params, seed, error)) {
		trace_close(r);
		return NULL;
	}
	s->ready = true;
	for (unsigned i = 0, n = ops->devices(s->state); i < n; i++) {
		char *name = g_strdup_printf("%s%u", ops->device_prefix, i);

		reader_device(r, name, strlen(name));
		g_free(name);
	}
	return r;
}
