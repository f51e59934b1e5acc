/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receive rings of a network card: what the card's side and the driver's side share. */
#ifndef DMASIM_RX_RING_H
#define DMASIM_RX_RING_H

#include <dmasim/cpu.h>
#include <dmasim/workload.h>

struct rx_ring_params {
	uint64_t cores, flows, ring, mtu, buffer, batch, packets, warm_up, segment, nic_buffer;
	double offered, ack_rate;
	sim_time_t packet_cost, ack_cost;
	bool recycle;
};

struct rx_ring_stats {
	uint64_t packets, dropped, bytes, acks, refills, failed;
	uint64_t pages; /* 4 KiB of received data, rounded down at the end */
	/* translation while the measurement ran */
	uint64_t walks, misses_512g, misses_1g, misses_2m, memory_reads;
	sim_time_t map, unmap, busy, elapsed;
	uint64_t maps, unmaps;
};

struct rx_page {
	phys_addr_t phys;
	dma_addr_t addr;
};

/* One page of messages that the card only reads or writes: descriptors, completions. */
struct rx_coherent {
	phys_addr_t phys;
	dma_addr_t addr;
	uint64_t bytes, at;
};

#define RX_ACKS 256u
#define RX_ACK_BYTES 128u
struct rx_queue {
	struct rx_ring *r;
	struct cpu *cpu;
	struct cpu_work napi;
	bool scheduled;
	struct rx_page *pages;
	struct dma_iova_state *states; /* per batch, linked ranges */
	uint64_t npages, nbatches;
	uint64_t next;     /* packet that the card fills next */
	uint64_t handled;  /* packets that the driver has taken */
	uint64_t posted;   /* packets for which there are buffers */
	sim_time_t *ready; /* per ring slot: when its completion is in memory */
	struct rx_coherent descriptors, completions, tx_descriptors, tx_completions;
	double acks; /* owed */
	struct rx_ack {
		struct event ev;
		struct rx_queue *q;
		dma_addr_t addr;
		enum { ACK_DESCRIPTOR, ACK_DATA, ACK_COMPLETION, ACK_DONE } stage;
	} sent[RX_ACKS]; /* not yet reclaimed: a ring */
	unsigned first_ack, nacks;
	uint64_t frames; /* made-up physical pages handed out */
	phys_addr_t base;
};

struct rx_ring {
	struct workload base;
	struct machine *m;
	struct device *dev;
	const struct dma_api *api;
	struct rx_ring_params p;
	struct rx_ring_stats st;
	struct rx_queue *queues;
	/* A buffer is whole pages and a tail; the tails of a group of packets share one page. */
	uint64_t full, tail, group_packets, group_pages;
	bool linked;
	struct rng rng;
	/* the card */
	struct event arrival;
	sim_time_t interval, arrived, nic_free;
	uint64_t sent, flow, burst_left;
	bool measuring;
	sim_time_t begin;
	struct rx_ring_stats before;
	double row[16];
};

/* card.c */
void rx_card_start(struct rx_ring *r);
/* The driver rings the doorbell for one acknowledgement at the CPU's time. */
void rx_card_transmit(struct rx_ack *a, sim_time_t when);

/* driver.c */
bool rx_driver_setup(struct rx_queue *q);
void rx_driver_teardown(struct rx_queue *q);
void rx_driver_poll(struct cpu_work *w, struct cpu *c);

static inline uint64_t rx_batch_packets(const struct rx_ring *r)
{
	return r->p.batch / r->group_pages * r->group_packets;
}

#endif
