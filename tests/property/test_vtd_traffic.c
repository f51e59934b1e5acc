/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random traffic of devices, mapping and invalidation against a model that knows, for every range,
 * what is mapped now and what was since the last invalidation that covered it completed. The
 * invariants and metamorphic relations of the unit, each as a named test.
 */
#include "support.h"
#include "vtd_support.h"

#include <string.h>

#define DOMAINS 3u /* the last one's device has a device TLB */
#define SMALL 256u /* 4 KiB ranges per domain, in clusters of 16 over 16 leaf tables */
#define LARGE 6u   /* 2 MiB ranges: one large leaf, or 512 small ones whose table comes and goes */
#define ITEMS (SMALL + LARGE)
#define MAX_OLD 24u
#define BASE UINT64_C(0x100000000)
#define MIXED_SIZES (VTD_PAGES_4K | VTD_PAGES_2M)

struct mapping {
	phys_addr_t phys;
	unsigned prot;
};

struct item {
	dma_addr_t iova;
	uint64_t len;
	struct mapping now; /* prot 0: not mapped */
	struct mapping old[MAX_OLD];
	unsigned nold;
	bool detached; /* its leaf table was unlinked and may still be in a walk cache */
};

struct domain {
	struct pgtable *pt;
	struct item items[ITEMS];
	struct pgtable_list lazy; /* tables that wait for a flush of the domain */
	uint16_t sid, did;
};

struct world {
	struct vtd_fixture f;
	struct rng rng;
	struct domain d[DOMAINS];
	enum vtd_format format;
	sim_time_t now;
	uint64_t accesses, old_used;
};

/* ---- setting up ---- */

static void world_defaults(struct world *w, int format)
{
	memset(w, 0, sizeof(*w));
	vtd_fixture_defaults(&w->f);
	w->format = (enum vtd_format)format;
	w->f.p.iommu.cap = TEST_CAP_SCALABLE;
	w->f.p.iommu.ecap = TEST_ECAP_SCALABLE;
	w->f.p.iommu.scalable = true;
	/* Small caches, so that capacity plays its part. */
	w->f.p.iotlb.entries = 64;
	w->f.p.pwc.entries_2m = 8;
	w->f.p.pwc.entries_1g = 4;
	w->f.p.pwc.entries_512g = w->f.p.pwc.entries_256t = 2;
	w->f.p.ats.entries = 32;
}

static void domain_start(struct world *w, unsigned k, unsigned sizes)
{
	struct domain *d = &w->d[k];
	struct vtd_context c = {
	    .type = vtd_formats[w->format].first_stage ? VTD_FIRST_STAGE : VTD_SECOND_STAGE,
	    .format = w->format,
	    .ats = k == DOMAINS - 1,
	};

	d->sid = (uint16_t)(0x100 + 8 * k);
	d->did = c.did = (uint16_t)(2 + k);
	d->pt = pgtable_new(&w->f.sim, w->f.mem, w->format, sizes, 0);
	c.root = pgtable_root(d->pt);
	vtd_set_context(w->f.u, d->sid, NO_PASID, &c);
	for (unsigned i = 0; i < SMALL; i++) {
		d->items[i].iova = BASE + (i / 16) * 37 * 2 * MIB + (i % 16) * PAGE_SIZE;
		d->items[i].len = PAGE_SIZE;
	}
	for (unsigned i = SMALL; i < ITEMS; i++) {
		d->items[i].iova = BASE + 64 * GIB + (i - SMALL) * 2 * MIB;
		d->items[i].len = 2 * MIB;
	}
}

static void world_start(struct world *w, enum fidelity fidelity, unsigned sizes)
{
	vtd_fixture_start(&w->f, fidelity);
	rng_init(&w->rng, test_seed(), "traffic");
	for (unsigned k = 0; k < DOMAINS; k++)
		domain_start(w, k, sizes);
	vtd_ats_enable(w->f.u, w->d[DOMAINS - 1].sid);
}

static void world_stop(struct world *w)
{
	for (unsigned k = 0; k < DOMAINS; k++) {
		pgtable_release(w->d[k].pt, &w->d[k].lazy);
		pgtable_free(w->d[k].pt);
	}
	vtd_fixture_stop(&w->f);
}

/* ---- what a driver does ---- */

