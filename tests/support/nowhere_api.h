/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An API for tests of failure: its mappings exist in the driver's books only, so that every access of the
 * device fails; or every mapping is refused.
 */
#ifndef DMASIM_TEST_NOWHERE_API_H
#define DMASIM_TEST_NOWHERE_API_H

#include "machine/machine.h"

#include <dmasim/workload.h>

/* Nothing is mapped there: IOVAs are handed out from 4 GiB downwards. */
#define NOWHERE UINT64_C(0x10000000)

static int nowhere_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		dma_object_add(obj, NOWHERE + offset + i * 2 * MIB, vec[i].len);
	return 0;
}

static void nowhere_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	(void)obj;
	(void)offset;
	(void)len;
}

static int refuse_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	(void)offset;
	(void)vec;
	(void)n;
	sim_refuse(obj->dev->sim, "not today,", obj->dev->name, obj->bytes);
	return -ENOMEM;
}

static const struct driver_path nowhere_path = {.map = nowhere_map, .unmap = nowhere_unmap};
static const struct driver_path refuse_path = {.map = refuse_map, .unmap = nowhere_unmap};
static const struct dma_api nowhere_api = {
    .name = "nowhere", .shipped = KERNEL_7_0, .generic = &nowhere_path};
static const struct dma_api refuse_api = {.name = "refuse", .shipped = KERNEL_7_0, .generic = &refuse_path};

#endif
