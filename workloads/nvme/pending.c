/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completions in fidelity = counts: at the recorded time and CPU where the trace has them (a heap by
 * time, then order of submission), else first in, first out, queue_depth records per queue.
 */
#include "io.h"

#include "sim/cpu.h"

struct nvme_pending {
	uint64_t done_ns, sequence;
	struct nvme_io *io;
};

static bool before(const struct nvme_pending *a, const struct nvme_pending *b)
{
	return a->done_ns != b->done_ns ? a->done_ns < b->done_ns : a->sequence < b->sequence;
}

static void heap_push(struct nvme_workload *w, struct nvme_pending p)
{
	struct nvme_pending *h;
	unsigned i = w->npending++;

	if (w->npending > w->pending_room) {
		w->pending_room = MAX(64, 2 * w->pending_room);
		w->pending = g_renew(struct nvme_pending, w->pending, w->pending_room);
	}
	h = w->pending;
	for (; i && before(&p, &h[(i - 1) / 2]); i = (i - 1) / 2)
		h[i] = h[(i - 1) / 2];
	h[i] = p;
}

static struct nvme_io *heap_pop(struct nvme_workload *w)
{
	struct nvme_pending *h = w->pending, last = h[--w->npending];
	struct nvme_io *io = h[0].io;
	unsigned i = 0;

	for (unsigned child; (child = 2 * i + 1) < w->npending; i = child) {
		if (child + 1 < w->npending && before(&h[child + 1], &h[child]))
			child++;
		if (!before(&h[child], &last))
			break;
		h[i] = h[child];
	}
	h[i] = last;
	return io;
}

/* The drive finishes every request of io that is under way. */
static void complete(struct cpu_work *work, struct cpu *cpu)
{
	struct nvme_io *io = (struct nvme_io *)work;
	unsigned n = io->nrequests;

	(void)cpu;
	io->nrequests = 0;
	for (unsigned i = 0; i < n; i++)
		nvme_ctrl_complete(io->queue->dev->ctrl, io->queue->qid, io->requests[i]->cid);
}

static void complete_io(struct nvme_workload *w, struct nvme_io *io)
{
	io->base.work.fn = complete;
	cpu_post(&w->base.m->sim.cpus[io->done_cpu], &io->base.work, w->base.m->sim.now);
}

void nvme_pending_until(struct nvme_workload *w, sim_time_t t)
{
	while (w->npending && w->pending[0].done_ns * SIM_NS <= t) {
		sim_advance(&w->base.m->sim, w->pending[0].done_ns * SIM_NS);
		complete_io(w, heap_pop(w));
	}
}

static struct nvme_io *fifo_pop(struct nvme_workload *w, struct nvme_queue *q)
{
	struct nvme_io *io = q->fifo[q->fifo_head];

	if (++q->fifo_head == w->params.queue_depth)
		q->fifo_head = 0;
	q->fifo_len--;
	return io;
}

bool nvme_complete_next(struct nvme_workload *w, struct nvme_queue *q)
{
	if (q->fifo_len) {
		complete_io(w, fifo_pop(w, q));
		return true;
	}
	if (w->npending) {
		nvme_pending_until(w, w->pending[0].done_ns * SIM_NS);
		return true;
	}
	for (unsigned d = 0; d < w->base.ndevs; d++) {
		const struct nvme_dev *dev = nvme_dev_at(w, d);

		for (unsigned i = 0; i < dev->nqueues; i++) {
			struct nvme_queue *other = &dev->queues[i];

			if (other->fifo_len) {
				complete_io(w, fifo_pop(w, other));
				return true;
			}
		}
	}
	return false;
}

void nvme_pending_add(struct nvme_workload *w, struct nvme_io *io)
{
	struct nvme_queue *q = io->queue;
	unsigned tail;

	if (io->done_ns != TRACE_NO_TIME) {
		heap_push(w, (struct nvme_pending){io->done_ns, w->sequence++, io});
		return;
	}
	tail = q->fifo_head + q->fifo_len++;
	if (tail >= w->params.queue_depth)
		tail -= (unsigned)w->params.queue_depth;
	q->fifo[tail] = io;
}

void nvme_complete_own(struct nvme_io *io)
{
	complete_io(io->w, io);
}