static void forget_covered(struct domain *d, dma_addr_t first, dma_addr_t last)
{
	for (unsigned i = 0; i < ITEMS; i++) {
		struct item *it = &d->items[i];

		if (it->iova >= first && it->iova + it->len - 1 <= last) {
			it->nold = 0;
			it->detached = false;
		}
	}
}

static sim_time_t submit(struct world *w, struct domain *d, struct qi_desc iotlb, dma_addr_t iova,
			 unsigned order, bool device)
{
	struct qi_desc desc[3];
	unsigned n = 0;

	desc[n++] = iotlb;
	if (device && d == &w->d[DOMAINS - 1])
		desc[n++] = qi_desc_device_tlb(d->sid, 0, 0, iova, order);
	desc[n++] = qi_desc_wait(0x200000, 2);
	return vtd_qi_execute(w->f.u, desc, n, w->now);
}

/* Invalidate a range as the driver does: the smallest aligned block around it. */
static void flush_range(struct world *w, struct domain *d, dma_addr_t iova, uint64_t len, bool ih)
{
	uint64_t page = iova >> PAGE_SHIFT, last = (iova + len - 1) >> PAGE_SHIFT;
	unsigned order = qi_range_order(page, last);
	/* Leaving the device TLB out is legal as long as nobody counts on it. */
	bool device = rng_below(&w->rng, 4) != 0;
	dma_addr_t first = align_down(iova, PAGE_SIZE << order);
	struct qi_desc q = vtd_formats[w->format].first_stage
			       ? qi_desc_piotlb(d->did, 0, QI_PIOTLB_PAGE, first, order, ih)
			       : qi_desc_iotlb(d->did, QI_PAGE, first, order, ih, true);
	sim_time_t done = submit(w, d, q, first, order, device);

	w->now = MAX(w->now, done);
	if (device || d != &w->d[DOMAINS - 1])
		forget_covered(d, first, first + (PAGE_SIZE << order) - 1);
}

static void flush_domain(struct world *w, struct domain *d)
{
	struct qi_desc q = vtd_formats[w->format].first_stage
			       ? qi_desc_piotlb(d->did, 0, QI_PIOTLB_PASID, 0, 0, false)
			       : qi_desc_iotlb(d->did, QI_DOMAIN, 0, 0, false, true);
	sim_time_t done = submit(w, d, q, 0, 52, true);

	w->now = MAX(w->now, done);
	forget_covered(d, 0, UINT64_MAX);
	pgtable_release(d->pt, &d->lazy);
}

static void map_item(struct world *w, struct domain *d, struct item *it)
{
	static const unsigned prots[] = {PGTABLE_READ, PGTABLE_READ | PGTABLE_WRITE,
					 PGTABLE_READ | PGTABLE_WRITE};
	struct pgtable_gather g = PGTABLE_GATHER_INIT;
	uint64_t done;
	int ret;

	it->now.prot = prots[rng_below(&w->rng, 3)];
	it->now.phys = 8 * GIB + (rng_below(&w->rng, 1 << 18) << PAGE_SHIFT);
	if (it->len > PAGE_SIZE && rng_below(&w->rng, 2))
		it->now.phys = align_down(it->now.phys, it->len);
	ret = pgtable_map(d->pt, it->iova, it->now.phys, it->len, it->now.prot, &done, &g);
	if (ret || done != it->len)
		ck_abort_msg("map: %d", ret);
	if (pgtable_list_empty(&g.tables))
		return;
	/* A large leaf in place of an empty table: flushed at once, without hint. */
	it->detached = true;
	flush_range(w, d, g.start, g.end - g.start + 1, false);
	pgtable_list_splice(&d->lazy, &g.tables);
}

static void unmap_item(struct world *w, struct domain *d, struct item *it)
{
	struct pgtable_gather g = PGTABLE_GATHER_INIT;

	if (pgtable_unmap(d->pt, it->iova, it->len, &g) != it->len)
		ck_abort_msg("unmap");
	vtd_note_unmap(w->f.u, d->did, it->iova, it->len, w->now);
	g_assert(it->nold < MAX_OLD);
	it->old[it->nold++] = it->now;
	it->now.prot = 0;
	it->detached |= !pgtable_list_empty(&g.tables);
	if (rng_below(&w->rng, 3) && !it->detached)
		flush_range(w, d, it->iova, it->len, pgtable_list_empty(&g.tables) && rng_below(&w->rng, 4));
	else if (it->detached || it->nold == MAX_OLD || rng_below(&w->rng, 8) == 0)
		flush_domain(w, d);
	pgtable_list_splice(&d->lazy, &g.tables);
}

