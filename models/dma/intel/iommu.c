/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Intel driver: units, domains, attachment, and its table of functions (drivers/iommu/intel/iommu.c).
 */
#include "internal.h"

#define FIRST_DOMAIN_ID 2u /* 0 and 1 are the driver's own */
#define DID_PASSTHROUGH 1u /* FLPT_DEFAULT_DID: the first that caching-mode units allow */

static struct iommu_device *intel_probe(struct dma_layer *l, struct iommu_unit *unit)
{
	struct intel_iommu *intel = g_new0(struct intel_iommu, 1);

	intel->iommu.l = l;
	intel->unit = vtd_of(unit);
	intel->caps = *vtd_caps(intel->unit);
	intel->next_did = FIRST_DOMAIN_ID;
	if (dmar_enable_qi(intel)) {
		g_free(intel);
		return NULL;
	}
	return &intel->iommu;
}

static void intel_release(struct iommu_device *iommu)
{
	struct intel_iommu *intel = to_intel(iommu);

	dmar_disable_qi(intel);
	g_free(intel);
}

/* A caching-mode unit with second-stage tables makes every unmap expensive to batch: strict. */
static bool forces_strict(const struct intel_iommu *intel)
{
	return intel->caps.caching_mode && !vtd_formats[vtd_domain_format(intel->unit)].first_stage;
}

static enum iommu_mode intel_def_domain_type(struct iommu_device *iommu, enum iommu_mode mode)
{
	const struct intel_iommu *intel = to_intel(iommu);

	if (mode == IOMMU_PASSTHROUGH && !intel->caps.pass_through)
		return IOMMU_STRICT;
	if (mode == IOMMU_LAZY && forces_strict(intel))
		return IOMMU_STRICT;
	return mode;
}

/* ---- domains ---- */

static void intel_iotlb_sync_map(struct iommu_domain *d, dma_addr_t iova, size_t size)
{
	const struct intel_iommu *intel = to_intel(d->iommu);

	if (intel->caps.caching_mode && !to_dmar_domain(d)->first_stage)
		cache_tag_flush_range_np(d, iova, iova + size - 1);
	else if (intel->caps.rwbf)
		d->l->st->write_buffer_flushes++;
}

static void intel_iotlb_sync(struct iommu_domain *d, struct iommu_iotlb_gather *g)
{
	cache_tag_flush_range(d, g->start, g->end, pgtable_list_empty(&g->freelist));
}

static void intel_domain_free(struct iommu_domain *d)
{
	if (d->pt)
		pgtable_free(d->pt);
	g_free(to_dmar_domain(d));
}

static const struct iommu_domain_ops intel_domain_ops = {
    .map_pages = intel_map_pages,
    .unmap_pages = intel_unmap_pages,
    .iotlb_sync_map = intel_iotlb_sync_map,
    .iotlb_sync = intel_iotlb_sync,
    .flush_iotlb_all = cache_tag_flush_all,
    .free = intel_domain_free,
};

static int intel_domain_alloc_paging(struct iommu_device *iommu, struct device *dev,
				     struct iommu_domain **out)
{
	struct intel_iommu *intel = to_intel(iommu);
	const struct vtd_caps *caps = &intel->caps;
	enum vtd_format format = vtd_domain_format(intel->unit);
	struct dma_layer *l = iommu->l;
	struct dmar_domain *dmar;
	struct iommu_domain *d;
	struct pgtable *pt;
	unsigned page_sizes;

	if (intel->next_did >= caps->domains)
		return -ENOSPC;
	pt = pgtable_new(l->sim, l->mem, format, vtd_domain_page_sizes(intel->unit, format), dev->node);
	if (!pt)
		return -ENOMEM;
	dmar = g_new0(struct dmar_domain, 1);
	dmar->first_stage = vtd_formats[format].first_stage;
	spin_lock_init(&dmar->cache_lock, "cache_lock");
	d = &dmar->domain;
	d->ops = &intel_domain_ops;
	d->pt = pt;
	page_sizes = pgtable_page_sizes(pt);
	d->pgsize_bitmap = PAGE_SIZE | (page_sizes & VTD_PAGES_2M ? 2 * MIB : 0) |
			   (page_sizes & VTD_PAGES_1G ? GIB : 0);
	/* A first stage sign-extends its addresses: the lower half of them is to be had. */
	d->aperture_end = MIN(pgtable_last_iova(pt), UINT64_MAX >> (64 - caps->mgaw + dmar->first_stage));
	d->iotlb_sync_map = caps->rwbf || (caps->caching_mode && !dmar->first_stage);
	d->flush_tables = !caps->coherent;
	d->did = (uint16_t)intel->next_did++;
	l->st->table_pages_allocated++;
	*out = d;
	return 0;
}

/* ---- devices ---- */

static void intel_attach_dev(struct iommu_domain *d, struct device *dev)
{
	struct intel_iommu *intel = to_intel(d->iommu);
	struct dmar_domain *dmar = to_dmar_domain(d);
	struct vtd_context ctx = {
	    .type = dmar->first_stage ? VTD_FIRST_STAGE : VTD_SECOND_STAGE,
	    .did = d->did,
	    .format = pgtable_format(d->pt),
	    .root = pgtable_root(d->pt),
	    .ats = dev->pci->ats && intel->caps.device_tlb,
	};

	dmar->ats = ctx.ats;
	vtd_set_context(intel->unit, dev->pci->sid, NO_PASID, &ctx);
	if (ctx.ats)
		vtd_ats_enable(intel->unit, dev->pci->sid);
}

static void intel_attach_identity(struct iommu_device *iommu, struct device *dev)
{
	struct vtd_context ctx = {.type = VTD_PASSTHROUGH, .did = DID_PASSTHROUGH};

	vtd_set_context(to_intel(iommu)->unit, dev->pci->sid, NO_PASID, &ctx);
}

/* Nobody runs kernel code: the machine is being taken down. */
static bool no_kernel(const struct sim *sim)
{
	return !sim->cpu || (sim->timing && !sim->cpu->running);
}

/*
 * The entry goes, then what the unit remembers of it: context entry (in scalable mode PASID entry),
 * then all translations of the domain, then those in the device; each awaited before the next.
 */
static void intel_detach_dev(struct iommu_device *iommu, struct device *dev)
{
	struct intel_iommu *intel = to_intel(iommu);
	struct iommu_domain *d = dev->domain;
	uint16_t did = d ? d->did : DID_PASSTHROUGH, sid = dev->pci->sid;
	struct qi_desc desc = qi_desc_context(did, QI_CC_DEVICE, sid, 0);

	vtd_set_context(intel->unit, sid, NO_PASID, NULL);
	if (no_kernel(dev->sim))
		return;
	if (vtd_scalable(intel->unit))
		desc = qi_desc_pasid_cache(did, 0, QI_PC_PASID);
	qi_submit_one(intel, desc);
	if (!d)
		return;
	qi_submit_one(intel, intel_domain_desc(intel, to_dmar_domain(d)));
	if (to_dmar_domain(d)->ats)
		qi_submit_one(intel, intel_device_desc(intel, sid, 0, MAX_AGAW_PFN_WIDTH));
}

const struct iommu_ops intel_iommu_ops = {
    .probe = intel_probe,
    .release = intel_release,
    .def_domain_type = intel_def_domain_type,
    .domain_alloc_paging = intel_domain_alloc_paging,
    .attach_dev = intel_attach_dev,
    .attach_identity = intel_attach_identity,
    .detach_dev = intel_detach_dev,
};
