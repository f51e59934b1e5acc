/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's side: registration, faults, prefetches and invalidations over the parts of a region
 * (pagefault_mr, pagefault_implicit_mr, mlx5_ib_invalidate_range of drivers/infiniband/hw/mlx5/odp.c).
 */
#include "odp.h"

/* Run fn over the parts of [offset, offset + bytes) of the MR. */
typedef int (*part_fn)(struct odp_job *j, struct odp_umem *u, uint64_t page, uint64_t n);

static int for_parts(struct odp_job *j, uint64_t offset, uint64_t bytes, bool create, part_fn fn)
{
	unsigned shift = j->mr->page_shift;
	uint64_t at = align_down(offset, (uint64_t)1 << shift),
		 end = align_up(offset + bytes, (uint64_t)1 << shift);
	uint64_t before = j->dev->w->st.children_created;
	int err = 0;

	while (at < end && !err) {
		uint64_t page, n;
		struct odp_umem *u = odp_mr_at(j->dev, j->mr, at, create, &page, &err);

		n = (end - at) >> shift;
		if (j->mr->implicit)
			n = MIN(n, (j->dev->w->params.child_bytes >> PAGE_SHIFT) - page);
		if (u && !err)
			err = fn(j, u, page, MIN(n, u->npages - page));
		at += n << shift;
	}
	if (j->dev->w->st.children_created != before)
		j->dev->w->st.ksm_updates++; /* one covers all new children of this fault */
	return err;
}

static int fault_part(struct odp_job *j, struct odp_umem *u, uint64_t page, uint64_t n)
{
	return odp_fault_pages(u, page, n, j->write, j->base.segs, j->base.nsegs);
}

static int invalidate_part(struct odp_job *j, struct odp_umem *u, uint64_t page, uint64_t n)
{
	odp_invalidate_pages(u, page, n);
	if (!j->mr->implicit || u->mapped > 0)
		return 0;
	for (uint64_t i = 0; i < j->mr->nchildren; i++)
		if (j->mr->children[i] == u)
			j->mr->children[i] = NULL;
	odp_umem_free(u);
	j->dev->w->st.children_destroyed++;
	j->dev->w->st.ksm_updates++;
	return 0;
}

/* Of the pages of a new region. An API that maps page by page gets base pages, huge or not. */
static unsigned page_shift(const struct odp_job *j)
{
	const struct odp_workload *w = j->dev->w;

	if (!(j->access & ODP_ACCESS_HUGETLB) || !w->base.api->paths[WORKLOAD_RDMA_ODP])
		return PAGE_SHIFT;
	return w->params.huge_page == ODP_HUGE_1GIB ? 30 : 21;
}

/* The kernel's part of an event, on its CPU. */
static int handle(struct odp_job *j)
{
	struct odp_workload *w = j->dev->w;
	int err = 0;

	cpu_charge(j->base.cpu, COST_DRIVER_SUBMIT);
	switch (j->event) {
	case ODP_REG:
		err = odp_mr_register(j->dev, j->number, j->bytes, j->implicit, page_shift(j));
		if (err || !j->base.nsegs)
			break;
		j->mr = odp_mr_find(j->dev, j->number);
		for (uint32_t i = 0; i < j->base.nsegs; i++)
			j->pos += j->base.segs[i].len;
		return for_parts(j, 0, MIN(j->pos, j->bytes), true, fault_part); /* what is there already */
	case ODP_DEREG:
		odp_mr_deregister(j->dev, j->mr);
		break;
	case ODP_FAULT:
		w->st.faults++;
		return for_parts(j, j->offset, j->bytes, true, fault_part);
	case ODP_PREFETCH:
		w->st.prefetches++;
		return for_parts(j, j->offset, j->bytes, true, fault_part);
	case ODP_INVAL:
		w->st.invalidations++;
		return for_parts(j, j->offset, j->bytes, false, invalidate_part);
	default:
		break;
	}
	return err;
}

void odp_run_event(struct cpu_work *work, struct cpu *cpu)
{
	struct odp_job *j = (struct odp_job *)work;
	struct odp_workload *w = j->dev->w;
	int err;

	j->base.cpu = cpu;
	err = handle(j);
	/* A fault that fails is answered with an error; regions that cannot be made end the run. */
	if (err)
		machine_io_refused(w->base.m);
	if (err && j->event == ODP_REG)
		replayer_job_failed(&w->base, &j->base, err);
	cpu_charge(cpu, COST_DRIVER_COMPLETE);
	replayer_job_end(&w->base, &j->base);
}

/* Kernel side of a message's fault: the packet, then the rest as a prefetch. */
void odp_run_fault(struct cpu_work *work, struct cpu *cpu)
{
	struct odp_job *j = (struct odp_job *)work;
	struct odp_workload *w = j->dev->w;
	uint64_t at = j->offset + j->pos, left = j->bytes - j->pos;
	uint64_t first = MIN(left, w->params.packet), more;
	int err;

	j->base.cpu = cpu;
	w->st.faults++;
	cpu_charge(cpu, COST_INTERRUPT);
	err = for_parts(j, at, first, true, fault_part);
	at = align_up(at + first, (uint64_t)1 << j->mr->page_shift);
	more = MIN(j->offset + j->bytes > at ? j->offset + j->bytes - at : 0, w->params.max_prefetch);
	if (!err && more > 0) {
		w->st.prefetches++;
		err = for_parts(j, at, more, true, fault_part);
	}
	if (err) {
		replayer_job_failed(&w->base, &j->base, err);
		j->pos = j->bytes; /* the queue pair goes to error: the message ends here */
	}
	if (!w->base.m->sim.timing)
		return;
	w->st.fault_time += cpu->now + w->params.resume_latency - j->stopped;
	sim_schedule(&w->base.m->sim, &j->step, cpu->now + w->params.resume_latency);
}
