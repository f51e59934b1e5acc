/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers of an lspci dump share. */
#ifndef DMASIM_PCIE_DUMP_H
#define DMASIM_PCIE_DUMP_H

#include "internal.h"

#include <pci/pci.h>

/* Sizes that lspci -v has printed in text; its keys are dump_bars.c's. */
GHashTable *dump_printed_sizes(const char *text);
/* Give node the memory windows of d. */
void dump_add_bars(const struct pci_access *access, struct pci_dev *d, GHashTable *printed,
		   struct pcie_node *node);

#endif
