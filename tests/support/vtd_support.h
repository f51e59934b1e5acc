/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A remapping unit with memory and one table, for the tests of models/vtd. */
#ifndef DMASIM_VTD_SUPPORT_H
#define DMASIM_VTD_SUPPORT_H

#include "models/vtd/pgtable.h"

struct vtd_fixture {
	struct sim sim;
	struct memory_params mp;
	struct vtd_params p;
	struct memory *mem;
	struct vtd_stats st;
	struct vtd_unit *u;
};

#define TEST_SID 0x0100
#define TEST_DID 5
/* Capability registers of a scalable-mode unit with first and second stage, 5 levels, nesting. */
#define TEST_CAP_SCALABLE UINT64_C(0x19ed008c40780c66)
#define TEST_ECAP_SCALABLE UINT64_C(0x3ee9e86f050df)

/* Default parameters; change them, then start. */
void vtd_fixture_defaults(struct vtd_fixture *f);
void vtd_fixture_start(struct vtd_fixture *f, enum fidelity fidelity);
void vtd_fixture_stop(struct vtd_fixture *f);

/* An attached domain: type VTD_SECOND_STAGE or VTD_FIRST_STAGE by the table's format. */
void vtd_fixture_attach(struct vtd_fixture *f, uint16_t sid, uint16_t did, const struct pgtable *t);
/* Map one range; fails the test on error. */
void test_map(struct pgtable *t, dma_addr_t iova, phys_addr_t pa, uint64_t len, unsigned prot);
/* One access; returns what vtd_translate did. */
int test_access(struct vtd_fixture *f, uint16_t sid, dma_addr_t iova, enum iommu_access access,
		sim_time_t when, struct iommu_result *res);
/* Invalidate pages and wait; returns the time of completion. */
sim_time_t test_psi(struct vtd_fixture *f, uint16_t did, dma_addr_t iova, unsigned am, bool ih,
		    sim_time_t when);

#endif
