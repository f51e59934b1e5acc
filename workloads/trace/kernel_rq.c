/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the vectors of a request come from, best source first:
 *
 *	rq_vectors		the request's own vectors, in order (a probe of the recording machine)
 *	dma_map_page, dma_map_phys, dma_iova_link
 *				exact physical address and length of each mapped run
 *	dma_map_sg		start of each entry; lengths from the DMA lengths (direct mapping) or from
 *				the iommu map events of the same call
 *	iommu map		runs rounded to pages: the first starts at the smallest multiple of 512 in its
 *				page for which the request's bytes fit, the last is cut to the bytes
 *
 * Mapping runs on the CPU and task of the submission, so events are collected per CPU and belong to
 * the open request there when the task is the same. NVMe traces count slba in blocks of the
 * namespace: 512 bytes unless block_rq_issue shows otherwise.
 * (Events: Linux include/trace/events/{dma,iommu,block}.h, drivers/nvme/host/trace.h.)
 */
#include "kernel_rq.h"
#include "kernel_block.h"

#include <string.h>

#define SECTOR 512u
#define MAX_CPUS 4096u
#define MAX_LIST 4096u
#define SPLITS 256u
#define ANY_DEV UINT64_MAX

struct run {
	uint64_t phys, len;
	uint64_t iova; /* of iommu map events */
};

enum vector_source { FROM_NONE, FROM_RUNS, FROM_SG, FROM_CALLS, FROM_PROBE };

struct context { /* of one CPU */
	struct held *h;
	uint64_t sequence; /* of h, to see that it still is ours */
	uint32_t pid;
	bool open;    /* mapping events belong to h */
	bool admin;   /* an admin command: its mappings are nobody's */
	bool sized;   /* bytes are known for sure */
	int page_off; /* offset in the page, where a probe gives only that; -1 */
	struct run *runs, *calls;
	unsigned nruns, ncalls, cap_runs, cap_calls;
	uint64_t *sg, *sg_len;
	unsigned nsg, nsg_len;
	/* from rq_vectors, for the command that follows */
	bool probed;
	uint32_t probe_qid, probe_cid, nprobe;
	uint64_t probe_bytes;
	int gap_bit;
	uint64_t *probe_phys, *probe_len;
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
	for (unsigned i = 0; i < k->ncpus; i++) {
		struct context *c = &k->cpus[i];

		g_free(c->runs);
		g_free(c->calls);
		g_free(c->sg);
		g_free(c->sg_len);
		g_free(c->probe_phys);
		g_free(c->probe_len);
	}
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
			k->cpus[i].page_off = -1;
		k->ncpus = cpu + 1;
	}
	return &k->cpus[cpu];
}

static void clear_mappings(struct context *c)
{
	c->nruns = c->ncalls = c->nsg = c->nsg_len = 0;
	c->page_off = -1;
}

static void add_run(struct run **runs, unsigned *n, unsigned *cap, struct run run)
{
	if (*n == MAX_LIST)
		return;
	if (*n == *cap) {
		*cap = *cap ? *cap * 2 : 16;
		*runs = g_renew(struct run, *runs, *cap);
	}
	(*runs)[(*n)++] = run;
}

static bool ours(const struct context *c)
{
	return c->h && c->h->sequence == c->sequence;
}

/* ---- vectors ---- */

/* Append the pieces of [phys, phys + len), 4 GiB - 1 at most each. */
static void add_segment(struct held *h, uint64_t phys, uint64_t len)
{
	while (len > 0) {
		uint32_t n = (uint32_t)MIN(len, (uint64_t)UINT32_MAX & PAGE_MASK);

		held_segment(h, phys, n, MEMORY_RAM, 0);
		phys += n;
		len -= n;
	}
}

