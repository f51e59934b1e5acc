/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random use of both APIs on two CPUs against a naive account of what must hold: a plain
 * list of mapped pages and of ranges, scanned in full. Device accesses go through the unit's caches, so
 * a translation that outlives its invalidation shows.
 */
#include "../../models/dma/iommu.h"
#include "dma_rig.h"
#include "shrink.h"

#define MAX_LIVE 48u
#define MAX_PAGES 1024u
#define MAX_RANGES 4096u

enum what { SINGLE, LIST, LINKED, COHERENT };

/* A mapping that a driver holds. */
struct live {
	enum what what;
	enum dma_data_direction dir;
	dma_addr_t addr; /* as the API returned it */
	phys_addr_t phys;
	size_t len;
	unsigned nents;
	struct scatterlist sg[8];
	struct dma_iova_state state;
	dma_addr_t base; /* first page */
	unsigned pages;
	phys_addr_t page[MAX_PAGES]; /* what lies behind each; 0: a bounce buffer or a page to look up */
};

/* IOVA pages that nobody may be given: in use, or unmapped and waiting for a flush. */
struct range {
	uint64_t pfn, pages;
	bool queued;
};

struct state {
	struct rig r;
	struct live live[MAX_LIVE];
	unsigned nlive;
	struct range ranges[MAX_RANGES];
	unsigned nranges;
	char *why;
};

#define FAIL(st, ...)                                             \
	do {                                                      \
		if (!(st)->why)                                   \
			(st)->why = g_strdup_printf(__VA_ARGS__); \
	} while (0)

/* ---- the allocator's events ---- */

static void on_alloc(void *arg, const struct iova_alloc_event *e)
{
	struct state *st = arg;

	if (!e->pfn)
		return;
	for (unsigned i = 0; i < st->nranges; i++) {
		const struct range *r = &st->ranges[i];

		if (e->pfn < r->pfn + r->pages && r->pfn < e->pfn + e->pages)
			FAIL(st, "range %lx+%lu is in use%s", (unsigned long)e->pfn, (unsigned long)e->pages,
			     r->queued ? " (queued)" : "");
	}
	if (e->pfn <= 0xfeeff && e->pfn + e->pages > 0xfee00)
		FAIL(st, "reserved range %lx", (unsigned long)e->pfn);
	g_assert(st->nranges < MAX_RANGES);
	st->ranges[st->nranges++] = (struct range){e->pfn, e->pages, false};
}

static void on_free(void *arg, struct device *dev, unsigned cpu, uint64_t pfn, uint64_t pages, bool cached)
{
	struct state *st = arg;

	(void)dev;
	(void)cpu;
	(void)cached;
	for (unsigned i = 0; i < st->nranges; i++) {
		if (st->ranges[i].pfn != pfn || st->ranges[i].pages != pages)
			continue;
		st->ranges[i] = st->ranges[--st->nranges];
		return;
	}
	FAIL(st, "freed range %lx+%lu was not in use", (unsigned long)pfn, (unsigned long)pages);
}

static void on_enqueue(void *arg, struct device *dev, unsigned cpu, uint64_t pfn, uint64_t pages)
{
	struct state *st = arg;

	(void)pages;
	if (dma_replay_ring_entries(dev, cpu) > 255)
		FAIL(st, "ring of cpu %u holds too much", cpu);
	for (unsigned i = 0; i < st->nranges; i++)
		if (st->ranges[i].pfn == pfn)
			st->ranges[i].queued = true;
}

/* ---- mapping ---- */

static phys_addr_t some_phys(uint32_t x)
{
	return 0x10000000 + (phys_addr_t)(x % 0x8000) * PAGE_SIZE;
}

/* Sub-page offset and length: mostly whole pages. */
static void shape(const struct op *o, size_t *offset, size_t *len)
{
	*offset = o->c & 0x100 ? (o->c >> 10) * 8 % PAGE_SIZE : 0;
	*len = o->c & 0x200 ? 1 + o->b % 9000 : (size_t)(1 + o->b % 12) * PAGE_SIZE;
}

static void note_pages(struct live *m, dma_addr_t addr, phys_addr_t phys, size_t len, bool known)
{
	m->base = addr & PAGE_MASK;
	m->pages = (unsigned)(align_up((addr & ~PAGE_MASK) + len, PAGE_SIZE) >> PAGE_SHIFT);
	for (unsigned i = 0; i < m->pages; i++)
		m->page[i] = known ? (phys & PAGE_MASK) + i * PAGE_SIZE : 0;
}

