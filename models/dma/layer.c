/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Set-up of the DMA layer and attachment of devices: which domain type a device gets
 * (drivers/iommu/iommu.c), its allocator, reserved windows and flush queue.
 */
#include "iommu.h"

#define IOAPIC_RANGE_START 0xfee00000ull /* interrupt range, never an IOVA (VT-d rev 4.1 3.14) */
#define IOAPIC_RANGE_END 0xfeefffffull
#define PCI_DMA_MASK UINT32_MAX /* what the PCI core sets until the driver asks for more */
#define PCI_SEG_BOUNDARY UINT32_MAX
#define PCI_MAX_SEGMENT 65536u

struct dma_layer *dma_layer_new(struct sim *sim, struct memory *mem, struct iommu_unit *unit,
				enum iommu_mode mode, const struct kernel_profile *kernel,
				const struct dma_params *p, struct dma_stats *st)
{
	struct dma_layer *l = g_new0(struct dma_layer, 1);

	l->sim = sim;
	l->mem = mem;
	l->unit = unit;
	l->mode = mode;
	l->kernel = kernel;
	l->params = *p;
	l->params.reserved = g_strdup(p->reserved);
	l->st = st;
	st->map_size = hist_new_exact();
	st->unmap_size = hist_new_exact();
	st->iova_pages = hist_new_exact();
	if ((unit && mode != IOMMU_OFF && !iommu_device_of(l, unit)) || swiotlb_init(l)) {
		dma_layer_free(l);
		return NULL;
	}
	return l;
}

static void domain_free(struct iommu_domain *d)
{
	struct iommu_domain **link = &d->l->domains;

	while (*link && *link != d)
		link = &(*link)->next;
	if (*link)
		*link = d->next;
	iommu_dma_free_fq(d);
	coherent_exit(d);
	if (d->iovad.l)
		put_iova_domain(&d->iovad);
	d->ops->free(d);
}

void dma_layer_free(struct dma_layer *l)
{
	while (l->domains)
		domain_free(l->domains);
	swiotlb_exit(l);
	iommu_devices_free(l);
	g_clear_pointer(&l->st->map_size, hist_free);
	g_clear_pointer(&l->st->unmap_size, hist_free);
	g_clear_pointer(&l->st->iova_pages, hist_free);
	g_free((char *)l->params.reserved);
	g_free(l);
}

const struct kernel_profile *dma_kernel(const struct device *dev)
{
	return dev->dma->kernel;
}

/* ---- default domain type ---- */

static enum iommu_mode domain_type(const struct dma_layer *l, const struct device *dev,
				   struct iommu_device *iommu)
{
	if (!iommu)
		return IOMMU_OFF;
	return dev->untrusted ? IOMMU_STRICT : iommu->ops->def_domain_type(iommu, l->mode);
}

/* ---- reserved IOVA ---- */

/* The next window of the list at *text, which moves on. False at its end and, with *bad set, on an error. */
static bool next_window(const char **text, uint64_t *start, uint64_t *end, bool *bad)
{
	const char *p = *text;
	char *rest;

	*bad = false;
	if (!p || !*p)
		return false;
	*bad = true;
	*start = g_ascii_strtoull(p, &rest, 16);
	if (!g_ascii_isxdigit(*p) || *rest != '-')
		return false;
	p = rest + 1;
	*end = g_ascii_strtoull(p, &rest, 16);
	if (!g_ascii_isxdigit(*p) || (*rest && *rest != ',') || *end < *start)
		return false;
	*bad = false;
	*text = *rest ? rest + 1 : rest;
	return true;
}

bool dma_reserved_check(const char *text, GError **error)
{
	const char *rest = text;
	uint64_t start, end;
	bool bad;

	while (next_window(&rest, &start, &end, &bad))
		;
	if (bad)
		g_set_error(
		    error, PARAM_ERROR, 0,
		    "iommu.reserved = %s: at '%s': want windows FIRST-LAST in hex, separated by commas, "
		    "e.g. 80000000-afffffff,c0000000-febfffff",
		    text, rest);
	return !bad;
}

static int reserve_windows(struct iommu_domain *d)
{
	const char *text = d->l->params.reserved;
	uint64_t start, end;
	bool bad;

	while (next_window(&text, &start, &end, &bad))
		reserve_iova(&d->iovad, start >> PAGE_SHIFT, end >> PAGE_SHIFT);
	if (bad)
		return -EINVAL;
	reserve_iova(&d->iovad, IOAPIC_RANGE_START >> PAGE_SHIFT, IOAPIC_RANGE_END >> PAGE_SHIFT);
	return 0;
}

