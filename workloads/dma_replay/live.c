/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Live mappings by device, kind and recorded address: a hash table with chains that grows with them. */
#include "mapping.h"

void live_init(struct replay_workload *w)
{
	w->mask = 255;
	w->buckets = g_new0(struct mapping *, w->mask + 1);
}

static struct mapping **bucket(const struct replay_workload *w, uint32_t device, uint8_t kind,
			       uint64_t handle)
{
	uint64_t h = (handle ^ (uint64_t)device << 52 ^ (uint64_t)kind << 60) * 0x9e3779b97f4a7c15ull;

	return &w->buckets[(h ^ h >> 32) & w->mask];
}

static void link_live(struct replay_workload *w, struct mapping *p)
{
	struct mapping **b = bucket(w, p->device, p->kind, p->handle);

	p->next = *b;
	*b = p;
}

void mapping_insert(struct replay_workload *w, struct mapping *p)
{
	if (w->nlive > w->mask) {
		struct mapping **old = w->buckets;
		uint64_t n = w->mask + 1;

		w->mask = n * 2 - 1;
		w->buckets = g_new0(struct mapping *, n * 2);
		for (uint64_t i = 0; i < n; i++)
			while (old[i]) {
				struct mapping *q = old[i];

				old[i] = q->next;
				link_live(w, q);
			}
		g_free(old);
	}
	link_live(w, p);
	w->nlive++;
}

struct mapping **mapping_find(struct replay_workload *w, uint32_t device, uint8_t kind, uint64_t handle)
{
	for (struct mapping **at = bucket(w, device, kind, handle); *at; at = &(*at)->next)
		if ((*at)->handle == handle && (*at)->device == device && (*at)->kind == kind)
			return at;
	return NULL;
}

struct mapping *mapping_take(struct replay_workload *w, uint32_t device, uint8_t kind, uint64_t handle)
{
	struct mapping **at = mapping_find(w, device, kind, handle), *p;

	if (!at)
		return NULL;
	p = *at;
	*at = p->next;
	w->nlive--;
	return p;
}

struct mapping *mapping_take_any(struct replay_workload *w, uint64_t *at)
{
	for (; *at <= w->mask; ++*at) {
		struct mapping *p = w->buckets[*at];

		if (!p)
			continue;
		w->buckets[*at] = p->next;
		w->nlive--;
		return p;
	}
	return NULL;
}
