/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DMASIM_INTEL_IOMMU_H
#define DMASIM_INTEL_IOMMU_H

#include "iommu.h"

/* Submit count descriptors and one trailing wait, and spin until it has completed. */
void qi_submit_sync(struct intel_iommu *iommu, const struct qi_desc *desc, unsigned count);

#endif
