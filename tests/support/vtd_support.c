/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vtd_support.h"

#include "support.h"

#define STATUS_PAGE 0x200000

void vtd_fixture_defaults(struct vtd_fixture *f)
{
	*f = (struct vtd_fixture){0};
	param_defaults(&memory_param_table, &f->mp);
	param_defaults(&iotlb_param_table, &f->p.iotlb);
	param_defaults(&pwc_param_table, &f->p.pwc);
	param_defaults(&walker_param_table, &f->p.walker);
	f->p.walker.slow_share = 0; /* all table reads take the mean */
	param_defaults(&qi_param_table, &f->p.qi);
	param_defaults(&iommu_param_table, &f->p.iommu);
	param_defaults(&ats_param_table, &f->p.ats);
}

void vtd_fixture_start(struct vtd_fixture *f, enum fidelity fidelity)
{
	sim_init(&f->sim, fidelity, 1, test_seed());
	f->mem = memory_new(&f->sim, &f->mp);
	f->u = vtd_new(&f->sim, f->mem, &f->p, &f->st);
}

void vtd_fixture_stop(struct vtd_fixture *f)
{
	vtd_free(f->u);
	memory_free(f->mem);
	sim_fini(&f->sim);
	param_clear(&iommu_param_table, &f->p.iommu);
}

void vtd_fixture_attach(struct vtd_fixture *f, uint16_t sid, uint16_t did, const struct pgtable *t)
{
	struct vtd_context c = {
	    .type = vtd_formats[pgtable_format(t)].first_stage ? VTD_FIRST_STAGE : VTD_SECOND_STAGE,
	    .did = did,
	    .format = pgtable_format(t),
	    .root = pgtable_root(t),
	};

	vtd_set_context(f->u, sid, NO_PASID, &c);
}

void test_map(struct pgtable *t, dma_addr_t iova, phys_addr_t pa, uint64_t len, unsigned prot)
{
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	uint64_t done;

	ck_assert_int_eq(pgtable_map(t, iova, pa, len, prot, &done, &g), 0);
	ck_assert_uint_eq(done, len);
	pgtable_release(t, &g.tables);
}

int test_access(struct vtd_fixture *f, uint16_t sid, dma_addr_t iova, enum iommu_access access,
		sim_time_t when, struct iommu_result *res)
{
	const struct iommu_request rq = {
	    .sid = sid, .pasid = NO_PASID, .access = (uint8_t)access, .addr = iova};

	return vtd_translate(f->u, &rq, when, res);
}

sim_time_t test_psi(struct vtd_fixture *f, uint16_t did, dma_addr_t iova, unsigned am, bool ih,
		    sim_time_t when)
{
	const struct qi_desc d[] = {qi_desc_iotlb(did, QI_PAGE, iova, am, ih, true),
				    qi_desc_wait(STATUS_PAGE, 2)};

	return vtd_qi_execute(f->u, d, 2, when);
}
