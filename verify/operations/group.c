/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which DMA API calls one driver request made, at submission and at completion. */
#include "operations.h"

struct group {
	uint32_t vectors, setup; /* events + 1 */
	uint32_t leader;         /* operation + 1 of the request that is being mapped */
	GArray *unmaps;          /* uint32_t operations since the last completion */
};

static void group_clear(void *data)
{
	g_array_unref(((struct group *)data)->unmaps);
}

static gpointer request_key(const struct recording_event *e)
{
	return GSIZE_TO_POINTER((size_t)e->nvme.ctrl << 32 | (size_t)e->nvme.qid << 16 |
				(e->nvme.cid & 0xffff));
}

/* Vectors that belong to the command, and data to map: 0 if not. */
static bool has_vectors(const struct recording *r, const struct group *g, const struct recording_event *setup)
{
	const struct recording_event *v = g->vectors ? recording_at(r, g->vectors - 1) : NULL;

	return v && setup->nvme.qid && v->vectors.qid == setup->nvme.qid &&
	       v->vectors.cid == setup->nvme.cid && v->vectors.vecs &&
	       v->vectors.vecs == v->vectors.phys.count &&
	       (setup->nvme.op == REC_NVME_READ || setup->nvme.op == REC_NVME_WRITE);
}

static bool is_mapping(const struct replay_op *op)
{
	return op->kind == REPLAY_MAP || op->kind == REPLAY_MAP_SG || op->kind == REPLAY_TRY_ALLOC ||
	       op->kind == REPLAY_LINK || op->kind == REPLAY_SYNC;
}

static bool is_unmapping(const struct replay_op *op)
{
	return op->kind == REPLAY_UNMAP || op->kind == REPLAY_UNMAP_SG || op->kind == REPLAY_DESTROY;
}

static void take_operation(struct operations *o, struct group *g, uint32_t index)
{
	struct replay_op *op = operations_at(o, index);

	if (is_mapping(op) && g->setup) {
		if (!g->leader) {
			g->leader = index + 1;
			op->kind = REPLAY_REQUEST;
			op->request = g->setup - 1;
		} else {
			op->kind = REPLAY_MERGED;
			op->request = g->leader - 1;
		}
	} else if (op->kind == REPLAY_ALLOC && g->setup) {
		op->context +=
		    o->ncontexts; /* a page for the driver's own lists, in the middle of the request */
	} else if (is_unmapping(op)) {
		g_array_append_val(g->unmaps, index);
	}
}

static void complete(struct operations *o, struct group *g, uint32_t event)
{
	for (unsigned i = 0; i < g->unmaps->len; i++) {
		uint32_t index = g_array_index(g->unmaps, uint32_t, i);
		struct replay_op *op = operations_at(o, index);

		op->kind = i ? REPLAY_MERGED : REPLAY_COMPLETE;
		op->request = i ? g_array_index(g->unmaps, uint32_t, 0) : event;
	}
}

/* Events of merged operations go to their leader. */
static void reassign(struct operations *o)
{
	for (unsigned i = 0; i < o->recording->events->len; i++) {
		const struct replay_op *op = o->owner[i] ? operations_at(o, o->owner[i] - 1) : NULL;

		if (op && op->kind == REPLAY_MERGED)
			o->owner[i] = op->request + 1;
	}
}

uint32_t operations_group(struct operations *o)
{
	g_autoptr(GArray) groups = g_array_new(FALSE, TRUE, sizeof(struct group));
	g_autoptr(GHashTable) open = g_hash_table_new(NULL, NULL);
	uint32_t requests = 0;

	g_array_set_clear_func(groups, group_clear);
	g_array_set_size(groups, o->ncontexts);
	for (unsigned i = 0; i < groups->len; i++)
		g_array_index(groups, struct group, i).unmaps = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	for (uint32_t i = 0; i < o->recording->events->len; i++) {
		const struct recording_event *e = recording_at(o->recording, i);
		struct group *g = &g_array_index(groups, struct group, o->context[i]);
		uint32_t owner = o->owner[i];

		switch (e->kind) {
		case REC_RQ_VECTORS:
			g->vectors = i + 1;
			break;
		case REC_NVME_SETUP:
			g->leader = 0;
			g->setup = has_vectors(o->recording, g, e) ? i + 1 : 0;
			if (g->setup) {
				requests++;
				g_hash_table_add(open, request_key(e));
			}
			break;
		case REC_BLOCK_ISSUE:
			g->setup = 0;
			break;
		case REC_NVME_COMPLETE:
			if (g_hash_table_remove(open, request_key(e)))
				complete(o, g, i);
			g_array_set_size(g->unmaps, 0);
			break;
		default:
			if (owner && operations_event(o, operations_at(o, owner - 1), 0) == i)
				take_operation(o, g, owner - 1);
		}
	}
	reassign(o);
	operations_index(o);
	return requests;
}