static void map_single(struct state *st, const struct op *o, struct live *m)
{
	size_t offset;

	shape(o, &offset, &m->len);
	m->phys = some_phys(o->a) + offset;
	if (o->b % 64 == 1 && !st->r.dev->untrusted) {
		/* Whole leaf tables of 4 KiB entries: unmapping detaches them. */
		m->len = (1 + o->a % 2) * 2 * MIB;
		m->phys = align_down(m->phys, 2 * MIB) + PAGE_SIZE;
	}
	m->addr = dma_map_phys(st->r.dev, m->phys, m->len, m->dir, 0);
	if (m->addr == DMA_MAPPING_ERROR)
		return;
	if (!st->r.dev->untrusted && ((m->addr ^ m->phys) & ~PAGE_MASK))
		FAIL(st, "low bits of %lx and %lx differ", (unsigned long)m->addr, (unsigned long)m->phys);
	note_pages(m, m->addr, m->phys, m->len, !st->r.dev->untrusted || !((m->phys | m->len) & ~PAGE_MASK));
	st->nlive++;
}

static void map_list(struct state *st, const struct op *o, struct live *m)
{
	uint64_t want = 0, got = 0;
	unsigned n;

	m->nents = 1 + o->b % 8;
	sg_init_table(m->sg, m->nents);
	for (unsigned i = 0; i < m->nents; i++) {
		uint32_t pages = 1 + (o->c >> i) % 4;

		sg_set_phys(&m->sg[i], some_phys(o->a + i * (o->c & 1 ? 4 : 9)), pages * (uint32_t)PAGE_SIZE);
		want += pages * PAGE_SIZE;
	}
	n = dma_map_sg_attrs(st->r.dev, m->sg, (int)m->nents, m->dir, 0);
	if (!n)
		return;
	for (unsigned i = 0; i < n; i++)
		got += m->sg[i].dma_length;
	if (want != got)
		FAIL(st, "list of %lu bytes became %lu", (unsigned long)want, (unsigned long)got);
	m->pages = 0;
	if (!st->r.dev->untrusted) {
		m->base = m->sg[0].dma_address;
		for (unsigned i = 0; i < m->nents; i++)
			for (unsigned p = 0; p < m->sg[i].length >> PAGE_SHIFT; p++)
				m->page[m->pages++] = sg_phys(&m->sg[i]) + p * PAGE_SIZE;
	}
	st->nlive++;
}

static void map_linked(struct state *st, const struct op *o, struct live *m)
{
	unsigned n = 1 + o->b % 8;
	size_t head = o->c & 0x100 ? (o->c >> 10) * 8 % PAGE_SIZE : 0;
	size_t tail = o->c & 0x200 ? (o->c >> 16) * 8 % PAGE_SIZE : 0;
	size_t at = 0;

	m->len = n * 2 * PAGE_SIZE - head - tail;
	if (!dma_iova_try_alloc(st->r.dev, &m->state, head, m->len))
		return;
	m->pages = n * 2;
	m->base = m->state.addr & PAGE_MASK;
	for (unsigned i = 0; i < n; i++) {
		phys_addr_t phys = some_phys(o->a + i * (o->c & 1 ? 2 : 9));
		size_t len = 2 * PAGE_SIZE - (i ? 0 : head) - (i + 1 < n ? 0 : tail);

		if (dma_iova_link(st->r.dev, &m->state, phys + (i ? 0 : head), at, len, m->dir, 0))
			FAIL(st, "link %u of %u failed", i, n);
		m->page[2 * i] = i || !head || !st->r.dev->untrusted ? phys : 0;
		m->page[2 * i + 1] = i + 1 < n || !tail || !st->r.dev->untrusted ? phys + PAGE_SIZE : 0;
		at += len;
	}
	if (dma_iova_sync(st->r.dev, &m->state, 0, m->len))
		FAIL(st, "sync failed");
	st->nlive++;
}

static void map_coherent(struct state *st, const struct op *o, struct live *m)
{
	m->len = 1 + o->b % (6 * PAGE_SIZE);
	m->dir = DMA_BIDIRECTIONAL;
	m->phys = dma_alloc_coherent(st->r.dev, m->len, &m->addr);
	if (!m->phys)
		return;
	note_pages(m, m->addr, 0, m->len, false);
	for (unsigned i = 0; i < m->pages; i++)
		m->page[i] = dma_coherent_phys(st->r.dev, m->phys, m->addr, i * PAGE_SIZE);
	st->nlive++;
}