/* Page-granular runs: cut the ends so that bytes remain. */
static void use_runs(struct context *c, uint64_t bytes)
{
	uint64_t total = 0, skip = 0;
	unsigned n = c->nruns;

	for (unsigned i = 0; i < n; i++)
		total += c->runs[i].len;
	/* A page of the driver's own pool may have been mapped behind the data, at an IOVA of its own. */
	while (n > 1 && total - c->runs[n - 1].len >= bytes &&
	       c->runs[n - 1].iova != c->runs[n - 2].iova + c->runs[n - 2].len)
		total -= c->runs[--n].len;
	if (c->page_off >= 0)
		skip = (uint64_t)c->page_off;
	else if (total >= bytes + PAGE_SIZE && bytes % PAGE_SIZE == 0)
		skip = SECTOR; /* one page more than the bytes fill: the start was not aligned */
	for (unsigned i = 0; i < n && bytes > 0; i++) {
		uint64_t len = MIN(c->runs[i].len - MIN(skip, c->runs[i].len), bytes);

		add_segment(c->h, c->runs[i].phys + skip, len);
		bytes -= len;
		skip = 0;
	}
}

/* Entries with their starts; lengths as mapped directly, or up to the end of the run they lie in. */
static void use_sg(struct context *c, uint64_t bytes)
{
	bool direct = c->nsg_len == c->nsg;

	for (unsigned i = 0; i < c->nsg && bytes > 0; i++) {
		uint64_t start = c->sg[i], len = 0;

		if (direct && c->nruns == 0) {
			len = c->sg_len[i];
		} else {
			for (unsigned k = 0; k < c->nruns && !len; k++)
				if (start >= c->runs[k].phys && start - c->runs[k].phys < c->runs[k].len)
					len = c->runs[k].phys + c->runs[k].len - start;
			if (i + 1 < c->nsg && c->sg[i + 1] > start && c->sg[i + 1] - start < len)
				len = c->sg[i + 1] - start;
		}
		if (len == 0)
			len = PAGE_SIZE - start % PAGE_SIZE;
		len = MIN(len, bytes);
		add_segment(c->h, start, len);
		bytes -= len;
	}
}

static enum vector_source best_source(const struct context *c)
{
	if (c->h->nsegs)
		return FROM_PROBE;
	if (c->ncalls)
		return FROM_CALLS;
	if (c->nsg)
		return FROM_SG;
	return c->nruns ? FROM_RUNS : FROM_NONE;
}

