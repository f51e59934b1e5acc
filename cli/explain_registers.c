/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a unit can, from CAP and ECAP as a kernel prints them: Intel VT-d architecture specification
 * rev 4.1, 11.4.2 and 11.4.3.
 */
#include "explain.h"

#include <jansson.h>
#include <string.h>

static void say(json_t *facts, const char *key, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void say(json_t *facts, const char *key, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	explain_fact(facts, key, text);
}

struct flag {
	const char *name;
	bool set;
};

/* The names of those that are set. */
static void flags(json_t *facts, const char *key, const struct flag *f, size_t n)
{
	g_autoptr(GString) names = g_string_new(NULL);

	for (size_t i = 0; i < n; i++)
		if (f[i].set)
			g_string_append_printf(names, "%s%s", names->len ? ", " : "", f[i].name);
	say(facts, key, "%s", names->len ? names->str : "none");
}

static void explain_cap(json_t *facts, const struct vtd_caps *c)
{
	const struct flag can[] = {
	    {"page-selective invalidation (PSI)", c->psi},
	    {"write draining (DWD)", c->drain_write},
	    {"read draining (DRD)", c->drain_read},
	    {"caching mode (CM): a virtual unit", c->caching_mode},
	    {"write buffers to flush (RWBF)", c->rwbf},
	    {"zero-length reads (ZLR)", c->zero_length_read},
	    {"posted interrupts (PI)", c->posted_interrupts},
	    {"1 GiB first-stage pages (FS1GP)", c->first_1g},
	    {"5-level first stage (FS5LP)", c->five_level_first},
	    {"setting the root table invalidates (ESRTPS)", c->root_set_invalidates},
	};

	say(facts, "domains (ND)", "%u", c->domains);
	say(facts, "second-stage levels (SAGAW)", "%s%s%s%s", c->widths & 2 ? "3 " : "",
	    c->widths & 4 ? "4 " : "", c->widths & 8 ? "5 " : "",
	    c->widths & 0xe ? "" : "none: the unit cannot translate");
	say(facts, "address width (MGAW)", "%u bits", c->mgaw);
	say(facts, "second-stage pages (SSLPS)", "4 KiB%s%s", c->page_sizes & VTD_PAGES_2M ? ", 2 MiB" : "",
	    c->page_sizes & VTD_PAGES_1G ? ", 1 GiB" : "");
	say(facts, "largest page-selective invalidation (MAMV)",
	    "2^%u pages; a range that no aligned block of "
	    "that size covers becomes an invalidation of the domain",
	    c->mamv);
	say(facts, "fault records (NFR)", "%u", c->fault_records);
	flags(facts, "has", can, G_N_ELEMENTS(can));
}

static void explain_ecap(json_t *facts, const struct vtd_caps *c)
{
	const struct flag can[] = {
	    {"coherent table reads (C)", c->coherent},
	    {"queued invalidation (QI)", c->queued},
	    {"device TLBs (DT)", c->device_tlb},
	    {"interrupt remapping (IR)", c->interrupt_remapping},
	    {"x2APIC interrupts (EIM)", c->extended_interrupts},
	    {"pass-through (PT)", c->pass_through},
	    {"snoop control (SC)", c->snoop_control},
	    {"memory types (MTS)", c->memory_types},
	    {"scalable mode (SMTS)", c->scalable},
	    {"first stage (FSTS)", c->first_stage},
	    {"second stage in scalable mode (SSTS)", c->second_stage},
	    {"nested translation (NEST)", c->nested},
	    {"second-stage accessed and dirty bits (SSADS)", c->second_stage_ad},
	    {"coherent scalable-mode walks (SMPWCS)", c->walk_snoop},
	    {"PASIDs (PASID)", c->pasid},
	    {"page requests (PRS)", c->page_requests},
	    {"page-request drain (PDS)", c->page_request_drain},
	    {"supervisor requests (SRS)", c->supervisor},
	    {"no-write flag (NWFS)", c->no_write_flag},
	    {"extended accessed bits (EAFS)", c->extended_accessed},
	    {"invalidation throttling (DIT)", c->invalidation_throttle},
	    {"PASID of requests without one (RPS)", c->rid_pasid},
	};

	flags(facts, "has", can, G_N_ELEMENTS(can));
	if (c->scalable)
		say(facts, "PASID width (PSS)", "%u bits", c->pasid_bits);
	if (!c->queued)
		say(facts, "note", "without a queue invalidations go through registers, one at a time");
}

json_t *explain_register(const char *word)
{
	const bool cap = g_str_has_prefix(word, "iommu.cap="), ecap = g_str_has_prefix(word, "iommu.ecap=");
	const struct param_spec *spec = param_find(&iommu_param_table, cap ? "cap" : "ecap");
	struct iommu_params p = {0};
	struct vtd_caps c;
	json_t *facts;

	if ((!cap && !ecap) || !param_set(spec, &p, strchr(word, '=') + 1, NULL))
		return NULL;
	vtd_decode_caps(p.cap, p.ecap, &c);
	facts = json_object();
	explain_fact(facts, "is", "value of a register");
	explain_fact(facts, "name", word);
	if (cap)
		explain_cap(facts, &c);
	else
		explain_ecap(facts, &c);
	return facts;
}

json_t *explain_section(const char *word)
{
	g_autoptr(GString) keys = g_string_new(NULL);
	json_t *facts = NULL;

	for (const struct param_table *const *t = config_tables(); *t; t++) {
		if (strcmp((*t)->section, word))
			continue;
		if (!facts)
			facts = json_pack("{s:s, s:s, s:s}", "is", "section of a scenario", "name", word,
					  "what", (*t)->help);
		for (size_t i = 0; i < (*t)->nspecs; i++)
			g_string_append_printf(keys, "%s%s", keys->len ? ", " : "", (*t)->specs[i].name);
	}
	if (facts)
		explain_fact(facts, "keys", keys->str);
	return facts;
}
