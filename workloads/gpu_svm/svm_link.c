/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One window for the range, a link per piece, one sync (Linux 7.2). The window is as long as the range;
 * pieces lie in it one behind the other, so those on the device leave its end unused. A range that starts on
 * the device gets no window at all. A faulted range is undone by unlink and free: its flush is never queued;
 * a migration's by destroy.
 */
#include "gpu_svm.h"

struct link_state {
	struct dma_iova_state iova;
	size_t linked;
};

static void undo(struct dma_object *obj, struct link_state *st)
{
	if (gpu_range(obj)->p->op == GPU_SVM_MIGRATE) {
		dma_iova_destroy(obj->dev, &st->iova, st->linked, obj->dir, 0);
	} else {
		if (st->linked)
			dma_iova_unlink(obj->dev, &st->iova, 0, st->linked, obj->dir, 0);
		dma_iova_free(obj->dev, &st->iova);
	}
	ledger_release(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
	*st = (struct link_state){0};
	obj->nsegs = 0;
}

static int link_map(struct dma_object *obj, size_t offset, const struct phys_vec *vec, unsigned n)
{
	struct gpu_range *r = gpu_range(obj);
	struct link_state *st = obj->state;
	int err = 0;

	(void)offset;
	*st = (struct link_state){0};
	if ((r->starts_on_device && r->p->op == GPU_SVM_FAULT) ||
	    !dma_iova_try_alloc(obj->dev, &st->iova, 0, obj->bytes))
		return gpu_svm_map_pieces(obj, vec, n);
	ledger_charge(&obj->dev->sim->ledger, LEDGER_IOVA_STATE, sizeof(st->iova));
	for (unsigned i = 0; i < n && !err; i++) {
		err = dma_iova_link(obj->dev, &st->iova, vec[i].paddr, st->linked, vec[i].len, obj->dir, 0);
		if (err)
			break;
		dma_object_add(obj, st->iova.addr + st->linked, vec[i].len);
		st->linked += vec[i].len;
	}
	if (!err)
		err = dma_iova_sync(obj->dev, &st->iova, 0, st->linked);
	if (err) {
		undo(obj, st);
		return err;
	}
	r->st->windows++;
	r->st->links += n;
	return 0;
}

static void link_unmap(struct dma_object *obj, size_t offset, size_t len)
{
	struct link_state *st = obj->state;

	(void)offset;
	(void)len;
	if (dma_use_iova(&st->iova))
		undo(obj, st);
	else
		gpu_svm_unmap_pieces(obj);
}

const struct driver_path gpu_svm_link_path = {
    .state_size = sizeof(struct link_state),
    .map = link_map,
    .unmap = link_unmap,
};
