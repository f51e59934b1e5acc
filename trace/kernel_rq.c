/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of a traced kernel. Mapping runs on the CPU and task of the submission, so events are collected
 * per CPU and belong to the open request there when the task is the same (kernel_vectors.c: what is made
 * of them). NVMe traces count slba in blocks of the namespace: 512 bytes unless block_rq_issue shows
 * otherwise. (Events: Linux include/trace/events/block.h, drivers/nvme/host/trace.h.)
 */
#include "kernel_rq.h"
#include "kernel_block.h"
#include "kernel_vectors.h"

#include <string.h>

#define SECTOR 512u
#define MAX_CPUS 4096u
#define SPLITS 256u
#define ANY_DEV UINT64_MAX

struct context { /* of one CPU */
	struct held *h;
	uint64_t sequence; /* of h, to see that it still is ours */
	uint32_t pid;
	bool open;  /* mapping events belong to h */
	bool admin; /* an admin command: its mappings are nobody's */
	bool sized; /* bytes are known for sure */
	struct kernel_vectors vectors;
};

struct kernel_rq {
	struct trace_reader *r;
	struct context *cpus;
	unsigned ncpus;
	struct pairs open;
	bool nvme; /* commands are seen: block events are only hints */
	bool mappings, requests;
	uint32_t lba_lg2;
	struct {
		uint64_t dev, sector;
	} splits[SPLITS]; /* front parts announced by block_split, not yet issued */
	unsigned next_split;
};

struct kernel_rq *kernel_rq_new(struct trace_reader *r)
{
	struct kernel_rq *k = g_new0(struct kernel_rq, 1);

	k->r = r;
	k->lba_lg2 = 9;
	pairs_init(&k->open);
	return k;
}

void kernel_rq_free(struct kernel_rq *k)
{
	if (!k)
		return;
	for (unsigned i = 0; i < k->ncpus; i++)
		kernel_vectors_fini(&k->cpus[i].vectors);
	g_free(k->cpus);
	pairs_fini(&k->open);
	g_free(k);
}

bool kernel_rq_only_mappings(const struct kernel_rq *k)
{
	return k->mappings && !k->requests;
}

static struct context *context_of(struct kernel_rq *k, uint32_t cpu)
{
	if (cpu >= k->ncpus) {
		k->cpus = g_renew(struct context, k->cpus, cpu + 1);
		memset(k->cpus + k->ncpus, 0, (cpu + 1 - k->ncpus) * sizeof(*k->cpus));
		for (unsigned i = k->ncpus; i <= cpu; i++)
			kernel_vectors_init(&k->cpus[i].vectors);
		k->ncpus = cpu + 1;
	}
	return &k->cpus[cpu];
}

static bool ours(const struct context *c)
{
	return c->h && c->h->sequence == c->sequence;
}

/* The mapping of the open request of this CPU is over: settle its vectors. */
static void settle(struct kernel_rq *k, struct context *c)
{
	if (!c->open || !ours(c)) {
		c->open = false;
		kernel_vectors_clear(&c->vectors);
		return;
	}
	c->open = false;
	if (c->h->rec.nvme.op > NVME_OP_WRITE) {
		c->h->nsegs = 0;
		kernel_vectors_clear(&c->vectors);
		return;
	}
	if (!kernel_vectors_use(&c->vectors, c->h, c->h->rec.nvme.bytes)) {
		/* Events were lost, or a list was cut: no layout rather than a wrong one. */
		c->h->nsegs = 0;
		k->r->counts.no_vectors++;
	}
	kernel_vectors_clear(&c->vectors);
}

/* ---- requests ---- */

static struct held *start_request(struct kernel_rq *k, const struct ftrace_line *l, struct context *c,
				  uint64_t where, uint32_t device)
{
	struct held *h = reader_slot(k->r);

	k->requests = true;
	h->rec.time_ns = l->time_ns;
	h->rec.cpu = l->cpu;
	h->rec.device = device;
	h->rec.where = where;
	h->rec.nvme.done_ns = TRACE_NO_TIME;
	h->rec.nvme.split_done = true;
	h->pending = true;
	c->h = h;
	c->sequence = h->sequence;
	c->pid = l->pid;
	c->admin = false;
	return h;
}

