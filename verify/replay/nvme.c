/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NVMe path from the requests alone: the request before splitting is rebuilt from its parts, split
 * again by the block layer's limits, and each part goes through the driver path of its kernel, whose DMA
 * API calls must be the recorded ones.
 */
#include "internal.h"

#include "workloads/nvme/nvme.h"

#include "models/pcie/pcie.h"

#include <dmasim/p2pdma.h>

#include <inttypes.h>
#include <string.h>

enum { MAX_SEGMENTS = 512 };

/* One part of a request, planned by the block layer's model. */
struct part {
	struct phys_vec *vecs;
	unsigned nvecs;
	uint64_t bytes, gap_mask;
};

struct replay_nvme {
	struct nvme_workload w;
	struct nvme_dev dev;
	struct nvme_queue queue;
	struct device as_peer; /* its own function, where dev is its group's first */
	GHashTable *parts;     /* event of nvme_setup_cmd -> struct part */
	GHashTable *live;      /* qid << 16 | cid -> struct nvme_request */
};

static void part_free(void *data)
{
	struct part *p = data;

	g_free(p->vecs);
	g_free(p);
}

static void request_free(void *data)
{
	struct nvme_request *rq = data;

	g_free(rq->own_vecs);
	g_free(rq->obj.segs);
	g_free(rq->obj.state);
	g_free(rq);
}

struct replay_nvme *replay_nvme_new(struct machine *m, struct device *dev, const char *function,
				    const struct nvme_params *params)
{
	const struct dma_api *api = dma_api_find(m->kernel->nvme_iterator ? "link" : "legacy");
	struct replay_nvme *n = g_new0(struct replay_nvme, 1);

	n->as_peer = *dev;
	if (function && pcie_find(m->fabric, function))
		n->as_peer.pci = pcie_find(m->fabric, function);
	n->w.base.m = m;
	n->w.base.api = api;
	n->w.params = *params;
	n->w.base.path = dma_api_path(api, WORKLOAD_NVME);
	n->dev.w = &n->w;
	n->dev.base.dev = dev;
	blk_nvme_limits(&n->dev.limits, dev, m->kernel, params);
	n->queue.dev = &n->dev;
	n->parts = g_hash_table_new_full(NULL, NULL, NULL, part_free);
	n->live = g_hash_table_new_full(NULL, NULL, NULL, request_free);
	return n;
}

void replay_nvme_free(struct replay_nvme *n)
{
	if (!n)
		return;
	while (n->w.free_sg) {
		struct nvme_sg_element *e = n->w.free_sg;

		n->w.free_sg = e->next;
		g_free(e);
	}
	g_hash_table_unref(n->parts);
	g_hash_table_unref(n->live);
	g_free(n);
}

const struct blk_limits *replay_nvme_limits(const struct replay_nvme *n)
{
	return &n->dev.limits;
}

bool replay_has_nvme(const struct replay *r)
{
	for (unsigned i = 0; i < r->config.nvme->len; i++)
		if (r->config.nvme->pdata[i])
			return true;
	return false;
}

/* The drive of a command; NULL: its requests do not run through the driver path. */
static struct replay_nvme *drive_of(const struct replay *r, const struct recording_event *e)
{
	return e->nvme.ctrl < r->config.nvme->len ? r->config.nvme->pdata[e->nvme.ctrl] : NULL;
}

/* ---- the request before splitting ---- */

struct chain {
	GArray *setups; /* uint32_t events of nvme_setup_cmd, vectors in the event before */
	GArray *vecs;   /* struct phys_vec of the whole request */
	uint64_t next;  /* sector that goes on */
};

/* Two ends of one vector that the split has cut: inside a page, or inside one 2 MiB folio. */
static bool was_cut(const struct phys_vec *a, const struct phys_vec *b)
{
	uint64_t end = a->paddr + a->len;

	if (end != b->paddr)
		return false;
	return (end & (PAGE_SIZE - 1)) ||
	       ((a->len > PAGE_SIZE || b->len > PAGE_SIZE) && (end & (2 * MIB - 1)));
}

