/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nested translation as a guest has it (Intel VT-d architecture specification rev 4.1, 3.8): the host
 * puts a second stage under every first-stage table that software installs. Guest-physical addresses
 * are host-physical ones here, so that only accesses and time differ, never results.
 */
#include "internal.h"

#include "pgtable.h"

/* With 1 GiB pages the host maps all that a BAR may lie in; else RAM and what lies below it. */
#define NESTED_SPAN_1G (UINT64_C(1) << 46)

struct outer_stage {
	struct pgtable *table;
	struct sim host; /* its ledger: the guest's kernel does not pay for the host's tables */
};

void nested_init(struct vtd_unit *u)
{
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	unsigned sizes = u->caps.page_sizes;
	uint64_t span = align_up(memory_max(u->mem) + 1, sizes & VTD_PAGES_2M ? 2 * MIB : PAGE_SIZE), done;

	if (!u->p.iommu.nested || !u->scalable || !u->caps.nested || !u->caps.first_stage)
		return;
	u->outer = g_new0(struct outer_stage, 1);
	u->outer->table = pgtable_new(&u->outer->host, u->mem, vtd_second_stage_format(u), sizes, u->node);
	if (!u->outer->table)
		return;
	if (sizes & VTD_PAGES_1G)
		span = MIN(NESTED_SPAN_1G, pgtable_last_iova(u->outer->table) + 1);
	/* Running out of memory here leaves addresses that fault. */
	(void)pgtable_map(u->outer->table, 0, 0, span, PGTABLE_READ | PGTABLE_WRITE, &done, &g);
}

void nested_fini(struct vtd_unit *u)
{
	if (!u->outer)
		return;
	pgtable_free(u->outer->table);
	g_free(u->outer);
}

void nested_wrap(const struct vtd_unit *u, struct vtd_context *ctx)
{
	if (!u->outer || !u->outer->table || ctx->type != VTD_FIRST_STAGE)
		return;
	ctx->type = VTD_NESTED;
	ctx->outer_format = pgtable_format(u->outer->table);
	ctx->outer_root = pgtable_root(u->outer->table);
}
