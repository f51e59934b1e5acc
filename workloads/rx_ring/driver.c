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

	return q->base + (i * 40503 % q->r->places) * 2 * q->r->p.page;
}

/* ---- one batch of pages ---- */

static struct rx_page *page_object(struct rx_queue *q)
{
	struct rx_page *page = q->free;

	if (page)
		q->free = page->next_free;
	else
		page = g_new(struct rx_page, 1);
	*page = (struct rx_page){.phys = new_page(q)};
	return page;
}

void rx_page_put(struct rx_queue *q, struct rx_page *page)
{
	if (page->users || !page->gone)
		return;
	page->next_free = q->free;
	q->free = page;
}

/* A mapped page: the cache's oldest one, unless somebody still reads it. */
static struct rx_page *get_page(struct rx_queue *q)
{
	struct rx_ring *r = q->r;
	struct rx_page *page = q->ncached ? q->cache[q->first_cached] : NULL;

	if (page && !page->users) {
		q->first_cached = (q->first_cached + 1) % r->p.page_cache;
		q->ncached--;
		return page;
	}
	page = page_object(q);
	page->addr = dma_map_page(r->base.dev, page->phys, 0, r->p.page, DMA_FROM_DEVICE);
	r->st.maps++;
	if (dma_mapping_error(r->base.dev, page->addr)) {
		page->gone = true;
		rx_page_put(q, page);
		return NULL;
	}
	/* Whoever is due runs between two pages, as the invalidations of others do. */
	cpu_sync(sim_cpu(&r->base.m->sim));
	return page;
}

static void unmap_page(struct rx_queue *q, struct rx_page *page)
{
	dma_unmap_page(q->r->base.dev, page->addr, q->r->p.page, DMA_FROM_DEVICE);
	q->r->st.unmaps++;
	page->gone = true;
	rx_page_put(q, page);
}

static void forget_pages(struct rx_queue *q, struct rx_page **p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		p[i]->gone = true;
		rx_page_put(q, p[i]);
	}
}

/* On failure nothing is linked any more, and the range is free. */
static bool link_pages(struct rx_queue *q, struct dma_iova_state *state, struct rx_page **p)
{
	struct rx_ring *r = q->r;
	uint64_t n = 0, size = r->p.page;

	for (; n < r->p.batch; n++) {
		if (dma_iova_link(r->base.dev, state, p[n]->phys, n * size, size, DMA_FROM_DEVICE, 0))
			break;
		p[n]->addr = state->addr + n * size;
	}
	r->st.maps += n;
	if (n == r->p.batch && !dma_iova_sync(r->base.dev, state, 0, n * size))
		return true;
	/* dma_iova_destroy() would give back only as much of the range as was linked. */
	if (n)
		dma_iova_unlink(r->base.dev, state, 0, n * size, DMA_FROM_DEVICE, 0);
	dma_iova_free(r->base.dev, state);
	*state = (struct dma_iova_state){0};
	r->st.unmaps += n;
	return false;
}

/* All pages of the batch or none: what was mapped before a failure is unmapped, for others to use. */
static bool map_pages(struct rx_queue *q, struct rx_page **p)
{
	for (uint64_t i = 0; i < q->r->p.batch; i++) {
		p[i] = get_page(q);
		if (p[i])
			continue;
		while (i--)
			unmap_page(q, p[i]);
		return false;
	}
	return true;
}

static bool map_batch(struct rx_queue *q, uint64_t batch)
{
	struct rx_ring *r = q->r;
	struct rx_page **p = &q->pages[batch * r->p.batch];
	struct dma_iova_state *state = &q->states[batch];

	*state = (struct dma_iova_state){0};
	if (r->linked) {
		for (uint64_t i = 0; i < r->p.batch; i++)
			p[i] = page_object(q);
		if (dma_iova_try_alloc(r->base.dev, state, p[0]->phys, r->p.batch * r->p.page)) {
			if (link_pages(q, state, p))
				return true;
			forget_pages(q, p, r->p.batch);
			return false;
		}
		forget_pages(q, p, r->p.batch);
	}
	return map_pages(q, p);
}

