/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What opens and what ends a call differs between kernels: tracepoints of the group dma come after a
 * mapping and after an unmapping, but before dma_unmap_sg and dma_free; probes come at the entry. A call
 * that nothing ends (scatter lists and coherent memory on 6.1) ends where its context does the next thing.
 */
#include "internal.h"

#include <string.h>

static struct replay_op *current(struct builder *b, struct context *c)
{
	return c->cur ? operations_at(b->o, c->cur - 1) : NULL;
}

static bool is_map(const struct replay_op *op)
{
	return op && (op->kind <= REPLAY_LINK || op->kind == REPLAY_GIVEN_MAP);
}

static bool is_unmap(const struct replay_op *op)
{
	return op &&
	       ((op->kind >= REPLAY_UNLINK && op->kind <= REPLAY_FREE) || op->kind == REPLAY_GIVEN_UNMAP);
}

/* ---- opening, extending, closing ---- */

static uint64_t runs_size(const struct context *c)
{
	uint64_t size = 0;

	for (unsigned i = 0; i < c->runs->len; i++)
		size += g_array_index(c->runs, struct run, i).size;
	return size;
}

static const struct run *first_run(const struct context *c)
{
	return c->runs->len ? &g_array_index(c->runs, struct run, 0) : NULL;
}

void operations_close(struct builder *b, struct context *c)
{
	struct replay_op *op = current(b, c);
	const struct run *run = first_run(c);

	if (!op)
		return;
	c->cur = 0;
	if (op->kind == REPLAY_MAP && !c->named) {
		/* Coherent memory of a kernel without that tracepoint. */
		op->kind = REPLAY_ALLOC;
		op->guessed = true;
		op->size = c->pages ? c->pages << PAGE_SHIFT : runs_size(c);
	}
	if (op->kind == REPLAY_MAP_SG && !op->out_addrs.count && !op->complete) {
		operations_sg_from_runs(b, op, c, (uint32_t)op->size);
		op->size = runs_size(c);
	} else if (op->kind == REPLAY_MAP_SG && c->runs->len) {
		operations_sg_from_addresses(b, op, c);
	} else if (op->kind == REPLAY_MAP_SG) {
		operations_sg_from_outputs(op);
	}
	if (op->kind == REPLAY_ALLOC)
		operations_runs_to_vectors(b, op, c);
	if (is_map(op) && run && op->kind != REPLAY_LINK) {
		if (!op->addr)
			op->addr = run->iova;
		if (op->kind == REPLAY_MAP && !op->phys)
			op->phys = run->phys | (op->addr & (PAGE_SIZE - 1));
	}
	if (op->kind == REPLAY_MAP && !op->size) /* its beginning is missing */
		op->size = runs_size(c) - (op->addr & (PAGE_SIZE - 1));
	if (op->kind == REPLAY_MAP && !op->phys && !run)
		op->phys = op->addr; /* direct mapping, address not recorded otherwise */
	if (op->kind == REPLAY_UNMAP && !c->named)
		op->guessed = true;
}

static struct replay_op *open_op(struct builder *b, struct context *c, const struct recording_event *e,
				 enum replay_kind kind)
{
	struct replay_op op = {.kind = (uint8_t)kind, .cpu = e->cpu, .context = c->id, .device = e->device};

	operations_close(b, c);
	op.opening = c->first || b->r->lost;
	g_array_append_val(b->o->ops, op);
	c->cur = b->o->ops->len;
	c->allocated = c->returned = c->mapped = c->unmapped = c->named = c->flushed_np = false;
	c->pages = PAGES_UNKNOWN;
	g_array_set_size(c->runs, 0);
	return operations_at(b->o, c->cur - 1);
}

/*
 * An operation that opens with an event from a call's middle or end: the recording began inside the call, or
 * has lost its beginning. Elsewhere it is a contradiction.
 */
static struct replay_op *open_cut(struct builder *b, struct context *c, const struct recording_event *e,
				  enum replay_kind kind)
{
	struct replay_op *op = current(b, c);

	/* The rest of what is cut already. */
	if (op && op->cut && op->kind == REPLAY_STRAY) {
		op->kind = (uint8_t)kind;
		return op;
	}
	op = open_op(b, c, e, kind);
	op->cut = op->opening;
	return op;
}

