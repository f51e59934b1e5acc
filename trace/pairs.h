/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open requests by key, so that a completion finds its submission. Memory is bounded by what the
 * window holds: entries whose record has left it are dropped when the table would grow.
 */
#ifndef DMASIM_TRACE_PAIRS_H
#define DMASIM_TRACE_PAIRS_H

#include "window.h"

struct pair {
	uint64_t key, sequence;
	struct held *held; /* NULL: free slot */
};
struct pairs {
	struct pair *slots;
	uint32_t mask, used;
};

void pairs_init(struct pairs *p);
void pairs_fini(struct pairs *p);
void pairs_add(struct pairs *p, uint64_t key, struct held *h);
/* The record under key if it is still in the window, else NULL; removes the entry. */
struct held *pairs_take(struct pairs *p, uint64_t key);

#endif