static void add_vectors(const struct recording *r, struct chain *c, const struct recording_event *v)
{
	const uint64_t *phys = recording_list(r, v->vectors.phys), *lens = recording_list(r, v->vectors.lens);

	for (uint32_t i = 0; i < v->vectors.phys.count; i++) {
		struct phys_vec vec = {phys[i], (uint32_t)lens[i]};
		struct phys_vec *last = c->vecs->len
					    ? &g_array_index(c->vecs, struct phys_vec, c->vecs->len - 1)
					    : NULL;

		if (i == 0 && last && was_cut(last, &vec))
			last->len += vec.len;
		else
			g_array_append_val(c->vecs, vec);
	}
}

static const struct recording_event *vectors_of(const struct replay *r, uint32_t setup)
{
	uint32_t context = r->ops->context[setup];

	while (setup-- > 0)
		if (r->ops->context[setup] == context && recording_at(r->rec, setup)->kind == REC_RQ_VECTORS)
			return recording_at(r->rec, setup);
	return NULL;
}

/* Lowest gap bit inside a page, 0: none. */
static int inner_gap(int bit)
{
	return bit > PAGE_SHIFT ? 0 : bit;
}

/* A planned part against the recorded command. */
static void check_part(struct replay *r, const struct part *p, uint32_t setup)
{
	const struct recording_event *v = vectors_of(r, setup);
	const uint64_t *phys = recording_list(r->rec, v->vectors.phys);
	const uint64_t *lens = recording_list(r->rec, v->vectors.lens);
	int gap = p->gap_mask ? __builtin_ctzll(p->gap_mask) + 1 : 0;

	r->event = setup;
	if (p->bytes != v->vectors.bytes || p->nvecs != v->vectors.phys.count) {
		replay_diverge(r,
			       "the request is split into %" PRIu64 " bytes in %u vectors, recorded %u in %u",
			       p->bytes, p->nvecs, v->vectors.bytes, v->vectors.phys.count);
		return;
	}
	for (unsigned i = 0; i < p->nvecs; i++) {
		if (p->vecs[i].paddr == phys[i] && p->vecs[i].len == lens[i])
			continue;
		replay_diverge(r, "vector %u is 0x%" PRIx64 "+%u, recorded 0x%" PRIx64 "+%" PRIu64, i,
			       p->vecs[i].paddr, p->vecs[i].len, phys[i], lens[i]);
		return;
	}
	/* Of one vector it has no effect; above a page it has none either. */
	if (v->vectors.gap_bit >= 0 && p->nvecs > 1 && inner_gap(gap) != inner_gap(v->vectors.gap_bit))
		replay_diverge(r, "gap bit %d, recorded %d", gap, v->vectors.gap_bit);
}

/* The parts are all there: split the whole again and compare. */
static void plan(struct replay *r, struct replay_nvme *n, struct chain *c)
{
	const struct blk_limits *lim = &n->dev.limits;
	const struct phys_vec *vecs = (const struct phys_vec *)c->vecs->data;
	struct blk_cursor at = {0, 0};
	uint64_t left = 0;

	for (unsigned i = 0; i < c->vecs->len; i++)
		left += vecs[i].len;
	for (unsigned i = 0; i < c->setups->len; i++) {
		uint32_t setup = g_array_index(c->setups, uint32_t, i);
		struct part *p = g_new0(struct part, 1);
		struct blk_part split = {0};

		if (left)
			blk_split(lim, vecs, c->vecs->len, at, &split);
		p->bytes = MIN(split.bytes, left);
		p->vecs = g_new0(struct phys_vec, c->vecs->len + 1);
		p->nvecs = p->bytes ? blk_cut(vecs, &at, p->bytes, p->vecs) : 0;
		left -= p->bytes;
		/* The front of a split loses its gap information. */
		if (lim->gap_bit && !left)
			p->gap_mask = blk_gap_mask(split.gaps);
		check_part(r, p, setup);
		g_hash_table_insert(n->parts, GUINT_TO_POINTER(setup), p);
	}
	if (left)
		replay_diverge(r, "the request has %" PRIu64 " bytes more than its recorded parts", left);
	g_array_set_size(c->setups, 0);
	g_array_set_size(c->vecs, 0);
}

