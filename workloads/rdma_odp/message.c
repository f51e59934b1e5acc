/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NIC's side: messages that it moves to and from the regions. A message translates each of its pages
 * through the NIC's cache; a page that is not mapped (or not writable) stops it until the kernel has
 * handled the fault: the first packet's bytes, then the rest of the message as a prefetch.
 */
#include "odp.h"

#include "models/vtd/vtd.h"
#include "models/pcie/pcie.h"

static void message_end(struct odp_job *j, sim_time_t when)
{
	struct odp_workload *w = j->dev->w;

	when += w->base.m->sim.timing ? w->params.message_overhead : 0;
	if (j->failed) {
		machine_io_failed(w->base.m);
	} else {
		w->st.messages++;
		w->st.message_bytes += j->bytes;
		replayer_count_io(&w->base, j->bytes, j->base.start, when);
	}
	replayer_job_end(&w->base, &j->base);
}

/* Move one page's part of the message; false when its page must be faulted in first. */
static bool move_part(struct odp_job *j, sim_time_t *when)
{
	struct odp_workload *w = j->dev->w;
	uint64_t at = j->offset + j->pos, page, len = MIN(PAGE_SIZE - at % PAGE_SIZE, j->bytes - j->pos);
	struct odp_umem *u;
	struct pcie_dma d;
	int err;

	u = odp_mr_at(j->dev, j->mr, at, false, &page, &err);
	if (!u || !odp_page_allows(u, page, j->write))
		return false;
	if (odp_cache_lookup(&j->dev->cache, u->key, page)) {
		w->st.cache_hits++;
	} else {
		w->st.cache_misses++;
		*when += w->base.m->sim.timing ? w->params.mtt_latency : 0;
	}
	if (w->params.traffic) {
		d = (struct pcie_dma){.fn = j->dev->base.dev->pci,
				      .op = j->write ? PCIE_WRITE : PCIE_READ,
				      .addr = u->mtt[page] + (at & (odp_page_bytes(u) - 1)),
				      .len = len,
				      .pasid = NO_PASID};
		if (pcie_dma(&d, *when)) {
			w->st.transfer_errors++;
			j->failed = true;
		}
		j->finished = MAX(j->finished, d.done);
		*when = MAX(*when, j->write ? d.accepted : *when);
	}
	j->pos += len;
	return true;
}

void odp_run_message(struct event *ev, sim_time_t now)
{
	struct odp_job *j = container_of(ev, struct odp_job, step);
	struct odp_workload *w = j->dev->w;
	sim_time_t when = now;

	while (j->pos < j->bytes) {
		if (move_part(j, &when))
			continue;
		w->st.message_faults++;
		j->stopped = when;
		j->base.work.fn = odp_run_fault;
		cpu_post(j->base.cpu, &j->base.work,
			 when + (w->base.m->sim.timing ? w->params.event_latency : 0));
		if (w->base.m->sim.timing)
			return;
	}
	message_end(j, MAX(j->finished, when));
}
