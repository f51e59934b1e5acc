/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capability registers: Intel VT-d architecture specification rev 4.1, 11.4.2 (CAP), 11.4.3 (ECAP). */
#include "vtd_internal.h"

static inline bool bit(uint64_t reg, unsigned n)
{
	return reg >> n & 1;
}

static inline unsigned field(uint64_t reg, unsigned hi, unsigned lo)
{
	return (unsigned)(reg >> lo & ((UINT64_C(1) << (hi - lo + 1)) - 1));
}

static void decode_cap(uint64_t cap, struct vtd_caps *c)
{
	unsigned nd = field(cap, 2, 0);

	c->domains = 1u << MIN(4 + 2 * nd, 16u);
	c->rwbf = bit(cap, 4);
	c->caching_mode = bit(cap, 7);
	c->widths = field(cap, 12, 8);
	c->mgaw = field(cap, 21, 16) + 1;
	c->zero_length_read = bit(cap, 22);
	c->fault_offset = field(cap, 33, 24) * 16;
	c->page_sizes = VTD_PAGES_4K | (bit(cap, 34) ? VTD_PAGES_2M : 0) | (bit(cap, 35) ? VTD_PAGES_1G : 0);
	c->psi = bit(cap, 39);
	c->fault_records = field(cap, 47, 40) + 1;
	c->mamv = field(cap, 53, 48);
	c->drain_write = bit(cap, 54);
	c->drain_read = bit(cap, 55);
	c->first_1g = bit(cap, 56);
	c->posted_interrupts = bit(cap, 59);
	c->five_level_first = bit(cap, 60);
	c->root_set_invalidates = bit(cap, 63);
}

static void decode_ecap(uint64_t ecap, struct vtd_caps *c)
{
	c->coherent = bit(ecap, 0);
	c->queued = bit(ecap, 1);
	c->device_tlb = bit(ecap, 2);
	c->interrupt_remapping = bit(ecap, 3);
	c->extended_interrupts = bit(ecap, 4);
	c->pass_through = bit(ecap, 6);
	c->snoop_control = bit(ecap, 7);
	c->iotlb_offset = field(ecap, 17, 8) * 16;
	c->memory_types = bit(ecap, 25);
	c->nested = bit(ecap, 26);
	c->page_requests = bit(ecap, 29);
	c->supervisor = bit(ecap, 31);
	c->no_write_flag = bit(ecap, 33);
	c->extended_accessed = bit(ecap, 34);
	c->pasid_bits = field(ecap, 39, 35) + 1;
	c->pasid = bit(ecap, 40);
	c->invalidation_throttle = bit(ecap, 41);
	c->page_request_drain = bit(ecap, 42);
	c->scalable = bit(ecap, 43);
	c->second_stage_ad = bit(ecap, 45);
	c->second_stage = bit(ecap, 46);
	c->first_stage = bit(ecap, 47);
	c->walk_snoop = bit(ecap, 48);
	c->rid_pasid = bit(ecap, 49);
}

void vtd_decode_caps(uint64_t cap, uint64_t ecap, struct vtd_caps *caps)
{
	*caps = (struct vtd_caps){0};
	decode_cap(cap, caps);
	decode_ecap(ecap, caps);
}

const struct vtd_caps *vtd_caps(const struct vtd_unit *u)
{
	return &u->caps;
}

enum vtd_format vtd_second_stage_format(const struct vtd_unit *u)
{
	unsigned levels = (unsigned)u->p.iommu.levels, best = 0;

	for (unsigned l = 3; l <= VTD_MAX_LEVELS; l++)
		if (bit(u->caps.widths, l - 2) && (!levels || l <= levels))
			best = l;
	/* A unit whose SAGAW has none of these is not usable; the widest common format stands in. */
	return best == 3 ? VTD_SS_39 : best == 5 ? VTD_SS_57 : VTD_SS_48;
}

enum vtd_format vtd_domain_format(const struct vtd_unit *u)
{
	if (u->scalable && u->caps.first_stage)
		return u->caps.five_level_first && u->p.iommu.levels != 4 ? VTD_FS_57 : VTD_FS_48;
	return vtd_second_stage_format(u);
}

unsigned vtd_domain_page_sizes(const struct vtd_unit *u, enum vtd_format format)
{
	if (!u->p.iommu.superpages)
		return VTD_PAGES_4K;
	if (vtd_formats[format].first_stage)
		return VTD_PAGES_4K | VTD_PAGES_2M | (u->caps.first_1g ? VTD_PAGES_1G : 0);
	return u->caps.page_sizes;
}
