/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Software segmentation offload: what the workload's files share (net/core/tso.c). */
#ifndef DMASIM_TSO_H
#define DMASIM_TSO_H

#include "workloads/load.h"

#define TSO_MAX_FRAGS 17u /* MAX_SKB_FRAGS */
#define TSO_MAX_REGIONS (1 + TSO_MAX_FRAGS)

enum tso_source { TSO_SEND, TSO_SENDFILE };
enum tso_before { TSO_PIECES, TSO_FRAGMENTS };

struct tso_params {
	uint64_t packets, bytes, mss, linear, write_bytes, folio, sockets, depth;
	int source, before;
};

struct tso_stats {
	uint64_t packets, regions, segments, descriptors, mappings, windows, fallbacks, links;
	uint64_t starts_inside, ends_inside; /* regions that no window can hold */
	sim_time_t map_time, unmap_time;
};

/* A large packet on its way: what it consists of behind its header. */
struct tso_packet {
	struct dma_object obj;
	const struct tso_params *p;
	struct tso_stats *st;
	struct phys_vec regions[TSO_MAX_REGIONS];
	unsigned n, descriptors;
	sim_time_t start, done;
	bool busy, failed;
};

static inline struct tso_packet *tso_packet(struct dma_object *obj)
{
	return container_of(obj, struct tso_packet, obj);
}

/* source.c: packets as TCP makes them of what applications hand over. */
struct tso_socket {
	struct phys_vec frags[TSO_MAX_FRAGS];
	unsigned n;
	uint64_t bytes; /* of the packet that is being filled */
	uint64_t file;  /* TSO_SENDFILE: the next byte of its file */
};
struct tso_stream {
	const struct tso_params *p;
	struct tso_socket *sockets;
	uint64_t turn, left;        /* whose write is under way, and how much of it is left */
	uint64_t chunk, chunk_used; /* of the task's page fragment: made-up chunks handed out, bytes used */
	uint64_t heads;             /* packet heads handed out */
};
void tso_stream_init(struct tso_stream *s, const struct tso_params *p);
void tso_stream_fini(struct tso_stream *s);
/* The next full packet's regions; returns how many. */
unsigned tso_stream_next(struct tso_stream *s, struct phys_vec regions[TSO_MAX_REGIONS]);

/* Call fn for each part of the regions that lies in one segment. false as soon as fn says so. */
typedef bool (*tso_piece_fn)(struct dma_object *obj, phys_addr_t phys, uint64_t len);
bool tso_for_pieces(struct dma_object *obj, const struct phys_vec *vec, unsigned n, tso_piece_fn fn);

#endif
