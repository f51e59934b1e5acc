/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request through the driver: map, build the command, ring the doorbell; and at completion:
 * reap the completion queue, unmap, free (nvme_queue_rq, nvme_poll_cq, nvme_unmap_data of
 * drivers/nvme/host/pci.c).
 */
#include "request.h"

#include "sim/cpu.h"
#include <string.h>

static const uint8_t opcodes[] = {
    [NVME_OP_READ] = NVME_CMD_READ,
    [NVME_OP_WRITE] = NVME_CMD_WRITE,
    [NVME_OP_FLUSH] = NVME_CMD_FLUSH,
    [NVME_OP_DISCARD] = NVME_CMD_DSM,
};

static void count_mapping(struct nvme_stats *st, const struct nvme_request *rq)
{
	st->segments += rq->nvecs;
	st->runs += rq->obj.nsegs;
	st->p2p += rq->peer;
	switch (rq->mapping) {
	case NVME_MAP_SINGLE:
		st->single_mapped++;
		break;
	case NVME_MAP_SG:
		st->sg_mapped++;
		break;
	case NVME_MAP_IOVA:
		st->iova_mapped++;
		break;
	case NVME_MAP_BUS:
		st->bus_mapped++;
		break;
	default:
		st->per_segment_mapped++;
	}
}

static void unmap_object(struct nvme_request *rq)
{
	struct dma_object *obj = &rq->obj;

	if (!rq->mapped)
		return;
	obj->path->unmap(obj, 0, obj->bytes);
	if (obj->path->close)
		obj->path->close(obj);
	rq->mapped = false;
}

static int map_object(struct nvme_request *rq)
{
	struct dma_object *obj = &rq->obj;
	unsigned room = rq->nvecs;
	int err = 0;

	if (!rq->queue->dev->w->base.api->paths[WORKLOAD_NVME])
		room += (unsigned)(rq->bytes >> PAGE_SHIFT) + 1; /* a generic path may go page by page */
	obj->dir = rq->op == NVME_OP_READ ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	obj->bytes = rq->bytes;
	obj->attrs = 0;
	obj->nsegs = 0;
	if (room > obj->max_segs) {
		obj->max_segs = MAX(room, 2 * obj->max_segs);
		obj->segs = g_renew(struct dma_segment, obj->segs, obj->max_segs);
	}
	for (size_t i = 0; i < obj->path->state_size; i += sizeof(uint64_t))
		((uint64_t *)obj->state)[i / sizeof(uint64_t)] = 0;
	if (obj->path->open)
		err = obj->path->open(obj, rq->bytes);
	if (err)
		return err;
	err = obj->path->map(obj, 0, rq->vecs, rq->nvecs);
	if (err && obj->path->close)
		obj->path->close(obj);
	rq->mapped = !err;
	return err;
}

static int map_data(struct nvme_request *rq, struct nvme_command *cmd)
{
	struct nvme_dev *d = rq->queue->dev;
	int err = map_object(rq);

	if (err)
		return err;
	err = nvme_setup_data(rq, cmd);
	if (!err) {
		err = nvme_map_metadata(rq, cmd);
		if (err)
			nvme_free_lists(rq);
	}
	if (err) {
		unmap_object(rq);
		return err;
	}
	count_mapping(&d->w->st, rq);
	return 0;
}

/* Put cmd at the tail of the submission queue; the doorbell comes later. */
static void sq_copy_cmd(struct nvme_queue *q, const struct nvme_command *cmd)
{
	uint64_t at = (uint64_t)q->sq_tail * sizeof(*cmd);

	uint8_t *slot = q->sq_pages[at >> PAGE_SHIFT] + (at & ~PAGE_MASK);

	/* Word by word: a wider copy would wait until the words just written have reached memory. */
	for (unsigned i = 0; i < sizeof(*cmd); i += sizeof(uint64_t))
		memcpy(slot + i, (const uint8_t *)cmd + i, sizeof(uint64_t));
	if (++q->sq_tail == q->entries)
		q->sq_tail = 0;
}