/* The event that ends a call stands alone where nothing is translated. */
static struct replay_op *open_end(struct builder *b, struct context *c, const struct recording_event *e,
				  enum replay_kind kind)
{
	return b->o->has_iommu ? open_cut(b, c, e, kind) : open_op(b, c, e, kind);
}

static void take_iova(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op = current(b, c);

	if (e->kind == REC_IOVA_ALLOC) {
		if (!op || !is_map(op) || c->allocated || c->mapped)
			op = open_op(b, c, e, REPLAY_MAP);
		c->allocated = true;
		c->pages = e->iova.pages;
		return;
	}
	if (!is_map(op) || c->returned || c->mapped) {
		op = open_cut(b, c, e, REPLAY_MAP);
	}
	c->allocated = true;
	if (e->kind == REC_IOVA_TREE_ALLOC) {
		op->tree = true;
		if (!c->pages)
			c->pages = e->iova.pages;
	} else {
		op->pfn = e->iova.pfn;
		c->returned = true;
	}
}

/* Translation events alone: no driver asked the DMA API, so no allocator chose the addresses. */
static bool addresses_given(const struct builder *b)
{
	return !b->o->has_calls && !b->o->has_probes;
}

static void take_map(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct run run = {e->map.iova, e->map.phys, e->map.size};
	struct replay_op *op = current(b, c);

	if (addresses_given(b)) {
		op = open_op(b, c, e, REPLAY_GIVEN_MAP);
		op->addr = e->map.iova;
		op->phys = e->map.phys;
		op->size = e->map.size;
		c->mapped = true;
		return;
	}
	if (!is_map(op) || op->kind == REPLAY_TRY_ALLOC) {
		op = b->o->has_probes ? open_cut(b, c, e, REPLAY_MAP) : open_op(b, c, e, REPLAY_MAP);
	}
	c->mapped = true;
	g_array_append_val(c->runs, run);
}

static void end_map(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op = current(b, c);

	/* A mapping that is not open any more, or none at all: the direct path. */
	if (!op || op->kind != REPLAY_MAP)
		op = open_end(b, c, e, REPLAY_MAP);
	c->named = true;
	op->device = e->device;
	op->dir = e->dma.dir;
	op->addr = e->dma.addr;
	op->complete = true;
	if (e->kind == REC_DMA_MAP) {
		op->phys = e->dma.phys;
		op->size = e->dma.size;
		op->attrs = e->dma.attrs;
	}
}

/* Not translated: memory of a peer by its bus address. */
static bool is_direct_list(const struct builder *b, const struct recording_event *e)
{
	return e->sg.addrs.count && e->sg.phys.count &&
	       *recording_list(b->r, e->sg.addrs) == *recording_list(b->r, e->sg.phys);
}

static void end_map_sg(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op = current(b, c);

	if (!op || op->kind != REPLAY_MAP)
		op = is_direct_list(b, e) ? open_op(b, c, e, REPLAY_MAP) : open_end(b, c, e, REPLAY_MAP);
	c->named = true;
	op->kind = REPLAY_MAP_SG;
	op->complete = true;
	op->device = e->device;
	op->dir = e->sg.dir;
	op->attrs = e->sg.attrs;
	op->vectors = e->sg.phys;
	op->out_addrs = e->sg.addrs;
	op->out_lens = e->sg.lens;
	op->addr = e->sg.addrs.count ? *recording_list(b->r, e->sg.addrs) : 0;
	op->nents = e->sg.full_nents;
}

static void end_alloc(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op = current(b, c);

	if (!op || op->kind != REPLAY_MAP)
		op = open_end(b, c, e, REPLAY_ALLOC);
	c->named = true;
	op->kind = REPLAY_ALLOC;
	op->complete = true;
	op->device = e->device;
	op->addr = e->dma.addr;
	op->size = e->dma.size;
	op->attrs = e->dma.attrs;
}

/* The range that a call of the two-step interface works on, and how. */
static void take_api(struct replay_op *op, const struct recording_event *e)
{
	op->state = e->api.state;
	op->attrs = e->api.attrs;
	if (e->api.dir != DMA_NONE)
		op->dir = e->api.dir;
}

/* Since 7.3 dma_iova_destroy calls dma_iova_unlink and dma_iova_free, whose probes show inside of it. */
static bool inside_destroy(const struct replay_op *op, const struct recording_event *e)
{
	return op && op->kind == REPLAY_DESTROY && (e->kind == REC_UNLINK || e->kind == REC_API_FREE) &&
	       e->api.state && e->api.state == op->state;
}