/* The driver is done with the pages; packets in them may still wait for their readers. */
static void release_batch(struct rx_queue *q, uint64_t batch)
{
	struct rx_ring *r = q->r;
	struct rx_page **p = &q->pages[batch * r->p.batch];
	struct dma_iova_state *state = &q->states[batch];

	if (dma_use_iova(state)) {
		r->st.unmaps += r->p.batch;
		dma_iova_destroy(r->base.dev, state, r->p.batch * r->p.page, DMA_FROM_DEVICE, 0);
		forget_pages(q, p, r->p.batch);
		return;
	}
	for (uint64_t i = 0; i < r->p.batch; i++) {
		if (q->ncached < r->p.page_cache)
			q->cache[(q->first_cached + q->ncached++) % r->p.page_cache] = p[i];
		else
			unmap_page(q, p[i]);
	}
}

/*
 * Pages for descriptors that are done; several at a time where one holds several packets. Where pages
 * cannot be mapped the ring has fewer buffers until a later poll.
 */
static void refill(struct rx_queue *q)
{
	struct rx_ring *r = q->r;

	q->starved = false;
	if (q->handled + q->nbatches * r->batch_packets < q->posted + r->bulk * r->batch_packets)
		return;
	while (q->posted + r->batch_packets <= q->handled + q->nbatches * r->batch_packets) {
		if (!r->p.recycle && !map_batch(q, q->posted / r->batch_packets % q->nbatches)) {
			rx_ring_refused(r);
			q->starved = true;
			return;
		}
		r->st.refills++;
		q->posted += r->batch_packets;
	}
}

/* ---- acknowledgements ---- */

