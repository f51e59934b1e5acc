/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where packets lie in a ring's pages, and what happens to them between the driver and the application:
 * they wait in their flow's socket until its reader, which runs on the ring's CPU, has copied them.
 */
#include "rx_ring.h"

struct rx_part rx_packet_part(const struct rx_queue *q, uint64_t n, uint64_t left)
{
	const struct rx_ring *r = q->r;
	uint64_t done = r->frame - left, page = r->p.page, group, k, i;

	if (r->p.stride) {
		uint64_t batch = n / r->batch_packets % q->nbatches,
			 at = n % r->batch_packets * r->step + r->headroom + done;

		return (struct rx_part){batch * r->p.batch + at / page, at % page,
					MIN(left, page - at % page)};
	}
	group = n / r->group_packets * r->group_pages % q->npages;
	k = n % r->group_packets;
	i = done / page;
	if (i < r->full)
		return (struct rx_part){group + k * r->full + i, 0, MIN(left, page)};
	return (struct rx_part){group + r->group_pages - 1, k * r->tail, left};
}

static void grow(struct rx_flow *f)
{
	uint64_t size = MAX(2 * f->size, 64);
	struct rx_unread *unread = g_new(struct rx_unread, size);

	for (uint64_t i = 0; i < f->nunread; i++)
		unread[i] = f->unread[(f->first + i) & (f->size - 1)];
	g_free(f->unread);
	f->unread = unread;
	f->size = size;
	f->first = 0;
}

void rx_flow_receive(struct rx_flow *f, const struct rx_unread *u)
{
	if (f->nunread == f->size)
		grow(f);
	u->page->users++;
	f->unread[(f->first + f->nunread++) & (f->size - 1)] = *u;
}

void rx_flow_wake(struct rx_flow *f, struct cpu *c)
{
	if (f->scheduled || !f->nunread)
		return;
	f->scheduled = true;
	cpu_post(c, &f->reader, MAX(c->now, f->unread[f->first].hole));
}

/* Copies packets as long as the network interrupt's work does not ask for the CPU. */
void rx_flow_read(struct cpu_work *w, struct cpu *c)
{
	struct rx_flow *f = container_of(w, struct rx_flow, reader);
	struct rx_queue *q = f->q;

	while (f->nunread) {
		bool last = false;

		if (f->unread[f->first].hole > c->now) {
			cpu_post(c, w, f->unread[f->first].hole);
			return;
		}

		cpu_spend(c, q->r->copy);
		while (!last) {
			struct rx_unread *u = &f->unread[f->first];

			last = u->last;
			u->page->users--;
			rx_page_put(q, u->page);
			f->first = (f->first + 1) & (f->size - 1);
			f->nunread--;
		}
		f->packets--;
		cpu_sync(c);
		if (q->r->base.m->sim.timing && q->scheduled && q->napi.ready <= c->now) {
			cpu_post(c, w, c->now);
			return;
		}
	}
	f->scheduled = false;
}
