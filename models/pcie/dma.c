/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's memory access: split at pages and into TLPs, routed, translated per TLP, and done to the
 * simulated bytes. PCI Express base specification 5.0, 2.2 (TLPs), 2.3.1.1 (completions).
 */
#include "internal.h"

#include "sim/timeline.h"

static void count_op(struct pcie_stats *st, const struct pcie_dma *d)
{
	if (d->op == PCIE_READ) {
		st->reads++;
		st->bytes_read += d->done_bytes;
	} else {
		st->writes++;
		st->bytes_written += d->done_bytes;
	}
}

static void move_bytes(const struct pcie_fabric *f, const struct pcie_dma *d, phys_addr_t phys, uint64_t n)
{
	char *data = (char *)d->data + d->done_bytes;

	if (d->op == PCIE_READ)
		memory_read(f->mem, phys, data, n);
	else
		memory_write(f->mem, phys, data, n);
}

/* What every page of the access asks for; the page's address and TLPs are filled in for each. */
static inline struct iommu_request request(const struct pcie_dma *d)
{
	return (struct iommu_request){
	    .sid = d->fn->sid,
	    .pasid = d->pasid,
	    .access = d->op == PCIE_READ ? IOMMU_ACCESS_READ : IOMMU_ACCESS_WRITE,
	};
}

static inline int translate_request(struct pcie_dma *d, const struct iommu_request *rq, sim_time_t when,
				    struct iommu_result *res)
{
	int err;

	if (G_UNLIKELY(d->fn->ats))
		err = iommu_ats_translate(d->fn->iommu, rq, when, res);
	else
		err = iommu_translate(d->fn->iommu, rq, when, res);
	if (G_UNLIKELY(err)) {
		d->fault = res->fault;
		sim_refuse(d->fn->fabric->sim, "no translation for an access by", d->fn->name, d->len);
		return -EFAULT;
	}
	return 0;
}

/* Untranslated address to physical one; *ready is when the root complex has it. */
static int translate(struct pcie_dma *d, struct pcie_train *tr, dma_addr_t addr, unsigned tlps,
		     phys_addr_t *phys, sim_time_t *ready)
{
	struct iommu_request rq = request(d);
	bool queued = d->fn->fabric->sim->timing && d->op == PCIE_READ && !d->fn->ats;
	struct iommu_result res;
	int err;

	*phys = addr;
	*ready = tr->arrival;
	if (!d->fn->iommu || d->translated)
		return 0;
	rq.addr = addr;
	rq.tlps = (uint16_t)tlps;
	if (queued) {
		sim_time_t when = pcie_time_enter(tr);

		rq.leaves = tr->leaves;
		rq.hold = tr->hold;
		err = translate_request(d, &rq, when, &res);
		res.ready = pcie_time_leave(tr, res.ready);
	} else {
		err = translate_request(d, &rq, tr->arrival, &res);
	}
	if (err)
		return -EFAULT;
	*phys = res.phys;
	*ready = res.ready;
	return 0;
}

