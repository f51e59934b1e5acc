/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entries of scatter lists and coherent memory: what no event tells follows from the map calls. */
#include "internal.h"

static struct recording_list list_start(const struct builder *b)
{
	return (struct recording_list){.first = b->r->lists->len};
}

static void list_push(struct builder *b, struct recording_list *l, uint64_t v)
{
	g_array_append_val(b->r->lists, v);
	l->count++;
}

/* Aligned length that entry i takes in the range, from the runs and the entries' addresses. */
static uint64_t entry_span(const uint64_t *phys, uint32_t n, uint32_t i, const struct run *run, uint64_t done)
{
	uint64_t left = run->size - done;
	uint64_t here = run->phys + done;

	if (i + 1 < n && align_down(phys[i + 1], PAGE_SIZE) > here &&
	    align_down(phys[i + 1], PAGE_SIZE) < here + left)
		return align_down(phys[i + 1], PAGE_SIZE) - here;
	return left;
}

/* Runs from the page behind the known entries on; the first may be the rest of one. */
static GArray *runs_behind(const struct context *c, uint32_t known, uint64_t at)
{
	GArray *left = g_array_new(FALSE, FALSE, sizeof(struct run));
	uint64_t pages = 0;
	bool found = false;

	for (uint32_t i = 0; i < c->runs->len; i++) {
		struct run r = g_array_index(c->runs, struct run, i);

		pages += r.size >> PAGE_SHIFT;
		if (found) {
			g_array_append_val(left, r);
		} else if (pages >= known && at > r.phys && at <= r.phys + r.size) {
			found = true;
			r.size -= at - r.phys;
			r.phys = at;
			if (r.size)
				g_array_append_val(left, r);
		}
	}
	return left;
}

/*
 * The event holds at most 128 entries. What lies behind them shows in the runs: each is an entry, or more
 * where there are more entries than runs. Returns the number of entries.
 */
static uint32_t complete_vectors(struct builder *b, struct replay_op *op, const struct context *c)
{
	struct recording_list all = list_start(b);
	uint32_t n = op->vectors.count, missing = op->nents > n ? op->nents - n : 0, extra;
	g_autoptr(GArray) left = NULL;

	if (!missing || !n)
		return n;
	for (uint32_t i = 0; i < n; i++)
		list_push(b, &all, recording_list(b->r, op->vectors)[i]);
	left = runs_behind(c, n, align_down(recording_list(b->r, all)[n - 1], PAGE_SIZE) + PAGE_SIZE);
	extra = missing > left->len ? missing - left->len : 0;
	/* Fewer entries than runs: the first is the rest of the last known entry. */
	for (uint32_t i = missing < left->len; i < left->len; i++) {
		struct run r = g_array_index(left, struct run, i);

		for (; extra && r.size > PAGE_SIZE; extra--) {
			list_push(b, &all, r.phys);
			r.phys += PAGE_SIZE;
			r.size -= PAGE_SIZE;
		}
		list_push(b, &all, r.phys);
	}
	op->vectors = all;
	return all.count;
}

/*
 * Entries with recorded addresses. A DMA segment goes on only over entries that end on a page, so
 * every entry but the last of its segment fills its pages, and the last one has the rest.
 */
void operations_sg_from_addresses(struct builder *b, struct replay_op *op, const struct context *c)
{
	struct recording_list lens;
	uint32_t traced = op->vectors.count, n = complete_vectors(b, op, c), run = 0, out = 0;
	uint64_t done = 0, iova_done = 0, out_sum = 0;

	lens = list_start(b);
	for (uint32_t i = 0; i < n; i++) {
		const uint64_t *phys = recording_list(b->r, op->vectors);
		const uint64_t *addrs = recording_list(b->r, op->out_addrs);
		const uint64_t *outs = recording_list(b->r, op->out_lens);
		const struct run *r = &g_array_index(c->runs, struct run, run);
		uint64_t off = phys[i] & (PAGE_SIZE - 1), span, base, len;

		/* Memory of a peer by its bus address is not translated. */
		if (out < op->out_addrs.count && addrs[out] == phys[i]) {
			list_push(b, &lens, outs[out++]);
			out_sum = 0;
			continue;
		}
		if (run >= c->runs->len)
			break;
		span = entry_span(phys, n, i, r, done);
		base = g_array_index(c->runs, struct run, 0).iova;
		len = span - off;
		done += span;
		iova_done += span;
		if (out < op->out_addrs.count) {
			bool last = (i + 1 == n && traced == n) ||
				    (out + 1 < op->out_addrs.count &&
				     (align_down(addrs[out + 1], PAGE_SIZE) == base + iova_done ||
				      (i + 1 < n && addrs[out + 1] == phys[i + 1])));

			if (last && outs[out] > out_sum && outs[out] - out_sum <= len)
				len = outs[out] - out_sum;
			out_sum += len;
			if (last) {
				out++;
				out_sum = 0;
			}
		}
		list_push(b, &lens, len);
		if (done >= r->size) {
			run++;
			done = 0;
		}
	}
	op->lens = lens;
	op->vectors.count = lens.count;
}

/* Direct mapping: no runs; one output per entry. */
void operations_sg_from_outputs(struct replay_op *op)
{
	op->lens = op->out_lens;
	if (op->vectors.count > op->lens.count)
		op->vectors.count = op->lens.count;
	else
		op->lens.count = op->vectors.count;
}

/* Only the number of entries and the runs are known (6.1): any division gives the same range. */
void operations_sg_from_runs(struct builder *b, struct replay_op *op, const struct context *c,
			     uint32_t entries)
{
	struct recording_list phys = list_start(b), lens;
	uint64_t pages = 0;
	uint32_t spare;

	for (unsigned i = 0; i < c->runs->len; i++)
		pages += g_array_index(c->runs, struct run, i).size >> PAGE_SHIFT;
	spare = entries > c->runs->len ? (uint32_t)MIN(entries, pages) - c->runs->len : 0;
	for (unsigned pass = 0; pass < 2; pass++) {
		struct recording_list *l = pass ? &lens : &phys;
		uint32_t extra = spare;

		*l = list_start(b);
		for (unsigned i = 0; i < c->runs->len; i++) {
			struct run r = g_array_index(c->runs, struct run, i);

			for (; extra && r.size > PAGE_SIZE; extra--) {
				list_push(b, l, pass ? PAGE_SIZE : r.phys);
				r.phys += PAGE_SIZE;
				r.size -= PAGE_SIZE;
			}
			list_push(b, l, pass ? r.size : r.phys);
		}
	}
	op->vectors = phys;
	op->lens = lens;
}

void operations_runs_to_vectors(struct builder *b, struct replay_op *op, const struct context *c)
{
	op->vectors = list_start(b);
	for (unsigned i = 0; i < c->runs->len; i++)
		list_push(b, &op->vectors, g_array_index(c->runs, struct run, i).phys);
	op->lens = list_start(b);
	for (unsigned i = 0; i < c->runs->len; i++)
		list_push(b, &op->lens, g_array_index(c->runs, struct run, i).size);
}
