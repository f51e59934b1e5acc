/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One unit with two domains and a device in each, for tests of single rules of the unit. */
#ifndef DMASIM_TEST_VTD_INVARIANTS_H
#define DMASIM_TEST_VTD_INVARIANTS_H

#include "support.h"
#include "vtd_support.h"

#include <string.h>

#define BASE UINT64_C(0xf0000000)
#define PHYS UINT64_C(0x180000000)
#define STATUS 0x300040
#define RW (PGTABLE_READ | PGTABLE_WRITE)
#define PAGES 512u
#define ALL_SIZES (VTD_PAGES_4K | VTD_PAGES_2M | VTD_PAGES_1G)

static struct vtd_fixture f;
static struct pgtable *t[2]; /* of two domains, TEST_DID and TEST_DID + 1 */
static struct rng rng;

static inline void begin(enum fidelity fidelity)
{
	vtd_fixture_defaults(&f);
	f.p.iommu.cap = TEST_CAP_SCALABLE;
	f.p.iommu.ecap = TEST_ECAP_SCALABLE;
	f.p.iommu.scalable = true;
	vtd_fixture_start(&f, fidelity);
	rng_init(&rng, test_seed(), "invariants");
	for (unsigned i = 0; i < 2; i++) {
		t[i] = pgtable_new(&f.sim, f.mem, VTD_SS_48, ALL_SIZES, 0);
		vtd_fixture_attach(&f, (uint16_t)(TEST_SID + i), (uint16_t)(TEST_DID + i), t[i]);
	}
}

static inline void end(void)
{
	pgtable_free(t[0]);
	pgtable_free(t[1]);
	vtd_fixture_stop(&f);
}

/* Pages in an order of their own behind [BASE, BASE + PAGES pages) of both domains, none contiguous. */
static inline phys_addr_t phys_of(unsigned domain, unsigned page)
{
	return PHYS + domain * GIB + (page * 7 % PAGES) * 2 * PAGE_SIZE;
}

static inline void map_pages(unsigned prot)
{
	for (unsigned d = 0; d < 2; d++)
		for (unsigned i = 0; i < PAGES; i++)
			test_map(t[d], BASE + i * PAGE_SIZE, phys_of(d, i), PAGE_SIZE, prot);
}

static inline phys_addr_t read_at(unsigned device, dma_addr_t iova)
{
	struct iommu_result r;

	return test_access(&f, (uint16_t)(TEST_SID + device), iova, IOMMU_ACCESS_READ, 0, &r) ? 0 : r.phys;
}

static inline uint64_t unmap(unsigned domain, dma_addr_t iova, uint64_t len, struct pgtable_gather *g)
{
	return pgtable_unmap(t[domain], iova, len, g);
}

#endif
