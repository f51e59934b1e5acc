/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairs.h"

void pairs_init(struct pairs *p)
{
	p->mask = 255;
	p->used = 0;
	p->slots = g_new0(struct pair, p->mask + 1);
}

void pairs_fini(struct pairs *p)
{
	g_free(p->slots);
}

static uint32_t home(const struct pairs *p, uint64_t key)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 32) & p->mask;
}

static bool live(const struct pair *s)
{
	return s->held && s->held->sequence == s->sequence;
}

static void insert(struct pairs *p, struct pair entry)
{
	uint32_t i = home(p, entry.key);

	while (p->slots[i].held)
		i = (i + 1) & p->mask;
	p->slots[i] = entry;
	p->used++;
}

/* Drop what has left the window; double the table if it stays more than a quarter full. */
static void rebuild(struct pairs *p)
{
	struct pair *old = p->slots;
	uint32_t size = p->mask + 1, n = 0;

	for (uint32_t i = 0; i < size; i++)
		n += live(&old[i]);
	if (n * 4 > size)
		p->mask = size * 2 - 1;
	p->slots = g_new0(struct pair, (size_t)p->mask + 1);
	p->used = 0;
	for (uint32_t i = 0; i < size; i++)
		if (live(&old[i]))
			insert(p, old[i]);
	g_free(old);
}

void pairs_add(struct pairs *p, uint64_t key, struct held *h)
{
	if (p->used * 2 > p->mask)
		rebuild(p);
	insert(p, (struct pair){key, h->sequence, h});
}

static void remove_at(struct pairs *p, uint32_t i)
{
	uint32_t k = i;

	p->used--;
	for (;;) {
		uint32_t want;

		p->slots[i].held = NULL;
		do {
			k = (k + 1) & p->mask;
			if (!p->slots[k].held)
				return;
			want = home(p, p->slots[k].key);
			/* An entry may move back to i unless its home lies cyclically behind i. */
		} while (i <= k ? (i < want && want <= k) : (i < want || want <= k));
		p->slots[i] = p->slots[k];
		i = k;
	}
}

struct held *pairs_take(struct pairs *p, uint64_t key)
{
	for (uint32_t i = home(p, key); p->slots[i].held; i = (i + 1) & p->mask)
		if (p->slots[i].key == key) {
			struct held *h = live(&p->slots[i]) ? p->slots[i].held : NULL;

			remove_at(p, i);
			return h;
		}
	return NULL;
}
