/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory windows of dumped functions. Configuration space holds their addresses; a size is, best source
 * first, what lspci -v printed beside it ("[size=16M]"), the Resizable BAR capability, or the largest that
 * the address allows: its alignment, the next window above it, the bridge's window (a bound, no size).
 * PCI Express base specification 5.0: 7.5.1.2.1 (BARs), 7.5.1.3 (bridge windows), 7.8.6 (Resizable BAR).
 */
#include "dump.h"

#include <stdio.h>
#include <string.h>

#define REBAR_FIRST 4     /* capability of the first resizable BAR; its control is 4 further on */
#define REBAR_LG2_MIN 20u /* a size field of 0 is 1 MiB */
#define WINDOW_UNIT 0xfffffu
#define FOUR_GIB ((uint64_t)1 << 32)

/* ---- what lspci -v says ---- */

static char *size_key(const struct pci_dev *d, uint64_t base)
{
	return g_strdup_printf("%x:%x:%x.%x %" G_GINT64_MODIFIER "x", d->domain, d->bus, d->dev, d->func,
			       base);
}

/* "... [size=16K]" in bytes, 0 if it has none. */
static uint64_t printed_size(const char *line)
{
	static const char units[] = "KMGT";
	const char *p = strstr(line, "[size="), *unit;
	char *end;
	uint64_t size;

	if (!p)
		return 0;
	size = g_ascii_strtoull(p + strlen("[size="), &end, 10);
	unit = *end && *end != ']' ? strchr(units, *end) : NULL;
	return unit ? size << 10 * (unsigned)(unit - units + 1) : size;
}

GHashTable *dump_printed_sizes(const char *text)
{
	GHashTable *sizes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	struct pci_dev at = {0};
	bool any = false;

	for (char **l = lines; *l; l++) {
		unsigned domain = 0, bus, dev, func;
		const char *memory = strstr(*l, "Memory at ");
		uint64_t base, size;

		if (sscanf(*l, "%x:%x:%x.%x ", &domain, &bus, &dev, &func) == 4 ||
		    (domain = 0, sscanf(*l, "%x:%x.%x ", &bus, &dev, &func) == 3)) {
			at.domain = (int)domain;
			at.bus = (u8)bus;
			at.dev = (u8)dev;
			at.func = (u8)func;
			any = true;
		} else if (any && memory && (**l == '\t' || **l == ' ')) {
			base = g_ascii_strtoull(memory + strlen("Memory at "), NULL, 16);
			size = printed_size(memory);
			if (base && size)
				g_hash_table_insert(sizes, size_key(&at, base),
						    g_memdup2(&size, sizeof(size)));
		}
	}
	return sizes;
}

/* ---- what configuration space says ---- */

static uint64_t resizable_size(struct pci_dev *d, unsigned index)
{
	struct pci_cap *cap = pci_find_cap(d, PCI_EXT_CAP_ID_REBAR, PCI_CAP_EXTENDED);
	unsigned n = 1;

	for (unsigned i = 0; cap && i < n && i < PCIE_BARS; i++) {
		uint32_t control = pci_read_long(d, (int)cap->addr + REBAR_FIRST + 8 * (int)i + 4);

		if (i == 0)
			n = control >> 5 & 7;
		if ((control & 7) == index)
			return (uint64_t)1 << (REBAR_LG2_MIN + MIN(control >> 8 & 0x3f, 43));
	}
	return 0;
}

static uint64_t bar_base(const struct pci_dev *d, unsigned i)
{
	uint64_t raw = d->base_addr[i];

	return raw & PCI_BASE_ADDRESS_SPACE_IO ? 0 : raw & (uint64_t)PCI_ADDR_MEM_MASK;
}

static bool is_bridge(struct pci_dev *d)
{
	return (pci_read_byte(d, PCI_HEADER_TYPE) & 0x7f) == PCI_HEADER_TYPE_BRIDGE;
}

struct window {
	uint64_t first, last;
};

/* The memory window of a bridge (which 0) and its prefetchable one (1); empty ones begin behind their end. */
static struct window bridge_window(struct pci_dev *d, unsigned which)
{
	int at = which ? PCI_PREF_MEMORY_BASE : PCI_MEMORY_BASE;
	uint16_t first = pci_read_word(d, at), last = pci_read_word(d, at + 2);
	struct window w = {(uint64_t)(first & ~0xfu) << 16, (uint64_t)(last & ~0xfu) << 16 | WINDOW_UNIT};

	if (which && (first & PCI_PREF_RANGE_TYPE_MASK) == PCI_PREF_RANGE_TYPE_64) {
		w.first |= (uint64_t)pci_read_long(d, PCI_PREF_BASE_UPPER32) << 32;
		w.last |= (uint64_t)pci_read_long(d, PCI_PREF_LIMIT_UPPER32) << 32;
	}
	return w;
}

/* The largest power of two that a BAR at base can have. */
static uint64_t largest_size(const struct pci_access *access, uint64_t base)
{
	uint64_t size = base & -base;

	for (struct pci_dev *d = access->devices; d; d = d->next) {
		for (unsigned i = 0; i < PCIE_BARS; i++)
			if (bar_base(d, i) > base)
				size = MIN(size, bar_base(d, i) - base);
		for (unsigned i = 0; is_bridge(d) && i < 2; i++) {
			struct window w = bridge_window(d, i);

			if (w.first > w.last)
				continue;
			if (w.first > base)
				size = MIN(size, w.first - base);
			else if (w.last > base)
				size = MIN(size, w.last + 1 - base);
		}
	}
	return (uint64_t)1 << (63 - __builtin_clzll(size));
}

void dump_add_bars(const struct pci_access *access, struct pci_dev *d, GHashTable *printed,
		   struct pcie_node *node)
{
	unsigned n = is_bridge(d) ? 2 : PCIE_BARS;

	for (unsigned i = 0; i < n; i++) {
		uint64_t base = bar_base(d, i), size = 0, *said;
		g_autofree char *key = base ? size_key(d, base) : NULL;
		bool bound = false;

		if (!base)
			continue;
		said = g_hash_table_lookup(printed, key);
		size = said ? *said : resizable_size(d, i);
		if (!size) {
			size = largest_size(access, base);
			bound = true;
		}
		/*
		 * The model reserves no bus addresses for windows (iommu.reserved does), and has memory of
		 * its own: those below 4 GiB and those in its way go elsewhere. Only the size matters.
		 */
		if ((base < FOUR_GIB || !pcie_add_bar(node, i, base, size, MEMORY_MMIO)) &&
		    !pcie_add_bar(node, i, 0, size, MEMORY_MMIO))
			continue;
		node->bars[i]->found = base;
		node->bars[i]->size_is_bound = bound;
	}
}
