/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording (ftrace text or trace.dat) read as its DMA API calls, one record per call, for the
 * dma_replay workload. The calls are put together from the events by operations.c. Events of some
 * kernels name neither the device nor the address of what they undo: then what was mapped there, or in
 * this context, tells. The recording is held in memory whole, because a call's kind may show only later.
 */
#include "operations.h"
#include "trace/reader.h"

#include <string.h>

struct window_of {
	uint64_t base; /* of the context's newest window */
	bool open;
};

struct calls {
	struct recording *rec;
	struct operations *ops;
	unsigned next;
	uint32_t *devices;         /* per name index of the recording: device of the reader + 1 */
	GHashTable *live;          /* address: what is mapped there, device << 8 | event + 1 */
	GHashTable *lists;         /* first physical address of a list: its DMA address */
	struct window_of *windows; /* per context: where events do not tell the state */
	GHashTable *states;        /* address of the state: struct window_of */
	uint32_t *last;            /* per context: device + 1 of its last call that named one */
	uint32_t any;              /* first device of the recording, name index */
	GArray *segs;              /* of the record handed out */
	uint64_t base;
	bool based;
};

static bool detect(const struct probe *p G_GNUC_UNUSED)
{
	return false; /* the same files as block requests are the common case: only when asked for */
}

static bool open_calls(struct trace_reader *r, GError **error)
{
	struct calls *c = r->state;

	if (strcmp(r->name, "standard input") == 0) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_OPEN,
			    "standard input: mapping calls are read from a file, because the recording is "
			    "read twice; write it to a file first");
		return false;
	}
	c->rec = recording_read(r->name, error);
	if (!c->rec)
		return false;
	c->ops = operations_new(c->rec);
	c->devices = g_new0(uint32_t, c->rec->names->len + 1);
	c->live = g_hash_table_new(g_direct_hash, g_direct_equal);
	c->lists = g_hash_table_new(g_direct_hash, g_direct_equal);
	c->states = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	c->windows = g_new0(struct window_of, c->ops->ncontexts + 1);
	c->last = g_new0(uint32_t, c->ops->ncontexts + 1);
	c->segs = g_array_new(FALSE, FALSE, sizeof(struct trace_segment));
	for (unsigned i = 0; i < c->ops->ops->len && !c->any; i++)
		c->any = operations_at(c->ops, i)->device;
	r->counts.lost = c->rec->lost;
	return true;
}

static void close_calls(struct trace_reader *r)
{
	struct calls *c = r->state;

	if (!c->rec)
		return;
	operations_free(c->ops);
	recording_free(c->rec);
	g_hash_table_unref(c->live);
	g_hash_table_unref(c->lists);
	g_hash_table_unref(c->states);
	g_array_unref(c->segs);
	g_free(c->windows);
	g_free(c->devices);
	g_free(c->last);
}

static gpointer key_of(uint64_t addr)
{
	return (gpointer)(uintptr_t)addr;
}

static uint32_t device_of(struct trace_reader *r, uint32_t name)
{
	struct calls *c = r->state;
	const char *text = name ? recording_name(c->rec, name) : "unnamed";

	if (!c->devices[name])
		c->devices[name] = reader_device(r, text, strlen(text)) + 1;
	return c->devices[name] - 1;
}

/* What lives at addr: the event that mapped it, DMA_EV_UNMAP if nothing is known. */
static enum dma_event lives(const struct calls *c, uint64_t addr, uint32_t *device)
{
	uintptr_t v = (uintptr_t)g_hash_table_lookup(c->live, key_of(addr));

	if (!v)
		return DMA_EV_UNMAP;
	*device = (uint32_t)(v >> 8);
	return (enum dma_event)((v & 255) - 1);
}

static void remember(struct calls *c, uint64_t addr, uint32_t device, enum dma_event event)
{
	g_hash_table_insert(c->live, key_of(addr), (gpointer)((uintptr_t)device << 8 | (event + 1u)));
}

static bool list_segments(struct calls *c, const struct replay_op *op, struct trace_record *out)
{
	const uint64_t *phys = recording_list(c->rec, op->vectors), *lens = recording_list(c->rec, op->lens);

	if (!lens) { /* the direct path: one segment per vector, so the lengths of the output are it */
		lens = op->out_lens.count == op->vectors.count ? recording_list(c->rec, op->out_lens) : NULL;
		if (!lens)
			return false;
	}
	if (!phys || (op->nents > op->vectors.count))
		return false;
	for (uint32_t i = 0; i < op->vectors.count; i++) {
		struct trace_segment s = {.phys = phys[i], .len = (uint32_t)lens[i]};

		if (!s.len)
			return false;
		out->dma.bytes += s.len;
		g_array_append_val(c->segs, s);
	}
	out->nsegs = c->segs->len;
	out->segs = (const struct trace_segment *)c->segs->data;
	return true;
}

