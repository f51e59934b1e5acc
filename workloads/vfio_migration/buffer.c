/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Migration buffers: pages, mapping, memory key. */
#include "vfio.h"

struct vfio_buffer *vfio_buffer_find(struct vfio_dev *d, uint32_t id, bool tracker)
{
	for (unsigned i = 0; i < d->buffers->len; i++) {
		struct vfio_buffer *b = d->buffers->pdata[i];

		if (b->id == id && tracker == (b->purpose == VFIO_PURPOSE_TRACKER))
			return b;
	}
	return NULL;
}

static uint64_t cut(struct vfio_buffer *b, uint64_t page, phys_addr_t phys, uint64_t len)
{
	for (uint64_t at = 0; at < len && page < b->npages; at += PAGE_SIZE)
		b->pages[page++] = (struct phys_vec){(phys + at) & PAGE_MASK, PAGE_SIZE};
	return page;
}

static int lay_out(struct vfio_buffer *b, const struct trace_segment *segs, uint32_t nsegs)
{
	struct vfio_workload *w = vfio_buffer_workload(b);
	uint64_t page = 0;

	for (uint32_t i = 0; i < nsegs; i++)
		page = cut(b, page, segs[i].phys, segs[i].len);
	if (page == b->npages)
		return 0;
	if (nsegs > 0)
		return -EINVAL;
	b->taken = g_new(struct phys_vec, b->npages);
	b->ntaken = memory_lay_out(w->base.m->memory, &b->dev->rng, b->obj.dev->node, 0,
				   b->npages << PAGE_SHIFT, b->taken, (unsigned)b->npages);
	for (unsigned i = 0; i < b->ntaken; i++)
		page = cut(b, page, b->taken[i].paddr, b->taken[i].len);
	return page == b->npages ? 0 : -ENOMEM;
}

static void drop(struct vfio_buffer *b)
{
	struct vfio_workload *w = vfio_buffer_workload(b);

	if (b->ntaken)
		memory_release(w->base.m->memory, b->taken, b->ntaken);
	g_free(b->taken);
	g_free(b->pages);
	g_free(b->obj.segs);
	g_free(b->obj.state);
	g_free(b);
}

struct vfio_buffer *vfio_buffer_alloc(struct vfio_dev *d, uint32_t id, uint8_t purpose, uint64_t bytes,
				      enum dma_data_direction dir, const struct trace_segment *segs,
				      uint32_t nsegs, int *err)
{
	struct vfio_workload *w = d->w;
	struct vfio_buffer *b = g_new0(struct vfio_buffer, 1);

	b->dev = d;
	b->id = id;
	b->purpose = purpose;
	b->npages = MAX(div_round_up(bytes, PAGE_SIZE), 1);
	b->obj.dev = d->base.dev;
	b->obj.path = w->base.path;
	b->obj.dir = dir;
	b->obj.bytes = b->npages << PAGE_SHIFT;
	b->obj.instance = d->base.instance;
	b->obj.state = g_malloc0(MAX(w->base.path->state_size, 1));
	b->obj.max_segs = (unsigned)b->npages;
	b->obj.segs = g_new(struct dma_segment, b->npages);
	b->pages = g_new(struct phys_vec, b->npages);
	*err = lay_out(b, segs, nsegs);
	if (!*err && w->base.path->open)
		*err = w->base.path->open(&b->obj, b->obj.bytes);
	if (*err) {
		drop(b);
		return NULL;
	}
	cpu_spend(w->base.m->sim.cpu, b->npages * w->params.page_alloc);
	w->st.buffers_allocated++;
	w->st.pages += b->npages;
	g_ptr_array_add(d->buffers, b);
	return b;
}

int vfio_buffer_map(struct vfio_buffer *b)
{
	struct vfio_workload *w = vfio_buffer_workload(b);
	int err;

	if (b->mapped || b->obj.dir == DMA_NONE)
		return 0;
	b->obj.nsegs = 0;
	err = b->obj.path->map(&b->obj, 0, b->pages, (unsigned)b->npages);
	if (err)
		return err;
	b->mapped = true;
	w->st.mkeys++;
	w->st.mtt_entries += b->npages;
	return 0;
}

void vfio_buffer_free(struct vfio_buffer *b)
{
	if (b->mapped)
		b->obj.path->unmap(&b->obj, 0, b->obj.bytes);
	if (b->obj.path->close)
		b->obj.path->close(&b->obj);
	b->dev->w->st.buffers_freed++;
	g_ptr_array_remove_fast(b->dev->buffers, b);
	drop(b);
}

dma_addr_t vfio_buffer_address(const struct vfio_buffer *b, uint64_t offset, uint64_t *len)
{
	const struct dma_object *obj = &b->obj;
	uint64_t at = offset;

	*len = MIN(*len, PAGE_SIZE - offset % PAGE_SIZE);
	if (obj->nsegs == b->npages) /* one segment per page: no search */
		return obj->segs[offset >> PAGE_SHIFT].addr + offset % PAGE_SIZE;
	for (unsigned i = 0; i < obj->nsegs; i++) {
		if (at < obj->segs[i].len)
			return obj->segs[i].addr + at;
		at -= obj->segs[i].len;
	}
	return DMA_MAPPING_ERROR;
}