int nvme_queue_rq(struct nvme_request *rq)
{
	struct nvme_workload *w = nvme_request_workload(rq);
	struct nvme_command cmd = {.opcode = opcodes[rq->op], .cid = rq->cid, .nsid = rq->nsid};
	int err;

	cpu_charge(w->base.m->sim.cpu, COST_DRIVER_SUBMIT);
	rq->lists = -1;
	rq->format = NVME_FORMAT_AUTO;
	rq->mapping = NVME_MAP_NONE;
	rq->mapped = false;
	if (rq->op == NVME_OP_READ || rq->op == NVME_OP_WRITE) {
		cmd.cdw10 = (uint32_t)rq->lba;
		cmd.cdw11 = (uint32_t)(rq->lba >> 32);
		cmd.cdw12 = (uint32_t)((rq->bytes >> w->params.block_shift) - 1);
	} else if (rq->op == NVME_OP_DISCARD) {
		cmd.cdw10 = 0; /* one range, zero-based */
		cmd.cdw11 = 4; /* deallocate */
	}
	if (rq->nvecs) {
		err = map_data(rq, &cmd);
		if (err)
			return err;
	}
	w->st.commands++;
	sq_copy_cmd(rq->queue, &cmd);
	return 0;
}

void nvme_ring_doorbell(struct nvme_queue *q)
{
	struct nvme_workload *w = q->dev->w;
	struct sim *sim = &w->base.m->sim;

	if (q->sq_rung == q->sq_tail)
		return;
	q->sq_rung = q->sq_tail;
	cpu_charge(sim->cpu, COST_DOORBELL);
	w->st.doorbells++;
	nvme_ctrl_ring(q->dev->ctrl, q->qid, q->sq_tail, sim->timing ? sim->cpu->now : sim->now);
}

static void unmap_data(struct nvme_request *rq)
{
	unmap_object(rq);
	nvme_free_lists(rq);
	nvme_unmap_metadata(rq);
}

static void complete_request(struct nvme_queue *q, const struct nvme_completion *cqe)
{
	struct nvme_workload *w = q->dev->w;
	struct nvme_request *rq = &q->requests[cqe->cid];
	bool failed = cqe->status >> 1;

	cpu_charge(w->base.m->sim.cpu, COST_DRIVER_COMPLETE);
	unmap_data(rq);
	nvme_request_done(rq, failed);
}

/* nvme_poll_cq: everything that has arrived; false when there was nothing. */
static bool poll_cq(struct nvme_queue *q)
{
	struct cpu *cpu = q->dev->base.dev->sim->cpu;
	bool timing = cpu->sim->timing, found = false;

	for (;;) {
		uint64_t at = (uint64_t)q->cq_head * sizeof(struct nvme_completion);
		const struct nvme_completion *cqe = (const void *)(q->cq_pages[at >> PAGE_SHIFT] +
								   (at & ~PAGE_MASK));

		if ((cqe->status & 1) != q->cq_phase || (timing && q->cq_visible[q->cq_head] > cpu->now))
			return found;
		if (++q->cq_head == q->entries) {
			q->cq_head = 0;
			q->cq_phase ^= 1;
		}
		found = true;
		complete_request(q, cqe);
	}
}

/* When the next completion, already written, becomes visible; SIM_TIME_NEVER if there is none. */
static sim_time_t next_visible(const struct nvme_queue *q)
{
	uint64_t at = (uint64_t)q->cq_head * sizeof(struct nvme_completion);
	const struct nvme_completion *cqe = (const void *)(q->cq_pages[at >> PAGE_SHIFT] + (at & ~PAGE_MASK));

	return (cqe->status & 1) == q->cq_phase ? q->cq_visible[q->cq_head] : SIM_TIME_NEVER;
}

void nvme_irq(struct cpu_work *work, struct cpu *cpu)
{
	struct nvme_queue *q = container_of(work, struct nvme_queue, irq);
	struct nvme_workload *w = q->dev->w;
	sim_time_t again;

	if (!w->params.polled) {
		cpu_charge(cpu, COST_INTERRUPT);
		w->st.interrupts++;
	}
	do {
		cpu_sync(cpu);
	} while (poll_cq(q));
	cpu_charge(cpu, COST_DOORBELL);
	again = next_visible(q);
	q->irq_posted = again != SIM_TIME_NEVER;
	if (q->irq_posted)
		cpu_post(cpu, &q->irq, again);
}

void nvme_interrupt(void *arg, unsigned qid, sim_time_t when)
{
	struct nvme_dev *d = arg;
	struct nvme_queue *q = &d->queues[qid - 1];
	struct sim *sim = d->base.dev->sim;

	if (!sim->timing) {
		struct cpu *cpu = sim->cpu;

		if (!d->w->params.polled) {
			cpu_charge(cpu, COST_INTERRUPT);
			d->w->st.interrupts++;
		}
		poll_cq(q);
		return;
	}
	q->cq_visible[q->cq_tail] = when;
	if (++q->cq_tail == q->entries)
		q->cq_tail = 0;
	if (q->irq_posted)
		return;
	q->irq_posted = true;
	cpu_post(&sim->cpus[q->cpu], &q->irq, when);
}