static struct window_of *window_of(struct calls *c, const struct replay_op *op)
{
	struct window_of *w;

	if (!op->state)
		return &c->windows[op->context];
	w = g_hash_table_lookup(c->states, &op->state);
	if (!w) {
		w = g_new0(struct window_of, 1);
		g_hash_table_insert(c->states, g_memdup2(&op->state, sizeof(op->state)), w);
	}
	return w;
}

/* Address of the window that an operation of the two-step interface works on. */
static uint64_t window_base(struct calls *c, const struct replay_op *op, bool *found)
{
	struct window_of *w = window_of(c, op);

	*found = true;
	if (op->pfn)
		return op->pfn << PAGE_SHIFT;
	if (op->addr && op->kind != REPLAY_LINK && op->kind != REPLAY_SYNC)
		return align_down(op->addr, PAGE_SIZE) -
		       (op->kind == REPLAY_UNLINK ? align_down(op->offset, PAGE_SIZE) : 0);
	for (uint32_t k = 0; k < op->nevents; k++) {
		const struct recording_event *e = recording_at(c->rec, operations_event(c->ops, op, k));

		if (!w->open && (e->kind == REC_MAP || e->kind == REC_MAP_NOSYNC))
			return e->map.iova - align_down(op->offset, PAGE_SIZE);
	}
	*found = w->open;
	return w->base;
}

static bool window_call(struct calls *c, const struct replay_op *op, struct trace_record *out)
{
	static const uint8_t events[REPLAY_KINDS] = {
	    [REPLAY_TRY_ALLOC] = DMA_EV_TRY_ALLOC, [REPLAY_LINK] = DMA_EV_LINK,
	    [REPLAY_SYNC] = DMA_EV_SYNC,           [REPLAY_UNLINK] = DMA_EV_UNLINK,
	    [REPLAY_DESTROY] = DMA_EV_DESTROY,     [REPLAY_API_FREE] = DMA_EV_FREE};
	struct window_of *w = window_of(c, op);
	bool found;

	out->dma.event = events[op->kind];
	if (op->kind == REPLAY_TRY_ALLOC) {
		w->open = op->pfn != 0;
		w->base = op->pfn << PAGE_SHIFT;
		if (w->open)
			remember(c, w->base, out->device, DMA_EV_TRY_ALLOC);
		out->dma.handle = w->base;
		return w->open; /* none: the driver maps vector by vector, which is recorded too */
	}
	out->dma.handle = window_base(c, op, &found);
	out->dma.offset = op->offset;
	if (found)
		lives(c, out->dma.handle, &out->device);
	if (op->kind == REPLAY_DESTROY || op->kind == REPLAY_API_FREE) {
		if (w->open && w->base == out->dma.handle)
			w->open = false;
		g_hash_table_remove(c->live, key_of(out->dma.handle));
	}
	return found;
}

static bool unmap_call(struct calls *c, const struct replay_op *op, struct trace_record *out)
{
	uint64_t page = align_down(op->addr, PAGE_SIZE);
	enum dma_event was;

	if (op->kind == REPLAY_UNMAP_SG && !op->addr) {
		const uint64_t *phys = recording_list(c->rec, op->vectors);

		if (!phys)
			return false;
		page = (uint64_t)(uintptr_t)g_hash_table_lookup(c->lists, key_of(*phys));
		if (!page)
			page = align_down(*phys, PAGE_SIZE);
	}
	was = lives(c, page, &out->device);
	out->dma.handle = page;
	if (op->kind == REPLAY_UNMAP_SG || (op->guessed && was == DMA_EV_MAP_SG)) {
		out->dma.event = DMA_EV_UNMAP_SG;
	} else if (op->kind == REPLAY_FREE || (op->guessed && was == DMA_EV_ALLOC_COHERENT)) {
		out->dma.event = DMA_EV_FREE_COHERENT;
	} else {
		out->dma.event = DMA_EV_UNMAP;
		out->dma.handle = page = op->addr;
		lives(c, page, &out->device);
	}
	g_hash_table_remove(c->live, key_of(page));
	return true;
}

