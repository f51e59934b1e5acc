/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capability registers: Intel VT-d architecture specification rev 4.1, 11.4.2 (CAP), 11.4.3 (ECAP). */
#include "internal.h"

#include <dmasim/param.h>

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

/* The widest second stage that SAGAW and iommu.levels (0: any) allow, VTD_FORMATS if there is none. */
static enum vtd_format widest_second_stage(const struct vtd_caps *c, uint64_t levels)
{
	enum vtd_format best = VTD_FORMATS;

	for (enum vtd_format f = VTD_SS_39; f <= VTD_SS_57; f++)
		if (bit(c->widths, vtd_formats[f].levels - 2) && (!levels || vtd_formats[f].levels <= levels))
			best = f;
	return best;
}

static enum vtd_format first_stage_format(const struct vtd_caps *c, uint64_t levels)
{
	return c->five_level_first && (!levels || levels == 5) ? VTD_FS_57 : VTD_FS_48;
}

enum vtd_format vtd_second_stage_format(const struct vtd_unit *u)
{
	enum vtd_format f = widest_second_stage(&u->caps, u->p.iommu.levels);

	return f == VTD_FORMATS ? VTD_SS_48 : f; /* none: vtd_params_check() has refused it */
}

enum vtd_format vtd_domain_format(const struct vtd_unit *u)
{
	if (u->scalable && u->caps.first_stage)
		return first_stage_format(&u->caps, u->p.iommu.levels);
	return vtd_second_stage_format(u);
}

/* ---- what a user may ask of such registers ---- */

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
	va_list args;
	g_autofree char *text = NULL;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, PARAM_ERROR, 0, text);
	return false;
}

static bool check_levels(const struct iommu_params *p, const struct vtd_caps *c, bool first, GError **error)
{
	enum vtd_format second = widest_second_stage(c, p->levels);
	bool found;

	if ((!first || p->nested) && !(c->widths & 0xe))
		return refuse(error,
			      "iommu.cap = %#" G_GINT64_MODIFIER "x: its SAGAW field (bits 12:8) is %#x and "
			      "names no table width, so the unit cannot translate; want bit 9, 10 or 11 set "
			      "(3, 4 or 5 levels)",
			      p->cap, c->widths);
	if (!p->levels)
		return true;
	found = first && p->levels == vtd_formats[first_stage_format(c, p->levels)].levels;
	if (!first || p->nested)
		found = found || (second != VTD_FORMATS && vtd_formats[second].levels == p->levels);
	if (found)
		return true;
	if (first)
		return refuse(
		    error,
		    "iommu.levels = %" G_GUINT64_FORMAT ": first-stage tables of this unit have 4%s "
		    "levels (CAP bit 60); want %s, or 0 for the most",
		    p->levels, c->five_level_first ? " or 5" : "", c->five_level_first ? "4 or 5" : "4");
	return refuse(error,
		      "iommu.levels = %" G_GUINT64_FORMAT ": the SAGAW field of iommu.cap (bits 12:8, %#x) "
		      "allows%s%s%s levels; want one of these, 0 for the most, or another iommu.cap",
		      p->levels, c->widths, bit(c->widths, 1) ? " 3" : "", bit(c->widths, 2) ? " 4" : "",
		      bit(c->widths, 3) ? " 5" : "");
}

/* Table reads that are not slow take read_latency less the mean of what the slow ones take longer. */
static bool check_slow_reads(const struct walker_params *w, GError **error)
{
	double mean = w->slow_share * (double)w->slow_extra;

	if (mean <= (double)w->read_latency)
		return true;
	return refuse(
	    error,
	    "walker.slow_share = %g and walker.slow_extra = %g ns add %g ns to the mean table read, "
	    "but walker.read_latency, which is that mean, is %g ns; want a smaller share (0: all "
	    "reads take the same), a smaller extra or a larger latency",
	    w->slow_share, (double)w->slow_extra / SIM_NS, mean / SIM_NS, (double)w->read_latency / SIM_NS);
}

bool vtd_params_check(const struct iommu_params *p, const struct walker_params *w, GError **error)
{
	struct vtd_caps c;

	vtd_decode_caps(p->cap, p->ecap, &c);
	if (p->scalable && !c.scalable)
		return refuse(error,
			      "iommu.scalable = true: iommu.ecap = %#" G_GINT64_MODIFIER
			      "x has no scalable mode; "
			      "want a register with SMTS (bit 43), e.g. 0x3ee9e86f050df",
			      p->ecap);
	if (p->scalable && !c.first_stage && !c.second_stage)
		return refuse(error,
			      "iommu.scalable = true: iommu.ecap = %#" G_GINT64_MODIFIER
			      "x has neither FSTS (bit 47) nor SSTS (bit 46); want one of them set",
			      p->ecap);
	if (p->nested && !(p->scalable && c.nested && c.first_stage))
		return refuse(error,
			      "iommu.nested = true needs iommu.scalable = true and an iommu.ecap with NEST "
			      "(bit 26) and FSTS (bit 47), e.g. 0x3ee9e86f050df; this one is "
			      "%#" G_GINT64_MODIFIER "x",
			      p->ecap);
	return check_levels(p, &c, p->scalable && c.first_stage, error) && check_slow_reads(w, error);
}

unsigned vtd_domain_page_sizes(const struct vtd_unit *u, enum vtd_format format)
{
	if (!u->p.iommu.superpages)
		return VTD_PAGES_4K;
	if (vtd_formats[format].first_stage)
		return VTD_PAGES_4K | VTD_PAGES_2M | (u->caps.first_1g ? VTD_PAGES_1G : 0);
	return u->caps.page_sizes;
}