static void unmap(struct state *st, unsigned which, const struct op *o);

/* ---- device accesses ---- */

static bool device_reads(struct state *st, dma_addr_t addr, enum iommu_access access, phys_addr_t *phys)
{
	struct iommu_request rq = {
	    .sid = st->r.dev->pci->sid, .pasid = NO_PASID, .access = (uint8_t)access, .addr = addr};
	struct iommu_result res;

	if (iommu_translate(st->r.m->iommu, &rq, 0, &res))
		return false;
	*phys = res.phys;
	return true;
}

static void access_page(struct state *st, const struct live *m, unsigned page)
{
	bool may_read = m->dir != DMA_FROM_DEVICE, may_write = m->dir != DMA_TO_DEVICE;
	dma_addr_t addr = m->base + page * PAGE_SIZE;
	phys_addr_t phys = 0;

	if (device_reads(st, addr, IOMMU_ACCESS_READ, &phys) != may_read)
		FAIL(st, "read of %lx: want %s", (unsigned long)addr, may_read ? "data" : "a fault");
	else if (may_read && m->page[page] && phys != m->page[page])
		FAIL(st, "read of %lx reaches %lx, want %lx", (unsigned long)addr, (unsigned long)phys,
		     (unsigned long)m->page[page]);
	if (device_reads(st, addr, IOMMU_ACCESS_WRITE, &phys) != may_write)
		FAIL(st, "write to %lx: want %s", (unsigned long)addr, may_write ? "data" : "a fault");
}

/* After an unmap that flushed, or once the queue is empty, nothing may reach the pages. */
static void expect_unreachable(struct state *st, dma_addr_t base, unsigned pages)
{
	phys_addr_t phys;

	for (unsigned i = 0; i < pages; i++)
		if (device_reads(st, base + i * PAGE_SIZE, IOMMU_ACCESS_READ, &phys) ||
		    device_reads(st, base + i * PAGE_SIZE, IOMMU_ACCESS_WRITE, &phys))
			FAIL(st, "%lx is still reachable", (unsigned long)(base + i * PAGE_SIZE));
}

/* ---- unmapping ---- */

static void unmap_one(struct state *st, struct live *m, bool piecewise)
{
	struct device *dev = st->r.dev;

	switch (m->what) {
	case SINGLE:
		dma_unmap_phys(dev, m->addr, m->len, m->dir, 0);
		break;
	case LIST:
		dma_unmap_sg_attrs(dev, m->sg, (int)m->nents, m->dir, 0);
		break;
	case COHERENT:
		dma_free_coherent(dev, m->len, m->phys, m->addr);
		break;
	case LINKED:
		if (!piecewise) {
			dma_iova_destroy(dev, &m->state, m->len, m->dir, 0);
			break;
		}
		for (size_t at = 0, len; at < m->len; at += len) {
			size_t odd = (m->state.addr + at) & (2 * PAGE_SIZE - 1);

			len = MIN(2 * PAGE_SIZE - odd, m->len - at);
			dma_iova_unlink(dev, &m->state, at, len, m->dir, 0);
		}
		expect_unreachable(st, m->base, m->pages); /* in lazy mode, too */
		dma_iova_free(dev, &m->state);
		break;
	}
}

static void unmap(struct state *st, unsigned which, const struct op *o)
{
	struct live m;

	if (!st->nlive)
		return;
	which %= st->nlive;
	m = st->live[which];
	if (m.pages && o->c & 4)
		access_page(st, &m, o->b % m.pages);
	unmap_one(st, &m, o->c & 8);
	if (!st->r.dev->domain->fq)
		expect_unreachable(st, m.base, m.pages);
	st->live[which] = st->live[--st->nlive];
}

/* ---- what must hold between operations ---- */

