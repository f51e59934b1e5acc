/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card: packets arrive at the offered rate, go to their flow's ring through a buffer of limited
 * size, and are written to memory one after the other; each is followed by its completion entry.
 */
#include "rx_ring.h"

#define DESCRIPTOR 16u
#define ENTRY 64u
/* drivers/net/ethernet/mellanox/mlx5/core/en.h: struct mlx5e_umr_wqe, struct mlx5e_rx_wqe_ll */
#define UMR_HEADER 128u
#define RQ_ENTRY 32u

static sim_time_t dma(struct rx_ring *r, enum pcie_op op, dma_addr_t addr, uint64_t bytes, sim_time_t when,
		      sim_time_t *done)
{
	struct pcie_dma d = {
	    .fn = r->base.dev->pci, .op = op, .addr = addr, .len = bytes, .pasid = NO_PASID};

	if (pcie_dma(&d, when))
		rx_ring_failed(r);
	*done = d.done;
	return d.accepted;
}

/* Access to the next bytes of a ring of messages. */
static sim_time_t message(struct rx_ring *r, enum pcie_op op, struct rx_coherent *c, uint64_t bytes,
			  sim_time_t when, sim_time_t *done)
{
	while (bytes) {
		uint64_t n = MIN(bytes, PAGE_SIZE - c->at % PAGE_SIZE);

		when = dma(r, op, c->pages[c->at / PAGE_SIZE].addr + c->at % PAGE_SIZE, n, when, done);
		c->at = (c->at + n) % (c->npages * PAGE_SIZE);
		bytes -= n;
	}
	return when;
}

/* One stage per event: fetch the descriptor, read the data, write the completion. */
static void ack_stage(struct event *ev, sim_time_t now)
{
	struct rx_ack *a = (struct rx_ack *)ev;
	struct rx_queue *q = a->q;
	sim_time_t done = now;

	switch (a->stage++) {
	case ACK_DESCRIPTOR:
		message(q->r, PCIE_READ, &q->tx_descriptors, ENTRY, now, &done);
		break;
	case ACK_DATA:
		dma(q->r, PCIE_READ, a->addr, RX_ACK_BYTES, now, &done);
		break;
	default:
		message(q->r, PCIE_WRITE, &q->tx_completions, ENTRY, now, &done);
		return;
	}
	sim_schedule(&q->r->base.m->sim, ev, done);
}

void rx_card_transmit(struct rx_ack *a, sim_time_t when)
{
	a->ev = (struct event){.fn = ack_stage, .priority = EVENT_HARDWARE};
	a->stage = ACK_DESCRIPTOR;
	sim_schedule(&a->q->r->base.m->sim, &a->ev, when);
}

static void read_descriptor(struct rx_queue *q, sim_time_t when)
{
	struct rx_ring *r = q->r;
	sim_time_t done;

	if (!r->p.stride) {
		message(r, PCIE_READ, &q->descriptors, DESCRIPTOR * r->p.batch, when, &done);
		return;
	}
	/* Its pages' addresses come as a work request of their own, which completes; then the ring's entry.
	 */
	message(r, PCIE_READ, &q->descriptors, UMR_HEADER + 8 * r->p.batch, when, &done);
	message(r, PCIE_WRITE, &q->post_completions, ENTRY, when, &done);
	message(r, PCIE_READ, &q->entries, RQ_ENTRY, when, &done);
}

/* Write packet number n of the ring; returns when the card can start the next one. */
static sim_time_t write_packet(struct rx_queue *q, uint64_t n, sim_time_t when)
{
	struct rx_ring *r = q->r;
	uint64_t left = r->frame;
	sim_time_t done;

	if (n % r->batch_packets == 0)
		read_descriptor(q, when);
	while (left) {
		struct rx_part part = rx_packet_part(q, n, left);

		when = dma(r, PCIE_WRITE, q->pages[part.page]->addr + part.offset, part.bytes, when, &done);
		left -= part.bytes;
	}
	when = message(r, PCIE_WRITE, &q->completions, ENTRY, when, &done);
	q->slots[n % r->p.ring].ready = done;
	return when;
}

static void begin_measuring(struct rx_ring *r, sim_time_t now)
{
	const struct vtd_stats *v = &r->base.m->vtd_stats;

	r->measuring = true;
	r->begin = now;
	r->before = (struct rx_ring_stats){.walks = v->walks,
					   .misses_2m = v->pwc_hits_2m,
					   .misses_1g = v->pwc_hits_1g,
					   .misses_512g = v->pwc_hits_512g,
					   .memory_reads = v->walk_memory_reads - v->walk_line_reuses,
					   .map = r->base.m->dma_stats.map_time,
					   .unmap = r->base.m->dma_stats.unmap_time,
					   .maps = r->st.maps,
					   .unmaps = r->st.unmaps};
}