static void reclaim_acks(struct rx_queue *q)
{
	while (q->nacks && q->sent[q->first_ack].stage == ACK_DONE) {
		dma_unmap_page(q->r->base.dev, q->sent[q->first_ack].addr, RX_ACK_BYTES, DMA_TO_DEVICE);
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
	a->addr = dma_map_page(r->base.dev, new_page(q), 512, RX_ACK_BYTES, DMA_TO_DEVICE);
	if (dma_mapping_error(r->base.dev, a->addr)) {
		rx_ring_refused(r);
		return;
	}
	q->nacks++;
	r->st.acks += r->measuring;
	cpu_charge(c, COST_DOORBELL);
	cpu_sync(c);
	rx_card_transmit(a, c->now);
}

/* ---- polling ---- */

/* The packet goes to its flow's socket and keeps its pages until it has been read. */
static void hand_up(struct rx_queue *q, uint64_t n)
{
	const struct rx_slot *slot = &q->slots[n % q->r->p.ring];
	struct rx_unread u = {.hole = slot->hole};
	uint64_t left = q->r->frame;

	while (left) {
		struct rx_part part = rx_packet_part(q, n, left);

		left -= part.bytes;
		u.page = q->pages[part.page];
		u.last = !left;
		rx_flow_receive(slot->flow, &u);
	}
}

static void handle(struct rx_queue *q, struct cpu *c)
{
	struct rx_ring *r = q->r;

	cpu_spend(c, r->p.packet_cost);
	if (r->readers)
		hand_up(q, q->handled);
	q->handled++;
	q->acks += r->p.ack_rate;
	while (q->acks >= 1) {
		q->acks -= 1;
		send_ack(q, c);
	}
	if (q->handled % r->batch_packets == 0) {
		if (!r->p.recycle)
			release_batch(q, (q->handled / r->batch_packets - 1) % q->nbatches);
		if (r->bulk == 1)
			refill(q);
	}
	cpu_sync(c);
}

static void again(struct event *ev, sim_time_t now)
{
	struct rx_queue *q = container_of(ev, struct rx_queue, again);

	q->repeats = false;
	if (q->scheduled)
		return;
	q->scheduled = true;
	cpu_post(q->cpu, &q->napi, now);
}

/*
 * A poll that could not refill is repeated (mlx5e_napi_poll() in en_txrx.c of Linux): no packet might come
 * to a ring without buffers. Not before the next packet's time, so that time passes in counts too.
 */
static void poll_again(struct rx_queue *q, struct cpu *c)
{
	struct sim *s = &q->r->base.m->sim;

	if (q->repeats || !rx_card_sends(q->r))
		return;
	q->repeats = true;
	q->again = (struct event){.fn = again, .priority = EVENT_HARDWARE};
	sim_schedule(s, &q->again, MAX(c->now, s->now) + MAX(q->r->interval, 1));
}

void rx_driver_poll(struct cpu_work *w, struct cpu *c)
{
	struct rx_queue *q = container_of(w, struct rx_queue, napi);
	struct rx_ring *r = q->r;

	reclaim_acks(q);
	for (unsigned n = 0; n < POLL_BUDGET; n++) {
		sim_time_t ready;

		if (q->handled == q->next) {
			q->scheduled = false;
			break;
		}
		ready = q->slots[q->handled % r->p.ring].ready;
		if (ready > c->now) {
			cpu_post(c, w, ready);
			break;
		}
		handle(q, c);
		if (n + 1 == POLL_BUDGET)
			cpu_post(c, w, c->now);
	}
	if (r->bulk > 1 || q->starved)
		refill(q);
	if (q->starved)
		poll_again(q, c);
	/* Readers run between two polls. */
	if (r->readers)
		for (uint64_t i = (uint64_t)(q - r->queues); i < r->p.flows; i += r->p.cores)
			rx_flow_wake(&r->flows[i], c);
}

/* ---- life ---- */

/* Large rings are page by page, as mlx5_frag_buf_alloc_node() has them. */
static bool coherent(struct rx_ring *r, struct rx_coherent *c, uint64_t bytes)
{
	uint64_t n = div_round_up(bytes, PAGE_SIZE);

	c->pages = g_malloc0_n(n, sizeof(*c->pages));
	for (c->npages = 0; c->npages < n; c->npages++) {
		c->pages[c->npages].phys = dma_alloc_coherent(r->base.dev, PAGE_SIZE,
							      &c->pages[c->npages].addr);
		if (!c->pages[c->npages].phys)
			return false;
	}
	return true;
}

static void coherent_free(struct rx_ring *r, struct rx_coherent *c)
{
	for (uint64_t i = 0; i < c->npages; i++)
		dma_free_coherent(r->base.dev, PAGE_SIZE, c->pages[i].phys, c->pages[i].addr);
	g_free(c->pages);
}

void rx_driver_age(struct rx_ring *r)
{
	uint64_t each = r->queues->npages, n = each * r->p.cores;

	if (r->linked)
		return; /* their ranges are too large for the caches that mix them */
	for (uint64_t i = n - 1; i; i--) {
		uint64_t k = rng_below(&r->rng, i + 1);
		struct rx_page **a = &r->queues[i / each].pages[i % each];
		struct rx_page **b = &r->queues[k / each].pages[k % each], *page = *a;

		*a = *b;
		*b = page;
	}
}

bool rx_driver_setup(struct rx_queue *q)
{
	struct rx_ring *r = q->r;
	/* One completion per packet; where packets lie end to end, room for one per step. */
	uint64_t completions = r->p.stride ? q->npages * r->p.page / r->p.stride : r->p.ring;

	if (!coherent(r, &q->descriptors, q->npages * 16) ||
	    !coherent(r, &q->completions, completions * 64) || !coherent(r, &q->entries, q->nbatches * 32) ||
	    !coherent(r, &q->post_completions, q->nbatches * 16 * 64) ||
	    !coherent(r, &q->tx_descriptors, 1024 * 64) || !coherent(r, &q->tx_completions, 1024 * 64))
		return false;
	for (uint64_t b = 0; b < q->nbatches; b++) {
		if (!map_batch(q, b))
			return false;
		q->posted += r->batch_packets;
	}
	return true;
}

void rx_driver_teardown(struct rx_queue *q)
{
	uint64_t first, posted = q->posted / q->r->batch_packets;

	reclaim_acks(q);
	/* What has been handled was released, unless pages stay where they are. */
	first = q->r->p.recycle ? posted - MIN(posted, q->nbatches) : q->handled / q->r->batch_packets;
	for (uint64_t n = first; n < posted; n++)
		release_batch(q, n % q->nbatches);
	while (q->ncached)
		unmap_page(q, q->cache[(q->first_cached + --q->ncached) % q->r->p.page_cache]);
	coherent_free(q->r, &q->descriptors);
	coherent_free(q->r, &q->completions);
	coherent_free(q->r, &q->entries);
	coherent_free(q->r, &q->post_completions);
	coherent_free(q->r, &q->tx_descriptors);
	coherent_free(q->r, &q->tx_completions);
	while (q->free) {
		struct rx_page *page = q->free;

		q->free = page->next_free;
		g_free(page);
	}
}