static void check_translations(struct state *st)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < st->nlive; i++) {
		const struct live *m = &st->live[i];

		pages += m->pages;
		for (unsigned p = 0; p < m->pages; p++) {
			phys_addr_t phys = pgtable_iova_to_phys(st->r.dev->domain->pt,
								m->base + p * PAGE_SIZE, NULL);

			if (!phys || (m->page[p] && phys != m->page[p]))
				FAIL(st, "page %u of mapping %u leads to %lx", p, i, (unsigned long)phys);
		}
	}
	if (!st->r.dev->untrusted &&
	    pages != st->r.m->dma_stats.ptes_written - st->r.m->dma_stats.ptes_cleared)
		FAIL(st, "%lu entries for %lu live pages",
		     (unsigned long)(st->r.m->dma_stats.ptes_written - st->r.m->dma_stats.ptes_cleared),
		     (unsigned long)pages);
}

/* Every range of a cacheable size is either in use or in exactly one cache. */
static void check_classes(struct state *st)
{
	struct iova_domain *d = &st->r.dev->domain->iovad;
	int64_t balance[IOVA_CACHE_CLASSES_MAX] = {0};

	for (struct iova *n = iova_first(d); n; n = iova_next(d, n)) {
		uint64_t size = n->pfn_hi - n->pfn_lo + 1;

		if (size <= 32 && !(size & (size - 1)) && n->pfn_lo > 1)
			balance[order_base_2(size)]++;
	}
	for (unsigned i = 0; i < st->nranges; i++)
		if (st->ranges[i].pages <= 32)
			balance[order_base_2(st->ranges[i].pages)]--;
	for (unsigned k = 0; k < d->classes; k++) {
		const struct iova_rcache *rc = &d->rcaches[k];

		for (unsigned c = 0; c < 2; c++)
			balance[k] -= (int64_t)(rc->cpu_rcaches[c].loaded->size +
						rc->cpu_rcaches[c].prev->size);
		balance[k] -= (int64_t)(rc->depot_size * d->magazine_size);
		if (balance[k])
			FAIL(st, "class %u: %ld ranges unaccounted for", k, (long)balance[k]);
	}
	if (st->r.m->sim.ledger.accounts[LEDGER_IOVA_RANGES].current != 64 * d->nodes)
		FAIL(st, "ledger and ranges differ");
}

/* ---- sequences ---- */

enum kind { MAP_SINGLE, MAP_LIST, MAP_LINKED, MAP_COHERENT, UNMAP, UNMAP_TOO, ACCESS, TIME, KINDS };
static const char *const kind_names[] = {"map_phys", "map_sg", "link",   "coherent",
					 "unmap",    "unmap",  "access", "time"};

static void do_map(struct state *st, const struct op *o)
{
	struct live *m = &st->live[st->nlive];
	uint64_t failures = st->r.m->dma_stats.iova_failures;
	unsigned before = st->nlive;
	uint64_t ranges = st->nranges, slots = st->r.m->dma_stats.swiotlb_slots_used;

	if (st->nlive == MAX_LIVE)
		return;
	m->what = (enum what)o->kind;
	m->dir = (enum dma_data_direction)(o->c >> 4) % 3;
	if (o->kind == MAP_LINKED && !st->r.m->kernel->has_iova_api)
		return;
	(o->kind == MAP_SINGLE     ? map_single
	 : o->kind == MAP_LIST     ? map_list
	 : o->kind == MAP_COHERENT ? map_coherent
				   : map_linked)(st, o, m);
	/* A failure leaves nothing behind. */
	if (st->nlive == before && !st->why) {
		if (st->r.m->dma_stats.iova_failures == failures)
			FAIL(st, "mapping failed with room left");
		if (st->nranges != ranges || st->r.m->dma_stats.swiotlb_slots_used != slots)
			FAIL(st, "a failed mapping left something behind");
	}
}

static void do_op(struct state *st, const struct op *o)
{
	struct sim *sim = &st->r.m->sim;

	sim->cpu = &sim->cpus[(o->c >> 1) % 2];
	if (o->kind <= MAP_COHERENT) {
		do_map(st, o);
	} else if (o->kind == ACCESS) {
		const struct live *m = st->nlive ? &st->live[o->a % st->nlive] : NULL;

		if (m && m->pages)
			access_page(st, m, o->b % m->pages);
	} else if (o->kind == TIME) {
		sim_advance(sim, sim->now + o->a % (o->b % 64 ? SIM_MS / 100 : 30 * SIM_MS));
	} else {
		unmap(st, o->a, o);
	}
}