static void complete(struct kernel_rq *k, uint64_t key, const struct ftrace_line *l)
{
	struct held *h = pairs_take(&k->open, key);

	if (!h)
		return;
	if (h->pending) {
		h->rec.nvme.done_ns = MAX(l->time_ns, h->rec.time_ns);
		h->rec.nvme.done_cpu = l->cpu;
		h->pending = false;
	}
	for (unsigned i = 0; i < k->ncpus; i++)
		if (k->cpus[i].open && k->cpus[i].h == h)
			settle(k, &k->cpus[i]);
}

static uint64_t nvme_key(uint64_t ctrl, uint64_t qid, uint64_t cid)
{
	return ctrl << 48 | (qid & 0xffff) << 32 | (cid & 0xffffffff);
}

static uint64_t block_key(uint64_t dev, uint64_t sector)
{
	return dev * 0x9e3779b97f4a7c15ull ^ sector ^ 1ull << 63;
}

/* NVMe commands do not name the block device (ANY_DEV). */
static bool was_split(struct kernel_rq *k, uint64_t dev, uint64_t sector)
{
	for (unsigned i = 0; i < SPLITS; i++)
		if (k->splits[i].dev && (dev == ANY_DEV || k->splits[i].dev == dev + 1) &&
		    k->splits[i].sector == sector) {
			k->splits[i].dev = 0;
			return true;
		}
	return false;
}

static bool find_ctrl(const char *payload, uint64_t *ctrl)
{
	const char *p = payload;

	return (parse_literal(&p, "nvme") && parse_u64(&p, ctrl)) || ftrace_number(payload, "ctrl_id=", ctrl);
}

static bool find_ids(const char *payload, uint64_t *ctrl, uint64_t *qid, uint64_t *cid)
{
	return find_ctrl(payload, ctrl) && ftrace_number(payload, "qid=", qid) &&
	       (ftrace_number(payload, "cmdid=", cid) || ftrace_number(payload, "cid=", cid));
}

/* Opcode, slba and number of blocks, from the formatted or the raw form. False: not a data command. */
static bool find_command(const char *payload, int *op, uint64_t *slba, uint64_t *blocks)
{
	static const char *const names[] = {"nvme_cmd_read", "nvme_cmd_write", "nvme_cmd_flush",
					    "nvme_cmd_dsm"};
	static const uint64_t opcodes[] = {2, 1, 0, 9}; /* NVMe base and NVM command set specifications */
	const char *p = ftrace_field(payload, "cmd=(");
	uint64_t v, cdw[24];

	*op = -1;
	*slba = *blocks = 0;
	if (p) {
		for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
			if (parse_literal(&p, names[i]) && *p == ' ')
				*op = (int)i;
		if (*op < 0)
			return false;
		if (*op <= NVME_OP_WRITE) {
			if (!ftrace_number(p, "slba=", slba) || !ftrace_number(p, "len=", blocks))
				return false;
			++*blocks;
		}
		return true;
	}
	if (!ftrace_number(payload, "opcode=", &v))
		return false;
	for (unsigned i = 0; i < G_N_ELEMENTS(opcodes); i++)
		if (v == opcodes[i])
			*op = (int)i;
	p = ftrace_field(payload, "cdw10=");
	if (*op < 0 || !p || ftrace_list(p, 1, cdw, 24) != 24)
		return false;
	for (unsigned i = 0; i < 8; i++)
		*slba |= cdw[i] << 8 * i;
	*blocks = (cdw[8] | cdw[9] << 8) + 1;
	if (*op > NVME_OP_WRITE)
		*slba = *blocks = 0;
	return true;
}

/* The vectors that a probe has shown for this very command. */
static void use_probe(struct context *c)
{
	const struct kernel_vectors *v = &c->vectors;
	struct held *h = c->h;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < v->nprobe; i++) {
		held_segment(h, v->probe_phys[i], (uint32_t)v->probe_len[i], MEMORY_RAM, 0);
		sum += v->probe_len[i];
	}
	if (sum != v->probe_bytes)
		h->nsegs = 0;
	c->sized = true;
	if (h->rec.nvme.op <= NVME_OP_WRITE)
		h->rec.nvme.bytes = v->probe_bytes;
	/* 6.19 and later read the request's gap bit: 0 with several vectors is a front part. */
	if (v->gap_bit >= 0)
		h->rec.nvme.split_front = v->gap_bit == 0 && v->nprobe > 1;
}

