/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a trace record to its requests: buffers, bios, splitting, tags; and back when all have ended. */
#include "io.h"

#include "sim/cpu.h"
#include <inttypes.h>

/* A command that finds no memory is issued again later (BLK_MQ_RESOURCE_DELAY). */
#define RESOURCE_DELAY (3 * SIM_MS)
/* Tries with nothing else in flight after which the request fails: the memory will never come. */
#define MAX_TRIES 8

void nvme_io_free(struct replayer_job *base)
{
	struct nvme_io *io = (struct nvme_io *)base;

	nvme_io_drop_buffers(io);
	g_free(io->vecs);
	g_free(io->requests);
}

/* First vector behind the bio that starts at from: 256 vectors, all of the same kind of memory. */
static unsigned bio_limit(const struct nvme_io *io, unsigned from)
{
	unsigned end = MIN(io->nvecs, from + BIO_MAX_VECS);

	if (io->w->peers && from < end) {
		bool peer = nvme_is_peer(io->w, io->vecs[from].paddr);

		for (unsigned i = from + 1; i < end; i++) {
			if (nvme_is_peer(io->w, io->vecs[i].paddr) != peer)
				return i;
		}
	}
	return end;
}

bool nvme_io_fill(struct nvme_io *io, const struct trace_record *rec, GError **error)
{
	struct nvme_workload *w = io->w;
	uint64_t lbs = w->params.block_size;

	io->op = rec->nvme.op;
	io->split_front = rec->nvme.split_front;
	io->failed = io->refused = io->submitted = false;
	io->lba = rec->nvme.offset >> w->params.block_shift;
	io->total_bytes = rec->nvme.bytes;
	io->bytes = rec->nsegs ? rec->nvme.bytes : align_up(rec->nvme.bytes, lbs);
	io->done_ns = rec->nvme.done_ns;
	io->base.cpu =
	    &w->base.m->sim
		 .cpus[rec->cpu < w->base.m->sim.ncpus ? rec->cpu : rec->cpu % w->base.m->sim.ncpus];
	io->done_cpu = io->done_ns == TRACE_NO_TIME ? io->queue->cpu
						    : rec->nvme.done_cpu % w->base.m->sim.ncpus;
	io->outstanding = io->nrequests = io->tries = 0;
	io->at = (struct blk_cursor){0, 0};
	io->nvecs = 0;
	if (io->op == NVME_OP_FLUSH)
		io->bytes = io->total_bytes = 0;
	else if (!nvme_io_vectors(io, rec, error))
		return false;
	io->bio_end = bio_limit(io, 0);
	return true;
}

/*
 * Bytes of the next part and its gaps; 0 bytes when no logical block fits the limits. Requests that the
 * recorded kernel has already split (split_done) pass whole wherever this queue's limits are no tighter.
 */
static void next_part(struct nvme_io *io, struct blk_part *part)
{
	const struct blk_limits *lim = &io->queue->dev->limits;

	if (io->at.vec == io->bio_end)
		io->bio_end = bio_limit(io, io->bio_end);
	if (io->op == NVME_OP_DISCARD) {
		*part = (struct blk_part){.bytes = DSM_PAYLOAD_BYTES};
	} else {
		blk_split(lim, io->vecs, io->bio_end, io->at, part);
	}
}

/* The vectors of the part: the record's own where they are whole, else a copy. */
static void part_vectors(struct nvme_io *io, struct nvme_request *rq, uint64_t bytes, struct blk_cursor *at)
{
	unsigned n = io->nvecs - io->at.vec;

	if (at->vec == 0 && at->done == 0 && bytes == io->bytes) {
		rq->vecs = io->vecs;
		rq->nvecs = io->nvecs;
		at->vec = io->nvecs;
		return;
	}
	if (n > rq->own_room) {
		rq->own_room = MAX(n, 2 * rq->own_room);
		rq->own_vecs = g_renew(struct phys_vec, rq->own_vecs, rq->own_room);
	}
	rq->nvecs = blk_cut(io->vecs, at, bytes, rq->own_vecs);
	rq->vecs = rq->own_vecs;
}

static RARE void fill_pattern(struct nvme_request *rq)
{
	struct memory *mem = nvme_request_workload(rq)->base.m->memory;
	uint8_t page[PAGE_SIZE];
	uint64_t at = 0;

	for (unsigned i = 0; i < rq->nvecs; i++) {
		for (uint32_t k = 0, len; k < rq->vecs[i].len; k += len, at += len) {
			len = (uint32_t)MIN(sizeof(page), rq->vecs[i].len - k);
			nvme_pattern_fill(rq->lba, at, page, len);
			memory_write(mem, rq->vecs[i].paddr + k, page, len);
		}
	}
}

static RARE void check_pattern(struct nvme_request *rq)
{
	struct nvme_workload *w = nvme_request_workload(rq);
	uint8_t page[PAGE_SIZE];
	uint64_t at = 0;

	for (unsigned i = 0; i < rq->nvecs; i++) {
		for (uint32_t k = 0, len; k < rq->vecs[i].len; k += len, at += len) {
			len = (uint32_t)MIN(sizeof(page), rq->vecs[i].len - k);
			memory_read(w->base.m->memory, rq->vecs[i].paddr + k, page, len);
			w->st.mismatches += nvme_pattern_check(rq->lba, at, page, len);
		}
	}
}

static void count_bytes(struct nvme_request *rq)
{
	struct nvme_workload *w = rq->io->w;

	if (rq->op == NVME_OP_READ) {
		w->st.bytes_read += rq->bytes;
		if (w->params.pattern)
			check_pattern(rq);
	} else if (rq->op == NVME_OP_WRITE) {
		w->st.bytes_written += rq->bytes;
	}
}

