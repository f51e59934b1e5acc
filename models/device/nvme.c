/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe controller: NVM Express base specification 2.0, 3.3 (queues), 4.1 (data pointers); NVM
 * command set specification 1.0, 3.2 (read, write, flush, dataset management).
 *
 * A command has two stages, one event each in fidelity = timing: fetch (entry, lists, data of a write)
 * and completion (media done, data of a read, completion entry). In fidelity = counts the first
 * runs when the doorbell rings and the second when the driver model asks for it.
 */
#include "internal.h"

#include <string.h>

static void command_fetched(struct event *ev, sim_time_t now);
static void media_done(struct event *ev, sim_time_t now);

struct nvme_ctrl *nvme_ctrl_new(struct sim *sim, struct memory *mem, struct pcie_node *fn,
				const struct nvme_params *p, struct nvme_device_stats *st,
				nvme_interrupt_fn interrupt, void *arg)
{
	struct nvme_ctrl *c = g_new0(struct nvme_ctrl, 1);

	c->sim = sim;
	c->mem = mem;
	c->fn = fn;
	c->p = p;
	c->st = st;
	c->interrupt = interrupt;
	c->arg = arg;
	resource_init(&c->channels, (unsigned)p->channels);
	resource_init(&c->media[0], 1);
	resource_init(&c->media[1], 1);
	return c;
}

void nvme_ctrl_free(struct nvme_ctrl *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->nqueues; i++) {
		struct ctrl_queue *q = c->queues[i];

		if (!q)
			continue;
		for (unsigned k = 0; k < q->entries; k++) {
			g_free(q->commands[k].ranges);
			g_free(q->commands[k].meta);
		}
		g_free(q->commands);
		g_free(q->fetches);
		g_free(q);
	}
	g_free(c->queues);
	resource_fini(&c->channels);
	resource_fini(&c->media[0]);
	resource_fini(&c->media[1]);
	g_free(c);
}

void nvme_ctrl_create_queue(struct nvme_ctrl *c, unsigned qid, unsigned entries, dma_addr_t sq, dma_addr_t cq)
{
	struct ctrl_queue *q = g_new0(struct ctrl_queue, 1);

	if (qid >= c->nqueues) {
		c->queues = g_renew(struct ctrl_queue *, c->queues, qid + 1);
		memset(c->queues + c->nqueues, 0, (qid + 1 - c->nqueues) * sizeof(*c->queues));
		c->nqueues = qid + 1;
	}
	g_assert(!c->queues[qid]);
	q->ctrl = c;
	q->qid = qid;
	q->entries = entries;
	q->sq = sq;
	q->cq = cq;
	q->phase = 1;
	q->commands = g_new0(struct ctrl_command, entries);
	q->fetches = g_new0(struct ctrl_fetch, entries);
	c->queues[qid] = q;
}

/* Media time of a command whose data are at hand at when. */
static sim_time_t media_time(struct nvme_ctrl *c, const struct ctrl_command *cmd, sim_time_t when)
{
	bool write = cmd->opcode != NVME_CMD_READ;
	sim_time_t service = write ? c->p->write_service : c->p->read_service;
	double bandwidth = write ? c->p->write_bandwidth : c->p->read_bandwidth;
	sim_time_t done = resource_serve(&c->channels, when, service) + service;

	if (!write && c->p->read_bandwidth_mdts > 0 && cmd->bytes == c->p->mdts)
		bandwidth = c->p->read_bandwidth_mdts;
	if (bandwidth > 0) {
		sim_time_t move = (sim_time_t)((double)cmd->bytes / bandwidth *
					       1000.0); /* ps per byte at 1 GB/s */

		done = resource_serve(&c->media[write], done, move) + move;
	}
	c->st->media_busy += service;
	return done;
}

