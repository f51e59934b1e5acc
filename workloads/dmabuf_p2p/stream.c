/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives that fill another function's memory, or DRAM: how much the way between them carries. A drive is
 * a rate, a latency and a number of commands under way; everything else is links and the root complex.
 */
#include "dmabuf.h"

#include "sim/cpu.h"
#include <math.h>
#include <string.h>

struct drive {
	struct dmabuf_object o;
	sim_time_t next;     /* the drive can start another command */
	sim_time_t *free_at; /* per command slot: its last transfer is over */
	uint64_t commands;   /* finished */
	/* the command whose data goes out now */
	sim_time_t start, ready, done;
	uint64_t at, left;
	bool failed; /* one of its accesses */
};

/* Time that one command costs the drive itself. */
static sim_time_t pace(const struct dmabuf_params *p)
{
	double bandwidth = p->drive_bandwidth > 0 ? (double)p->io_bytes / p->drive_bandwidth * (double)SIM_NS
						  : 0;
	double commands = p->drive_iops > 0 ? (double)SIM_S / p->drive_iops : 0;

	return (sim_time_t)llround(MAX(bandwidth, commands));
}

/* DMA address of byte at of the buffer, and how far it goes on there. */
static dma_addr_t buffer_addr(const struct dma_object *obj, uint64_t at, uint64_t *room)
{
	unsigned i = 0;

	while (at >= obj->segs[i].len)
		at -= obj->segs[i++].len;
	*room = obj->segs[i].len - at;
	return obj->segs[i].addr + at;
}

/* Pick up the next command: its data is ready when the drive has got round to it. */
static void next_command(struct drive *d, const struct dmabuf_params *p, uint64_t base, uint64_t share)
{
	d->start = MAX(d->next, d->free_at[d->commands % p->depth]);
	d->next = d->start + pace(p);
	d->ready = MAX(d->ready, d->start + p->drive_latency);
	d->done = d->ready;
	d->at = base + d->commands * p->io_bytes % share;
	d->left = p->io_bytes;
	d->failed = false;
}

/* Send what lies in one page; the drive's link is free for more at d->ready. */
static void send_page(struct drive *d)
{
	struct pcie_dma dma = {.fn = d->o.obj.dev->pci, .op = PCIE_WRITE, .pasid = NO_PASID};
	uint64_t room;

	dma.addr = buffer_addr(&d->o.obj, d->at % d->o.obj.bytes, &room);
	dma.len = MIN(d->left, MIN(room, PAGE_SIZE - dma.addr % PAGE_SIZE));
	d->failed |= pcie_dma(&dma, d->ready) != 0;
	d->ready = MAX(d->ready, dma.accepted);
	d->done = MAX(d->done, dma.done);
	d->at += dma.len;
	d->left -= dma.len;
}

/* Pages of all drives in the order in which they go out. */
static void stream(struct load *l, struct drive *drives, const struct dmabuf_params *p, sim_time_t begin)
{
	uint64_t share = align_up(MAX(p->bytes / p->drives, p->io_bytes), p->io_bytes);
	uint64_t total = p->count * p->drives;
	struct io_stats *io = &l->m->io;

	io->first = begin;
	for (unsigned i = 0; i < p->drives; i++)
		next_command(&drives[i], p, i * share, share);
	while (io->completed + io->failed < total && !sim_interrupted(&l->m->sim)) {
		struct drive *d = drives;

		for (unsigned i = 1; i < p->drives; i++)
			if (drives[i].ready < d->ready)
				d = &drives[i];
		send_page(d);
		if (d->left)
			continue;
		d->free_at[d->commands++ % p->depth] = d->done;
		load_request_done(l, !d->failed, p->io_bytes, d->start, d->done);
		next_command(d, p, (uint64_t)(d - drives) * share, share);
	}
}

static bool open_drive(struct machine *m, struct drive *d, const struct dmabuf_object *like,
		       const struct phys_vec *vecs, unsigned nranges, bool first)
{
	const struct dmabuf_params *p = like->p;
	struct device *dev = first ? like->obj.dev : machine_add_device(m, NULL, NULL);
	const struct driver_path *path = like->obj.path;

	if (!dev)
		return false;
	dma_set_mask(dev, UINT64_MAX);
	dma_set_max_seg_size(dev, UINT32_MAX);
	pcie_set_link(dev->pci, dev->pci->rate, p->drive_lanes);
	d->o = *like;
	d->o.obj.dev = dev;
	d->o.obj.nsegs = 0;
	d->o.obj.segs = g_new0(struct dma_segment, like->obj.max_segs);
	d->o.obj.state = g_malloc0(MAX(path->state_size, 1));
	d->free_at = g_new0(sim_time_t, p->depth);
	if (path->open && path->open(&d->o.obj, d->o.obj.bytes))
		return false;
	return path->map(&d->o.obj, 0, vecs, nranges) == 0;
}

static void close_drive(struct drive *d)
{
	const struct driver_path *path = d->o.obj.path;

	if (d->o.obj.nsegs)
		path->unmap(&d->o.obj, 0, d->o.obj.bytes);
	if (path && path->close && d->o.obj.state)
		path->close(&d->o.obj);
	g_free(d->o.obj.segs);
	g_free(d->o.obj.state);
	g_free(d->free_at);
}

bool dmabuf_stream(struct load *l, const struct dmabuf_object *like, const struct phys_vec *vecs,
		   unsigned nranges, struct cpu *cpu)
{
	const struct dmabuf_params *p = like->p;
	g_autofree struct drive *drives = g_new0(struct drive, p->drives);
	bool ok = true;

	for (unsigned i = 0; ok && i < p->drives; i++)
		ok = open_drive(l->m, &drives[i], like, vecs, nranges, i == 0);
	if (ok) {
		for (unsigned i = 0; i < p->drives; i++) {
			drives[i].next = drives[i].ready = cpu->now;
			like->st->maps++;
		}
		stream(l, drives, p, cpu->now);
		cpu_wait_until(cpu, l->m->io.last);
	}
	for (unsigned i = 0; i < p->drives; i++)
		close_drive(&drives[i]);
	return ok;
}
