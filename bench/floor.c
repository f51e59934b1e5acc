/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per request: a submission entry is written to the queue and fetched through the IOTLB; each data page gets
 * an address popped from a magazine and an entry set in four levels of real 512-entry tables, takes 16
 * packets through one translation, loses its entry, is invalidated by a page-selective descriptor and a wait
 * descriptor that are written, checked and executed, and its address goes back; a completion entry is written
 * through the IOTLB and read back. Some fifty counters are kept. The IOTLB is LRU, by hash and list; a miss
 * walks four levels below walk caches.
 */
#include "floor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LEVELS = 4, QUEUE = 1024, QI = 256, MAGAZINE = 127, PACKETS = 16, WALK_CACHE = 64 };
#define PRESENT UINT64_C(3)
#define ADDRESS UINT64_C(0x000ffffffffff000)
#define NONE UINT32_MAX

struct table {
	uint64_t entry[512];
};
struct slot {
	uint64_t page, leaf;
	uint32_t chain, prev, next, bucket;
};
struct counters {
	uint64_t requests, lookups, hits, misses, reads, walk_hits[LEVELS], maps, unmaps, pages_mapped,
	    pages_unmapped;
	uint64_t allocs, frees, cached, descriptors, psi, waits, spans, removed, packets, bytes_read,
	    bytes_written;
	uint64_t evictions, fills, submissions, completions, segments, mapped, peak, addresses[LEVELS],
	    by_size[4], sum;
};
struct floor {
	struct table *root;
	uint32_t nslots, free, *buckets, mask;
	struct slot *slots; /* [nslots]: list head */
	struct {
		uint64_t key;
		struct table *table;
	} walk[LEVELS][WALK_CACHE];
	uint64_t magazine[MAGAZINE];
	unsigned top;
	uint64_t sq[QUEUE][8], cq[QUEUE][2], sq_page, cq_page;
	uint64_t qi[QI][4], status;
	unsigned qi_tail;
	struct counters c;
};

static uint32_t *bucket_of(struct floor *f, uint64_t page)
{
	return &f->buckets[page * UINT64_C(0x9e3779b97f4a7c15) >> 40 & f->mask];
}

static void list_unlink(struct floor *f, uint32_t i)
{
	f->slots[f->slots[i].prev].next = f->slots[i].next;
	f->slots[f->slots[i].next].prev = f->slots[i].prev;
}

static void list_front(struct floor *f, uint32_t i)
{
	struct slot *head = &f->slots[f->nslots];

	f->slots[i].prev = f->nslots;
	f->slots[i].next = head->next;
	f->slots[head->next].prev = i;
	head->next = i;
}

static void drop(struct floor *f, uint32_t i)
{
	uint32_t *p = bucket_of(f, f->slots[i].page);

	while (*p != i)
		p = &f->slots[*p].chain;
	*p = f->slots[i].chain;
	list_unlink(f, i);
	f->slots[i].chain = f->free;
	f->free = i;
}

static struct table *table_new(void)
{
	struct table *t = aligned_alloc(4096, sizeof(*t));

	memset(t, 0, sizeof(*t));
	return t;
}

static uint64_t *leaf_of(struct floor *f, uint64_t page)
{
	struct table *t = f->root;

	for (int level = LEVELS - 1; level > 0; level--) {
		uint64_t *e = &t->entry[page >> 9 * level & 511];

		if (!*e)
			*e = (uint64_t)(uintptr_t)table_new() | PRESENT;
		t = (struct table *)(uintptr_t)(*e & ADDRESS);
	}
	return &t->entry[page & 511];
}

static uint64_t walk(struct floor *f, uint64_t page)
{
	struct table *t = f->root;
	int level = LEVELS - 1;

	for (int k = 1; k < LEVELS; k++) {
		uint64_t key = page >> 9 * k;

		if (f->walk[k][key % WALK_CACHE].key == key + 1) {
			t = f->walk[k][key % WALK_CACHE].table;
			level = k - 1;
			f->c.walk_hits[k]++;
			break;
		}
	}
	for (; level > 0; level--) {
		uint64_t key = page >> 9 * level;

		f->c.reads++;
		t = (struct table *)(uintptr_t)(t->entry[key & 511] & ADDRESS);
		f->walk[level][key % WALK_CACHE].key = key + 1;
		f->walk[level][key % WALK_CACHE].table = t;
	}
	f->c.reads++;
	return t->entry[page & 511];
}

static uint64_t translate(struct floor *f, uint64_t page, unsigned lookups)
{
	uint32_t i = *bucket_of(f, page), *bucket;

	f->c.lookups += lookups;
	while (i != NONE && f->slots[i].page != page)
		i = f->slots[i].chain;
	if (i != NONE) {
		f->c.hits += lookups;
		list_unlink(f, i);
		list_front(f, i);
		return f->slots[i].leaf;
	}
	f->c.misses++;
	f->c.hits += lookups - 1;
	if (f->free == NONE) {
		drop(f, f->slots[f->nslots].prev);
		f->c.evictions++;
	}
	i = f->free;
	f->free = f->slots[i].chain;
	bucket = bucket_of(f, page);
	f->slots[i].page = page;
	f->slots[i].leaf = walk(f, page);
	f->slots[i].chain = *bucket;
	*bucket = i;
	list_front(f, i);
	f->c.fills++;
	return f->slots[i].leaf;
}