/* ---- what a device sees ---- */

static bool grants(const struct mapping *m, unsigned access)
{
	return !(access & ~m->prot);
}

/* Is this outcome one that some table since the last covering invalidation allows? */
static bool outcome_ok(struct world *w, const struct item *it, const struct iommu_request *rq, bool ok,
		       phys_addr_t phys)
{
	uint64_t offset = rq->addr - it->iova;

	if (ok) {
		if (grants(&it->now, rq->access) && phys == it->now.phys + offset)
			return true;
		for (unsigned i = 0; i < it->nold; i++)
			if (grants(&it->old[i], rq->access) && phys == it->old[i].phys + offset) {
				w->old_used++;
				return true;
			}
		return false;
	}
	/* Without caching mode nothing that faults is cached: what is mapped now never faults. */
	return !grants(&it->now, rq->access) || it->detached;
}

static void access_item(struct world *w, struct domain *d, const struct item *it)
{
	uint64_t before = w->f.st.walk_memory_reads;
	struct iommu_request rq = {
	    .sid = d->sid,
	    .pasid = NO_PASID,
	    .access = rng_below(&w->rng, 2) ? IOMMU_ACCESS_READ : IOMMU_ACCESS_WRITE,
	    .tlps = (uint16_t)(1 + rng_below(&w->rng, 4)),
	    .addr = it->iova + rng_below(&w->rng, it->len),
	};
	struct iommu_result r;
	bool ok;

	if (d == &w->d[DOMAINS - 1])
		ok = !vtd_ats_translate(w->f.u, &rq, w->now, &r);
	else
		ok = !vtd_translate(w->f.u, &rq, w->now, &r);
	if (!outcome_ok(w, it, &rq, ok, r.phys))
		ck_abort_msg("access %lu: %s %lx at %lx", (unsigned long)w->accesses, ok ? "got" : "fault",
			     (unsigned long)r.phys, (unsigned long)rq.addr);
	if (w->f.st.walk_memory_reads - before > 4 + vtd_formats[w->format].levels)
		ck_abort_msg("more reads than a cold walk needs");
	if (r.ready < w->now)
		ck_abort_msg("answered before it was asked");
	if (w->f.sim.timing)
		vtd_in_flight(w->f.u, r.ready, r.ready + 200 * SIM_NS);
	w->accesses++;
}

static void step(struct world *w)
{
	struct domain *d = &w->d[rng_below(&w->rng, DOMAINS)];
	/* Nearby ranges most of the time. */
	struct item *it =
	    &d->items[rng_below(&w->rng, 8) ? rng_below(&w->rng, 64) : rng_below(&w->rng, ITEMS)];

	if (rng_below(&w->rng, 6) == 0) {
		if (it->now.prot)
			unmap_item(w, d, it);
		else
			map_item(w, d, it);
	} else {
		access_item(w, d, it);
	}
	if (w->f.sim.timing)
		w->now += rng_below(&w->rng, 4) ? 0 : rng_below(&w->rng, 300) * SIM_NS;
}

static void drain_faults(struct world *w)
{
	struct vtd_fault f;

	while (vtd_fault_read(w->f.u, &f))
		;
	vtd_fault_overflow(w->f.u, true);
}

static void run(struct world *w, uint64_t accesses)
{
	while (w->accesses < accesses) {
		step(w);
		if (w->accesses % 64 == 0)
			drain_faults(w);
	}
}

/* ---- invariants ---- */

static void check_conservation(const struct vtd_stats *s)
{
	ck_assert_uint_eq(s->iotlb_lookups, s->iotlb_hits + s->iotlb_misses);
	ck_assert_uint_eq(s->iotlb_hits, s->iotlb_hits_4k + s->iotlb_hits_2m + s->iotlb_hits_1g);
	ck_assert_uint_eq(s->iotlb_misses, s->walks + s->walks_merged);
	ck_assert_uint_ge(s->walk_memory_reads, s->context_memory_reads);
	ck_assert_uint_ge(s->context_lookups, s->context_hits);
	ck_assert_uint_eq(s->qi_total, s->qi_iotlb_page + s->qi_iotlb_domain + s->qi_iotlb_global +
					   s->qi_device_tlb + s->qi_context + s->qi_pasid + s->qi_iec +
					   s->qi_wait);
}

