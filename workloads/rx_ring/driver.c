/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver: a poll loop per ring that hands packets up, returns pages in batches and maps new ones,
 * page by page (legacy) or as one linked range per batch; and sends acknowledgements.
 */
#include "rx_ring.h"

#define POLL_BUDGET 64u

static phys_addr_t new_page(struct rx_queue *q)
{
	/* Pages of a running system are no neighbours: the made-up addresses are spread. */
	uint64_t i = q->frames++;

	return q->base + (i * 40503 % 65536) * 2 * PAGE_SIZE;
}

/* ---- one batch of pages ---- */

static bool map_batch(struct rx_queue *q, uint64_t batch)
{
	struct rx_ring *r = q->r;
	struct rx_page *p = &q->pages[batch * r->p.batch];
	struct dma_iova_state *state = &q->states[batch];
	uint64_t size = r->p.batch * PAGE_SIZE;

	r->st.maps += r->p.batch;
	for (uint64_t i = 0; i < r->p.batch; i++)
		p[i].phys = new_page(q);
	*state = (struct dma_iova_state){0};
	if (r->linked && dma_iova_try_alloc(r->dev, state, p[0].phys, size)) {
		for (uint64_t i = 0; i < r->p.batch; i++) {
			if (dma_iova_link(r->dev, state, p[i].phys, i * PAGE_SIZE, PAGE_SIZE, DMA_FROM_DEVICE,
					  0)) {
				dma_iova_destroy(r->dev, state, i * PAGE_SIZE, DMA_FROM_DEVICE, 0);
				return false;
			}
			p[i].addr = state->addr + i * PAGE_SIZE;
		}
		return dma_iova_sync(r->dev, state, 0, size) == 0;
	}
	for (uint64_t i = 0; i < r->p.batch; i++) {
		p[i].addr = dma_map_page(r->dev, p[i].phys, 0, PAGE_SIZE, DMA_FROM_DEVICE);
		if (dma_mapping_error(r->dev, p[i].addr))
			return false;
		/* Whoever is due runs between two pages, as the invalidations of others do. */
		cpu_sync(sim_cpu(&r->m->sim));
	}
	return true;
}

static void unmap_batch(struct rx_queue *q, uint64_t batch)
{
	struct rx_ring *r = q->r;
	struct rx_page *p = &q->pages[batch * r->p.batch];
	struct dma_iova_state *state = &q->states[batch];

	r->st.unmaps += r->p.batch;
	if (dma_use_iova(state)) {
		dma_iova_destroy(r->dev, state, r->p.batch * PAGE_SIZE, DMA_FROM_DEVICE, 0);
		return;
	}
	for (uint64_t i = 0; i < r->p.batch; i++)
		dma_unmap_page(r->dev, p[i].addr, PAGE_SIZE, DMA_FROM_DEVICE);
}

static void refill(struct rx_queue *q)
{
	struct rx_ring *r = q->r;
	uint64_t batch = (q->handled / rx_batch_packets(r) - 1) % q->nbatches;

	if (!r->p.recycle) {
		unmap_batch(q, batch);
		if (!map_batch(q, batch))
			r->st.failed++;
	}
	r->st.refills++;
	q->posted += rx_batch_packets(r);
}

/* ---- acknowledgements ---- */

static void reclaim_acks(struct rx_queue *q)
{
	while (q->nacks && q->sent[q->first_ack].stage == ACK_DONE) {
		dma_unmap_page(q->r->dev, q->sent[q->first_ack].addr, RX_ACK_BYTES, DMA_TO_DEVICE);
		q->first_ack = (q->first_ack + 1) % RX_ACKS;
		q->nacks--;
	}
}

static void send_ack(struct rx_queue *q, struct cpu *c)
{
	struct rx_ring *r = q->r;
	struct rx_ack *a = &q->sent[(q->first_ack + q->nacks) % RX_ACKS];

	if (q->nacks == RX_ACKS)
		return; /* the transmit ring is full: later acknowledgements cover this one */
	cpu_spend(c, r->p.ack_cost);
	a->q = q;
	a->addr = dma_map_page(r->dev, new_page(q), 512, RX_ACK_BYTES, DMA_TO_DEVICE);
	if (dma_mapping_error(r->dev, a->addr)) {
		r->st.failed++;
		return;
	}
	q->nacks++;
	r->st.acks += r->measuring;
	cpu_charge(c, COST_DOORBELL);
	cpu_sync(c);
	rx_card_transmit(a, c->now);
	if (q->nacks >= 16)
		reclaim_acks(q);
}

/* ---- polling ---- */

static void handle(struct rx_queue *q, struct cpu *c)
{
	struct rx_ring *r = q->r;

	cpu_spend(c, r->p.packet_cost);
	q->handled++;
	q->acks += r->p.ack_rate;
	while (q->acks >= 1) {
		q->acks -= 1;
		send_ack(q, c);
	}
	if (q->handled % rx_batch_packets(r) == 0)
		refill(q);
	cpu_sync(c);
}

void rx_driver_poll(struct cpu_work *w, struct cpu *c)
{
	struct rx_queue *q = (struct rx_queue *)((char *)w - offsetof(struct rx_queue, napi));
	struct rx_ring *r = q->r;

	for (unsigned n = 0; n < POLL_BUDGET; n++) {
		sim_time_t ready;

		if (q->handled == q->next) {
			q->scheduled = false;
			return;
		}
		ready = q->ready[q->handled % r->p.ring];
		if (ready > c->now) {
			cpu_post(c, w, ready);
			return;
		}
		handle(q, c);
	}
	cpu_post(c, w, c->now);
}

/* ---- life ---- */

static bool coherent(struct rx_ring *r, struct rx_coherent *c, uint64_t bytes)
{
	c->bytes = align_up(bytes, PAGE_SIZE);
	c->phys = dma_alloc_coherent(r->dev, c->bytes, &c->addr);
	return c->phys != 0;
}

static void coherent_free(struct rx_ring *r, struct rx_coherent *c)
{
	if (c->phys)
		dma_free_coherent(r->dev, c->bytes, c->phys, c->addr);
}

bool rx_driver_setup(struct rx_queue *q)
{
	struct rx_ring *r = q->r;

	if (!coherent(r, &q->descriptors, q->npages * 16) || !coherent(r, &q->completions, r->p.ring * 64) ||
	    !coherent(r, &q->tx_descriptors, 1024 * 64) || !coherent(r, &q->tx_completions, 1024 * 64))
		return false;
	for (uint64_t b = 0; b < q->nbatches; b++) {
		if (!map_batch(q, b))
			return false;
		q->posted += rx_batch_packets(r);
	}
	return true;
}

void rx_driver_teardown(struct rx_queue *q)
{
	reclaim_acks(q);
	for (uint64_t b = 0; b < q->posted / rx_batch_packets(q->r) && b < q->nbatches; b++)
		unmap_batch(q, b);
	coherent_free(q->r, &q->descriptors);
	coherent_free(q->r, &q->completions);
	coherent_free(q->r, &q->tx_descriptors);
	coherent_free(q->r, &q->tx_completions);
}