/* One descriptor: written, checked as hardware does, executed. */
static void submit(struct floor *f, uint64_t w0, uint64_t w1)
{
	uint64_t *d = f->qi[f->qi_tail];

	d[0] = w0;
	d[1] = w1;
	d[2] = d[3] = 0;
	f->qi_tail = (f->qi_tail + 1) % QI;
	f->c.descriptors++;
	if ((d[0] & 15) == 2 && !(d[0] & ~UINT64_C(0xffff00ff)) && !d[2] && !d[3]) {
		uint64_t page = d[1] >> 12, span = UINT64_C(1) << (d[1] & 63);
		uint32_t i;

		f->c.psi++;
		f->c.spans += span;
		for (uint64_t p = page; p < page + span; p++) {
			i = *bucket_of(f, p);
			while (i != NONE && f->slots[i].page != p)
				i = f->slots[i].chain;
			if (i != NONE) {
				drop(f, i);
				f->c.removed++;
			}
		}
	} else if ((d[0] & 15) == 5 && !d[2] && !d[3]) {
		*(uint64_t *)(uintptr_t)d[1] = d[0] >> 32;
		f->c.waits++;
	}
}

static void request(struct floor *f, uint64_t n, unsigned segments, const uint64_t *phys)
{
	uint64_t iova[64], *sqe = f->sq[n % QUEUE], *cqe = f->cq[n % QUEUE], leaf;

	f->c.requests++;
	for (unsigned s = 0; s < segments; s++) {
		iova[s] = f->magazine[--f->top];
		*leaf_of(f, iova[s]) = phys[s] | PRESENT;
		f->c.allocs++;
		f->c.cached++;
		f->c.maps++;
		f->c.pages_mapped++;
		f->c.mapped++;
	}
	f->c.peak = f->c.mapped > f->c.peak ? f->c.mapped : f->c.peak;
	sqe[0] = n << 16 | 2;
	sqe[1] = 1;
	sqe[3] = iova[0] << 12;
	sqe[5] = n * 8;
	sqe[6] = segments * 8 - 1;
	f->c.submissions++;
	leaf = translate(f, f->sq_page, 1);
	f->c.sum += leaf + sqe[0] + sqe[3] + sqe[5];
	f->c.bytes_read += 64;
	for (unsigned s = 0; s < segments; s++) {
		leaf = translate(f, iova[s], PACKETS);
		f->c.sum += leaf;
		f->c.packets += PACKETS;
		f->c.bytes_written += 4096;
	}
	f->c.sum += translate(f, f->cq_page, 1);
	cqe[0] = 0;
	cqe[1] = n << 32 | 1;
	f->c.bytes_written += 16;
	f->c.sum += cqe[1];
	f->c.completions++;
	for (unsigned s = 0; s < segments; s++) {
		*leaf_of(f, iova[s]) = 0;
		f->c.unmaps++;
		f->c.pages_unmapped++;
		f->c.mapped--;
		submit(f, 2 | 3 << 4 | 5 << 16, iova[s] << 12);
		submit(f, 5 | 1 << 5 | UINT64_C(2) << 32, (uint64_t)(uintptr_t)&f->status);
		f->magazine[f->top++] = iova[s];
		f->c.frees++;
	}
	f->c.segments += segments;
}

static void free_tables(struct table *t, int level)
{
	for (unsigned i = 0; level > 0 && i < 512; i++)
		if (t->entry[i])
			free_tables((struct table *)(uintptr_t)(t->entry[i] & ADDRESS), level - 1);
	free(t);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct floor *floor_new(unsigned entries)
{
	struct floor *f = calloc(1, sizeof(*f));

	f->root = table_new();
	f->nslots = entries;
	f->mask = 1;
	while (f->mask < 2 * entries)
		f->mask *= 2;
	f->buckets = malloc(f->mask * sizeof(*f->buckets));
	memset(f->buckets, 0xff, f->mask-- * sizeof(*f->buckets));
	f->slots = calloc(entries + 1, sizeof(*f->slots));
	for (uint32_t i = 0; i < entries; i++)
		f->slots[i].chain = i + 1 < entries ? i + 1 : NONE;
	f->slots[entries].prev = f->slots[entries].next = entries;
	return f;
}

static void floor_free(struct floor *f)
{
	free_tables(f->root, LEVELS - 1);
	free(f->buckets);
	free(f->slots);
	free(f);
}

double floor_run(uint64_t n, unsigned segments, unsigned entries, uint64_t *check)
{
	struct floor *f = floor_new(entries);
	uint64_t phys[64], random = 1;
	double start;

	while (f->top < MAGAZINE) {
		f->magazine[f->top] = 0xfffff - f->top;
		f->top++;
	}
	f->sq_page = 0xfff00;
	f->cq_page = 0xfff01;
	*leaf_of(f, f->sq_page) = 0x100000 | PRESENT;
	*leaf_of(f, f->cq_page) = 0x101000 | PRESENT;
	start = seconds();
	for (uint64_t i = 0; i < n; i++) {
		for (unsigned s = 0; s < segments; s++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			phys[s] = random >> 20 & UINT64_C(0xfffffff000);
		}
		request(f, i, segments, phys);
	}
	start = seconds() - start;
	*check = f->c.sum + f->c.removed + f->c.hits + f->c.reads + f->status;
	floor_free(f);
	return start;
}

double floor_translate(uint64_t n, unsigned pages, unsigned entries, uint64_t *check)
{
	struct floor *f = floor_new(entries);
	uint64_t first = 0xfffff - pages;
	double start;

	for (unsigned p = 0; p < pages; p++)
		*leaf_of(f, first + p) = (uint64_t)p << 12 | PRESENT;
	start = seconds();
	for (uint64_t i = 0; i < n; i++) {
		f->c.sum += translate(f, first + i % pages, 1);
		f->c.bytes_read += 64;
	}
	start = seconds() - start;
	*check = f->c.sum + f->c.hits + f->c.reads;
	floor_free(f);
	return start;
}