static void io_end(struct nvme_io *io)
{
	struct nvme_workload *w = io->w;
	struct machine *m = w->base.m;
	sim_time_t now = m->sim.timing ? m->sim.cpu->now : m->sim.now;

	if (io->failed) {
		if (io->refused)
			machine_io_refused(m);
		else
			machine_io_failed(m);
		m->io.last = MAX(m->io.last, now);
	} else {
		replayer_count_io(&w->base, io->total_bytes, io->base.start, now);
	}
	io->queue->in_flight--;
	io->queue->room_at = now;
	replayer_job_end(&w->base, &io->base);
}

static void wake_waiter(struct nvme_queue *q)
{
	struct replayer_job *job = q->waiting;

	if (!job)
		return;
	q->waiting = job->next;
	if (!q->waiting)
		q->waiting_tail = &q->waiting;
	cpu_post(job->cpu, &job->work, job->cpu->sim->cpu->now);
}

void nvme_request_done(struct nvme_request *rq, bool failed)
{
	struct nvme_io *io = rq->io;
	struct nvme_queue *q = rq->queue;

	if (G_UNLIKELY(failed))
		io->failed = true;
	else
		count_bytes(rq);
	rq->next_free = q->free;
	q->free = rq;
	q->busy--;
	wake_waiter(q);
	if (--io->outstanding == 0 && io->submitted)
		io_end(io);
}

static void remember(struct nvme_io *io, struct nvme_request *rq)
{
	io->outstanding++;
	if (io->w->base.m->sim.timing)
		return;
	if (io->nrequests == io->requests_room) {
		io->requests_room = MAX(4, 2 * io->requests_room);
		io->requests = g_renew(struct nvme_request *, io->requests, io->requests_room);
	}
	io->requests[io->nrequests++] = rq;
}

/* A free tag; tags are made ready when they are first needed. One entry of a ring stays empty. */
static struct nvme_request *get_tag(struct nvme_queue *q)
{
	const struct driver_path *path = q->dev->w->base.path;
	struct nvme_request *rq;

	if (q->free || q->ninit + 1 == q->entries)
		return q->free;
	rq = &q->requests[q->ninit];
	rq->queue = q;
	rq->cid = (uint16_t)q->ninit++;
	rq->obj.dev = q->dev->base.dev;
	rq->obj.path = path;
	rq->obj.instance = q->dev->base.instance;
	rq->obj.state = path->state_size ? g_malloc0(align_up(path->state_size, sizeof(uint64_t))) : NULL;
	rq->obj.max_segs = 2;
	rq->obj.segs = g_new(struct dma_segment, rq->obj.max_segs);
	q->free = rq;
	return rq;
}

/* Submit the next part: 1 done, 0 no room now, negative errno: it cannot be done. */
static int submit_part(struct nvme_io *io)
{
	struct nvme_queue *q = io->queue;
	struct nvme_workload *w = io->w;
	struct nvme_request *rq = get_tag(q);
	struct blk_cursor at = io->at;
	struct blk_part part = {0};
	int err;

	if (!rq)
		return 0;
	if (io->op != NVME_OP_FLUSH) {
		next_part(io, &part);
		if (part.bytes == 0)
			return -EINVAL;
	}
	rq->io = io;
	rq->op = io->op;
	rq->nsid = io->nsid;
	rq->lba = io->lba;
	rq->bytes = part.bytes;
	rq->peer = false;
	rq->nvecs = 0;
	if (part.bytes)
		part_vectors(io, rq, part.bytes, &at);
	if (w->peers && rq->nvecs)
		rq->peer = nvme_is_peer(w, rq->vecs[0].paddr);
	/* The front of a split loses its gap information (Linux 7.0, seen in recordings). */
	rq->gap_mask = 0;
	if (q->dev->limits.gap_bit && !io->split_front && at.vec >= io->bio_end)
		rq->gap_mask = blk_gap_mask(part.gaps);
	if (!nvme_metadata_prepare(rq))
		return 0;
	if (w->params.pattern && rq->op == NVME_OP_WRITE)
		fill_pattern(rq);
	q->free = rq->next_free;
	err = nvme_queue_rq(rq);
	if (err) {
		q->free = rq;
		w->st.requeued += err == -ENOMEM;
		return err == -ENOMEM ? 0 : err;
	}
	q->busy++;
	if (part.bytes < io->bytes && io->op != NVME_OP_DISCARD)
		w->st.splits++;
	io->at = at;
	io->lba += part.bytes >> w->params.block_shift;
	io->bytes = io->op == NVME_OP_DISCARD ? 0 : io->bytes - part.bytes;
	remember(io, rq);
	return 1;
}

/* Timing: the submitter sleeps until a tag, or memory, is free. */
static RARE void wait_for_room(struct nvme_io *io, struct cpu *cpu)
{
	struct nvme_queue *q = io->queue;

	if (q->busy == 0) {
		cpu_post(cpu, &io->base.work, cpu->now + RESOURCE_DELAY);
		return;
	}
	io->base.next = NULL;
	*q->waiting_tail = &io->base;
	q->waiting_tail = &io->base.next;
}

void nvme_io_submit(struct cpu_work *work, struct cpu *cpu)
{
	struct nvme_io *io = (struct nvme_io *)work;
	int err;

	do {
		err = submit_part(io);
	} while (err == 1 && io->bytes);
	nvme_ring_doorbell(io->queue);
	if (err == 0 && io->queue->busy == 0 && ++io->tries == MAX_TRIES)
		err = -ENOMEM;
	if (err == 0) {
		if (cpu->sim->timing)
			wait_for_room(io, cpu);
		return;
	}
	if (err < 0)
		io->failed = io->refused = true;
	io->submitted = true;
	if (io->outstanding == 0)
		io_end(io);
}