/* Its sender waits: for the reader, or for the ring to have buffers again. */
static bool closed(const struct rx_ring *r, uint64_t flow)
{
	const struct rx_flow *f = &r->flows[flow];

	return (r->p.window && f->packets * r->p.mtu >= r->p.window) ||
	       (r->p.paced && f->q->next >= f->q->posted);
}

/* Which flow the next packet belongs to; false: all senders wait. */
static bool next_flow(struct rx_ring *r)
{
	uint64_t tries = r->p.flows;

	if (r->burst_left && !closed(r, r->flow)) {
		r->burst_left--;
		return true;
	}
	r->flow = rng_below(&r->rng, r->p.flows);
	/* Senders hand their card large segments: packets of one flow come in trains. */
	r->burst_left = rng_below(&r->rng, 2 * r->burst - 1);
	while (closed(r, r->flow) && --tries)
		r->flow = (r->flow + 1) % r->p.flows;
	return tries;
}

/* The packet does not arrive; its retransmission may be lost as well. */
static void lose(struct rx_ring *r, uint64_t *counter, sim_time_t now)
{
	struct rx_flow *f = &r->flows[r->flow];
	sim_time_t until = now + r->p.rtt;

	*counter += r->measuring;
	r->lost_twice += r->p.loss;
	if (r->lost_twice >= 1) {
		r->lost_twice -= 1;
		until += r->p.timeout;
	}
	if (r->base.m->sim.timing) /* otherwise nothing takes time, nor do retransmissions */
		f->hole = MAX(f->hole, until);
}

static void receive(struct rx_ring *r, sim_time_t now)
{
	struct rx_flow *f = &r->flows[r->flow];
	struct rx_queue *q = f->q;
	struct rx_slot *slot = &q->slots[q->next % r->p.ring];
	uint64_t failed;

	r->lost += r->p.loss;
	if (r->lost >= 1) {
		r->lost -= 1;
		lose(r, &r->st.lost, now);
		return;
	}
	if (q->next >= q->posted) {
		lose(r, &r->st.dropped, now);
		return;
	}
	slot->flow = f;
	slot->hole = f->hole;
	f->hole = 0;
	f->packets += r->readers;
	failed = r->st.failed;
	r->nic_free = write_packet(q, q->next++, now);
	if (r->measuring && r->st.failed == failed) {
		r->st.packets++;
		r->st.bytes += r->p.mtu;
	}
	if (!q->scheduled) {
		q->scheduled = true;
		cpu_post(q->cpu, &q->napi, slot->ready);
	}
}

static bool packets_left(const struct rx_ring *r)
{
	return r->sent < r->p.warm_up + r->p.packets;
}

bool rx_card_sends(const struct rx_ring *r)
{
	return packets_left(r) && !sim_interrupted(&r->base.m->sim);
}

/* What arrives while the card's buffer is full is lost, or senders slow down before that. */
static void hold_or_drop(struct rx_ring *r)
{
	sim_time_t hold = (sim_time_t)((double)r->p.nic_buffer * 8 / r->p.offered * SIM_NS);

	if (r->p.paced) {
		if (r->nic_free > r->arrived + hold)
			r->arrived = r->nic_free - hold;
		return;
	}
	while (packets_left(r) && r->nic_free > r->arrived + hold) {
		if (next_flow(r))
			lose(r, &r->st.dropped, r->arrived);
		r->sent++;
		r->arrived += r->interval;
	}
}

static void arrival(struct event *ev, sim_time_t now)
{
	struct rx_ring *r = container_of(ev, struct rx_ring, arrival);

	if (next_flow(r)) {
		receive(r, now);
		r->sent++;
	}
	r->arrived += r->interval;
	hold_or_drop(r);
	if (!r->measuring && r->sent >= r->p.warm_up)
		begin_measuring(r, now);
	if (rx_card_sends(r))
		sim_schedule(&r->base.m->sim, ev, MAX(r->arrived, r->nic_free));
	else
		r->st.elapsed = MAX(now, r->nic_free) - r->begin;
}

/* Linux sends at most a third of a flow's window in a row (tcp_tso_win_divisor). */
static uint64_t segment(const struct rx_ring *r)
{
	double window = r->p.offered / 8 * ((double)r->p.rtt / SIM_NS) / (double)r->p.flows;

	return r->p.paced ? MIN(r->p.segment, (uint64_t)(window / 3)) : r->p.segment;
}

void rx_card_start(struct rx_ring *r)
{
	r->interval = (sim_time_t)((double)r->p.mtu * 8 / r->p.offered * SIM_NS);
	r->copy = r->p.copy_rate > 0 ? (sim_time_t)((double)r->p.mtu / r->p.copy_rate * SIM_NS) : 0;
	r->burst = MAX(segment(r) / r->p.mtu, 1);
	r->arrived = r->nic_free = r->base.m->sim.now;
	if (!r->p.warm_up)
		begin_measuring(r, r->arrived);
	r->arrival = (struct event){.fn = arrival, .priority = EVENT_HARDWARE};
	sim_schedule(&r->base.m->sim, &r->arrival, r->arrived);
}
