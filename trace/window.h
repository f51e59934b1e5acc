/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records on their way from a reader to its user, in a bounded window. Real traces are not in time
 * order (per-CPU buffers, files written at completion), and a completion comes after its request:
 * the window sorts by time, ties in file order, and keeps a request open until its completion has
 * been seen. It is bounded by trace time and by a number of records, so memory does not grow with
 * the trace; slots and their segment arrays are recycled.
 */
#ifndef DMASIM_TRACE_WINDOW_H
#define DMASIM_TRACE_WINDOW_H

#include <dmasim/trace.h>

struct held {
	struct trace_record rec; /* segs filled in when the record leaves the window */
	struct trace_segment *segs;
	uint32_t nsegs, cap;
	bool pending;      /* waits for its completion */
	bool unfinished;   /* left the window while it did */
	uint64_t sequence; /* in order of arrival; tells a reused slot */
};

struct window;
struct window *window_new(uint64_t span_ns, uint32_t max_records);
void window_free(struct window *w);

/* A slot to fill: the record and its segments are empty. It stays ours until window_push. */
struct held *window_slot(struct window *w);
static inline void held_segment_grow(struct held *h)
{
	h->cap = h->cap ? h->cap * 2 : 8;
	h->segs = g_renew(struct trace_segment, h->segs, h->cap);
}
static inline void held_segment(struct held *h, phys_addr_t phys, uint32_t len, uint8_t kind, uint8_t node)
{
	if (G_UNLIKELY(h->nsegs == h->cap))
		held_segment_grow(h);
	h->segs[h->nsegs++] = (struct trace_segment){.phys = phys, .len = len, .kind = kind, .node = node};
}

enum window_push { WINDOW_IN_ORDER, WINDOW_SORTED, WINDOW_TOO_LATE };
/* Sort the slot in. WINDOW_TOO_LATE: records after its time have left already; the slot stays ours. */
enum window_push window_push(struct window *w, struct held *h);
/* Is the first record due? ended: no more will come. */
bool window_ready(const struct window *w, bool ended);
/* Take the first record; valid until the next window_take. NULL when empty. */
struct held *window_take(struct window *w);
uint32_t window_count(const struct window *w);

#endif
