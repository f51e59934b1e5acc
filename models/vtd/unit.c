/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The remapping unit: life, and what the rest of the machine sees of it (struct iommu_unit).
 */
#include "internal.h"

/* ---- what the rest of the machine calls ---- */

struct iommu_unit *vtd_iommu_unit(struct vtd_unit *u)
{
	return &u->unit;
}

struct vtd_unit *vtd_of(struct iommu_unit *u)
{
	g_assert(u->kind == IOMMU_VTD);
	return container_of(u, struct vtd_unit, unit);
}

static inline struct vtd_unit *of(struct iommu_unit *u)
{
	return container_of(u, struct vtd_unit, unit);
}

static int translate(struct iommu_unit *u, const struct iommu_request *rq, sim_time_t when,
		     struct iommu_result *res)
{
	return vtd_translate(of(u), rq, when, res);
}

static int ats_translate(struct iommu_unit *u, const struct iommu_request *rq, sim_time_t when,
			 struct iommu_result *res)
{
	return vtd_ats_translate(of(u), rq, when, res);
}

static int page_request(struct iommu_unit *u, const struct iommu_page_request *r)
{
	return vtd_page_request(of(u), r);
}

static void in_flight(struct iommu_unit *u, sim_time_t begin, sim_time_t done)
{
	vtd_in_flight(of(u), begin, done);
}

static void note_unmap(struct iommu_unit *u, uint16_t did, dma_addr_t iova, uint64_t len, sim_time_t when)
{
	vtd_note_unmap(of(u), did, iova, len, when);
}

static bool is_cached(struct iommu_unit *u, uint16_t did, dma_addr_t iova, uint64_t len)
{
	return vtd_is_cached(of(u), did, iova, len);
}

static void set_node(struct iommu_unit *u, unsigned node)
{
	vtd_set_node(of(u), node);
}

static void finish(struct iommu_unit *u, sim_time_t when)
{
	vtd_finish(of(u), when);
}

static void unit_free(struct iommu_unit *u)
{
	vtd_free(of(u));
}

static const struct iommu_unit_ops vtd_ops = {
    .translate = translate,
    .ats_translate = ats_translate,
    .page_request = page_request,
    .in_flight = in_flight,
    .note_unmap = note_unmap,
    .is_cached = is_cached,
    .set_node = set_node,
    .finish = finish,
    .free = unit_free,
};

/* ---- life ---- */

static void init_stream(struct rng *rng, const struct sim *sim, const char *name, unsigned number)
{
	g_autofree char *own = number ? g_strdup_printf("%s.%u", name, number) : g_strdup(name);

	rng_init(rng, sim->seed, own);
}

struct vtd_unit *vtd_new(struct sim *sim, struct memory *mem, const struct vtd_params *p,
			 struct vtd_stats *st)
{
	struct vtd_unit *u = g_new0(struct vtd_unit, 1);

	u->unit = (struct iommu_unit){&vtd_ops, IOMMU_VTD};
	u->sim = sim;
	u->mem = mem;
	u->p = *p;
	u->st = st;
	if (!st->page_span)
		st->page_span = u->page_span = hist_new_exact();
	vtd_decode_caps(p->iommu.cap, p->iommu.ecap, &u->caps);
	u->caps.caching_mode |= p->iommu.caching_mode;
	u->caps.coherent &= p->walker.coherent;
	u->scalable = p->iommu.scalable && u->caps.scalable;
	init_stream(&u->rng, sim, "iotlb", p->number);
	init_stream(&u->read_rng, sim, "walker", p->number);
	u->slow_below = (uint64_t)(p->walker.slow_share * (double)(UINT64_C(1) << 53));
	u->slow_mean = (sim_time_t)(p->walker.slow_share * (double)p->walker.slow_extra);
	context_init(u);
	u->iotlb = tlb_new(p->iotlb.entries, p->iotlb.ways, (enum vtd_replacement)p->iotlb.replacement,
			   p->iotlb.hash_sets, p->iotlb.ageing_interval, &u->rng);
	u->plain = !sim->timing && !u->scalable && p->iotlb.replacement == VTD_LRU;
	u->iotlb_ready = g_new0(sim_time_t, tlb_capacity(u->iotlb) + 1);
	pwc_init(&u->second, u);
	pwc_init(&u->first, u);
	nested_init(u);
	exposure_init(u);
	device_tlb_init(u);
	page_request_init(u);
	resource_init(&u->walkers, (unsigned)MAX(p->walker.concurrency, 1));
	return u;
}

void vtd_free(struct vtd_unit *u)
{
	if (!u)
		return;
	if (u->st->page_span == u->page_span)
		u->st->page_span = NULL;
	hist_free(u->page_span);
	device_tlb_fini(u);
	page_request_fini(u);
	g_free(u->stale);
	context_fini(u);
	nested_fini(u);
	tlb_free(u->iotlb);
	g_free(u->iotlb_ready);
	pwc_fini(&u->second);
	pwc_fini(&u->first);
	resource_fini(&u->walkers);
	g_free(u);
}

void vtd_set_node(struct vtd_unit *u, unsigned node)
{
	u->node = node;
}

unsigned vtd_qi_entries(const struct vtd_unit *u)
{
	return 1u << order_base_2(u->p.qi.entries);
}

bool vtd_scalable(const struct vtd_unit *u)
{
	return u->scalable;
}

void vtd_in_flight(struct vtd_unit *u, sim_time_t begin, sim_time_t done)
{
	in_flight_add(&u->in_flight, begin, done, u->sim->now);
}
