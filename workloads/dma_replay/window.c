/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorded windows of the two-step interface: links are gathered until they are synced; what one sync
 * covers is one mapping, a part of the window.
 */
#include "mapping.h"

/* The links gathered since the last sync become one mapping. */
static void window_sync(struct mapping *win, const struct trace_record *rec, struct cpu *cpu, sim_time_t at)
{
	struct mapping *p;
	struct phys_vec *vecs;
	unsigned room;

	if (!win->nvecs)
		return;
	p = mapping_get(win->w, rec, KIND_PART);
	vecs = p->vecs;
	room = p->vec_room;
	p->vecs = win->vecs;
	p->nvecs = win->nvecs;
	p->vec_room = win->vec_room;
	p->bytes = win->bytes;
	p->offset = win->pending;
	p->obj.dir = win->obj.dir;
	p->obj.attrs = win->obj.attrs;
	win->vecs = vecs;
	win->vec_room = room;
	win->nvecs = 0;
	win->bytes = 0;
	p->next = win->parts;
	win->parts = p;
	mapping_map(p, cpu, at);
}

/* Undo the parts that begin in [from, from + bytes). Returns how many. */
static unsigned window_unmap(struct mapping *win, uint64_t from, uint64_t bytes, struct cpu *cpu,
			     sim_time_t at)
{
	struct mapping **link = &win->parts;
	unsigned n = 0;

	while (*link) {
		struct mapping *p = *link;

		if (p->offset < from || p->offset - from >= bytes) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		mapping_unmap(p, cpu, at);
		n++;
	}
	return n;
}

unsigned window_end(struct mapping *win, struct cpu *cpu, sim_time_t at)
{
	unsigned n = window_unmap(win, 0, UINT64_MAX, cpu, at);

	win->w->st.unsynced += win->nvecs;
	mapping_put(win);
	return n;
}

bool window_record(struct replay_workload *w, const struct trace_record *rec, struct cpu *cpu, sim_time_t at)
{
	struct mapping **found, *win;

	if (rec->dma.event == DMA_EV_TRY_ALLOC) {
		w->st.windows++;
		mapping_insert(w, mapping_get(w, rec, KIND_WINDOW));
		return true;
	}
	found = mapping_find(w, rec->device, KIND_WINDOW, rec->dma.handle);
	win = found ? *found : NULL;
	if (rec->dma.event == DMA_EV_LINK) {
		if (!win) /* its allocation is older than the recording */
			mapping_insert(w, win = mapping_get(w, rec, KIND_WINDOW));
		if (!win->nvecs)
			win->pending = rec->dma.offset;
		win->obj.dir = rec->dma.dir;
		win->obj.attrs = rec->dma.attrs;
		w->st.links++;
		mapping_add_vec(win, rec->dma.phys, rec->dma.bytes);
		return true;
	}
	if (!win)
		return rec->dma.event == DMA_EV_SYNC;
	if (rec->dma.event == DMA_EV_SYNC)
		window_sync(win, rec, cpu, at);
	else if (rec->dma.event == DMA_EV_UNLINK)
		return window_unmap(win, rec->dma.offset, rec->dma.bytes, cpu, at) > 0;
	else
		window_end(mapping_take(w, rec->device, KIND_WINDOW, rec->dma.handle), cpu, at);
	return true;
}
