/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One recorded mapping: mapped through the API under test, used once by its device, unmapped. */
#include "mapping.h"

#include "models/vtd/vtd.h"
#include "models/pcie/pcie.h"
#include <string.h>

struct mapping *mapping_get(struct replay_workload *w, const struct trace_record *rec, uint8_t kind)
{
	const struct replayer_dev *d = w->base.devs[rec->device];
	struct mapping *p = w->free;

	if (p) {
		w->free = p->next;
	} else {
		p = g_new0(struct mapping, 1);
		p->w = w;
		p->obj.path = w->base.path;
		p->obj.state = g_malloc0(MAX(w->base.path->state_size, 1));
		g_ptr_array_add(w->mappings, p);
	}
	p->kind = kind;
	p->device = rec->device;
	p->handle = rec->dma.handle;
	p->offset = rec->dma.offset;
	p->bytes = 0;
	p->nvecs = 0;
	p->pending = 0;
	p->parts = NULL;
	p->next = NULL;
	p->unmap_wanted = p->access_failed = false;
	p->obj.dev = d->dev;
	p->obj.instance = d->instance;
	p->obj.dir = rec->dma.dir;
	p->obj.attrs = rec->dma.attrs;
	p->obj.nsegs = 0;
	return p;
}

void mapping_put(struct mapping *p)
{
	p->next = p->w->free;
	p->w->free = p;
}

void mapping_destroy(void *arg)
{
	struct mapping *p = arg;

	g_free(p->obj.state);
	g_free(p->obj.segs);
	g_free(p->vecs);
	g_free(p);
}

void mapping_add_vec(struct mapping *p, phys_addr_t phys, uint64_t len)
{
	if (p->nvecs == p->vec_room) {
		p->vec_room = p->vec_room ? p->vec_room * 2 : 8;
		p->vecs = g_renew(struct phys_vec, p->vecs, p->vec_room);
	}
	p->vecs[p->nvecs++] = (struct phys_vec){phys, (uint32_t)len};
	p->bytes += len;
}

static void undo(struct mapping *p)
{
	struct replay_workload *w = p->w;

	if (p->state == STATE_FAILED) {
		mapping_put(p);
		return;
	}
	if (p->kind == KIND_COHERENT) {
		dma_free_attrs(p->obj.dev, p->bytes, p->coherent, p->obj.segs[0].addr, p->obj.attrs);
		w->st.coherent_frees++;
	} else {
		w->base.path->unmap(&p->obj, 0, p->bytes);
		if (w->base.path->close)
			w->base.path->close(&p->obj);
		w->st.unmaps++;
	}
	mapping_put(p);
}

static void run_unmap(struct cpu_work *work, struct cpu *cpu)
{
	struct mapping *p = container_of(work, struct mapping, unmap_work);
	struct replay_workload *w = p->w;

	(void)cpu;
	undo(p);
	w->base.in_flight--;
}

static void post_unmap(struct mapping *p)
{
	p->unmap_work.fn = run_unmap;
	p->w->base.in_flight++;
	cpu_post(p->unmap_cpu, &p->unmap_work, MAX(p->unmap_at, p->done));
}

void mapping_unmap(struct mapping *p, struct cpu *cpu, sim_time_t at)
{
	p->unmap_cpu = cpu;
	p->unmap_at = at;
	p->unmap_wanted = true;
	if (p->state >= STATE_MAPPED)
		post_unmap(p);
}

/* In use, or refused: what waits for that may go on. */
static void settle(struct mapping *p, uint8_t state, sim_time_t when)
{
	struct replay_workload *w = p->w;

	p->state = state;
	p->done = when;
	w->base.in_flight--;
	if (state == STATE_FAILED) {
		w->st.failed++;
		machine_io_refused(w->base.m);
	} else if (p->access_failed) {
		machine_io_failed(w->base.m);
	} else {
		replayer_count_io(&w->base, p->bytes, p->start, when);
	}
	if (p->unmap_wanted)
		post_unmap(p);
}

static void run_touch(struct event *ev, sim_time_t now)
{
	struct mapping *p = container_of(ev, struct mapping, touch);
	sim_time_t when = now, done = now;

	for (unsigned i = 0; i < p->obj.nsegs; i++) {
		struct pcie_dma d = {.fn = p->obj.dev->pci,
				     .op = p->obj.dir == DMA_TO_DEVICE ? PCIE_READ : PCIE_WRITE,
				     .addr = p->obj.segs[i].addr,
				     .len = p->obj.segs[i].len,
				     .pasid = NO_PASID};

		if (pcie_dma(&d, when)) {
			p->w->st.transfer_errors++;
			p->access_failed = true;
		}
		done = MAX(done, d.done);
		if (d.op == PCIE_WRITE)
			when = MAX(when, d.accepted);
	}
	settle(p, STATE_MAPPED, done);
}

static int do_map(struct mapping *p)
{
	struct replay_workload *w = p->w;
	int err;

	if (p->kind == KIND_COHERENT) {
		p->obj.nsegs = 1;
		p->coherent = dma_alloc_attrs(p->obj.dev, p->bytes, &p->obj.segs[0].addr, p->obj.attrs);
		w->st.coherent_allocs += p->coherent != 0;
		return p->coherent ? 0 : -ENOMEM;
	}
	memset(p->obj.state, 0, w->base.path->state_size);
	err = w->base.path->open ? w->base.path->open(&p->obj, p->bytes) : 0;
	if (err)
		return err;
	err = w->base.path->map(&p->obj, 0, p->vecs, p->nvecs);
	if (err) {
		if (w->base.path->close)
			w->base.path->close(&p->obj);
		return err;
	}
	w->st.maps++;
	w->st.lists += p->nvecs > 1;
	w->st.bytes += p->bytes;
	return 0;
}

static void run_map(struct cpu_work *work, struct cpu *cpu)
{
	struct mapping *p = container_of(work, struct mapping, map_work);
	struct sim *sim = &p->w->base.m->sim;

	if (do_map(p)) {
		settle(p, STATE_FAILED, cpu->now);
	} else if (p->kind == KIND_COHERENT || p->w->params.access == ACCESS_NONE) {
		settle(p, STATE_MAPPED, cpu->now);
	} else {
		p->state = STATE_DEVICE;
		p->touch.fn = run_touch;
		p->touch.priority = EVENT_HARDWARE;
		if (sim->timing)
			sim_schedule(sim, &p->touch, cpu->now);
		else
			run_touch(&p->touch, sim->now);
	}
}

void mapping_map(struct mapping *p, struct cpu *cpu, sim_time_t at)
{
	unsigned segs = p->nvecs + 1;

	for (unsigned i = 0; i < p->nvecs; i++)
		segs += (unsigned)((align_up(p->vecs[i].paddr + p->vecs[i].len, PAGE_SIZE) -
				    align_down(p->vecs[i].paddr, PAGE_SIZE)) >>
				   PAGE_SHIFT);
	if (segs > p->seg_room) {
		p->seg_room = segs;
		p->obj.segs = g_renew(struct dma_segment, p->obj.segs, segs);
	}
	p->obj.max_segs = p->seg_room;
	p->obj.bytes = p->bytes;
	p->state = STATE_MAPPING;
	p->start = at;
	p->map_work.fn = run_map;
	p->w->base.in_flight++;
	cpu_post(cpu, &p->map_work, at);
}
