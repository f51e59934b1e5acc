/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's side: firmware that writes or reads the image of a VF, burst by burst, at its own pace and
 * as the fabric lets it.
 */
#include "vfio.h"

#include "models/vtd/vtd.h"
#include "models/pcie/pcie.h"

#define BURST (64 * PAGE_SIZE) /* bytes that a device moves between two looks at the clock */

static void transfer_done(struct vfio_job *j, sim_time_t when)
{
	struct vfio_workload *w = j->dev->w;

	if (j->failed)
		machine_io_failed(w->base.m);
	else
		replayer_count_io(&w->base, j->bytes, j->base.start, when);
	j->buffer->ready = when;
	if (j->buffer->waiter)
		cpu_post(j->buffer->waiter_cpu, j->buffer->waiter, when);
	j->buffer->waiter = NULL;
	if (j->event == VFIO_SAVE) {
		w->st.save_time += when - j->begun;
	} else {
		w->st.load_time += when - j->begun;
	}
	if (j->purpose == VFIO_PURPOSE_STOP_COPY)
		vfio_note_stop_copy(j->dev, j->begun, when);
}

/* Move a burst of the image; the pace of the firmware and the fabric both hold it back. */
static sim_time_t move_burst(struct vfio_job *j, sim_time_t when)
{
	struct vfio_workload *w = j->dev->w;
	uint64_t end = MIN(j->moved + BURST, j->bytes);
	sim_time_t done = when;

	j->pace += vfio_transfer_time(end - j->moved, j->event == VFIO_SAVE ? w->params.save_bandwidth
									    : w->params.load_bandwidth);
	while (j->moved < end) {
		uint64_t len = end - j->moved;
		struct pcie_dma d = {.fn = j->dev->base.dev->pci,
				     .op = j->event == VFIO_SAVE ? PCIE_WRITE : PCIE_READ,
				     .addr = vfio_buffer_address(j->buffer, j->moved, &len),
				     .pasid = NO_PASID};

		d.len = len;
		if (w->params.traffic && pcie_dma(&d, when)) {
			w->st.transfer_errors++;
			j->failed = true;
		}
		done = MAX(done, d.done);
		j->moved += len;
	}
	return w->base.m->sim.timing ? MAX(done, j->pace) : when;
}

static void run_transfer(struct event *ev, sim_time_t now)
{
	struct vfio_job *j = container_of(ev, struct vfio_job, step);
	struct vfio_dev *d = j->dev;
	struct vfio_workload *w = d->w;
	bool load = j->event == VFIO_LOAD;

	do
		now = move_burst(j, now);
	while (!w->base.m->sim.timing && j->moved < j->bytes);
	if (j->moved < j->bytes) {
		sim_schedule(&w->base.m->sim, &j->step, now);
		return;
	}
	transfer_done(j, now);
	replayer_job_end(&w->base, &j->base);
	if (load)
		vfio_next_event(d);
}

void vfio_start_transfer(struct vfio_job *j, const struct cpu *cpu)
{
	struct vfio_workload *w = j->dev->w;
	struct vfio_dev *d = j->dev;
	bool save = j->event == VFIO_SAVE;

	j->begun = cpu->now;
	j->moved = 0;
	j->failed = false;
	j->buffer->ready = SIM_TIME_NEVER;
	j->step.fn = run_transfer;
	j->step.priority = EVENT_HARDWARE;
	if (w->base.m->sim.timing) {
		/* One engine in the firmware: commands of a VF follow one another. */
		j->pace = MAX(cpu->now + w->params.command_latency, d->engine_free);
		if (save && j->purpose == VFIO_PURPOSE_STOP_COPY && !d->stopping)
			j->pace += w->params.stop_cost;
		d->stopping |= j->purpose == VFIO_PURPOSE_STOP_COPY;
		d->engine_free = j->pace + vfio_transfer_time(j->bytes, save ? w->params.save_bandwidth
									     : w->params.load_bandwidth);
		sim_schedule(&w->base.m->sim, &j->step, j->pace);
	} else {
		run_transfer(&j->step, w->base.m->sim.now);
	}
}
