/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between contexts (operations.c), the reconstruction of calls (take.c) and of their lists (lists.c). */
#ifndef DMASIM_OPERATIONS_INTERNAL_H
#define DMASIM_OPERATIONS_INTERNAL_H

#include "operations.h"

#define PAGES_UNKNOWN 0

struct context {
	uint32_t id;
	uint32_t cur;        /* operation + 1 that is open, 0 none */
	uint32_t last_event; /* + 1 */
	bool first;          /* its event is the first one of the context */
	bool allocated, returned, mapped, unmapped, named;
	bool flushed_np; /* a flush after mapping has been told: its descriptor follows */
	uint64_t pages;  /* of the allocation */
	GArray *runs;    /* struct run: map calls of the open operation */
};
struct run {
	uint64_t iova, phys, size;
};

struct builder {
	struct operations *o;
	struct recording *r;
	GHashTable *contexts; /* key -> struct context */
	uint32_t *member;     /* per event: operation + 1 */
};

/* Event i of the recording, the context's next: it opens, extends or ends a call. */
void operations_take(struct builder *b, struct context *c, uint32_t i);
/* The open call has no further event. */
void operations_close(struct builder *b, struct context *c);

/* Entries with recorded addresses: their lengths. */
void operations_sg_from_addresses(struct builder *b, struct replay_op *op, const struct context *c);
/* Direct mapping: no runs; one output per entry. */
void operations_sg_from_outputs(struct replay_op *op);
/* Only the number of entries and the runs are known. */
void operations_sg_from_runs(struct builder *b, struct replay_op *op, const struct context *c,
			     uint32_t entries);
/* The map calls themselves as the list. */
void operations_runs_to_vectors(struct builder *b, struct replay_op *op, const struct context *c);

#endif