/* Everything unmapped and flushed: no page is reachable, no slot or range left. */
static void wind_down(struct state *st)
{
	struct sim *sim = &st->r.m->sim;
	dma_addr_t base[MAX_LIVE];
	unsigned pages[MAX_LIVE], n = st->nlive;
	struct op o = {.c = 4};

	for (unsigned i = 0; i < n; i++) {
		base[i] = st->live[st->nlive - 1].base;
		pages[i] = st->live[st->nlive - 1].pages;
		unmap(st, st->nlive - 1, &o);
	}
	sim_run(sim);
	for (unsigned i = 0; i < n; i++)
		expect_unreachable(st, base[i], pages[i]);
	if (st->nranges || st->r.m->dma_stats.swiotlb_slots_used)
		FAIL(st, "%u ranges, %lu slots left", st->nranges,
		     (unsigned long)st->r.m->dma_stats.swiotlb_slots_used);
	check_translations(st);
	check_classes(st);
}

/* What the sequences together have exercised. */
struct coverage {
	uint64_t operations, failures, flushes, timeouts, bounces, tables_freed, iotlb_hits, faults;
};

static void cover(struct coverage *c, const struct rig *r)
{
	c->operations += r->m->dma_stats.map_calls + r->m->dma_stats.unmap_calls +
			 r->m->dma_stats.link_calls + r->m->dma_stats.unlink_calls +
			 r->m->dma_stats.destroy_calls;
	c->failures += r->m->dma_stats.iova_failures;
	c->flushes += r->m->dma_stats.fq_ring_full;
	c->timeouts += r->m->dma_stats.fq_timeouts;
	c->bounces += r->m->dma_stats.swiotlb_bounces;
	c->tables_freed += r->m->dma_stats.table_pages_freed;
	c->iotlb_hits += r->m->vtd_stats.iotlb_hits;
	c->faults += r->m->vtd_stats.faults;
}

static char *run(const struct op *ops, unsigned n, uint64_t seed, void *arg)
{
	const char *const set[] = {"cpu.count", "2", "iova.magazine_size", seed & 1 ? "127" : "3",
				   /* A link that is refused is no use here. */
				   "kernel.facts", "link_zero_middle=no", NULL};
	enum iommu_mode mode = seed / 2 % 2 ? IOMMU_LAZY : IOMMU_STRICT;
	struct state *st = g_new0(struct state, 1);
	struct dma_observer observer = {
	    .arg = st, .iova_alloc = on_alloc, .iova_free = on_free, .fq_enqueue = on_enqueue};
	char *why;

	st->r = rig_new_with(mode, seed / 4 % KERNEL_VERSIONS, set);
	if (seed / 12 % 4 == 0) {
		dma_layer_detach(st->r.dev);
		st->r.dev->untrusted = true;
		ck_assert_int_eq(dma_layer_attach(st->r.m->dma, st->r.dev), 0);
	}
	st->r.dev->min_align_mask = 4095;
	if (seed / 48 % 4 == 0) /* little room */
		reserve_iova(&st->r.dev->domain->iovad, 1, 0xfffff - 700);
	dma_layer_set_observer(st->r.dev->dma, &observer);
	for (unsigned i = 0; i < n && !st->why; i++) {
		do_op(st, &ops[i]);
		if (i % 64 == 63) {
			check_translations(st);
			check_classes(st);
		}
	}
	if (!st->why)
		wind_down(st);
	cover(arg, &st->r);
	why = st->why;
	rig_free(&st->r);
	g_free(st);
	return why;
}

START_TEST(both_apis_keep_the_invariants)
{
	struct coverage c = {0};
	struct sequence_test t = {
	    .name = "dma", .kinds = KINDS, .kind_names = kind_names, .length = 2500, .run = run, .arg = &c};

	for (uint64_t want = test_scale(1000000); c.operations < want;)
		sequence_test_run(&t, 100000);
	ck_assert_uint_gt(c.failures, 100);
	ck_assert_uint_gt(c.flushes, 100);
	ck_assert_uint_gt(c.timeouts, 100);
	ck_assert_uint_gt(c.bounces, 1000);
	ck_assert_uint_gt(c.tables_freed, 100);
	ck_assert_uint_gt(c.iotlb_hits, 1000);
	ck_assert_uint_gt(c.faults, 1000);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("dma");

	tcase_set_timeout(t, 1200);
	tcase_add_test(t, both_apis_keep_the_invariants);
	return test_run("dma_property", t, NULL);
}
