/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the data of a record lie: the vectors it carries, or a buffer of the machine's own memory or of
 * a peer, which stands for an application's buffer and is used again.
 */
#include "io.h"

#include <dmasim/p2pdma.h>
#include <inttypes.h>

static void vecs_reserve(struct nvme_io *io, unsigned n)
{
	if (n <= io->room)
		return;
	io->room = MAX(n, 2 * io->room);
	io->vecs = g_renew(struct phys_vec, io->vecs, io->room);
}

/* Memory for a record without vectors: an application's buffer, kept and used again. */
static RARE bool lay_out(struct nvme_io *io, uint64_t bytes)
{
	struct nvme_dev *d = io->queue->dev;
	struct memory *mem = io->w->base.m->memory;
	unsigned max = (unsigned)div_round_up(bytes, PAGE_SIZE) + 1;

	if (bytes <= io->buffer_bytes && io->buffer_node == d->base.dev->node)
		return true;
	if (io->nbuffer)
		memory_release(mem, io->buffer, io->nbuffer);
	io->nbuffer = 0;
	io->buffer_bytes = 0;
	if (max > io->buffer_room) {
		io->buffer_room = max;
		io->buffer = g_renew(struct phys_vec, io->buffer, max);
	}
	io->nbuffer = memory_lay_out(mem, &d->rng, d->base.dev->node, 0, bytes, io->buffer, max);
	if (io->nbuffer == 0)
		return false;
	io->buffer_bytes = bytes;
	io->buffer_node = d->base.dev->node;
	return true;
}

static bool use_buffer(struct nvme_io *io, uint64_t bytes)
{
	const struct blk_limits *lim = &io->queue->dev->limits;
	unsigned i = 0;

	if (bytes == io->buffer_vecs_bytes && io->buffer_node == io->queue->dev->base.dev->node &&
	    io->buffer_limits == lim) {
		io->nvecs = io->buffer_nvecs; /* as last time */
		return true;
	}
	if (!lay_out(io, bytes))
		return false;
	io->buffer_limits = lim;
	io->buffer_vecs_bytes = bytes;
	vecs_reserve(io, io->nbuffer);
	io->nvecs = 0;
	while (bytes) {
		struct phys_vec piece = io->buffer[i++];

		piece.len = (uint32_t)MIN(piece.len, bytes);
		io->nvecs = blk_add_pieces(lim, io->vecs, io->nvecs, &piece, 1);
		bytes -= piece.len;
	}
	io->buffer_nvecs = io->nvecs;
	return true;
}

static bool use_segments(struct nvme_io *io, const struct trace_record *rec, GError **error)
{
	uint64_t sum = 0;

	io->buffer_vecs_bytes = 0;
	for (unsigned i = 0; i < rec->nsegs; i++)
		sum += rec->segs[i].len;
	if (sum != rec->nvme.bytes) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "record at %" PRIu64 ": the segments hold %" PRIu64 " bytes, the request %" PRIu64
			    ": make them equal",
			    rec->where, sum, rec->nvme.bytes);
		return false;
	}
	for (unsigned i = 0; i < rec->nsegs; i++) {
		bool peer = rec->segs[i].kind != MEMORY_RAM;

		if (peer && !nvme_is_peer(io->w, rec->segs[i].phys)) {
			g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
				    "record at %" PRIu64 ": segment %u lies in no BAR (0x%" PRIx64
				    "): describe the peer's in pcie.topology",
				    rec->where, i, rec->segs[i].phys);
			return false;
		}
	}
	vecs_reserve(io, rec->nsegs);
	io->nvecs = blk_add_segments(&io->queue->dev->limits, io->vecs, 0, rec->segs, rec->nsegs);
	return true;
}

/* Whether this record's data lie in peer memory. */
static bool use_peer(struct nvme_io *io)
{
	struct nvme_dev *d = io->queue->dev;

	return d->provider && io->op <= NVME_OP_WRITE && rng_double(&d->rng) < io->w->params.p2p_share;
}

/* The same for peer memory: pages of the provider, contiguous, kept and used again. */
static RARE bool use_peer_memory(struct nvme_io *io, uint64_t bytes)
{
	struct pcie_node *provider = io->queue->dev->provider;

	if (bytes > io->peer_bytes || io->peer_provider != provider) {
		if (io->peer)
			pci_free_p2pmem(io->peer_provider, io->peer, io->peer_bytes);
		io->peer_provider = provider;
		io->peer = pci_alloc_p2pmem(provider, bytes);
		io->peer_bytes = io->peer ? bytes : 0;
	}
	io->buffer_vecs_bytes = 0;
	if (!io->peer)
		return false;
	vecs_reserve(io, (unsigned)div_round_up(bytes, PAGE_SIZE));
	io->nvecs = 0;
	for (uint64_t at = 0; at < bytes; at += PAGE_SIZE) {
		struct phys_vec piece = {io->peer + at, (uint32_t)MIN(PAGE_SIZE, bytes - at)};

		io->nvecs = blk_add_pieces(&io->queue->dev->limits, io->vecs, io->nvecs, &piece, 1);
	}
	return true;
}

void nvme_io_drop_buffers(struct nvme_io *io)
{
	if (io->nbuffer)
		memory_release(io->w->base.m->memory, io->buffer, io->nbuffer);
	if (io->peer)
		pci_free_p2pmem(io->peer_provider, io->peer, io->peer_bytes);
	g_free(io->buffer);
}

bool nvme_io_vectors(struct nvme_io *io, const struct trace_record *rec, GError **error)
{
	uint64_t bytes = rec->nvme.op == NVME_OP_DISCARD ? DSM_PAYLOAD_BYTES : io->bytes;

	if (bytes == 0) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "record at %" PRIu64
			    ": a read or write of 0 bytes: want at least one logical block",
			    rec->where);
		return false;
	}
	if (bytes > UINT32_MAX) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "record at %" PRIu64 ": %" PRIu64
			    " bytes in one request: want less than 4 GiB, as any system call does",
			    rec->where, bytes);
		return false;
	}
	if (rec->nsegs && (bytes & (io->w->params.block_size - 1))) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "record at %" PRIu64 ": %" PRIu64
			    " bytes are no whole number of logical blocks: see nvme.block_size",
			    rec->where, bytes);
		return false;
	}
	if (rec->nsegs && rec->nvme.op != NVME_OP_DISCARD)
		return use_segments(io, rec, error);
	if (use_peer(io) ? !use_peer_memory(io, bytes) : !use_buffer(io, bytes)) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "record at %" PRIu64 ": no memory for a buffer of %" PRIu64
			    " bytes: raise memory.size (nvme.cmb for peer memory) or lower nvme.queue_depth",
			    rec->where, bytes);
		return false;
	}
	return true;
}
