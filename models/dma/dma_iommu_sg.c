/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scatterlists over an IOMMU domain (drivers/iommu/dma-iommu.c): the whole list becomes one IOVA range
 * laid out under the device's segment limits, and the list is rewritten to the ranges that the device
 * sees. Lists of untrusted devices are mapped entry by entry instead.
 */
#include "iommu.h"

/* ---- entry by entry ---- */

static void unmap_sg_swiotlb(struct device *dev, struct scatterlist *sg, int nents,
			     enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *s;
	int i;

	for_each_sg (sg, s, nents, i)
		iommu_dma_unmap_phys(dev, s->dma_address, s->dma_length, dir, attrs);
}

static int map_sg_swiotlb(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
			  unsigned long attrs)
{
	struct scatterlist *s;
	int i;

	sg->dma_flags |= SG_DMA_SWIOTLB;
	for_each_sg (sg, s, nents, i) {
		s->dma_address = iommu_dma_map_phys(dev, sg_phys(s), s->length, dir, attrs);
		if (s->dma_address == DMA_MAPPING_ERROR) {
			unmap_sg_swiotlb(dev, sg, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
			return -EIO;
		}
		s->dma_length = s->length;
	}
	return nents;
}

/* ---- one range: lay out ---- */

struct layout {
	size_t iova_len; /* bytes of IOVA that the list needs */
	size_t bytes;    /* of data among them */
	int done;        /* entries laid out */
};

/*
 * While the list is being laid out, the DMA fields hold what must be restored: the offset inside the
 * first page and the length; the entry itself is widened to whole pages.
 */
static int lay_out(struct device *dev, struct scatterlist *sg, int nents, struct layout *l)
{
	struct pci_p2pdma_map_state p2p = {0};
	struct scatterlist *s, *prev = NULL;
	uint64_t mask = dev->seg_boundary_mask;
	size_t total = 0;

	for_each_sg (sg, s, nents, l->done) {
		size_t offset = s->offset & ~PAGE_MASK;
		size_t length = s->length, aligned;
		size_t pad = (size_t)((mask - total + 1) & mask);

		switch (pci_p2pdma_state(&p2p, dev, sg_phys(s))) {
		case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
		case PCI_P2PDMA_MAP_NONE:
			break;
		case PCI_P2PDMA_MAP_BUS_ADDR:
			s->dma_address = pci_p2pdma_bus_addr_map(&p2p, sg_phys(s));
			s->dma_length = dev->dma->kernel->sg_bus_len ? sg->length : s->length;
			s->dma_flags |= SG_DMA_BUS_ADDRESS;
			continue;
		default:
			return -EREMOTEIO;
		}
		s->dma_address = offset;
		s->dma_length = (uint32_t)length;
		s->offset -= (uint32_t)offset;
		aligned = align_up(length + offset, PAGE_SIZE);
		if (G_UNLIKELY(dev->dma->kernel->sg_overflow &&
			       (aligned > UINT32_MAX ||
				(prev && pad < aligned - 1 && prev->length + pad > UINT32_MAX)))) {
			l->done++;
			s->length = (uint32_t)aligned; /* given back by the caller, from dma_length */
			return -EOVERFLOW;
		}
		s->length = (uint32_t)aligned;
		/* The entry would cross a boundary: the one before grows up to it. */
		if (pad && pad < aligned - 1) {
			prev->length += (uint32_t)pad;
			total += pad;
		}
		total += aligned;
		l->bytes += length;
		prev = s;
	}
	l->iova_len = total;
	return 0;
}

/* The list as the caller gave it; only the first done entries have been laid out. */
static void invalidate_sg(struct scatterlist *sg, int nents, int done)
{
	struct scatterlist *s;
	int i;

	for_each_sg (sg, s, nents, i) {
		if (s->dma_flags & SG_DMA_BUS_ADDRESS) {
			s->dma_flags &= ~SG_DMA_BUS_ADDRESS;
		} else if (i < done) {
			s->offset += (uint32_t)s->dma_address;
			s->length = s->dma_length;
		}
		s->dma_address = DMA_MAPPING_ERROR;
		s->dma_length = 0;
	}
}

/* ---- one range: what the device sees ---- */

struct output {
	struct scatterlist *cur;
	uint32_t cur_len;
	int count;
};

static void new_output(struct output *out, dma_addr_t addr, size_t len)
{
	if (out->count++)
		out->cur = sg_next(out->cur);
	out->cur->dma_address = addr;
	out->cur->dma_length = (uint32_t)len;
	out->cur_len = (uint32_t)len;
}

/* Restore the inputs and pack the DMA ranges into the first entries. Returns their number. */
static int finalise_sg(struct device *dev, struct scatterlist *sg, int nents, dma_addr_t iova)
{
	uint64_t mask = dev->seg_boundary_mask;
	uint32_t max_len = dev->max_segment_size;
	struct output out = {.cur = sg};
	struct scatterlist *s;
	int i;

	for_each_sg (sg, s, nents, i) {
		dma_addr_t saved = s->dma_address;
		size_t len = s->dma_length, padded = s->length;
		bool bus = s->dma_flags & SG_DMA_BUS_ADDRESS;

		s->dma_address = DMA_MAPPING_ERROR;
		s->dma_length = 0;
		if (bus) {
			s->dma_flags &= ~SG_DMA_BUS_ADDRESS;
			new_output(&out, saved, len);
			out.cur->dma_flags |= SG_DMA_BUS_ADDRESS;
			out.cur_len = 0;
			continue;
		}
		s->offset += (uint32_t)saved;
		s->length = (uint32_t)len;
		if (out.cur_len && !saved && (iova & mask) && max_len - out.cur_len >= len) {
			out.cur_len += (uint32_t)len;
			out.cur->dma_length = out.cur_len;
		} else {
			new_output(&out, iova + saved, len);
		}
		iova += padded;
		if (len + saved < padded)
			out.cur_len = 0;
	}
	return out.count;
}

int iommu_dma_map_sg(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
		     unsigned long attrs)
{
	struct iommu_domain *d = dev->domain;
	unsigned prot = dma_info_to_prot(dir, dev->coherent, attrs);
	struct layout l = {0};
	dma_addr_t iova = 0;
	int64_t mapped;
	int ret;

	if (G_UNLIKELY(dev_use_swiotlb(dev)))
		return map_sg_swiotlb(dev, sg, nents, dir, attrs);
	/* Lay out, map, rewrite: three passes over the list. */
	cpu_charge_n(sim_cpu(dev->sim), COST_SG_SEGMENT, 3 * (uint64_t)nents);
	ret = lay_out(dev, sg, nents, &l);
	if (ret)
		goto restore;
	if (!l.iova_len)
		return finalise_sg(dev, sg, nents, 0);
	iova = iommu_dma_alloc_iova(d, l.iova_len, dev->dma_mask, dev);
	if (!iova) {
		ret = -ENOMEM;
		goto restore;
	}
	mapped = iommu_map_sg(d, iova, sg, (unsigned)nents, prot);
	if (mapped < 0 || (uint64_t)mapped < l.iova_len) {
		ret = mapped == -ENOMEM ? -ENOMEM : -EINVAL;
		goto free_iova;
	}
	d->l->st->overmapped_bytes += l.iova_len - l.bytes;
	return finalise_sg(dev, sg, nents, iova);

free_iova:
	iommu_dma_free_iova(d, iova, l.iova_len, NULL);
restore:
	invalidate_sg(sg, nents, l.done);
	return ret;
}

void iommu_dma_unmap_sg(struct device *dev, struct scatterlist *sg, int nents, enum dma_data_direction dir,
			unsigned long attrs)
{
	dma_addr_t start = 0, end = 0;
	struct scatterlist *s;
	bool any = false;
	int i;

	if (G_UNLIKELY(sg->dma_flags & SG_DMA_SWIOTLB)) {
		unmap_sg_swiotlb(dev, sg, nents, dir, attrs);
		return;
	}
	for_each_sg (sg, s, nents, i) {
		cpu_charge(sim_cpu(dev->sim), COST_SG_SEGMENT);
		if (s->dma_flags & SG_DMA_BUS_ADDRESS) {
			s->dma_flags &= ~SG_DMA_BUS_ADDRESS;
			continue;
		}
		if (!s->dma_length)
			break;
		if (!any)
			start = s->dma_address;
		any = true;
		end = s->dma_address + s->dma_length;
	}
	if (any)
		__iommu_dma_unmap(dev, start, end - start);
}
