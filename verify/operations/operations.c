/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contexts of a recording, and the calls of each in order. */
#include "internal.h"

#include <string.h>

const char *const replay_kind_names[REPLAY_KINDS] = {
    [REPLAY_MAP] = "dma_map_phys",
    [REPLAY_MAP_SG] = "dma_map_sg",
    [REPLAY_ALLOC] = "dma_alloc_coherent",
    [REPLAY_TRY_ALLOC] = "dma_iova_try_alloc",
    [REPLAY_LINK] = "dma_iova_link",
    [REPLAY_SYNC] = "dma_iova_sync",
    [REPLAY_UNLINK] = "dma_iova_unlink",
    [REPLAY_DESTROY] = "dma_iova_destroy",
    [REPLAY_API_FREE] = "dma_iova_free",
    [REPLAY_UNMAP] = "dma_unmap_phys",
    [REPLAY_UNMAP_SG] = "dma_unmap_sg",
    [REPLAY_FREE] = "dma_free_coherent",
    [REPLAY_GIVEN_MAP] = "iommu_map",
    [REPLAY_GIVEN_UNMAP] = "iommu_unmap",
    [REPLAY_FLUSH_TIMER] = "fq_flush_timeout",
    [REPLAY_STRAY] = "stray event",
    [REPLAY_REQUEST] = "request submission",
    [REPLAY_COMPLETE] = "request completion",
    [REPLAY_MERGED] = "part of a request",
};

static void context_free(void *data)
{
	struct context *c = data;

	g_array_unref(c->runs);
	g_free(c);
}

static struct context *context_of(struct builder *b, const struct recording_event *e)
{
	gint64 key = e->level == TRACE_TASK ? (gint64)e->pid : ((gint64)e->level << 40) + e->cpu;
	struct context *c;

	/* Every CPU's idle task has pid 0. */
	if (e->level == TRACE_TASK && e->pid == 0)
		key = ((gint64)4 << 40) + e->cpu;
	c = g_hash_table_lookup(b->contexts, &key);
	if (!c) {
		gint64 *copy = g_memdup2(&key, sizeof(key));

		c = g_new0(struct context, 1);
		c->id = b->o->ncontexts++;
		c->runs = g_array_new(FALSE, FALSE, sizeof(struct run));
		g_hash_table_insert(b->contexts, copy, c);
	}
	return c;
}

/* Group the events by operation, in recorded order. */
void operations_index(struct operations *o)
{
	uint32_t at = 0, n = o->recording->events->len;

	for (unsigned i = 0; i < o->ops->len; i++)
		operations_at(o, i)->nevents = 0;
	for (uint32_t i = 0; i < n; i++)
		if (o->owner[i])
			operations_at(o, o->owner[i] - 1)->nevents++;
	for (unsigned i = 0; i < o->ops->len; i++) {
		struct replay_op *op = operations_at(o, i);

		op->first = at;
		at += op->nevents;
		op->nevents = 0;
	}
	g_array_set_size(o->index, at);
	for (uint32_t i = 0; i < n; i++) {
		struct replay_op *op;

		if (!o->owner[i])
			continue;
		op = operations_at(o, o->owner[i] - 1);
		g_array_index(o->index, uint32_t, op->first + op->nevents++) = i;
	}
}

static void look_over(struct operations *o)
{
	for (unsigned i = 0; i < o->recording->events->len; i++) {
		uint8_t kind = recording_at(o->recording, i)->kind;

		o->has_calls |= kind >= REC_DMA_MAP && kind <= REC_API_FREE;
		switch (kind) {
		case REC_IOVA_ALLOC:
		case REC_IOVA_FREE:
			o->has_probes = true;
			G_GNUC_FALLTHROUGH;
		case REC_MAP:
		case REC_MAP_NOSYNC:
		case REC_UNMAP:
			o->has_iommu = true;
		}
	}
}

struct operations *operations_new(struct recording *r)
{
	struct operations *o = g_new0(struct operations, 1);
	struct builder b = {.o = o, .r = r};
	uint32_t n = r->events->len;
	GHashTableIter it;
	void *value;

	o->recording = r;
	o->ops = g_array_new(FALSE, TRUE, sizeof(struct replay_op));
	o->index = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	o->next = g_new(uint32_t, n ? n : 1);
	o->context = g_new(uint32_t, n ? n : 1);
	b.member = o->owner = g_new0(uint32_t, n ? n : 1);
	b.contexts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, context_free);
	look_over(o);
	for (uint32_t i = 0; i < n; i++) {
		struct context *c = context_of(&b, recording_at(r, i));

		c->first = !c->last_event;
		if (c->last_event)
			o->next[c->last_event - 1] = i;
		c->last_event = i + 1;
		o->next[i] = UINT32_MAX;
		o->context[i] = c->id;
		operations_take(&b, c, i);
	}
	g_hash_table_iter_init(&it, b.contexts);
	while (g_hash_table_iter_next(&it, NULL, &value))
		operations_close(&b, value);
	g_hash_table_unref(b.contexts);
	operations_index(o);
	return o;
}

void operations_free(struct operations *o)
{
	if (!o)
		return;
	g_array_unref(o->ops);
	g_array_unref(o->index);
	g_free(o->owner);
	g_free(o->next);
	g_free(o->context);
	g_free(o);
}