/*
 * Invariants 1 (nothing is used after its invalidation completed), 3 (what faults is not cached), 4
 * (rights), 5 (domains), 6 (equal to the oracle walk), 7 (device TLBs), 17 and 20.
 */
START_TEST(no_translation_after_its_invalidation)
{
	struct world *w = g_new0(struct world, 1);
	enum fidelity fidelity = _i % 2 ? FIDELITY_TIMING : FIDELITY_COUNTS;

	world_defaults(w, _i / 2);
	world_start(w, fidelity, MIXED_SIZES);
	run(w, test_scale(100000));
	check_conservation(&w->f.st);
	/* The traffic is of use only if stale entries did serve requests, legally. */
	ck_assert_uint_gt(w->old_used, 0);
	ck_assert_uint_gt(w->f.st.stale_accesses, 0);
	ck_assert_uint_gt(w->f.st.ats_hits, 0);
	world_stop(w);
	g_free(w);
}
END_TEST

/* The same with every replacement policy, few ways, requester tags and range invalidation of walk caches. */
START_TEST(holds_for_every_policy)
{
	struct world *w = g_new0(struct world, 1);

	world_defaults(w, VTD_SS_48);
	w->f.p.iotlb.replacement = _i % 5;
	w->f.p.iotlb.ways = _i < 5 ? 0 : 4;
	w->f.p.iotlb.hash_sets = _i % 2;
	w->f.p.iotlb.tag_sid = _i >= 5;
	w->f.p.pwc.psi_nonleaf = _i % 2;
	w->f.p.walker.merge = _i % 3;
	world_start(w, _i % 2 ? FIDELITY_COUNTS : FIDELITY_TIMING, MIXED_SIZES);
	run(w, test_scale(20000));
	check_conservation(&w->f.st);
	world_stop(w);
	g_free(w);
}
END_TEST

/* Invariant 25. */
START_TEST(same_seed_same_counters)
{
	struct world *w = g_new0(struct world, 1);
	struct vtd_stats first = {0};

	for (unsigned pass = 0; pass < 2; pass++) {
		world_defaults(w, VTD_SS_48);
		w->f.p.iotlb.replacement = VTD_RANDOM;
		world_start(w, FIDELITY_TIMING, MIXED_SIZES);
		run(w, test_scale(10000));
		w->f.st.page_span = NULL;
		if (!pass)
			first = w->f.st;
		else
			ck_assert_mem_eq(&first, &w->f.st, sizeof(first));
		for (unsigned k = 0; k < DOMAINS; k++)
			pgtable_release(w->d[k].pt, &w->d[k].lazy);
		for (unsigned k = 0; k < DOMAINS; k++)
			pgtable_free(w->d[k].pt);
		vtd_fixture_stop(&w->f);
	}
	g_free(w);
}
END_TEST

/* With one request in flight at a time both fidelities count the same. */
START_TEST(fidelities_count_alike)
{
	struct world *w = g_new0(struct world, 1);
	struct vtd_stats first = {0};

	for (unsigned pass = 0; pass < 2; pass++) {
		world_defaults(w, _i);
		world_start(w, pass ? FIDELITY_TIMING : FIDELITY_COUNTS, MIXED_SIZES);
		for (uint64_t i = 0; i < test_scale(10000); i++) {
			struct domain *d = &w->d[rng_below(&w->rng, DOMAINS)];
			struct item *it = &d->items[rng_below(&w->rng, ITEMS)];

			if (rng_below(&w->rng, 6))
				access_item(w, d, it);
			else if (it->now.prot)
				unmap_item(w, d, it);
			else
				map_item(w, d, it);
			w->now += 100 * SIM_US;
		}
		w->f.st.page_span = NULL;
		w->f.st.qi_wait_time = w->f.st.walk_time = w->f.st.stale_max = 0;
		w->f.st.stale_ns_bytes = 0;
		if (!pass)
			first = w->f.st;
		else
			ck_assert_mem_eq(&first, &w->f.st, sizeof(first));
		world_stop(w);
	}
	g_free(w);
}
END_TEST

/*
 * Invariants 11 and 12: a wait writes its status after everything before it, submissions complete in
 * queue order, and never before they were made.
 */
