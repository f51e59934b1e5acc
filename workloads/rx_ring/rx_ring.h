/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receive rings of a network card: what the card's side and the driver's side share. */
#ifndef DMASIM_RX_RING_H
#define DMASIM_RX_RING_H

#include "workloads/load.h"

struct rx_ring_params {
	uint64_t cores, flows, ring, mtu, buffer, stride, batch, packets, warm_up, segment, nic_buffer;
	uint64_t page, page_cache, window;
	double offered, ack_rate, loss, copy_rate;
	sim_time_t packet_cost, ack_cost, rtt, timeout;
	bool recycle, paced, aged;
};

struct rx_ring_stats {
	uint64_t packets, dropped, lost, bytes, acks, refills, failed;
	uint64_t pages; /* 4 KiB of received data, rounded down at the end */
	/* translation while the measurement ran */
	uint64_t walks, misses_512g, misses_1g, misses_2m, memory_reads;
	sim_time_t map, unmap, elapsed;
	uint64_t maps, unmaps;
};

struct rx_page {
	phys_addr_t phys;
	dma_addr_t addr;
	uint32_t users; /* packets in it that nobody has read yet */
	bool gone;      /* unmapped, and no longer the driver's */
	struct rx_page *next_free;
};

/* A ring of messages that the card only reads or writes: descriptors, completions; page by page. */
struct rx_coherent {
	struct {
		phys_addr_t phys;
		dma_addr_t addr;
	} * pages;
	uint64_t npages, at;
};

/* One connection's data that waits for the application, which runs on the ring's CPU. */
struct rx_flow {
	struct cpu_work reader;
	struct rx_queue *q;
	bool scheduled;
	struct rx_unread {
		struct rx_page *page;
		sim_time_t hole; /* when what was lost before it has arrived */
		bool last;       /* of its packet */
	} * unread;
	uint64_t size, first, nunread; /* a ring, a power of two large */
	uint64_t packets;              /* sent and not yet read */
	sim_time_t hole;               /* of the next packet */
};

#define RX_ACKS 256u
#define RX_ACK_BYTES 128u
struct rx_queue {
	struct rx_ring *r;
	struct cpu *cpu;
	struct cpu_work napi;
	bool scheduled;
	bool starved, repeats; /* the last refill failed; again is scheduled */
	struct event again;
	struct rx_page **pages, *free;
	/* pages that stay mapped and wait for their last reader, first in, first out */
	struct rx_page **cache;
	uint64_t first_cached, ncached;
	struct dma_iova_state *states; /* per batch, linked ranges */
	uint64_t npages, nbatches;
	uint64_t next;    /* packet that the card fills next */
	uint64_t handled; /* packets that the driver has taken */
	uint64_t posted;  /* packets for which there are buffers */
	struct rx_slot {
		sim_time_t ready; /* when its completion is in memory */
		sim_time_t hole;  /* when what its flow lost before it has arrived */
		struct rx_flow *flow;
	} * slots; /* per packet in the ring */
	struct rx_coherent descriptors, completions, tx_descriptors, tx_completions;
	struct rx_coherent entries, post_completions; /* of descriptors that hold several packets */
	double acks;                                  /* owed */
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
	struct load base;
	struct rx_ring_params p;
	struct rx_ring_stats st;
	struct rx_queue *queues;
	/* A buffer is whole pages and a tail; the tails of a group of packets share one page. */
	uint64_t full, tail, group_packets, group_pages;
	/* Or packets lie end to end in the pages of a batch, so many bytes and packets. */
	uint64_t frame, headroom, step, batch_packets, nbatches, bulk;
	uint64_t places; /* for made-up pages, of each ring */
	struct rx_flow *flows;
	bool linked, readers;
	struct rng rng;
	/* the card */
	struct event arrival;
	sim_time_t interval, arrived, nic_free, copy;
	uint64_t sent, flow, burst, burst_left;
	bool measuring;
	sim_time_t begin;
	struct rx_ring_stats before;
	double lost, lost_twice; /* owed */
};

/* A batch or an acknowledgement that could not be mapped; an access that failed. */
static inline void rx_ring_refused(struct rx_ring *r)
{
	r->st.failed++;
	machine_io_refused(r->base.m);
}
static inline void rx_ring_failed(struct rx_ring *r)
{
	r->st.failed++;
	machine_io_failed(r->base.m);
}

/* card.c */
void rx_card_start(struct rx_ring *r);
bool rx_card_sends(const struct rx_ring *r); /* packets are still to come */
/* The driver rings the doorbell for one acknowledgement at the CPU's time. */
void rx_card_transmit(struct rx_ack *a, sim_time_t when);

/* driver.c */
bool rx_driver_setup(struct rx_queue *q);
/* Mix the rings' pages, whose addresses long traffic passes from ring to ring. */
void rx_driver_age(struct rx_ring *r);
void rx_driver_teardown(struct rx_queue *q);
void rx_driver_poll(struct cpu_work *w, struct cpu *c);

/* flow.c: what happens to a packet between the driver and the application */
void rx_flow_receive(struct rx_flow *f, const struct rx_unread *u);
void rx_flow_wake(struct rx_flow *f, struct cpu *c);
void rx_flow_read(struct cpu_work *w, struct cpu *c);
void rx_page_put(struct rx_queue *q, struct rx_page *page);

struct rx_part {
	uint64_t page; /* of the ring's */
	uint64_t offset, bytes;
};
/* The next part of a packet of which left bytes are still to come; n: the packet's number in its ring. */
struct rx_part rx_packet_part(const struct rx_queue *q, uint64_t n, uint64_t left);

#endif