static void take_setup(struct replay *r, struct chain *c, GHashTable *splits, uint32_t i)
{
	const struct recording_event *e = recording_at(r->rec, i), *v = vectors_of(r, i);
	struct replay_nvme *n = drive_of(r, e);
	uint64_t sector, next, found;

	if (!n || !v || v->vectors.cid != e->nvme.cid || v->vectors.qid != e->nvme.qid ||
	    !v->vectors.phys.count || !e->nvme.qid || e->nvme.op > REC_NVME_WRITE)
		return;
	sector = e->nvme.slba * (v->vectors.bytes / (e->nvme.nlb + 1ull) / 512);
	next = sector + v->vectors.bytes / 512;
	found = GPOINTER_TO_SIZE(g_hash_table_lookup(splits, GSIZE_TO_POINTER(sector)));
	if (c->setups->len && c->next != sector)
		plan(r, n, c);
	g_array_append_val(c->setups, i);
	add_vectors(r->rec, c, v);
	c->next = next;
	if (found == next)
		g_hash_table_remove(splits, GSIZE_TO_POINTER(sector));
	else
		plan(r, n, c);
}

static void chain_clear(void *data)
{
	struct chain *c = data;

	g_array_unref(c->setups);
	g_array_unref(c->vecs);
}

/* All requests of the recording, rebuilt and split again. */
void replay_nvme_plan(struct replay *r)
{
	g_autoptr(GArray) chains = g_array_new(FALSE, TRUE, sizeof(struct chain));
	g_autoptr(GHashTable) splits = g_hash_table_new(NULL, NULL);

	for (unsigned i = 0; i < r->config.nvme->len; i++) {
		struct replay_nvme *n = r->config.nvme->pdata[i];

		if (!n)
			continue;
		g_hash_table_remove_all(n->parts);
		g_hash_table_remove_all(n->live);
	}
	g_array_set_clear_func(chains, chain_clear);
	g_array_set_size(chains, r->ops->ncontexts);
	for (unsigned i = 0; i < chains->len; i++) {
		struct chain *c = &g_array_index(chains, struct chain, i);

		c->setups = g_array_new(FALSE, FALSE, sizeof(uint32_t));
		c->vecs = g_array_new(FALSE, FALSE, sizeof(struct phys_vec));
	}
	for (uint32_t i = 0; i < r->rec->events->len; i++) {
		const struct recording_event *e = recording_at(r->rec, i);
		struct chain *c = &g_array_index(chains, struct chain, r->ops->context[i]);

		if (e->kind == REC_BLOCK_SPLIT)
			g_hash_table_replace(splits, GSIZE_TO_POINTER(e->block.sector),
					     GSIZE_TO_POINTER(e->block.nr));
		else if (e->kind == REC_NVME_SETUP)
			take_setup(r, c, splits, i);
	}
	r->event = 0;
}

/* ---- one part through the driver path ---- */

static uint32_t key_of(const struct recording_event *e)
{
	return e->nvme.qid << 16 | (e->nvme.cid & 0xffff);
}

static struct nvme_request *request_new(struct replay_nvme *n, const struct part *p,
					const struct recording_event *setup)
{
	struct nvme_request *rq = g_new0(struct nvme_request, 1);

	rq->obj.dev = n->dev.base.dev;
	rq->obj.path = n->w.base.path;
	rq->obj.dir = setup->nvme.op == REC_NVME_WRITE ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	rq->obj.bytes = p->bytes;
	rq->obj.max_segs = MAX_SEGMENTS;
	rq->obj.segs = g_new0(struct dma_segment, MAX_SEGMENTS);
	rq->obj.state = g_malloc0(MAX(n->w.base.path->state_size, 1));
	rq->queue = &n->queue;
	rq->op = setup->nvme.op == REC_NVME_WRITE ? NVME_OP_WRITE : NVME_OP_READ;
	rq->lba = setup->nvme.slba;
	rq->bytes = p->bytes;
	rq->gap_mask = p->gap_mask;
	rq->peer = pcie_bar_at(n->w.base.m->fabric, p->vecs[0].paddr) != NULL;
	rq->own_vecs = g_memdup2(p->vecs, p->nvecs * sizeof(*p->vecs));
	rq->vecs = rq->own_vecs;
	rq->nvecs = p->nvecs;
	return rq;
}