START_TEST(waits_complete_in_order)
{
	struct vtd_fixture f;
	struct rng rng;
	sim_time_t now = 0, free = 0, in_flight = 0;
	uint32_t data = 0;

	vtd_fixture_defaults(&f);
	vtd_fixture_start(&f, FIDELITY_TIMING);
	rng_init(&rng, test_seed(), "waits");
	for (uint64_t i = 0; i < test_scale(20000); i++) {
		struct qi_desc d[17];
		unsigned n = (unsigned)rng_below(&rng, 16);
		sim_time_t t, pending = 0;

		now += rng_below(&rng, 3000) * SIM_NS;
		if (rng_below(&rng, 3) == 0)
			in_flight = MAX(in_flight, now + rng_below(&rng, 2000) * SIM_NS);
		vtd_in_flight(f.u, 0, in_flight);
		/* The rules, one by one: serial service; answers and drains are looked at by the wait only.
		 */
		t = MAX(now, free);
		for (unsigned k = 0; k < n; k++) {
			bool drain = rng_below(&rng, 2);

			if (rng_below(&rng, 3)) {
				d[k] = qi_desc_iotlb(2, QI_PAGE, k << 12, 0, true, drain);
				t += f.p.qi.service;
				pending = drain ? MAX(pending, in_flight) : pending;
			} else {
				d[k] = qi_desc_device_tlb(0x100, 0, 0, k << 12, 0);
				pending = MAX(pending, t + f.p.qi.device_tlb_latency);
			}
		}
		d[n] = qi_desc_wait(0x200000, ++data);
		if (vtd_qi_execute(f.u, d, n + 1, now) != MAX(t, pending) + f.p.qi.wait_latency)
			ck_abort_msg("submission %lu", (unsigned long)i);
		if (*(uint32_t *)memory_ptr(f.mem, 0x200000) != data)
			ck_abort_msg("status");
		free = t;
	}
	vtd_fixture_stop(&f);
}
END_TEST

/* ---- metamorphic relations ---- */

/* The same accesses and unmaps (each flushed by page, IH as given) on one second-stage domain. */
static struct vtd_stats replay(const struct vtd_params *p, unsigned sizes, bool ih, bool flush)
{
	struct vtd_fixture f;
	struct pgtable *t;
	struct vtd_stats st;
	struct rng rng;

	vtd_fixture_defaults(&f);
	param_clear(&iommu_param_table, &f.p.iommu);
	f.p = *p;
	vtd_fixture_start(&f, FIDELITY_COUNTS);
	t = pgtable_new(&f.sim, f.mem, VTD_SS_48, sizes, 0);
	vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
	test_map(t, BASE, 8 * GIB, 64 * MIB, PGTABLE_READ | PGTABLE_WRITE);
	rng_init(&rng, test_seed(), "replay");
	for (uint64_t i = 0; i < test_scale(50000); i++) {
		uint64_t page = rng_below(&rng, 4) ? rng_below(&rng, 256)
						   : rng_below(&rng, 64 * MIB / PAGE_SIZE);
		struct iommu_result r;

		if (flush && rng_below(&rng, 4) == 0)
			test_psi(&f, TEST_DID, BASE + page * PAGE_SIZE, 0, ih, 0);
		else
			test_access(&f, TEST_SID, BASE + page * PAGE_SIZE, IOMMU_ACCESS_READ, 0, &r);
	}
	pgtable_free(t);
	st = f.st;
	st.page_span = NULL;
	vtd_fixture_stop(&f);
	return st;
}

static struct vtd_params default_params(void)
{
	struct vtd_fixture f;

	vtd_fixture_defaults(&f);
	param_clear(&iommu_param_table, &f.p.iommu);
	f.p.iommu.reserved = f.p.iommu.dmar = NULL;
	return f.p;
}

/* True LRU, fully associative: a larger IOTLB holds what the smaller one does, invalidations included. */
START_TEST(larger_iotlb_never_misses_more)
{
	struct vtd_params p = default_params();
	uint64_t last = UINT64_MAX;

	for (p.iotlb.entries = 8; p.iotlb.entries <= 8192; p.iotlb.entries *= 2) {
		struct vtd_stats s = replay(&p, VTD_PAGES_4K, true, true);

		ck_assert_uint_le(s.iotlb_misses, last);
		last = s.iotlb_misses;
	}
}
END_TEST