/* The mapping of the open request of this CPU is over: settle its vectors. */
static void settle(struct kernel_rq *k, struct context *c)
{
	uint64_t sum = 0, want;

	if (!c->open || !ours(c)) {
		c->open = false;
		clear_mappings(c);
		return;
	}
	want = c->h->rec.nvme.bytes;
	c->open = false;
	if (c->h->rec.nvme.op > NVME_OP_WRITE) {
		c->h->nsegs = 0;
		clear_mappings(c);
		return;
	}
	switch (best_source(c)) {
	case FROM_CALLS:
		for (unsigned i = 0; i < c->ncalls; i++)
			add_segment(c->h, c->calls[i].phys, c->calls[i].len);
		break;
	case FROM_SG:
		use_sg(c, want);
		break;
	case FROM_RUNS:
		use_runs(c, want);
		break;
	default:
		break;
	}
	for (uint32_t i = 0; i < c->h->nsegs; i++)
		sum += c->h->segs[i].len;
	if (sum != want) { /* events were lost, or a list was cut: no layout rather than a wrong one */
		c->h->nsegs = 0;
		k->r->counts.no_vectors++;
	}
	clear_mappings(c);
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

static bool on_setup(struct kernel_rq *k, const struct ftrace_line *l, uint64_t where, const char **want,
		     GError **error)
{
	struct context *c = context_of(k, l->cpu);
	uint64_t ctrl, qid, cid, slba, blocks;
	bool probed = c->probed, split;
	char name[32];
	struct held *h;
	uint32_t device;
	int op;

	k->nvme = true;
	c->probed = false;
	settle(k, c);
	c->h = NULL;
	if (!find_ctrl(l->payload, &ctrl) || !ftrace_number(l->payload, "qid=", &qid) ||
	    (!ftrace_number(l->payload, "cmdid=", &cid) && !ftrace_number(l->payload, "cid=", &cid))) {
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
	if (probed && c->probe_qid == qid && c->probe_cid == cid) {
		uint64_t sum = 0;

		for (uint32_t i = 0; i < c->nprobe; i++) {
			held_segment(h, c->probe_phys[i], (uint32_t)c->probe_len[i], MEMORY_RAM, 0);
			sum += c->probe_len[i];
		}
		if (sum != c->probe_bytes)
			h->nsegs = 0;
		c->sized = true;
		if (op <= NVME_OP_WRITE)
			h->rec.nvme.bytes = c->probe_bytes;
		/* 6.19 and later read the request's gap bit: 0 with several vectors is a front part. */
		if (c->gap_bit >= 0)
			h->rec.nvme.split_front = c->gap_bit == 0 && c->nprobe > 1;
	}
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

	if (!find_ctrl(l->payload, &ctrl) || !ftrace_number(l->payload, "qid=", &qid) ||
	    (!ftrace_number(l->payload, "cmdid=", &cid) && !ftrace_number(l->payload, "cid=", &cid))) {
		*want = "nvmeN: ... qid=, cmdid= of nvme_complete_rq";
		return false;
	}
	complete(k, nvme_key(ctrl, qid, cid), l);
	return true;
}

static bool on_vectors(struct kernel_rq *k, const struct ftrace_line *l, const char **want)
{
	struct context *c = context_of(k, l->cpu);
	const char *phys = ftrace_field(l->payload, "phys="), *len = ftrace_field(l->payload, "len=");
	const char *gap = ftrace_field(l->payload, "gap_bit=");
	uint64_t qid, cid, vecs, gap_bit = 0;

	if (!c->probe_phys) {
		c->probe_phys = g_new(uint64_t, MAX_LIST);
		c->probe_len = g_new(uint64_t, MAX_LIST);
	}
	c->probed = false;
	if (!phys || !len || !gap || !ftrace_number(l->payload, "qid=", &qid) ||
	    !ftrace_number(l->payload, "cmdid=", &cid) || !ftrace_number(l->payload, "vecs=", &vecs) ||
	    !ftrace_number(l->payload, "bytes=", &c->probe_bytes)) {
		*want = "qid=, cmdid=, bytes=, gap_bit=, vecs=, phys={}, len={} of rq_vectors";
		return false;
	}
	if (ftrace_list(phys, 8, c->probe_phys, MAX_LIST) != (int)MIN(vecs, MAX_LIST + 1) ||
	    ftrace_list(len, 8, c->probe_len, MAX_LIST) != (int)MIN(vecs, MAX_LIST + 1))
		return true; /* the probe cut its list: use the mapping events */
	for (unsigned i = 0; i < vecs; i++)
		if (c->probe_len[i] > UINT32_MAX)
			return true;
	c->probe_qid = (uint32_t)qid;
	c->probe_cid = (uint32_t)cid;
	c->nprobe = (uint32_t)vecs;
	c->gap_bit = *gap == '-' ? -1 : parse_u64(&gap, &gap_bit) ? (int)MIN(gap_bit, 64) : -1;
	c->probed = true;
	return true;
}

/* ---- block events ---- */

/* The block layer's view of the command that this CPU has just set up. */
static void hint(struct kernel_rq *k, const struct ftrace_line *l, struct context *c,
		 const struct kernel_block *b)
{
	struct trace_record *rec = &c->h->rec;
	uint64_t slba = rec->nvme.offset >> k->lba_lg2;

	if (!c->open || !ours(c) || c->pid != l->pid)
		return;
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
		clear_mappings(c);
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

/* The context a mapping event belongs to, NULL when it is nobody's. */
static struct context *mapping_context(struct kernel_rq *k, const struct ftrace_line *l)
{
	struct context *c = context_of(k, l->cpu);

	k->mappings = true;
	if (k->nvme)
		return c->open && c->pid == l->pid && ours(c) ? c : NULL;
	/* Block events come after the mapping: collect, forget what another task left. */
	if (c->pid != l->pid) {
		clear_mappings(c);
		c->pid = l->pid;
	}
	return c;
}

static bool on_map_single(struct kernel_rq *k, const struct ftrace_line *l, const char **want)
{
	struct context *c = mapping_context(k, l);
	uint64_t phys, size, off;

	if (!ftrace_number(l->payload, "size=", &size)) {
		*want = "size= of a mapping event";
		return false;
	}
	if (!c)
		return true;
	if (ftrace_hex(l->payload, "phys_addr=", &phys) || ftrace_hex(l->payload, "phys=", &phys))
		add_run(&c->calls, &c->ncalls, &c->cap_calls, (struct run){phys, size, 0});
	else if (ftrace_number(l->payload, "off=", &off) && off < PAGE_SIZE)
		c->page_off = (int)off; /* a probe that sees no physical address */
	return true;
}

static bool on_map_sg(struct kernel_rq *k, const struct ftrace_line *l, const char **want)
{
	struct context *c = mapping_context(k, l);
	const char *phys = ftrace_field(l->payload, "phys_addrs="), *len = ftrace_field(l->payload, "sizes=");
	int n, m;

	if (!len)
		len = ftrace_field(l->payload, "lengths=");
	if (!c)
		return true;
	if (!c->sg) {
		c->sg = g_new(uint64_t, MAX_LIST);
		c->sg_len = g_new(uint64_t, MAX_LIST);
	}
	n = phys ? ftrace_list(phys, 8, c->sg, MAX_LIST) : -1;
	m = len ? ftrace_list(len, 4, c->sg_len, MAX_LIST) : -1;
	if (n < 0 || m < 0) {
		*want = "phys_addrs={} and sizes={} of dma_map_sg";
		return false;
	}
	c->nsg = strstr(l->payload, "[TRUNCATED]") || strstr(l->payload, "truncated=1") ? 0 : (unsigned)n;
	c->nsg_len = (unsigned)m;
	return true;
}

static bool on_iommu_map(struct kernel_rq *k, const struct ftrace_line *l, const char **want)
{
	struct context *c = mapping_context(k, l);
	uint64_t paddr, size, iova = 0;

	ftrace_hex(l->payload, "iova=", &iova);
	if (!ftrace_hex(l->payload, "paddr=", &paddr) || !ftrace_number(l->payload, "size=", &size)) {
		*want = "paddr= and size= of the iommu map event";
		return false;
	}
	/* Behind the list's own event comes only the driver's pool. */
	if (c && c->nsg == 0 && c->ncalls == 0)
		add_run(&c->runs, &c->nruns, &c->cap_runs, (struct run){paddr, size, iova});
	return true;
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
			return on_map_single(k, l, want);
		return ftrace_is(l, "dma_map_sg") ? on_map_sg(k, l, want) : true;
	case 'm':
		return ftrace_is(l, "map") ? on_iommu_map(k, l, want) : true;
	case 'n':
		if (ftrace_is(l, "nvme_setup_cmd"))
			return on_setup(k, l, where, want, error);
		return ftrace_is(l, "nvme_complete_rq") ? on_complete(k, l, want) : true;
	case 'r':
		return ftrace_is(l, "rq_vectors") ? on_vectors(k, l, want) : true;
	default:
		return true;
	}
}

void kernel_rq_end(struct kernel_rq *k)
{
	for (unsigned i = 0; i < k->ncpus; i++)
		settle(k, &k->cpus[i]);
}