void replay_nvme_submit(struct replay *r)
{
	const struct replay_op *op = r->run->op;
	const struct recording_event *setup = recording_at(r->rec, op->request);
	struct replay_nvme *n = drive_of(r, setup);
	const struct part *p = n ? g_hash_table_lookup(n->parts, GUINT_TO_POINTER(op->request)) : NULL;
	struct nvme_request *rq;
	int err;

	if (!p || !p->nvecs) {
		replay_diverge(r, "a command that no request leads to");
		replay_part(r);
		return;
	}
	r->totals.requests++;
	rq = request_new(n, p, setup);
	g_hash_table_insert(n->live, GUINT_TO_POINTER(key_of(setup)), rq);
	err = n->w.base.path->map(&rq->obj, 0, rq->vecs, rq->nvecs);
	if (err)
		replay_diverge(r, "the driver cannot map the request: %s", g_strerror(-err));
	rq->mapped = !err;
}

void replay_nvme_complete(struct replay *r)
{
	const struct recording_event *e = recording_at(r->rec, r->run->op->request);
	struct replay_nvme *n = drive_of(r, e);
	struct nvme_request *rq = n ? g_hash_table_lookup(n->live, GUINT_TO_POINTER(key_of(e))) : NULL;

	if (!rq || !rq->mapped) {
		replay_diverge(r, "completion of a request that is not mapped");
		replay_part(r);
		return;
	}
	n->w.base.path->unmap(&rq->obj, 0, rq->bytes);
	g_hash_table_remove(n->live, GUINT_TO_POINTER(key_of(e)));
}

/* The command has completed. What its calls did not unmap must need no unmapping. */
void replay_nvme_completed(struct replay *r, const struct recording_event *e)
{
	struct replay_nvme *n = drive_of(r, e);
	struct nvme_request *rq = n ? g_hash_table_lookup(n->live, GUINT_TO_POINTER(key_of(e))) : NULL;

	if (!rq)
		return;
	n->w.base.path->unmap(&rq->obj, 0, rq->bytes);
	g_hash_table_remove(n->live, GUINT_TO_POINTER(key_of(e)));
}

/* ---- how memory of a peer is classified ---- */

/* The command being set up in the context of event i, NULL. */
static const struct recording_event *setup_before(const struct replay *r, uint32_t i)
{
	uint32_t context = r->ops->context[i];

	while (i-- > 0)
		if (r->ops->context[i] == context && recording_at(r->rec, i)->kind == REC_NVME_SETUP)
			return recording_at(r->rec, i);
	return NULL;
}

void replay_nvme_classified(struct replay *r, uint32_t i)
{
	const struct recording_event *setup = setup_before(r, i), *v = vectors_of(r, i);
	struct replay_nvme *n = setup ? drive_of(r, setup) : NULL;
	uint32_t recorded = recording_at(r->rec, i)->p2p.type;

	if (!n || !v || v->vectors.cid != setup->nvme.cid || v->vectors.qid != setup->nvme.qid)
		return;
	for (uint32_t k = 0; k < v->vectors.phys.count; k++) {
		uint64_t phys = recording_list(r->rec, v->vectors.phys)[k];
		struct pci_p2pdma_map_state state = {0};
		enum pci_p2pdma_map_type type;

		if (!pcie_bar_at(n->w.base.m->fabric, phys))
			continue;
		type = pci_p2pdma_state(&state, &n->as_peer, phys);
		r->totals.classified++;
		if ((uint32_t)type != recorded)
			replay_diverge(r, "memory of a peer at 0x%" PRIx64 " is classified %d, recorded %u",
				       phys, type, recorded);
		return;
	}
}

/* ---- the driver's DMA API calls against the recorded ones ---- */

static void expect_sg(struct replay *r, const struct recording_event *e, const struct dma_call_args *a)
{
	const uint64_t *phys = recording_list(r->rec, e->sg.phys);
	const uint64_t *addrs = recording_list(r->rec, e->sg.addrs),
		       *lens = recording_list(r->rec, e->sg.lens);
	const struct scatterlist *s = a->sg;

	if (a->nents != e->sg.full_nents || a->segments < e->sg.addrs.count)
		replay_diverge(r, "a list of %u entries makes %u segments, recorded %u and %u", a->nents,
			       a->segments, e->sg.full_nents, e->sg.full_ents);
	for (uint32_t i = 0; i < MIN(a->nents, e->sg.phys.count); i++, s = sg_next((struct scatterlist *)s)) {
		if (sg_phys(s) != phys[i])
			replay_diverge(r, "entry %u at 0x%" PRIx64 ", recorded 0x%" PRIx64, i, sg_phys(s),
				       phys[i]);
		if (i < e->sg.addrs.count && (s->dma_address != addrs[i] || s->dma_length != lens[i]))
			replay_diverge(r, "segment %u is 0x%" PRIx64 "+%u, recorded 0x%" PRIx64 "+%" PRIu64,
				       i, s->dma_address, s->dma_length, addrs[i], lens[i]);
	}
}

