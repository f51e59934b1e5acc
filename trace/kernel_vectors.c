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
 * (Events: Linux include/trace/events/{dma,iommu}.h.)
 */
#include "kernel_vectors.h"

#include <string.h>

#define SECTOR 512u
#define MAX_LIST 4096u

void kernel_vectors_init(struct kernel_vectors *v)
{
	*v = (struct kernel_vectors){.page_off = -1};
}

void kernel_vectors_fini(struct kernel_vectors *v)
{
	g_free(v->runs);
	g_free(v->calls);
	g_free(v->sg);
	g_free(v->sg_len);
	g_free(v->probe_phys);
	g_free(v->probe_len);
}

void kernel_vectors_clear(struct kernel_vectors *v)
{
	v->nruns = v->ncalls = v->nsg = v->nsg_len = 0;
	v->page_off = -1;
}

/* ---- what a request gets of them ---- */

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
static void use_runs(const struct kernel_vectors *v, struct held *h, uint64_t bytes)
{
	uint64_t total = 0, skip = 0;
	unsigned n = v->nruns;

	for (unsigned i = 0; i < n; i++)
		total += v->runs[i].len;
	/* A page of the driver's own pool may have been mapped behind the data, at an IOVA of its own. */
	while (n > 1 && total - v->runs[n - 1].len >= bytes &&
	       v->runs[n - 1].iova != v->runs[n - 2].iova + v->runs[n - 2].len)
		total -= v->runs[--n].len;
	if (v->page_off >= 0)
		skip = (uint64_t)v->page_off;
	else if (total >= bytes + PAGE_SIZE && bytes % PAGE_SIZE == 0)
		skip = SECTOR; /* one page more than the bytes fill: the start was not aligned */
	for (unsigned i = 0; i < n && bytes > 0; i++) {
		uint64_t len = MIN(v->runs[i].len - MIN(skip, v->runs[i].len), bytes);

		add_segment(h, v->runs[i].phys + skip, len);
		bytes -= len;
		skip = 0;
	}
}

/* Entries with their starts; lengths as mapped directly, or up to the end of the run they lie in. */
static void use_sg(const struct kernel_vectors *v, struct held *h, uint64_t bytes)
{
	bool direct = v->nsg_len == v->nsg;

	for (unsigned i = 0; i < v->nsg && bytes > 0; i++) {
		uint64_t start = v->sg[i], len = 0;

		if (direct && v->nruns == 0) {
			len = v->sg_len[i];
		} else {
			for (unsigned k = 0; k < v->nruns && !len; k++)
				if (start >= v->runs[k].phys && start - v->runs[k].phys < v->runs[k].len)
					len = v->runs[k].phys + v->runs[k].len - start;
			if (i + 1 < v->nsg && v->sg[i + 1] > start && v->sg[i + 1] - start < len)
				len = v->sg[i + 1] - start;
		}
		if (len == 0)
			len = PAGE_SIZE - start % PAGE_SIZE;
		len = MIN(len, bytes);
		add_segment(h, start, len);
		bytes -= len;
	}
}

bool kernel_vectors_use(const struct kernel_vectors *v, struct held *h, uint64_t bytes)
{
	uint64_t sum = 0;

	if (!h->nsegs) { /* else the probe has shown the request's own */
		if (v->ncalls)
			for (unsigned i = 0; i < v->ncalls; i++)
				add_segment(h, v->calls[i].phys, v->calls[i].len);
		else if (v->nsg)
			use_sg(v, h, bytes);
		else
			use_runs(v, h, bytes);
	}
	for (uint32_t i = 0; i < h->nsegs; i++)
		sum += h->segs[i].len;
	return sum == bytes;
}

/* ---- events ---- */

static void add_run(struct kernel_run **runs, unsigned *n, unsigned *cap, struct kernel_run run)
{
	if (*n == MAX_LIST)
		return;
	if (*n == *cap) {
		*cap = *cap ? *cap * 2 : 16;
		*runs = g_renew(struct kernel_run, *runs, *cap);
	}
	(*runs)[(*n)++] = run;
}

