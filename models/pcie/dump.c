/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topology from the configuration space of a real machine: `lspci -xxxx` as root, read through libpci's
 * dump access; -v beside it gives the sizes of memory windows too. PCI Express base specification 5.0: 7.5.1
 * (headers), 7.5.3.2 (device/port type), 7.7.8 (ACS), 10.5 (ATS).
 */
#include "dump.h"

#include <setjmp.h>
#include <stdio.h>

#define HEADER 0x40    /* where the standard header ends */
#define EXTENDED 0x100 /* where extended capabilities begin */

struct dump {
	struct pci_access *access;
	GHashTable *sizes;
	jmp_buf failed;
	char *message;
};

/* libpci's error callback has no argument for its user and must not return. */
static _Thread_local struct dump *current;

G_GNUC_NORETURN G_GNUC_PRINTF(1, 2) static void on_error(char *format, ...)
{
	va_list args;

	va_start(args, format);
	current->message = g_strdup_vprintf(format, args);
	va_end(args);
	longjmp(current->failed, 1);
}

G_GNUC_PRINTF(1, 2) static void on_message(char *format, ...)
{
	(void)format;
}

/*
 * lspci prints 64 bytes of each function to an ordinary user and without -xxx. Such a dump has no PCI Express
 * capability: what a bridge is then follows from where it stands.
 */
static enum pcie_node_type type_by_place(const struct pcie_node *parent)
{
	switch (parent->type) {
	case PCIE_HOST_BRIDGE:
		return PCIE_ROOT_PORT;
	case PCIE_SWITCH_UP:
		return PCIE_SWITCH_DOWN;
	default:
		return PCIE_SWITCH_UP;
	}
}

static bool shows(struct pci_dev *d, int offset)
{
	uint8_t bytes[4];

	return pci_read_block(d, offset, bytes, sizeof(bytes)) != 0;
}

static enum pcie_node_type node_type(struct pci_dev *d, const struct pcie_node *parent)
{
	struct pci_cap *cap = pci_find_cap(d, PCI_CAP_ID_EXP, PCI_CAP_NORMAL);
	unsigned header = pci_read_byte(d, PCI_HEADER_TYPE) & 0x7f;

	if (header == PCI_HEADER_TYPE_NORMAL)
		return PCIE_ENDPOINT;
	if (!cap && !shows(d, HEADER))
		return type_by_place(parent);
	if (!cap)
		return PCIE_SWITCH_UP; /* conventional bridge: peers behind it see each other's requests */
	switch ((pci_read_word(d, (int)cap->addr + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4) {
	case PCI_EXP_TYPE_ROOT_PORT:
		return PCIE_ROOT_PORT;
	case PCI_EXP_TYPE_DOWNSTREAM:
		return PCIE_SWITCH_DOWN;
	default:
		return PCIE_SWITCH_UP;
	}
}

/* The bridge whose secondary bus is the one that d sits on. */
static struct pci_dev *upstream(struct dump *dump, struct pci_dev *d)
{
	for (struct pci_dev *b = dump->access->devices; b; b = b->next) {
		if (b == d || b->domain != d->domain)
			continue;
		if ((pci_read_byte(b, PCI_HEADER_TYPE) & 0x7f) != PCI_HEADER_TYPE_BRIDGE)
			continue;
		if (pci_read_byte(b, PCI_SECONDARY_BUS) == d->bus && b->bus != d->bus)
			return b;
	}
	return NULL;
}

static struct pcie_node *add(struct dump *dump, struct pcie_fabric *f, struct pci_dev *d, unsigned depth)
{
	g_autofree char *name = g_strdup_printf("%04x:%02x:%02x.%x", d->domain, d->bus, d->dev, d->func);
	struct pci_dev *up = upstream(dump, d);
	struct pcie_node *node = pcie_find(f, name), *parent;
	struct pci_cap *cap;

	if (node)
		return node;
	if (depth > 32)
		on_error((char *)"bridges form a loop on bus %02x", d->bus);
	if (up) {
		parent = add(dump, f, up, depth + 1);
	} else {
		g_autofree char *root = g_strdup_printf("pci%04x:%02x", d->domain, d->bus);

		parent = pcie_add(f, NULL, PCIE_HOST_BRIDGE, root);
		parent->vendor = parent->device = 0; /* the dump itself says what 00.0 is */
	}
	node = pcie_add(f, parent, node_type(d, parent), name);
	node->vendor = pci_read_word(d, PCI_VENDOR_ID);
	node->device = pci_read_word(d, PCI_DEVICE_ID);
	cap = pci_find_cap(d, PCI_EXT_CAP_ID_ACS, PCI_CAP_EXTENDED);
	if (cap) {
		node->has_acs = true;
		node->acs = pci_read_word(d, (int)cap->addr + PCI_ACS_CTRL);
	}
	node->ats = pci_find_cap(d, PCI_EXT_CAP_ID_ATS, PCI_CAP_EXTENDED) != NULL;
	node->hidden = !shows(d, EXTENDED);
	dump_add_bars(dump->access, d, dump->sizes, node);
	return node;
}

static unsigned read_devices(struct dump *dump, struct pcie_fabric *f, const char *path)
{
	unsigned n = 0;

	pci_set_param(dump->access, (char *)"dump.name", (char *)path);
	dump->access->method = PCI_ACCESS_DUMP;
	dump->access->error = on_error;
	dump->access->warning = on_message;
	dump->access->debug = on_message;
	pci_init(dump->access);
	pci_scan_bus(dump->access);
	for (struct pci_dev *d = dump->access->devices; d; d = d->next)
		pci_fill_info(d, PCI_FILL_IDENT | PCI_FILL_BASES | PCI_FILL_CAPS | PCI_FILL_EXT_CAPS);
	for (struct pci_dev *d = dump->access->devices; d; d = d->next, n++)
		add(dump, f, d, 0);
	return n;
}

bool pcie_load_dump(struct pcie_fabric *f, const char *path, GError **error)
{
	struct dump dump = {0};
	struct dump *outer = current;
	g_autofree char *text = NULL;
	volatile unsigned n = 0;
	GError *why = NULL;

	if (!g_file_get_contents(path, &text, NULL, &why)) {
		g_set_error(error, PARAM_ERROR, 0, "%s: not readable as a PCI dump: %s", path, why->message);
		g_error_free(why);
		return false;
	}
	dump.access = pci_alloc();
	dump.sizes = dump_printed_sizes(text);
	current = &dump;
	if (!setjmp(dump.failed))
		n = read_devices(&dump, f, path);
	current = outer;
	pci_cleanup(dump.access);
	g_hash_table_destroy(dump.sizes);
	if (dump.message) {
		g_set_error(error, PARAM_ERROR, 0,
			    "%s: not readable as a PCI dump (%s); make one with: lspci -xxxx as root", path,
			    dump.message);
		g_free(dump.message);
		return false;
	}
	if (!n) {
		g_set_error(error, PARAM_ERROR, 0,
			    "%s: no PCI function in it; make a dump with: lspci -xxxx as root", path);
		return false;
	}
	return true;
}