static void open_unmap(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op;

	switch (e->kind) {
	case REC_DMA_UNMAP_ENTER:
		op = open_op(b, c, e, REPLAY_UNMAP);
		op->addr = e->dma.addr;
		op->size = e->dma.size;
		op->dir = e->dma.dir;
		c->named = true;
		break;
	case REC_DMA_UNMAP_SG:
		op = open_op(b, c, e, REPLAY_UNMAP_SG);
		op->dir = e->sg.dir;
		op->vectors = e->sg.phys;
		op->size = e->sg.full_nents;
		break;
	case REC_DMA_FREE:
		op = open_op(b, c, e, REPLAY_FREE);
		op->addr = e->dma.addr;
		op->size = e->dma.size;
		break;
	case REC_UNLINK:
		op = open_op(b, c, e, REPLAY_UNLINK);
		take_api(op, e);
		op->offset = e->api.offset;
		op->size = e->api.size;
		break;
	case REC_DESTROY:
		op = open_op(b, c, e, REPLAY_DESTROY);
		take_api(op, e);
		op->size = e->api.size;
		break;
	default:
		take_api(open_op(b, c, e, REPLAY_API_FREE), e);
	}
}

static void take_unmap(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op = current(b, c);

	if (!is_unmap(op) || c->unmapped || op->kind == REPLAY_API_FREE)
		op = open_op(b, c, e, addresses_given(b) ? REPLAY_GIVEN_UNMAP : REPLAY_UNMAP);
	c->unmapped = true;
	if (!op->addr)
		op->addr = e->map.iova;
	if (!op->size || op->kind == REPLAY_UNMAP_SG)
		op->size = e->map.size;
}

static void end_unmap(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op = current(b, c);

	/* The recording began between the unmapping and the flush of the ring that it filled. */
	if (op && op->kind == REPLAY_FLUSH_TIMER && op->opening) {
		op->kind = REPLAY_UNMAP;
		op->cut = true;
	}
	/* After the work; where nothing was to be done (direct path) it stands alone. */
	if (!op || op->kind != REPLAY_UNMAP || c->named)
		op = open_end(b, c, e, REPLAY_UNMAP);
	c->named = true;
	op->complete = true;
	op->device = e->device;
	op->addr = e->dma.addr;
	op->size = e->dma.size;
	op->dir = e->dma.dir;
	op->attrs = e->dma.attrs;
}

/* Interrupt entry, context and PASID cache descriptors are not the DMA layer's. */
static bool qi_is_tlb(const struct recording_event *e)
{
	switch (e->qi.qw0 & 15) {
	case QI_IOTLB:
	case QI_DEV_TLB:
	case QI_P_IOTLB:
	case QI_P_DEV_TLB:
		return true;
	default:
		return false;
	}
}

static void take_invalidation(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op = current(b, c);

	/* After mapping (caching mode): of the call that maps, or of the sync behind links. */
	if (op && op->kind == REPLAY_SYNC && (e->kind == REC_TAG_FLUSH_NP || c->flushed_np)) {
		c->flushed_np = true;
		return;
	}
	if ((is_unmap(op) && c->unmapped) || (is_map(op) && (c->returned || c->mapped)) ||
	    (op && op->kind == REPLAY_LINK))
		return;
	if (recording_is_domain_flush(e)) {
		/* The tag's line comes first, its descriptor second; both are one flush. */
		if (e->kind == REC_TAG_FLUSH || !op || op->kind != REPLAY_FLUSH_TIMER || !c->named)
			open_op(b, c, e, REPLAY_FLUSH_TIMER);
		c->named = e->kind == REC_TAG_FLUSH;
		return;
	}
	open_cut(b, c, e, REPLAY_STRAY);
}

static void take_free(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op = current(b, c);

	if (is_unmap(op) || (op && op->kind == REPLAY_FLUSH_TIMER)) {
		if (op->kind == REPLAY_API_FREE && e->kind == REC_IOVA_FREE)
			op->pfn = e->iova.pfn;
		if (op->kind == REPLAY_DESTROY && !c->unmapped)
			op->pfn = e->iova.pfn;
		return;
	}
	open_cut(b, c, e, REPLAY_STRAY);
}