static bool on_setup(struct kernel_rq *k, const struct ftrace_line *l, uint64_t where, const char **want,
		     GError **error)
{
	struct context *c = context_of(k, l->cpu);
	struct kernel_vectors *v = &c->vectors;
	uint64_t ctrl, qid, cid, slba, blocks;
	bool probed = v->probed, split;
	char name[32];
	struct held *h;
	uint32_t device;
	int op;

	k->nvme = true;
	v->probed = false;
	settle(k, c);
	c->h = NULL;
	if (!find_ids(l->payload, &ctrl, &qid, &cid)) {
		*want = "nvmeN: ... qid=, cmdid= of nvme_setup_cmd";
		return false;
	}
	c->admin = qid == 0 || !find_command(l->payload, &op, &slba, &blocks);
	if (c->admin) {
		reader_skip(k->r, TRACE_SKIP_EVENT);
		return true;
	}
	g_snprintf(name, sizeof(name), "nvme%" G_GUINT64_FORMAT, ctrl);
	device = reader_device(k->r, name, strlen(name));
	h = start_request(k, l, c, where, device);
	h->rec.nvme.queue = (uint32_t)qid;
	h->rec.nvme.op = (uint8_t)op;
	h->rec.nvme.offset = slba << k->lba_lg2;
	h->rec.nvme.bytes = blocks << k->lba_lg2;
	split = was_split(k, ANY_DEV, slba << k->lba_lg2 >> 9);
	h->rec.nvme.split_front = split;
	c->sized = false;
	if (probed && v->probe_qid == qid && v->probe_cid == cid)
		use_probe(c);
	if (!k->r->devices.keep[device]) {
		reader_skip(k->r, TRACE_SKIP_DEVICE);
		c->h = NULL;
		c->admin = true;
		return true;
	}
	if (!reader_push(k->r, h, error))
		return false;
	pairs_add(&k->open, nvme_key(ctrl, qid, cid), h);
	c->open = true;
	return true;
}

static bool on_complete(struct kernel_rq *k, const struct ftrace_line *l, const char **want)
{
	uint64_t ctrl, qid, cid;

	if (!find_ids(l->payload, &ctrl, &qid, &cid)) {
		*want = "nvmeN: ... qid=, cmdid= of nvme_complete_rq";
		return false;
	}
	complete(k, nvme_key(ctrl, qid, cid), l);
	return true;
}

/* ---- block events ---- */

/* The block layer's view of the command that this CPU has just set up. */
static void hint(struct kernel_rq *k, const struct ftrace_line *l, struct context *c,
		 const struct kernel_block *b)
{
	struct trace_record *rec;
	uint64_t slba;

	if (!c->open || !ours(c) || c->pid != l->pid)
		return;
	rec = &c->h->rec;
	slba = rec->nvme.offset >> k->lba_lg2;
	if (rec->nvme.op <= NVME_OP_WRITE && slba != b->sector && b->sector % 8 == 0 &&
	    slba == b->sector / 8) {
		k->lba_lg2 = 12;
		rec->nvme.offset = slba << k->lba_lg2;
	}
	if (!c->sized && b->sectors > 0) {
		rec->nvme.bytes = b->has_bytes && rec->nvme.op <= NVME_OP_WRITE ? b->bytes
										: b->sectors * SECTOR;
		rec->nvme.offset = b->sector * SECTOR;
	}
	settle(k, c);
}

