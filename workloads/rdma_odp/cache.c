/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NIC's translation cache. */
#include "odp.h"

void odp_cache_init(struct odp_cache *c, uint64_t entries, uint64_t ways)
{
	c->ways = ways && ways < entries ? ways : entries;
	c->sets = MAX(entries / c->ways, 1);
	c->entries = g_new0(struct odp_cache_entry, c->sets * c->ways);
}

void odp_cache_fini(struct odp_cache *c)
{
	g_free(c->entries);
}

static uint64_t tag_of(uint32_t key, uint64_t page)
{
	return ((uint64_t)key << 40 | page) + 1;
}

static struct odp_cache_entry *set_of(struct odp_cache *c, uint64_t tag)
{
	return &c->entries[(tag * 0x9e3779b97f4a7c15ull >> 32) % c->sets * c->ways];
}

bool odp_cache_lookup(struct odp_cache *c, uint32_t key, uint64_t page)
{
	uint64_t tag = tag_of(key, page);
	struct odp_cache_entry *set = set_of(c, tag), *victim = set;

	for (uint64_t i = 0; i < c->ways; i++) {
		if (set[i].tag == tag) {
			set[i].used = ++c->clock;
			return true;
		}
		if (set[i].used < victim->used)
			victim = &set[i];
	}
	*victim = (struct odp_cache_entry){tag, ++c->clock};
	return false;
}

void odp_cache_drop(struct odp_cache *c, uint32_t key, uint64_t first, uint64_t n)
{
	for (uint64_t k = first; k < first + n; k++) {
		uint64_t tag = tag_of(key, k);
		struct odp_cache_entry *set = set_of(c, tag);

		for (uint64_t i = 0; i < c->ways; i++)
			if (set[i].tag == tag)
				set[i] = (struct odp_cache_entry){0, 0};
	}
}
