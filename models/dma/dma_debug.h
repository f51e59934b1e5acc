/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The invariant checker of the DMA layer: what the kernel's dma-debug, its page-table checks and the IOMMU's
 * rules demand of drivers, of the layer and of devices. An observer that keeps what is mapped; the first
 * violation is put into words, with the history of its address, and nothing is checked after it.
 *
 *   - a mapping is undone once, as it was made: address, length, direction, kind of call
 *   - pieces linked into a range do not overlap, and are unlinked before the range goes
 *   - what is synced is mapped
 *   - a device touches only what is mapped for it, in the direction it is mapped for
 *   - a range that goes back to the allocator is in no translation cache and in no page table
 *   - at the end nothing is mapped
 */
#ifndef DMASIM_MODELS_DMA_DMA_DEBUG_H
#define DMASIM_MODELS_DMA_DMA_DEBUG_H

#include "dma_layer.h"
#include "models/pcie/pcie.h"

struct dma_debug;
/* Watches all devices of the layer and the fabric until it is freed; takes the layer's observer. */
struct dma_debug *dma_debug_new(struct dma_layer *l, struct pcie_fabric *fabric);
void dma_debug_free(struct dma_debug *g);
/* The drivers have let go of everything: what is mapped now is a leak. */
void dma_debug_end(struct dma_debug *g);
/* The first violation; NULL: none so far. */
const char *dma_debug_violation(const struct dma_debug *g);

#endif
