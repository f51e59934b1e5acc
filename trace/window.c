/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "window.h"

#define CHUNK 256u

struct window {
	uint64_t span_ns;
	uint32_t max_records;
	struct held **ring; /* [head, head + count), ascending time */
	uint32_t mask, head, count;
	struct held **spare; /* stack: the slot freed last is the warmest */
	uint32_t nspare;
	GPtrArray *chunks;
	struct held *filling, *taken;
	uint64_t sequence, last_time;
	bool any_taken;
};

struct window *window_new(uint64_t span_ns, uint32_t max_records)
{
	struct window *w = g_new0(struct window, 1);

	w->span_ns = span_ns;
	w->max_records = max_records;
	w->chunks = g_ptr_array_new();
	w->mask = CHUNK - 1;
	w->ring = g_new(struct held *, CHUNK);
	return w;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->chunks->len; i++) {
		struct held *chunk = w->chunks->pdata[i];

		for (unsigned k = 0; k < CHUNK; k++)
			g_free(chunk[k].segs);
		g_free(chunk);
	}
	g_ptr_array_free(w->chunks, TRUE);
	g_free(w->spare);
	g_free(w->ring);
	g_free(w);
}

static void add_chunk(struct window *w)
{
	struct held *chunk = g_new0(struct held, CHUNK);

	g_ptr_array_add(w->chunks, chunk);
	w->spare = g_renew(struct held *, w->spare, (size_t)w->chunks->len * CHUNK);
	for (unsigned k = CHUNK; k-- > 0;)
		w->spare[w->nspare++] = &chunk[k];
}

struct held *window_slot(struct window *w)
{
	struct held *h = w->filling;

	if (!h) {
		if (w->nspare == 0)
			add_chunk(w);
		h = w->filling = w->spare[--w->nspare];
	}
	memset(&h->rec, 0, sizeof(h->rec));
	h->nsegs = 0;
	h->pending = false;
	h->sequence = ++w->sequence;
	return h;
}

static void grow_ring(struct window *w)
{
	uint32_t old = w->mask + 1;
	struct held **ring = g_new(struct held *, (size_t)old * 2);

	for (uint32_t i = 0; i < w->count; i++)
		ring[i] = w->ring[(w->head + i) & w->mask];
	g_free(w->ring);
	w->ring = ring;
	w->head = 0;
	w->mask = old * 2 - 1;
}

enum window_push window_push(struct window *w, struct held *h)
{
	uint32_t i = w->count;
	uint64_t t = h->rec.time_ns;

	g_assert(h == w->filling);
	if (w->any_taken && t < w->last_time)
		return WINDOW_TOO_LATE;
	if (w->count > w->mask)
		grow_ring(w);
	while (i > 0 && w->ring[(w->head + i - 1) & w->mask]->rec.time_ns > t) {
		w->ring[(w->head + i) & w->mask] = w->ring[(w->head + i - 1) & w->mask];
		i--;
	}
	w->ring[(w->head + i) & w->mask] = h;
	w->filling = NULL;
	return i == w->count++ ? WINDOW_IN_ORDER : WINDOW_SORTED;
}

bool window_ready(const struct window *w, bool ended)
{
	const struct held *first;

	if (w->count == 0)
		return false;
	if (ended || w->count >= w->max_records)
		return true;
	first = w->ring[w->head & w->mask];
	return !first->pending &&
	       w->ring[(w->head + w->count - 1) & w->mask]->rec.time_ns - first->rec.time_ns >= w->span_ns;
}

struct held *window_take(struct window *w)
{
	struct held *h;

	if (w->taken) {
		w->taken->sequence = 0;
		w->spare[w->nspare++] = w->taken;
		w->taken = NULL;
	}
	if (w->count == 0)
		return NULL;
	h = w->taken = w->ring[w->head];
	w->head = (w->head + 1) & w->mask;
	w->count--;
	w->any_taken = true;
	w->last_time = h->rec.time_ns;
	h->unfinished = h->pending;
	h->pending = false;
	h->rec.nsegs = h->nsegs;
	h->rec.segs = h->nsegs ? h->segs : NULL;
	return h;
}

uint32_t window_count(const struct window *w)
{
	return w->count;
}
