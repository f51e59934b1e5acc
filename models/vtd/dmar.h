/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI DMAR table: which remapping units a machine has and which devices are in their scope.
 * Intel VT-d architecture specification rev 4.1, chapter 8. A dump is the raw table, as in
 * /sys/firmware/acpi/tables/DMAR.
 */
#ifndef DMASIM_MODELS_VTD_DMAR_H
#define DMASIM_MODELS_VTD_DMAR_H

#include <dmasim/types.h>

enum dmar_scope_type {
	DMAR_SCOPE_ENDPOINT = 1,
	DMAR_SCOPE_BRIDGE = 2, /* the bridge and everything below it */
	DMAR_SCOPE_IOAPIC = 3,
	DMAR_SCOPE_HPET = 4,
	DMAR_SCOPE_NAMESPACE = 5,
};
#define DMAR_MAX_HOPS 8
struct dmar_scope {
	enum dmar_scope_type type;
	uint8_t enumeration_id, start_bus;
	unsigned hops;
	uint8_t devfn[DMAR_MAX_HOPS]; /* hop 0 lies on start_bus, hop i behind the bridge of hop i - 1 */
};
struct dmar_scopes {
	struct dmar_scope *scope;
	unsigned n;
};
/* DRHD, with what RHSA says about it. */
struct dmar_unit {
	uint16_t segment;
	bool include_all;
	uint64_t base, size; /* registers */
	int node;            /* proximity domain, -1 unknown */
	struct dmar_scopes scopes;
};
/* RMRR: identity-mapped for its devices. */
struct dmar_reserved {
	uint16_t segment;
	uint64_t base, last;
	struct dmar_scopes scopes;
};
/* ATSR (root ports that forward ATS) and SATC (devices inside the SoC). */
struct dmar_ats {
	uint16_t segment;
	bool satc, all_ports, required;
	struct dmar_scopes scopes;
};
struct dmar {
	unsigned host_width; /* address bits */
	bool interrupt_remapping, x2apic_opt_out, dma_control_opt_in;
	struct dmar_unit *units; /* in table order; include_all units are matched last */
	unsigned nunits;
	struct dmar_reserved *reserved;
	unsigned nreserved;
	struct dmar_ats *ats;
	unsigned nats;
	unsigned skipped; /* structures of types that mean nothing here */
};

/* name: what messages call the data (a path). NULL with *error on a table that is not one. */
G_GNUC_WARN_UNUSED_RESULT struct dmar *dmar_parse(const void *data, size_t len, const char *name,
						  GError **error);
G_GNUC_WARN_UNUSED_RESULT struct dmar *dmar_load(const char *path, GError **error);
void dmar_free(struct dmar *d);

/*
 * Where a function lies: bus of its host bridge, then device and function of each bridge on the way
 * and at last its own.
 */
struct dmar_path {
	uint16_t segment;
	uint8_t bus;
	unsigned hops;
	uint8_t devfn[DMAR_MAX_HOPS];
};
/* Does the scope list name the function, or a bridge above it? */
bool dmar_in_scope(const struct dmar_scopes *s, const struct dmar_path *p);
/*
 * Whether Linux uses ATS of a function (dmar_ats_supported()): port is the path of its root port, NULL for
 * one that is integrated in the root complex; scalable: its unit runs in that mode.
 */
bool dmar_ats_supported(const struct dmar *d, const struct dmar_path *p, const struct dmar_path *port,
			bool scalable);
/* Index of the unit that translates for the function, -1 if none does. */
int dmar_find_unit(const struct dmar *d, const struct dmar_path *p);

#define DMAR_ERROR (dmar_error_quark())
GQuark dmar_error_quark(void);
enum dmar_error { DMAR_ERROR_FORMAT, DMAR_ERROR_TRUNCATED };

#endif