/* One page of the access: n bytes at addr that do not cross 4 KiB. */
static int dma_page(struct pcie_dma *d, dma_addr_t addr, uint64_t n, sim_time_t when, sim_time_t *done)
{
	struct pcie_node *fn = d->fn;
	struct pcie_fabric *f = fn->fabric;
	struct pcie_stats *st = f->st;
	unsigned tlps = pcie_tlps(addr, n, d->op == PCIE_READ ? f->mrrs_lg2 : f->mps_lg2);
	struct pcie_bar *bar = pcie_route_direct(fn, addr, d->translated);
	struct pcie_train tr;
	enum pcie_route route = PCIE_ROUTE_DIRECT;
	bool timed = f->sim->timing && !(bar && bar->node == fn); /* its own memory: no link is passed */
	sim_time_t ready;
	phys_addr_t phys;
	int err;

	if (d->op == PCIE_READ)
		st->tlps_read += tlps;
	else
		st->tlps_write += tlps;
	tr.arrival = when;
	if (timed) {
		/* One by one: clearing the whole first takes longer than all the rest. */
		tr.fn = fn;
		tr.top = bar ? pcie_common(fn, bar->node) : NULL;
		tr.op = d->op;
		tr.addr = addr;
		tr.n = n;
		tr.mps = (uint64_t)1 << f->mps_lg2;
		tr.tlps = tlps;
		tr.cold = d->cold;
		pcie_time_send(&tr, when);
	}
	if (bar) {
		phys = addr - bar->bus + bar->base;
		ready = tr.arrival;
		st->p2p_bytes_direct += n;
	} else {
		err = translate(d, &tr, addr, tlps, &phys, &ready);
		if (err) {
			*done = tr.arrival;
			return err;
		}
		route = pcie_route_phys(fn, d->op, phys, &bar);
		if (route == PCIE_ROUTE_NONE) {
			st->p2p_refused++;
			sim_refuse(f->sim, "nobody answers an access by", fn->name, n);
			*done = ready;
			return -ENXIO;
		}
		if (route != PCIE_ROUTE_MEMORY)
			st->p2p_bytes_host_bridge += n;
	}
	*done = ready;
	if (timed) {
		tr.phys = phys;
		*done = bar ? pcie_time_peer(&tr, bar->node, route, ready) : pcie_time_memory(&tr, ready);
		d->accepted = MAX(d->accepted, tr.sent);
		if (fn->iommu && route != PCIE_ROUTE_DIRECT)
			iommu_in_flight(fn->iommu, tr.arrival, *done);
	}
	if (d->data)
		move_bytes(f, d, phys, n);
	return 0;
}

/* Bytes from addr on that are left and do not cross 4 KiB. */
static inline uint64_t page_part(dma_addr_t addr, uint64_t left)
{
	return MIN(left, PAGE_SIZE - (addr & ~PAGE_MASK));
}

/* Apart from the short way, so that this one's registers are not saved there. */
static G_GNUC_NO_INLINE int dma_pages(struct pcie_dma *d, sim_time_t when)
{
	uint64_t left = d->len;
	dma_addr_t addr = d->addr;
	int err = 0;

	while (left) {
		uint64_t n = page_part(addr, left);
		sim_time_t page_done;

		err = dma_page(d, addr, n, when, &page_done);
		d->done = MAX(d->done, page_done);
		if (err)
			break;
		d->done_bytes += n;
		addr += n;
		left -= n;
	}
	return err;
}

/* Counts, no peer memory anywhere: every address that can be translated is memory, and takes no time. */
static inline int dma_pages_counts(struct pcie_dma *d, sim_time_t when)
{
	const struct pcie_fabric *f = d->fn->fabric;
	unsigned lg2 = d->op == PCIE_READ ? f->mrrs_lg2 : f->mps_lg2;
	uint64_t *tlps = d->op == PCIE_READ ? &f->st->tlps_read : &f->st->tlps_write;
	struct iommu_request rq = request(d);
	struct iommu_result res;

	do {
		uint64_t n;

		rq.addr = d->addr + d->done_bytes;
		n = page_part(rq.addr, d->len - d->done_bytes);
		rq.tlps = (uint16_t)pcie_tlps(rq.addr, n, lg2);
		*tlps += rq.tlps;
		if (translate_request(d, &rq, when, &res))
			return -EFAULT;
		if (d->data)
			move_bytes(f, d, res.phys, n);
		d->done_bytes += n;
	} while (G_UNLIKELY(d->done_bytes < d->len));
	return 0;
}

int pcie_dma(struct pcie_dma *d, sim_time_t when)
{
	const struct pcie_fabric *f = d->fn->fabric;
	int err;

	d->fault = 0;
	d->done_bytes = 0;
	d->done = d->accepted = when;
	if (G_UNLIKELY(f->watch))
		f->watch(f->watch_arg, d);
	if (!f->sim->timing && !f->bars->len && d->fn->iommu && !d->translated && d->len)
		err = dma_pages_counts(d, when);
	else
		err = dma_pages(d, when);
	count_op(f->st, d);
	sim_slice(f->sim, TIMELINE_TRANSFER, d->op == PCIE_READ ? "read" : "write", when, d->done);
	return err;
}

void pcie_set_watch(struct pcie_fabric *f, pcie_watch_fn fn, void *arg)
{
	f->watch = fn;
	f->watch_arg = arg;
}