static void differ(struct replay *r, const char *what, const struct dma_call_args *a, uint64_t addr,
		   uint64_t phys, uint64_t offset, uint64_t size)
{
	if (a->addr != addr || a->phys != phys || a->offset != offset || a->size != size)
		replay_diverge(r,
			       "%s address 0x%" PRIx64 " phys 0x%" PRIx64 " offset %" PRIu64 " size %" PRIu64
			       ", recorded 0x%" PRIx64 " phys 0x%" PRIx64 " offset %" PRIu64 " size %" PRIu64,
			       what, a->addr, a->phys, a->offset, a->size, addr, phys, offset, size);
}

void replay_nvme_call(void *arg, struct device *dev, enum dma_call call, const struct dma_call_args *a)
{
	static const enum recording_kind kinds[] = {
	    [DMA_CALL_MAP] = REC_DMA_MAP,         [DMA_CALL_MAP_SG] = REC_DMA_MAP_SG,
	    [DMA_CALL_UNMAP] = REC_DMA_UNMAP,     [DMA_CALL_UNMAP_SG] = REC_DMA_UNMAP_SG,
	    [DMA_CALL_TRY_ALLOC] = REC_TRY_ALLOC, [DMA_CALL_TRY_ALLOC_RET] = REC_TRY_ALLOC_RET,
	    [DMA_CALL_LINK] = REC_LINK,           [DMA_CALL_SYNC] = REC_SYNC,
	    [DMA_CALL_DESTROY] = REC_DESTROY};
	struct replay *r = arg;
	const struct recording_event *e;

	if (call > DMA_CALL_DESTROY)
		return; /* no event of the kernel shows it */
	if (replay_quiet(r) || (r->run->op->kind != REPLAY_REQUEST && r->run->op->kind != REPLAY_COMPLETE))
		return;
	replay_log(r, kinds[call], a->addr, a->phys, a->size);
	e = replay_expect(r, kinds[call], false);
	if (!e)
		return;
	switch (call) {
	case DMA_CALL_MAP:
		/* IOVAs are judged where they are allocated. */
		if (!dev->domain)
			replay_judge_direct(r, a->addr, e->dma.addr);
		differ(r, "maps", a, e->dma.addr, e->dma.phys, 0, e->dma.size);
		break;
	case DMA_CALL_MAP_SG:
		for (uint32_t i = 0; i < e->sg.addrs.count && !dev->domain && i < a->nents; i++)
			replay_judge_direct(r, a->sg[i].dma_address, recording_list(r->rec, e->sg.addrs)[i]);
		expect_sg(r, e, a);
		break;
	case DMA_CALL_UNMAP:
		differ(r, "unmaps", a, e->dma.addr, 0, 0, e->dma.size);
		break;
	case DMA_CALL_TRY_ALLOC:
		differ(r, "dma_iova_try_alloc", a, 0, e->api.phys, 0, e->api.size);
		break;
	case DMA_CALL_TRY_ALLOC_RET:
		if (a->ok != (e->api.ok != 0))
			replay_diverge(r, "dma_iova_try_alloc returns %d, recorded %" PRIu64, a->ok,
				       e->api.ok);
		break;
	case DMA_CALL_LINK:
		differ(r, "dma_iova_link", a, 0, e->api.phys, e->api.offset, e->api.size);
		break;
	case DMA_CALL_SYNC:
		differ(r, "dma_iova_sync", a, 0, 0, e->api.offset, e->api.size);
		break;
	case DMA_CALL_DESTROY:
		if (a->size != e->api.size)
			replay_diverge(r, "dma_iova_destroy of %" PRIu64 ", recorded %" PRIu64, a->size,
				       e->api.size);
		break;
	default:
		break;
	}
}