static void two_step(struct builder *b, struct context *c, const struct recording_event *e)
{
	struct replay_op *op;

	switch ((enum recording_kind)e->kind) {
	case REC_TRY_ALLOC:
		op = open_op(b, c, e, REPLAY_TRY_ALLOC);
		take_api(op, e);
		op->phys = e->api.phys;
		op->size = e->api.size;
		break;
	case REC_TRY_ALLOC_RET:
		op = current(b, c);
		if (op && op->opening && op->kind == REPLAY_MAP) {
			op->kind = REPLAY_TRY_ALLOC;
			op->cut = true;
		} else if (!op || op->kind != REPLAY_TRY_ALLOC) {
			op = open_cut(b, c, e, REPLAY_STRAY);
		}
		op->complete = true;
		op->offset = e->api.ok;
		break;
	case REC_LINK:
		op = open_op(b, c, e, REPLAY_LINK);
		take_api(op, e);
		op->phys = e->api.phys;
		op->offset = e->api.offset;
		op->size = e->api.size;
		break;
	default: /* REC_SYNC */
		op = open_op(b, c, e, REPLAY_SYNC);
		take_api(op, e);
		op->offset = e->api.offset;
		op->size = e->api.size;
		break;
	}
}

/* The event comes when its call is over. */
static bool is_last(uint8_t kind)
{
	return kind == REC_DMA_MAP || kind == REC_DMA_MAP_RET || kind == REC_DMA_MAP_SG ||
	       kind == REC_DMA_ALLOC || kind == REC_TRY_ALLOC_RET || kind == REC_DMA_UNMAP;
}

void operations_take(struct builder *b, struct context *c, uint32_t i)
{
	const struct recording_event *e = recording_at(b->r, i);
	struct replay_op *op;

	switch ((enum recording_kind)e->kind) {
	case REC_NVME_SETUP:
	case REC_NVME_COMPLETE:
	case REC_RQ_VECTORS:
	case REC_BLOCK_ISSUE:
	case REC_BLOCK_COMPLETE:
	case REC_BLOCK_SPLIT:
		operations_close(b, c);
		return;
	case REC_QI_SUBMIT:
		if (!qi_is_tlb(e))
			return;
		take_invalidation(b, c, e);
		break;
	case REC_IOVA_ALLOC:
	case REC_IOVA_TREE_ALLOC:
	case REC_IOVA_ALLOC_RET:
		take_iova(b, c, e);
		break;
	case REC_MAP:
	case REC_MAP_NOSYNC:
		take_map(b, c, e);
		break;
	case REC_DMA_MAP_ENTER:
		op = open_op(b, c, e, REPLAY_MAP);
		op->size = e->dma.size;
		op->dir = e->dma.dir;
		c->named = true;
		break;
	case REC_DMA_MAP_SG_ENTER:
		op = open_op(b, c, e, REPLAY_MAP_SG);
		op->size = e->sg.full_nents;
		op->dir = e->sg.dir;
		break;
	case REC_BOUNCE:
		op = current(b, c);
		if (!op || op->kind != REPLAY_MAP)
			op = open_op(b, c, e, REPLAY_MAP);
		break;
	case REC_DMA_MAP:
	case REC_DMA_MAP_RET:
		end_map(b, c, e);
		break;
	case REC_DMA_MAP_SG:
		end_map_sg(b, c, e);
		break;
	case REC_DMA_ALLOC:
		end_alloc(b, c, e);
		break;
	case REC_TRY_ALLOC:
	case REC_TRY_ALLOC_RET:
	case REC_LINK:
	case REC_SYNC:
		two_step(b, c, e);
		break;
	case REC_DMA_UNMAP_ENTER:
	case REC_DMA_UNMAP_SG:
	case REC_DMA_FREE:
	case REC_UNLINK:
	case REC_DESTROY:
	case REC_API_FREE:
		if (inside_destroy(current(b, c), e))
			return;
		open_unmap(b, c, e);
		break;
	case REC_UNMAP:
		take_unmap(b, c, e);
		break;
	case REC_DMA_UNMAP:
		end_unmap(b, c, e);
		break;
	case REC_TAG_FLUSH:
	case REC_TAG_FLUSH_NP:
		take_invalidation(b, c, e);
		break;
	case REC_IOVA_FREE:
	case REC_IOVA_TREE_FREE:
		take_free(b, c, e);
		break;
	case REC_P2P_TYPE:
		return;
	case REC_KINDS:
		break;
	}
	b->member[i] = c->cur;
	if (is_last(e->kind))
		operations_close(b, c);
}
