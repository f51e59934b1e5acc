/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which driver a remapping unit gets, and the driver's side of each unit of the machine. */
#include "iommu.h"

static const struct iommu_ops *const drivers[IOMMU_KINDS] = {
    [IOMMU_VTD] = &intel_iommu_ops,
};

struct iommu_device *iommu_device_of(struct dma_layer *l, struct iommu_unit *unit)
{
	struct iommu_device **link = &l->iommus;

	for (; *link; link = &(*link)->next)
		if ((*link)->unit == unit)
			return *link;
	*link = drivers[unit->kind]->probe(l, unit);
	if (*link) {
		(*link)->ops = drivers[unit->kind];
		(*link)->unit = unit;
	}
	return *link;
}

void iommu_devices_free(struct dma_layer *l)
{
	while (l->iommus) {
		struct iommu_device *iommu = l->iommus;

		l->iommus = iommu->next;
		iommu->ops->release(iommu);
	}
}
