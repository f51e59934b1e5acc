/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a packet's fragments lie. send() copies into the task's page fragment, chunks of 32 KiB that all
 * sockets of the task fill in turn (sk_page_frag_refill, tcp_sendmsg_locked); what directly follows the last
 * fragment of a packet grows it. sendfile() hands over pages of a file, which a packet leaves in the middle
 * where it is full, and the next one begins there.
 *
 * Nobody looks at the contents, so addresses are made up; chunks and pages of a running system are no
 * neighbours, so they are spread.
 */
#include "tso.h"

#define CHUNK (32 * KIB) /* SKB_FRAG_PAGE_ORDER */
#define HEADROOM 320u    /* MAX_TCP_HEADER, rounded as the allocator does */

enum { AREA_DATA, AREA_HEADS };

static phys_addr_t place(unsigned area, uint64_t i, uint64_t size)
{
	return 8 * GIB + area * 1024 * GIB + i * 40503 % 65536 * 2 * size;
}

void tso_stream_init(struct tso_stream *s, const struct tso_params *p)
{
	*s = (struct tso_stream){
	    .p = p, .sockets = g_new0(struct tso_socket, p->sockets), .chunk_used = CHUNK};
}

void tso_stream_fini(struct tso_stream *s)
{
	g_free(s->sockets);
}

/* Whether len more bytes at phys fit in without a fragment more; else they need one. */
static bool joins(const struct tso_socket *k, phys_addr_t phys)
{
	return k->n && k->frags[k->n - 1].paddr + k->frags[k->n - 1].len == phys;
}

static void add(struct tso_socket *k, phys_addr_t phys, uint64_t len)
{
	if (joins(k, phys))
		k->frags[k->n - 1].len += (uint32_t)len;
	else
		k->frags[k->n++] = (struct phys_vec){phys, (uint32_t)len};
	k->bytes += len;
}

/* Where the next byte lies, and how far it goes on there. */
static phys_addr_t next_bytes(struct tso_stream *s, struct tso_socket *k, uint64_t *room)
{
	const struct tso_params *p = s->p;

	if (p->source == TSO_SENDFILE) {
		uint64_t at = k->file % p->folio, page = k->file / p->folio;

		*room = p->folio - at;
		return place(AREA_DATA, page * p->sockets + (uint64_t)(k - s->sockets), p->folio) + at;
	}
	if (s->chunk_used == CHUNK) {
		s->chunk++;
		s->chunk_used = 0;
	}
	*room = CHUNK - s->chunk_used;
	return place(AREA_DATA, s->chunk, CHUNK) + s->chunk_used;
}

static unsigned emit(struct tso_stream *s, struct tso_socket *k, struct phys_vec regions[TSO_MAX_REGIONS])
{
	unsigned n = 0;

	if (s->p->linear)
		regions[n++] = (struct phys_vec){place(AREA_HEADS, s->heads++, PAGE_SIZE) + HEADROOM,
						 (uint32_t)s->p->linear};
	for (unsigned i = 0; i < k->n; i++)
		regions[n++] = k->frags[i];
	k->n = 0;
	k->bytes = 0;
	return n;
}

unsigned tso_stream_next(struct tso_stream *s, struct phys_vec regions[TSO_MAX_REGIONS])
{
	const struct tso_params *p = s->p;
	uint64_t payload = p->bytes - p->linear;

	for (;;) {
		struct tso_socket *k = &s->sockets[s->turn];
		uint64_t room, len;
		phys_addr_t phys;

		if (!s->left)
			s->left = p->write_bytes;
		phys = next_bytes(s, k, &room);
		if (k->bytes == payload || (k->n == TSO_MAX_FRAGS && !joins(k, phys)))
			return emit(s, k, regions);
		len = MIN(MIN(room, s->left), payload - k->bytes);
		add(k, phys, len);
		if (p->source == TSO_SENDFILE)
			k->file += len;
		else
			s->chunk_used += len;
		s->left -= len;
		if (!s->left)
			s->turn = (s->turn + 1) % p->sockets;
	}
}

/* ---- segments ---- */

bool tso_for_pieces(struct dma_object *obj, const struct phys_vec *vec, unsigned n, tso_piece_fn fn)
{
	uint64_t mss = tso_packet(obj)->p->mss, left = mss;

	for (unsigned i = 0; i < n; i++)
		for (uint64_t at = 0, len; at < vec[i].len; at += len) {
			len = MIN(left, vec[i].len - at);
			if (!fn(obj, vec[i].paddr + at, len))
				return false;
			left = left == len ? mss : left - len;
		}
	return true;
}
