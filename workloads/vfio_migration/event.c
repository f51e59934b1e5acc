/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's side: the events of a VF, one after the other (mlx5vf_cmd_save_vhca_state,
 * mlx5vf_cmd_load_vhca_state, mlx5vf_tracker_read_and_clear of drivers/vfio/pci/mlx5/cmd.c). A save ends
 * with its command, its data arrive later, and a read waits for them.
 */
#include "vfio.h"

#include "models/vtd/vtd.h"
#include "models/pcie/pcie.h"

/* The VF may go on with its next event. */
void vfio_next_event(struct vfio_dev *d)
{
	d->busy = false;
	vfio_start_next(d);
}

void vfio_note_stop_copy(struct vfio_dev *d, sim_time_t from, sim_time_t to)
{
	struct vfio_workload *w = d->w;

	if (!d->stopped)
		d->stop_first = from;
	d->stopped = true;
	d->stop_last = MAX(d->stop_last, to);
	w->st.downtime = MAX(w->st.downtime, d->stop_last - d->stop_first);
}

/* The buffer for a save or load of bytes: the one of this number if it fits, else a new one. */
static struct vfio_buffer *buffer_for(struct vfio_job *j, enum dma_data_direction dir, int *err)
{
	struct vfio_workload *w = j->dev->w;
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, j->purpose == VFIO_PURPOSE_TRACKER);

	*err = 0;
	if (b && b->obj.dir == dir && b->obj.bytes >= j->bytes) {
		w->st.buffers_reused++;
		return b;
	}
	if (b) {
		w->st.buffers_outgrown++;
		vfio_buffer_free(b);
	}
	b = vfio_buffer_alloc(j->dev, j->id, j->purpose, j->bytes, dir, j->base.segs, j->base.nsegs, err);
	return b;
}

/* SAVE or LOAD: the command; its data move on their own. */
static int give_command(struct vfio_job *j, struct cpu *cpu)
{
	struct vfio_workload *w = j->dev->w;
	struct vfio_dev *d = j->dev;
	bool save = j->event == VFIO_SAVE;
	int err;

	j->buffer = buffer_for(j, save ? DMA_FROM_DEVICE : DMA_TO_DEVICE, &err);
	if (!err)
		err = vfio_buffer_map(j->buffer);
	if (err)
		return err;
	if (save) {
		w->st.saves++;
		w->st.save_bytes += j->bytes;
		*(j->purpose == VFIO_PURPOSE_STOP_COPY ? &w->st.stop_copy_bytes
						       : &w->st.precopy_bytes) += j->bytes;
	} else {
		w->st.loads++;
		w->st.load_bytes += j->bytes;
	}
	vfio_start_transfer(j, cpu);
	if (save)
		vfio_next_event(d);
	return 0;
}

/* The user reads a part of the stream; false when its data are still on their way. */
static bool read_part(struct vfio_job *j, struct cpu *cpu)
{
	struct vfio_workload *w = j->dev->w;
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, false);

	if (w->base.m->sim.timing && b && b->ready > cpu->now) {
		cpu_post(cpu, &j->base.work, b->ready);
		return false;
	}
	w->st.reads++;
	w->st.read_bytes += j->bytes;
	if (w->base.m->sim.timing)
		cpu_spend(cpu, vfio_transfer_time(j->bytes, w->params.copy_bandwidth));
	if (j->purpose == VFIO_PURPOSE_STOP_COPY)
		vfio_note_stop_copy(j->dev, cpu->now, cpu->now);
	return true;
}

/* Reports arrive in the receive buffer, one after the other, round and round. */
static int read_tracker(struct vfio_job *j, struct cpu *cpu)
{
	struct vfio_workload *w = j->dev->w;
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, true);
	uint64_t entries = j->bytes / w->params.tracked_page, left = entries * 8;

	w->st.track_reads++;
	w->st.track_entries += entries;
	while (b && left > 0) {
		uint64_t message = MIN(left, w->params.report_bytes);

		left -= message;
		w->st.track_reports++;
		while (message > 0) {
			uint64_t len = message;
			struct pcie_dma d = {
			    .fn = j->dev->base.dev->pci, .op = PCIE_WRITE, .pasid = NO_PASID};

			d.addr = vfio_buffer_address(b, j->dev->report_at, &len);
			d.len = len;
			if (w->params.traffic && pcie_dma(&d, cpu->now))
				w->st.transfer_errors++;
			j->dev->report_at = (j->dev->report_at + len) % b->obj.bytes;
			message -= len;
		}
	}
	cpu_spend(cpu, entries * w->params.report_entry);
	return 0;
}

static int alloc_buffer(struct vfio_job *j)
{
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, j->purpose == VFIO_PURPOSE_TRACKER);
	int err;

	if (b)
		vfio_buffer_free(b);
	if (j->event == VFIO_TRACK_START)
		j->bytes = MAX(j->bytes, VFIO_TRACKER_PAGES * PAGE_SIZE);
	b = vfio_buffer_alloc(j->dev, j->id, j->purpose, j->bytes,
			      j->purpose == VFIO_PURPOSE_HEADER ? DMA_NONE : (enum dma_data_direction)j->dir,
			      j->base.segs, j->base.nsegs, &err);
	if (!b)
		return err;
	/* A buffer to load from is mapped when it is loaded. */
	return b->obj.dir == DMA_TO_DEVICE ? 0 : vfio_buffer_map(b);
}

static int free_buffer(struct vfio_job *j)
{
	struct vfio_buffer *b = vfio_buffer_find(j->dev, j->id, j->purpose == VFIO_PURPOSE_TRACKER);

	if (b)
		vfio_buffer_free(b);
	return 0;
}

static void run_event(struct cpu_work *work, struct cpu *cpu)
{
	struct vfio_job *j = (struct vfio_job *)work;
	struct vfio_dev *d = j->dev;
	struct vfio_workload *w = d->w;
	struct vfio_buffer *b = vfio_buffer_find(d, j->id, j->purpose == VFIO_PURPOSE_TRACKER);
	int err = 0;

	if (b && b->ready == SIM_TIME_NEVER) { /* its data are still on their way */
		b->waiter = &j->base.work;
		b->waiter_cpu = cpu;
		return;
	}
	switch (j->event) {
	case VFIO_ALLOC:
	case VFIO_TRACK_START:
		err = alloc_buffer(j);
		break;
	case VFIO_FREE:
	case VFIO_TRACK_STOP:
		err = free_buffer(j);
		break;
	case VFIO_READ:
		if (!read_part(j, cpu))
			return;
		break;
	case VFIO_TRACK_READ:
		err = read_tracker(j, cpu);
		break;
	default:
		cpu_charge(cpu, COST_DRIVER_SUBMIT);
		err = give_command(j, cpu);
		if (!err)
			return;
	}
	if (err)
		replayer_job_failed(&w->base, &j->base, err);
	replayer_job_end(&w->base, &j->base);
	vfio_next_event(d);
}

/* Begin the VF's next event if it is free. */
void vfio_start_next(struct vfio_dev *d)
{
	struct replayer_job *j = d->head;

	if (!j || d->busy)
		return;
	d->head = j->next;
	if (!d->head)
		d->tail = &d->head;
	d->queued--;
	d->busy = true;
	j->work.fn = run_event;
	cpu_post(j->cpu, &j->work, MAX(j->start, j->cpu->sim->now));
}