/* Fetch the entry at the queue's head and everything the command needs before the media can start. */
static struct ctrl_command *fetch(struct nvme_ctrl *c, struct ctrl_queue *q, sim_time_t when,
				  sim_time_t *ready)
{
	struct nvme_command sqe = {0};
	struct pcie_dma d = {
	    .fn = c->fn,
	    .op = PCIE_READ,
	    .addr = q->sq + (uint64_t)q->head * sizeof(sqe),
	    .len = sizeof(sqe),
	    .pasid = NO_PASID,
	    .data = &sqe,
	};
	struct ctrl_command *cmd;
	int err = pcie_dma(&d, when);

	/* A controller that cannot read its queue has nobody to tell (CSTS.CFS); the driver set it up. */
	g_assert(err == 0 && sqe.cid < q->entries);
	if (++q->head == q->entries)
		q->head = 0;
	cmd = &q->commands[sqe.cid];
	cmd->queue = q;
	cmd->event.fn = media_done;
	cmd->event.priority = EVENT_HARDWARE;
	cmd->cid = sqe.cid;
	cmd->opcode = sqe.opcode;
	cmd->lba = (uint64_t)sqe.cdw11 << 32 | sqe.cdw10;
	cmd->status = NVME_SC_SUCCESS;
	cmd->nranges = 0;
	cmd->bytes = 0;
	cmd->mptr = sqe.mptr;
	cmd->metadata = 0;
	cmd->nmeta = 0;
	c->st->commands++;
	*ready = d.done;
	switch (sqe.opcode) {
	case NVME_CMD_FLUSH:
		break;
	case NVME_CMD_READ:
	case NVME_CMD_WRITE:
		cmd->bytes = ((uint64_t)(sqe.cdw12 & 0xffff) + 1) << c->p->block_shift;
		cmd->metadata = (uint32_t)((cmd->bytes >> c->p->block_shift) * c->p->metadata);
		*ready = nvme_data_pointer(c, cmd, &sqe, *ready);
		break;
	case NVME_CMD_DSM:
		cmd->bytes = ((uint64_t)(sqe.cdw10 & 0xff) + 1) * 16;
		*ready = nvme_data_pointer(c, cmd, &sqe, *ready);
		break;
	default:
		cmd->status = NVME_SC_INVALID_OPCODE;
	}
	if (cmd->opcode == NVME_CMD_WRITE || cmd->opcode == NVME_CMD_DSM)
		*ready = nvme_move_data(c, cmd, PCIE_READ, *ready).done;
	return cmd;
}

/*
 * Write the completion entry of cmd; returns when it is visible. Posted writes stay in order, so the entry
 * of a read goes out right behind its data and does not wait until those are visible.
 */
static sim_time_t post(struct nvme_ctrl *c, struct ctrl_command *cmd, sim_time_t when)
{
	struct ctrl_queue *q = cmd->queue;
	struct nvme_completion cqe = {
	    .sq_head = (uint16_t)q->head,
	    .sq_id = (uint16_t)q->qid,
	    .cid = cmd->cid,
	    .status = (uint16_t)(cmd->status << 1 | q->phase),
	};
	struct pcie_dma d = {
	    .fn = c->fn,
	    .op = PCIE_WRITE,
	    .addr = q->cq + (uint64_t)q->cq_tail * sizeof(cqe),
	    .len = sizeof(cqe),
	    .pasid = NO_PASID,
	    .data = &cqe,
	};
	int err = pcie_dma(&d, when);

	g_assert(err == 0);
	if (++q->cq_tail == q->entries) {
		q->cq_tail = 0;
		q->phase ^= 1;
	}
	if (cmd->status != NVME_SC_SUCCESS)
		c->st->errors++;
	return d.done;
}

static void command_fetched(struct event *ev, sim_time_t now)
{
	struct ctrl_fetch *f = container_of(ev, struct ctrl_fetch, event);
	struct nvme_ctrl *c = f->queue->ctrl;
	sim_time_t ready;
	struct ctrl_command *cmd = fetch(c, f->queue, now, &ready);

	sim_schedule(c->sim, &cmd->event, media_time(c, cmd, ready));
}

static void media_done(struct event *ev, sim_time_t now)
{
	struct ctrl_command *cmd = container_of(ev, struct ctrl_command, event);
	struct nvme_ctrl *c = cmd->queue->ctrl;

	struct nvme_moved data = {now, now};
	sim_time_t posted;

	if (cmd->opcode == NVME_CMD_READ)
		data = nvme_move_data(c, cmd, PCIE_WRITE, now);
	posted = post(c, cmd, data.sent);
	c->interrupt(c->arg, cmd->queue->qid, MAX(posted, data.done));
}

void nvme_ctrl_ring(struct nvme_ctrl *c, unsigned qid, unsigned tail, sim_time_t when)
{
	struct ctrl_queue *q = c->queues[qid];

	while (q->tail != tail) {
		if (c->sim->timing) {
			struct ctrl_fetch *f = &q->fetches[q->tail];

			f->queue = q;
			f->event.fn = command_fetched;
			f->event.priority = EVENT_HARDWARE;
			sim_schedule(c->sim, &f->event, when + c->p->doorbell_latency);
		} else {
			sim_time_t ready;
			struct ctrl_command *cmd = fetch(c, q, when, &ready);

			if (cmd->opcode == NVME_CMD_READ)
				nvme_move_data(c, cmd, PCIE_WRITE, ready);
		}
		if (++q->tail == q->entries)
			q->tail = 0;
	}
}

void nvme_ctrl_complete(struct nvme_ctrl *c, unsigned qid, unsigned cid)
{
	struct ctrl_queue *q = c->queues[qid];

	c->interrupt(c->arg, qid, post(c, &q->commands[cid], c->sim->now));
}
