/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card: packets arrive at the offered rate, go to their flow's ring through a buffer of limited
 * size, and are written to memory one after the other; each is followed by its completion entry.
 */
#include "rx_ring.h"

#define DESCRIPTOR 16u
#define ENTRY 64u

static sim_time_t dma(struct rx_ring *r, enum pcie_op op, dma_addr_t addr, uint64_t bytes, sim_time_t when,
		      sim_time_t *done)
{
	struct pcie_dma d = {.fn = r->dev->pci, .op = op, .addr = addr, .len = bytes, .pasid = VTD_NO_PASID};

	if (pcie_dma(&d, when))
		r->st.failed++;
	*done = d.done;
	return d.accepted;
}

/* The next bytes of a ring of entries. */
static dma_addr_t take(struct rx_coherent *c, uint64_t bytes)
{
	dma_addr_t addr = c->addr + c->at;

	c->at = (c->at + bytes) % c->bytes;
	return addr;
}

/* One stage per event: fetch the descriptor, read the data, write the completion. */
static void ack_stage(struct event *ev, sim_time_t now)
{
	struct rx_ack *a = (struct rx_ack *)ev;
	struct rx_queue *q = a->q;
	sim_time_t done = now;

	switch (a->stage++) {
	case ACK_DESCRIPTOR:
		dma(q->r, PCIE_READ, take(&q->tx_descriptors, ENTRY), ENTRY, now, &done);
		break;
	case ACK_DATA:
		dma(q->r, PCIE_READ, a->addr, RX_ACK_BYTES, now, &done);
		break;
	default:
		dma(q->r, PCIE_WRITE, take(&q->tx_completions, ENTRY), ENTRY, now, &done);
		return;
	}
	sim_schedule(&q->r->m->sim, ev, done);
}

void rx_card_transmit(struct rx_ack *a, sim_time_t when)
{
	a->ev = (struct event){.fn = ack_stage, .priority = EVENT_HARDWARE};
	a->stage = ACK_DESCRIPTOR;
	sim_schedule(&a->q->r->m->sim, &a->ev, when);
}

/* Write packet number n of the ring; returns when the card can start the next one. */
static sim_time_t write_packet(struct rx_queue *q, uint64_t n, sim_time_t when)
{
	struct rx_ring *r = q->r;
	uint64_t group = n / r->group_packets * r->group_pages % q->npages, k = n % r->group_packets;
	uint64_t left = r->p.mtu, chunk;
	sim_time_t done;

	if (n % rx_batch_packets(r) == 0)
		dma(r, PCIE_READ, take(&q->descriptors, DESCRIPTOR * r->p.batch), DESCRIPTOR * r->p.batch,
		    when, &done);
	for (uint64_t i = 0; left; left -= chunk, i++) {
		dma_addr_t to = i < r->full ? q->pages[group + k * r->full + i].addr
					    : q->pages[group + r->group_pages - 1].addr + k * r->tail;

		chunk = MIN(left, PAGE_SIZE);
		when = dma(r, PCIE_WRITE, to, chunk, when, &done);
	}
	when = dma(r, PCIE_WRITE, take(&q->completions, ENTRY), ENTRY, when, &done);
	q->ready[n % r->p.ring] = done;
	return when;
}

static void begin_measuring(struct rx_ring *r, sim_time_t now)
{
	const struct vtd_stats *v = &r->m->vtd_stats;
	sim_time_t busy = 0;

	r->measuring = true;
	r->begin = now;
	for (uint64_t i = 0; i < r->p.cores; i++)
		busy += cpu_busy(r->queues[i].cpu);
	r->before = (struct rx_ring_stats){.walks = v->walks,
					   .misses_2m = v->pwc_hits_2m,
					   .misses_1g = v->pwc_hits_1g,
					   .misses_512g = v->pwc_hits_512g,
					   .memory_reads = v->walk_memory_reads - v->walk_line_reuses,
					   .map = r->m->dma_stats.map_time,
					   .unmap = r->m->dma_stats.unmap_time,
					   .maps = r->st.maps,
					   .unmaps = r->st.unmaps,
					   .busy = busy};
}

static void next_flow(struct rx_ring *r)
{
	uint64_t burst = MAX(r->p.segment / r->p.mtu, 1);

	if (r->burst_left--)
		return;
	r->flow = rng_below(&r->rng, r->p.flows);
	/* Senders hand their card large segments: packets of one flow come in trains. */
	r->burst_left = rng_below(&r->rng, 2 * burst - 1);
}

static void receive(struct rx_ring *r, sim_time_t now)
{
	struct rx_queue *q = &r->queues[r->flow % r->p.cores];

	if (q->next >= q->posted) {
		r->st.dropped += r->measuring;
		return;
	}
	r->nic_free = write_packet(q, q->next++, now);
	if (r->measuring) {
		r->st.packets++;
		r->st.bytes += r->p.mtu;
	}
	if (!q->scheduled) {
		q->scheduled = true;
		cpu_post(q->cpu, &q->napi, q->ready[(q->next - 1) % r->p.ring]);
	}
}

static void arrival(struct event *ev, sim_time_t now)
{
	struct rx_ring *r = (struct rx_ring *)((char *)ev - offsetof(struct rx_ring, arrival));
	sim_time_t hold = (sim_time_t)((double)r->p.nic_buffer * 8 / r->p.offered * SIM_NS);
	uint64_t total = r->p.warm_up + r->p.packets;

	next_flow(r);
	receive(r, now);
	r->sent++;
	r->arrived += r->interval;
	/* What arrives while the card's buffer is full is lost. */
	while (r->sent < total && r->nic_free > r->arrived + hold) {
		next_flow(r);
		r->st.dropped += r->measuring;
		r->sent++;
		r->arrived += r->interval;
	}
	if (!r->measuring && r->sent >= r->p.warm_up)
		begin_measuring(r, now);
	if (r->sent < total && !sim_interrupted(&r->m->sim))
		sim_schedule(&r->m->sim, ev, MAX(r->arrived, r->nic_free));
	else
		r->st.elapsed = MAX(now, r->nic_free) - r->begin;
}

void rx_card_start(struct rx_ring *r)
{
	r->interval = (sim_time_t)((double)r->p.mtu * 8 / r->p.offered * SIM_NS);
	r->arrived = r->nic_free = r->m->sim.now;
	r->arrival = (struct event){.fn = arrival, .priority = EVENT_HARDWARE};
	sim_schedule(&r->m->sim, &r->arrival, r->arrived);
}
