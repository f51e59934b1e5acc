/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One ledger of kernel memory: every byte that the modelled kernel would allocate is charged to a
 * named account at the moment it would, so that current and peak overhead per cause fall out.
 */
#ifndef DMASIM_SIM_LEDGER_H
#define DMASIM_SIM_LEDGER_H

#include <dmasim/types.h>

/* id, name, what it holds, whether it must be 0 once all requests have ended */
#define LEDGER_ACCOUNTS(X)                                                                                \
	X(IOMMU_PAGE_TABLES, "iommu.page_tables", "I/O page-table pages", false)                          \
	X(IOVA_RANGES, "iova.ranges", "struct iova nodes of live and cached ranges", false)               \
	X(IOVA_MAGAZINES, "iova.magazines", "per-CPU and depot magazines of cached IOVAs", false)         \
	X(SG_TABLES, "sg.tables", "scatterlists", true)                                                   \
	X(DRIVER_DMA_ADDRESSES, "driver.dma_addresses",                                                   \
	  "arrays of DMA addresses that a driver keeps until unmap", true)                                \
	X(DRIVER_PAGE_LISTS, "driver.page_lists", "arrays of pages or pfns that a driver keeps", true)    \
	X(DRIVER_COMMAND_BUFFERS, "driver.command_buffers", "PRP, SGL, MTT and work-request lists", true) \
	X(IOVA_STATE, "iova.state", "struct dma_iova_state of live mappings", true)                       \
	X(DRIVER_REGISTRATIONS, "driver.registrations",                                                   \
	  "tables of buffers that stay mapped between requests", false)                                   \
	X(FLUSH_QUEUE_RINGS, "flush_queue.rings", "rings of the lazy-mode flush queue", false)            \
	X(SWIOTLB_POOL, "swiotlb.pool", "bounce-buffer pool and its slot array", false)

enum ledger_account {
#define X(id, name, help, per_request) LEDGER_##id,
	LEDGER_ACCOUNTS(X)
#undef X
	    LEDGER_TOTAL, /* sum of the above, charged automatically */
	LEDGER_COUNT,
};

struct ledger {
	struct ledger_entry {
		uint64_t current, peak; /* bytes */
	} accounts[LEDGER_COUNT];
};

const char *ledger_name(enum ledger_account a);
const char *ledger_help(enum ledger_account a);
/* True for accounts that are 0 after the last request has completed. */
bool ledger_per_request(enum ledger_account a);

static inline void ledger_charge_one(struct ledger_entry *e, uint64_t bytes)
{
	e->current += bytes;
	if (e->current > e->peak)
		e->peak = e->current;
}

static inline void ledger_charge(struct ledger *l, enum ledger_account a, uint64_t bytes)
{
	ledger_charge_one(&l->accounts[a], bytes);
	ledger_charge_one(&l->accounts[LEDGER_TOTAL], bytes);
}

static inline void ledger_release(struct ledger *l, enum ledger_account a, uint64_t bytes)
{
	g_assert(l->accounts[a].current >= bytes);
	l->accounts[a].current -= bytes;
	l->accounts[LEDGER_TOTAL].current -= bytes;
}

#endif
