/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reuse.h"

#include <string.h>

#define SLOTS (4 * REUSE_BLOCKS)  /* hash table */
#define STAMPS (4 * REUSE_BLOCKS) /* positions in time before they are renumbered */

struct entry {
	uint64_t block, hash;
	uint32_t stamp; /* position of its last access, from 1 */
	bool used;
};

struct reuse {
	struct entry slots[SLOTS];
	uint32_t tree[STAMPS + 1];  /* Fenwick tree: one per stamp that is some block's last access */
	uint32_t owner[STAMPS + 1]; /* slot of the block with this stamp, +1 */
	uint32_t nblocks, now;
	uint64_t threshold; /* hashes below it are sampled */
	struct hist *distances;
};

struct reuse *reuse_new(void)
{
	struct reuse *u = g_new0(struct reuse, 1);

	u->threshold = UINT64_MAX;
	u->distances = hist_new_log();
	return u;
}

void reuse_free(struct reuse *u)
{
	if (!u)
		return;
	hist_free(u->distances);
	g_free(u);
}

static uint64_t hash_block(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull; /* splitmix64 */
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static void tree_add(struct reuse *u, uint32_t i, int by)
{
	for (; i <= STAMPS; i += i & -i)
		u->tree[i] += (uint32_t)by;
}

static uint32_t tree_sum(const struct reuse *u, uint32_t i)
{
	uint32_t s = 0;

	for (; i > 0; i -= i & -i)
		s += u->tree[i];
	return s;
}

/* Give the stamps in use the numbers from 1 on, in their order. */
static void renumber(struct reuse *u)
{
	uint32_t n = 0;

	memset(u->tree, 0, sizeof(u->tree));
	for (uint32_t i = 1; i <= STAMPS; i++) {
		uint32_t owner = u->owner[i];

		u->owner[i] = 0;
		if (owner) {
			u->owner[++n] = owner;
			u->slots[owner - 1].stamp = n;
			tree_add(u, n, 1);
		}
	}
	u->now = n;
}

static uint32_t find(const struct reuse *u, uint64_t block, uint64_t hash)
{
	uint32_t i = (uint32_t)hash % SLOTS;

	while (u->slots[i].used && u->slots[i].block != block)
		i = (i + 1) % SLOTS;
	return i;
}

/* Halve the threshold and forget the blocks above it. */
static void sink(struct reuse *u)
{
	struct entry *kept = g_new(struct entry, REUSE_BLOCKS + 1);
	uint32_t n = 0;

	u->threshold /= 2;
	for (uint32_t i = 0; i < SLOTS; i++)
		if (u->slots[i].used && u->slots[i].hash < u->threshold)
			kept[n++] = u->slots[i];
	memset(u->slots, 0, sizeof(u->slots));
	memset(u->owner, 0, sizeof(u->owner));
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = find(u, kept[k].block, kept[k].hash);

		u->slots[i] = kept[k];
		u->owner[kept[k].stamp] = i + 1;
	}
	u->nblocks = n;
	g_free(kept);
	renumber(u);
}

double reuse_rate(const struct reuse *u)
{
	return u->threshold == UINT64_MAX ? 1.0 : (double)u->threshold / 18446744073709551616.0;
}

void reuse_add(struct reuse *u, uint64_t block)
{
	uint64_t hash = hash_block(block);
	struct entry *e;

	if (hash >= u->threshold && u->threshold != UINT64_MAX)
		return;
	if (u->now == STAMPS)
		renumber(u);
	e = &u->slots[find(u, block, hash)];
	if (e->used) {
		uint32_t between = u->nblocks - tree_sum(u, e->stamp);

		hist_add(u->distances, (uint64_t)((double)between / reuse_rate(u)), 1);
		tree_add(u, e->stamp, -1);
		u->owner[e->stamp] = 0;
	} else {
		*e = (struct entry){block, hash, 0, true};
		u->nblocks++;
	}
	e->stamp = ++u->now;
	u->owner[e->stamp] = (uint32_t)(e - u->slots) + 1;
	tree_add(u, e->stamp, 1);
	while (u->nblocks > REUSE_BLOCKS)
		sink(u);
}

uint64_t reuse_footprint(const struct reuse *u)
{
	return (uint64_t)((double)u->nblocks / reuse_rate(u));
}

const struct hist *reuse_distances(const struct reuse *u)
{
	return u->distances;
}