bool kernel_vectors_single(struct kernel_vectors *v, const struct ftrace_line *l, const char **want)
{
	uint64_t phys, size, off;

	if (!ftrace_number(l->payload, "size=", &size)) {
		*want = "size= of a mapping event";
		return false;
	}
	if (!v)
		return true;
	if (ftrace_hex(l->payload, "phys_addr=", &phys) || ftrace_hex(l->payload, "phys=", &phys))
		add_run(&v->calls, &v->ncalls, &v->cap_calls, (struct kernel_run){phys, size, 0});
	else if (ftrace_number(l->payload, "off=", &off) && off < PAGE_SIZE)
		v->page_off = (int)off; /* a probe that sees no physical address */
	return true;
}

bool kernel_vectors_sg(struct kernel_vectors *v, const struct ftrace_line *l, const char **want)
{
	const char *phys = ftrace_field(l->payload, "phys_addrs="), *len = ftrace_field(l->payload, "sizes=");
	int n, m;

	if (!len)
		len = ftrace_field(l->payload, "lengths=");
	if (!v)
		return true;
	if (!v->sg) {
		v->sg = g_new(uint64_t, MAX_LIST);
		v->sg_len = g_new(uint64_t, MAX_LIST);
	}
	n = phys ? ftrace_list(phys, 8, v->sg, MAX_LIST) : -1;
	m = len ? ftrace_list(len, 4, v->sg_len, MAX_LIST) : -1;
	if (n < 0 || m < 0) {
		*want = "phys_addrs={} and sizes={} of dma_map_sg";
		return false;
	}
	v->nsg = strstr(l->payload, "[TRUNCATED]") || strstr(l->payload, "truncated=1") ? 0 : (unsigned)n;
	v->nsg_len = (unsigned)m;
	return true;
}

bool kernel_vectors_run(struct kernel_vectors *v, const struct ftrace_line *l, const char **want)
{
	uint64_t paddr, size, iova = 0;

	ftrace_hex(l->payload, "iova=", &iova);
	if (!ftrace_hex(l->payload, "paddr=", &paddr) || !ftrace_number(l->payload, "size=", &size)) {
		*want = "paddr= and size= of the iommu map event";
		return false;
	}
	/* Behind the list's own event comes only the driver's pool. */
	if (v && v->nsg == 0 && v->ncalls == 0)
		add_run(&v->runs, &v->nruns, &v->cap_runs, (struct kernel_run){paddr, size, iova});
	return true;
}

bool kernel_vectors_probe(struct kernel_vectors *v, const struct ftrace_line *l, const char **want)
{
	const char *phys = ftrace_field(l->payload, "phys="), *len = ftrace_field(l->payload, "len=");
	const char *gap = ftrace_field(l->payload, "gap_bit=");
	uint64_t qid, cid, vecs, gap_bit = 0;

	if (!v->probe_phys) {
		v->probe_phys = g_new(uint64_t, MAX_LIST);
		v->probe_len = g_new(uint64_t, MAX_LIST);
	}
	v->probed = false;
	if (!phys || !len || !gap || !ftrace_number(l->payload, "qid=", &qid) ||
	    !ftrace_number(l->payload, "cmdid=", &cid) || !ftrace_number(l->payload, "vecs=", &vecs) ||
	    !ftrace_number(l->payload, "bytes=", &v->probe_bytes)) {
		*want = "qid=, cmdid=, bytes=, gap_bit=, vecs=, phys={}, len={} of rq_vectors";
		return false;
	}
	if (ftrace_list(phys, 8, v->probe_phys, MAX_LIST) != (int)MIN(vecs, MAX_LIST + 1) ||
	    ftrace_list(len, 8, v->probe_len, MAX_LIST) != (int)MIN(vecs, MAX_LIST + 1))
		return true; /* the probe cut its list: use the mapping events */
	for (unsigned i = 0; i < vecs; i++)
		if (v->probe_len[i] > UINT32_MAX)
			return true;
	v->probe_qid = (uint32_t)qid;
	v->probe_cid = (uint32_t)cid;
	v->nprobe = (uint32_t)vecs;
	v->gap_bit = *gap == '-' ? -1 : parse_u64(&gap, &gap_bit) ? (int)MIN(gap_bit, 64) : -1;
	v->probed = true;
	return true;
}