static bool on_issue(struct kernel_rq *k, const struct ftrace_line *l, uint64_t where, const char **want,
		     GError **error)
{
	struct context *c = context_of(k, l->cpu);
	struct kernel_block b;
	char name[48];
	struct held *h;
	uint32_t device;
	int op;

	if (!kernel_block_parse(l->payload, true, &b)) {
		*want = "MAJOR,MINOR RWBS BYTES () SECTOR + SECTORS of block_rq_issue";
		return false;
	}
	if (k->nvme) {
		hint(k, l, c, &b);
		return true;
	}
	op = kernel_block_op(b.rwbs);
	if (op < 0 || b.sector > UINT64_MAX / SECTOR - b.sectors) {
		reader_skip(k->r, TRACE_SKIP_EVENT);
		kernel_vectors_clear(&c->vectors);
		return true;
	}
	g_snprintf(name, sizeof(name), "%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, b.major, b.minor);
	device = reader_device(k->r, name, strlen(name));
	h = start_request(k, l, c, where, device);
	h->rec.nvme.op = (uint8_t)op;
	h->rec.nvme.queue = l->cpu;
	h->rec.nvme.offset = b.sectors ? b.sector * SECTOR : 0;
	h->rec.nvme.bytes = b.has_bytes && op <= NVME_OP_WRITE ? b.bytes : b.sectors * SECTOR;
	h->rec.nvme.split_front = was_split(k, b.dev, b.sector);
	c->open = true;
	settle(k, c);
	if (op != NVME_OP_FLUSH && h->rec.nvme.bytes == 0) {
		reader_skip(k->r, TRACE_SKIP_EMPTY);
		return true;
	}
	if (!k->r->devices.keep[device]) {
		reader_skip(k->r, TRACE_SKIP_DEVICE);
		return true;
	}
	if (!reader_push(k->r, h, error))
		return false;
	pairs_add(&k->open, block_key(b.dev, b.sector), h);
	return true;
}

static bool on_block_complete(struct kernel_rq *k, const struct ftrace_line *l, const char **want)
{
	struct kernel_block b;

	if (k->nvme)
		return true;
	if (!kernel_block_parse(l->payload, false, &b)) {
		*want = "MAJOR,MINOR RWBS () SECTOR + SECTORS of block_rq_complete";
		return false;
	}
	complete(k, block_key(b.dev, b.sector), l);
	return true;
}

/* "259,0 R 125952 / 126208 [fio]": the front part starts at the first sector. */
static bool on_split(struct kernel_rq *k, const struct ftrace_line *l, const char **want)
{
	const char *p = l->payload;
	uint64_t major, minor, sector, dev = 0;

	if (ftrace_number(p, "dev=", &dev)) {
		if (!ftrace_number(p, "sector=", &sector))
			goto bad;
	} else {
		if (!parse_u64(&p, &major) || !parse_char(&p, ',') || !parse_u64(&p, &minor) ||
		    !parse_char(&p, ' '))
			goto bad;
		dev = major << 20 | minor;
		p += strcspn(p, " ");
		parse_blanks(&p);
		if (!parse_u64(&p, &sector))
			goto bad;
	}
	k->splits[k->next_split].dev = dev + 1;
	k->splits[k->next_split].sector = sector;
	k->next_split = (k->next_split + 1) % SPLITS;
	return true;
bad:
	*want = "MAJOR,MINOR RWBS SECTOR / SECTOR of block_split";
	return false;
}

/* ---- mapping events ---- */

/* The vectors that a mapping event belongs to, NULL when it is nobody's. */
static struct kernel_vectors *mapping_vectors(struct kernel_rq *k, const struct ftrace_line *l)
{
	struct context *c = context_of(k, l->cpu);

	k->mappings = true;
	if (k->nvme)
		return c->open && c->pid == l->pid && ours(c) ? &c->vectors : NULL;
	/* Block events come after the mapping: collect, forget what another task left. */
	if (c->pid != l->pid) {
		kernel_vectors_clear(&c->vectors);
		c->pid = l->pid;
	}
	return &c->vectors;
}

bool kernel_rq_event(struct kernel_rq *k, const struct ftrace_line *l, uint64_t where, const char **want,
		     GError **error)
{
	if (l->cpu >= MAX_CPUS) {
		*want = "a CPU number below 4096";
		return false;
	}
	switch (l->event[0]) {
	case 'b':
		if (ftrace_is(l, "block_rq_issue"))
			return on_issue(k, l, where, want, error);
		if (ftrace_is(l, "block_rq_complete"))
			return on_block_complete(k, l, want);
		return ftrace_is(l, "block_split") ? on_split(k, l, want) : true;
	case 'd':
		if (ftrace_is(l, "dma_map_phys") || ftrace_is(l, "dma_map_page") ||
		    ftrace_is(l, "dma_map_resource") || ftrace_is(l, "dma_iova_link"))
			return kernel_vectors_single(mapping_vectors(k, l), l, want);
		return ftrace_is(l, "dma_map_sg") ? kernel_vectors_sg(mapping_vectors(k, l), l, want) : true;
	case 'm':
		return ftrace_is(l, "map") ? kernel_vectors_run(mapping_vectors(k, l), l, want) : true;
	case 'n':
		if (ftrace_is(l, "nvme_setup_cmd"))
			return on_setup(k, l, where, want, error);
		return ftrace_is(l, "nvme_complete_rq") ? on_complete(k, l, want) : true;
	case 'r':
		return ftrace_is(l, "rq_vectors")
			   ? kernel_vectors_probe(&context_of(k, l->cpu)->vectors, l, want)
			   : true;
	default:
		return true;
	}
}

void kernel_rq_end(struct kernel_rq *k)
{
	for (unsigned i = 0; i < k->ncpus; i++)
		settle(k, &k->cpus[i]);
}