static bool map_call(struct trace_reader *r, const struct replay_op *op, struct trace_record *out)
{
	struct calls *c = r->state;

	if (op->kind == REPLAY_MAP_SG) {
		const uint64_t *phys = recording_list(c->rec, op->vectors);

		out->dma.event = DMA_EV_MAP_SG;
		out->dma.handle = align_down(op->addr, PAGE_SIZE);
		out->dma.bytes = 0;
		if (!list_segments(c, op, out)) {
			r->counts.no_vectors++;
			return false;
		}
		g_hash_table_insert(c->lists, key_of(*phys), key_of(out->dma.handle));
	} else if (op->kind == REPLAY_ALLOC) {
		out->dma.event = DMA_EV_ALLOC_COHERENT;
		out->dma.handle = align_down(op->addr, PAGE_SIZE);
	} else {
		out->dma.event = DMA_EV_MAP;
	}
	if (!out->dma.bytes || op->addr == UINT64_MAX)
		return false;
	remember(c, out->dma.handle, out->device, out->dma.event);
	return true;
}

/* false: no call, or one that the recording holds only in part. */
static bool translate(struct trace_reader *r, const struct replay_op *op, struct trace_record *out)
{
	struct calls *c = r->state;
	const struct recording_event *first = recording_at(c->rec, operations_event(c->ops, op, 0));

	*out = (struct trace_record){.time_ns = first->time_ns,
				     .cpu = op->cpu,
				     .where = first->line,
				     .dma = {.dir = op->dir == DMA_NONE ? DMA_BIDIRECTIONAL : op->dir,
					     .attrs = op->attrs,
					     .handle = op->addr,
					     .phys = op->phys,
					     .bytes = op->size}};
	g_array_set_size(c->segs, 0);
	if (op->device)
		c->last[op->context] = op->device;
	out->device = device_of(r, op->device             ? op->device
				   : c->last[op->context] ? c->last[op->context]
							  : c->any);
	if (op->cut)
		return false;
	switch ((enum replay_kind)op->kind) {
	case REPLAY_MAP:
	case REPLAY_MAP_SG:
	case REPLAY_ALLOC:
	case REPLAY_GIVEN_MAP:
		return map_call(r, op, out);
	case REPLAY_TRY_ALLOC:
	case REPLAY_LINK:
	case REPLAY_SYNC:
	case REPLAY_UNLINK:
	case REPLAY_DESTROY:
	case REPLAY_API_FREE:
		return window_call(c, op, out);
	case REPLAY_UNMAP:
	case REPLAY_UNMAP_SG:
	case REPLAY_FREE:
	case REPLAY_GIVEN_UNMAP:
		return unmap_call(c, op, out);
	default:
		return false;
	}
}

static int next_call(struct trace_reader *r, struct trace_record *out, GError **error)
{
	struct calls *c = r->state;

	while (c->next < c->ops->ops->len) {
		const struct replay_op *op = operations_at(c->ops, c->next++);

		if (!op->nevents || !translate(r, op, out)) {
			reader_skip(r, TRACE_SKIP_EVENT);
			continue;
		}
		if (!r->devices.keep[out->device]) {
			reader_skip(r, TRACE_SKIP_DEVICE);
			continue;
		}
		if (!c->based)
			c->base = r->options.keep_time ? 0 : out->time_ns;
		c->based = true;
		out->time_ns = (uint64_t)((double)(out->time_ns - MIN(c->base, out->time_ns)) *
					  r->options.time_scale);
		return 1;
	}
	if (c->based)
		return 0;
	g_set_error(
	    error, TRACE_ERROR, TRACE_ERROR_FORMAT,
	    "%s: no mapping call%s%s in this recording; record the events of the groups dma and iommu",
	    r->name, r->options.device ? " of device " : "", r->options.device ? r->options.device : "");
	return -1;
}

const struct format_ops format_dma_calls = {
    .rank = 170,
    .calls = true,
    .pub = {"dma-calls", "a recording (ftrace text, trace.dat) as its DMA API calls: --as dma_replay",
	    TRACE_DMA, false, NULL},
    .evidence = "only on request: --as dma_replay or --format dma-calls",
    .detect = detect,
    .state_size = sizeof(struct calls),
    .open = open_calls,
    .close = close_calls,
    .next = next_call,
};