/*
 * The hint only ever keeps walk-cache entries. (Where a cache overflows, an entry that was removed
 * makes room, so the relation is one of caches that hold the working set.)
 */
START_TEST(hint_never_adds_reads)
{
	struct vtd_params p = default_params();

	for (p.pwc.psi_nonleaf = 0; p.pwc.psi_nonleaf < 2; p.pwc.psi_nonleaf++) {
		struct vtd_stats with = replay(&p, VTD_PAGES_4K, true, true),
				 without = replay(&p, VTD_PAGES_4K, false, true);

		ck_assert_uint_eq(with.iotlb_misses, without.iotlb_misses);
		ck_assert_uint_lt(with.walk_memory_reads, without.walk_memory_reads);
	}
}
END_TEST

START_TEST(range_policy_never_misses_more_than_domain)
{
	struct vtd_params p = default_params();
	struct vtd_stats range, domain;

	p.pwc.psi_nonleaf = 0;
	range = replay(&p, VTD_PAGES_4K, false, true);
	p.pwc.psi_nonleaf = 1;
	domain = replay(&p, VTD_PAGES_4K, false, true);
	ck_assert_uint_eq(range.iotlb_misses, domain.iotlb_misses);
	ck_assert_uint_lt(range.walk_memory_reads, domain.walk_memory_reads);
}
END_TEST

START_TEST(superpages_never_add_reads)
{
	struct vtd_params p = default_params();

	for (p.iotlb.entries = 8; p.iotlb.entries <= 512; p.iotlb.entries *= 4) {
		struct vtd_stats small = replay(&p, VTD_PAGES_4K, true, false),
				 large = replay(&p, MIXED_SIZES, true, false);

		ck_assert_uint_le(large.iotlb_misses, small.iotlb_misses);
		ck_assert_uint_le(large.walk_memory_reads, small.walk_memory_reads);
	}
}
END_TEST

/* Random access over n pages: misses are 1 - capacity / n, whatever the policy (calibration's law). */
START_TEST(random_access_capacity_law)
{
	static const int policies[] = {VTD_LRU, VTD_FIFO, VTD_RANDOM};
	struct rng rng;

	rng_init(&rng, test_seed(), "law");
	for (unsigned r = 0; r < G_N_ELEMENTS(policies); r++)
		for (unsigned n = 256; n <= 1024; n *= 2) {
			struct vtd_fixture f;
			struct iommu_result res;
			struct pgtable *t;

			vtd_fixture_defaults(&f);
			f.p.iotlb.replacement = policies[r];
			vtd_fixture_start(&f, FIDELITY_COUNTS);
			t = pgtable_new(&f.sim, f.mem, VTD_SS_48, VTD_PAGES_4K, 0);
			vtd_fixture_attach(&f, TEST_SID, TEST_DID, t);
			test_map(t, BASE, 8 * GIB, n * PAGE_SIZE, PGTABLE_READ);
			for (unsigned i = 0; i < 100000; i++)
				test_access(&f, TEST_SID, BASE + rng_below(&rng, n) * PAGE_SIZE,
					    IOMMU_ACCESS_READ, 0, &res);
			ck_assert_double_eq_tol((double)f.st.iotlb_misses / 100000, 1 - 118.0 / n, 0.01);
			pgtable_free(t);
			vtd_fixture_stop(&f);
		}
}
END_TEST

int main(void)
{
	TCase *traffic = tcase_create("traffic"), *relations = tcase_create("relations");

	tcase_add_loop_test(traffic, no_translation_after_its_invalidation, 0, 2 * VTD_FORMATS);
	tcase_add_loop_test(traffic, holds_for_every_policy, 0, 10);
	tcase_add_test(traffic, same_seed_same_counters);
	tcase_add_loop_test(traffic, fidelities_count_alike, 0, VTD_FORMATS);
	tcase_add_test(traffic, waits_complete_in_order);
	tcase_set_timeout(traffic, 580);
	tcase_add_test(relations, larger_iotlb_never_misses_more);
	tcase_add_test(relations, hint_never_adds_reads);
	tcase_add_test(relations, range_policy_never_misses_more_than_domain);
	tcase_add_test(relations, superpages_never_add_reads);
	tcase_add_test(relations, random_access_capacity_law);
	tcase_set_timeout(relations, 580);
	return test_run("vtd_traffic", traffic, relations, NULL);
}