static bool is_mapped(struct pgtable *t, uint64_t pfn)
{
	uint64_t leaf = 0; /* tells a page mapped to address 0 from none */

	pgtable_iova_to_phys(t, pfn << PAGE_SHIFT, &leaf);
	return leaf != 0;
}

/*
 * What the device has in use since before the kernel ran (iommu_create_device_direct_mappings): mapped to
 * itself where nothing is yet, run by run, and no IOVA lies there. Done before any request, so it costs no
 * time and is no operation of the statistics.
 */
static int map_reserved_regions(struct iommu_domain *d, const struct device *dev)
{
	for (unsigned i = 0; i < dev->nresv; i++) {
		uint64_t start = dev->resv[i].start >> PAGE_SHIFT, last = dev->resv[i].last >> PAGE_SHIFT;

		if (dev->resv[i].last > d->aperture_end)
			return -ERANGE;
		reserve_iova(&d->iovad, start, last);
		for (uint64_t pfn = start; pfn <= last; pfn++) {
			struct pgtable_gather g = PGTABLE_GATHER_INIT;
			uint64_t first = pfn, done = 0;
			int ret = 0;

			while (pfn <= last && !is_mapped(d->pt, pfn))
				pfn++;
			if (pfn > first)
				ret = pgtable_map(d->pt, first << PAGE_SHIFT, first << PAGE_SHIFT,
						  (pfn - first) << PAGE_SHIFT, IOMMU_READ | IOMMU_WRITE,
						  &done, &g);
			if (ret)
				return ret;
			d->l->st->direct_pages += pfn - first;
		}
	}
	return 0;
}

int iommu_dma_init_domain(struct iommu_domain *d, struct device *dev)
{
	int ret;

	/* Page 0 is never handed out: IOVA 0 means failure. */
	init_iova_domain(&d->iovad, d->l, dev, 1);
	ret = iova_domain_init_rcaches(&d->iovad);
	if (!ret && d->lazy)
		ret = iommu_dma_init_fq(d);
	if (!ret)
		ret = reserve_windows(d);
	return ret ? ret : map_reserved_regions(d, dev);
}

/* ---- devices ---- */

static int attach_domain(struct iommu_device *iommu, struct device *dev, enum iommu_mode type)
{
	struct dma_layer *l = iommu->l;
	struct iommu_domain *d;
	int ret = iommu->ops->domain_alloc_paging(iommu, dev, &d);

	if (ret)
		return ret;
	d->l = l;
	d->dev = dev;
	d->iommu = iommu;
	d->lazy = type == IOMMU_LAZY;
	ret = iommu_dma_init_domain(d, dev);
	if (ret) {
		domain_free(d);
		return ret;
	}
	d->next = l->domains;
	l->domains = d;
	dev->domain = d;
	dev->use_dma_iommu = true;
	iommu->ops->attach_dev(d, dev);
	return 0;
}

int dma_layer_attach(struct dma_layer *l, struct device *dev)
{
	bool behind_unit = l->iommus && dev->pci->iommu;
	struct iommu_device *iommu = behind_unit ? iommu_device_of(l, dev->pci->iommu) : NULL;
	enum iommu_mode type = domain_type(l, dev, iommu);
	int ret = behind_unit && !iommu ? -ENOMEM : 0;

	dev->dma = l;
	dev->domain = NULL;
	dev->use_dma_iommu = false;
	dev->coherent = true;
	dev->dma_mask = PCI_DMA_MASK;
	dev->bus_dma_limit = 0;
	dev->seg_boundary_mask = PCI_SEG_BOUNDARY;
	dev->max_segment_size = PCI_MAX_SEGMENT;
	dev->min_align_mask = 0;
	dev->pci_32bit_workaround = !l->params.iova.forcedac;
	dev->dma_uses_swiotlb = false;
	if (type == IOMMU_STRICT || type == IOMMU_LAZY)
		ret = attach_domain(iommu, dev, type);
	else if (type == IOMMU_PASSTHROUGH)
		iommu->ops->attach_identity(iommu, dev);
	if (!ret)
		dma_setup_need_sync(dev);
	return ret;
}

void dma_layer_detach(struct device *dev)
{
	struct dma_layer *l = dev->dma;

	if (!l)
		return;
	if (l->iommus && dev->pci->iommu) {
		struct iommu_device *iommu = iommu_device_of(l, dev->pci->iommu);

		iommu->ops->detach_dev(iommu, dev);
	}
	if (dev->domain)
		domain_free(dev->domain);
	dev->domain = NULL;
	dev->use_dma_iommu = false;
	dev->dma = NULL;
}

void dma_layer_set_observer(struct dma_layer *l, const struct dma_observer *o)
{
	l->observer = o;
}
