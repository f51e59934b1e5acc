/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Synthetic VFIO migrations, driven by how fast the device state changes: the state is saved once, then
 * what changed meanwhile, again and again, until little is left (or it does not shrink); the rest is
 * saved while the VM stands still. Each VF runs through its own sequence; VFs share the stream's
 * bandwidth evenly. Chunks, double buffering and sizes are those of the mlx5 driver (8 MiB, two).
 */
#include "generate.h"

struct vfio_params {
	uint64_t devices, state_bytes, dirty_rate, chunk_bytes, read_bytes, bandwidth, max_rounds, stop_bytes;
	uint64_t track_bytes, cpus;
	bool precopy, track, load;
};

#define PARAMS_OF struct vfio_params
static const struct param_spec specs[] = {
    PARAM(devices, UINT, "1", .min = 1, .max = 4096, .help = "VFs that migrate at the same time"),
    PARAM(state_bytes, SIZE, "100MiB", .min = 4096, .max = 1e13, .help = "device state of one VF",
	  .source = "Linux drivers/vfio/pci/mlx5: at most 4 GiB - 4 KiB per save (A)"),
    PARAM(precopy, BOOL, "true", .help = "save while the VM runs first"),
    PARAM(dirty_rate, UINT, "100", .unit = "MiB/s", .max = 1e9,
	  .help = "MiB of state and of guest memory that change per second"),
    PARAM(chunk_bytes, SIZE, "8MiB", .min = 4096, .max = 4e9, .help = "bytes of one buffer",
	  .source = "Linux drivers/vfio/pci/mlx5/main.c, MAX_CHUNK_SIZE (A)"),
    PARAM(read_bytes, SIZE, "1MiB", .min = 4096, .max = 4e9, .help = "bytes of one read by the user",
	  .source = "QEMU hw/vfio/migration.c, VFIO_MIG_DEFAULT_DATA_BUFFER_SIZE (A)"),
    PARAM(bandwidth, UINT, "3000", .unit = "MB/s", .min = 1, .max = 1e9,
	  .help = "of the migration stream, over all VFs"),
    PARAM(max_rounds, UINT, "8", .min = 1, .max = 1e6, .help = "pre-copy rounds at most"),
    PARAM(stop_bytes, SIZE, "4MiB", .min = 4096, .max = 1e13,
	  .help = "pre-copy ends when no more than this has changed"),
    PARAM(track, BOOL, "true", .help = "the device tracks dirty pages"),
    PARAM(track_bytes, SIZE, "2MiB", .min = 4096, .max = 1e12, .help = "receive buffer for dirty reports",
	  .source = "Linux drivers/vfio/pci/mlx5/cmd.c (A)"),
    PARAM(load, BOOL, "false", .help = "also load the state (the receiving side)"),
    PARAM(cpus, UINT, "1", .min = 1, .max = 4096, .help = "CPUs that work, one per VF in turn"),
};
static const struct param_table table = PARAM_TABLE("generate.vfio_migration", "synthetic live migrations",
						    specs);
#undef PARAMS_OF

enum step {
	STEP_TRACK_START,
	STEP_ALLOC,
	STEP_SAVE,
	STEP_READ,
	STEP_TRACK_READ,
	STEP_LOAD,
	STEP_FREE,
	STEP_TRACK_STOP,
	STEP_DONE
};
#define BUFFERS 2u /* Linux drivers/vfio/pci/mlx5/cmd.h, MAX_NUM_CHUNKS */

struct vf {
	enum step step;
	uint64_t now, round, round_left, round_start, loaded;
	uint64_t saved[BUFFERS], left[BUFFERS]; /* bytes in each buffer, bytes not read yet */
	uint32_t buffer, save_buffer;           /* 0 .. BUFFERS - 1: read, saved into next */
	bool stop_copy;
};

struct vfio_state {
	const struct vfio_params *p;
	struct vf *vfs;
	uint64_t n;
};

static bool init(void *state, const void *params, uint64_t seed, GError **error)
{
	struct vfio_state *s = state;
	const struct vfio_params *p = s->p = params;

	(void)seed;
	(void)error;
	s->vfs = g_new0(struct vf, p->devices);
	for (uint64_t i = 0; i < p->devices; i++) {
		s->vfs[i].step = p->track ? STEP_TRACK_START : STEP_ALLOC;
		s->vfs[i].round_left = p->state_bytes;
		s->vfs[i].stop_copy = !p->precopy;
	}
	return true;
}

static unsigned devices(const void *state)
{
	return (unsigned)((const struct vfio_state *)state)->p->devices;
}

static uint64_t transfer_ns(const struct vfio_params *p, uint64_t bytes)
{
	return (uint64_t)((unsigned __int128)bytes * 1000 * p->devices / p->bandwidth);
}

static uint64_t dirty_bytes(const struct vfio_params *p, uint64_t ns)
{
	return (uint64_t)((unsigned __int128)p->dirty_rate * MIB * ns / 1000000000u);
}

/* A round has been read: how much changed meanwhile, and is it little enough to stop the VM? */
static void next_round(const struct vfio_params *p, struct vf *vf)
{
	uint64_t changed = MIN(dirty_bytes(p, vf->now - vf->round_start), p->state_bytes);

	vf->round++;
	vf->round_left = MAX(align_up(changed, PAGE_SIZE), PAGE_SIZE);
	vf->round_start = vf->now;
	vf->stop_copy = changed <= p->stop_bytes || vf->round >= p->max_rounds;
	vf->step = STEP_SAVE;
}

static void fill(struct vfio_state *s, struct trace_record *rec, const struct vf *vf, enum vfio_event event,
		 uint64_t offset, uint64_t bytes)
{
	bool tracker = event >= VFIO_TRACK_START;

	rec->time_ns = vf->now;
	rec->device = (uint32_t)(vf - s->vfs);
	rec->cpu = (uint32_t)(rec->device % s->p->cpus);
	rec->where = ++s->n;
	rec->nsegs = 0;
	rec->segs = NULL;
	rec->vfio.event = (uint8_t)event;
	rec->vfio.direction = event == VFIO_LOAD ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	rec->vfio.purpose = tracker         ? VFIO_PURPOSE_TRACKER
			    : vf->stop_copy ? VFIO_PURPOSE_STOP_COPY
					    : VFIO_PURPOSE_DATA;
	rec->vfio.incremental = event == VFIO_SAVE && vf->round > 0;
	rec->vfio.buffer = tracker              ? 0
			   : event == VFIO_SAVE ? vf->save_buffer + 1
						: vf->buffer + 1 + (event == VFIO_LOAD ? BUFFERS : 0);
	rec->vfio.offset = offset;
	rec->vfio.bytes = bytes;
}

static void after_read(const struct vfio_params *p, struct vf *vf)
{
	if (vf->left[vf->buffer] > 0)
		return;
	vf->buffer = (vf->buffer + 1) % BUFFERS;
	if (vf->round_left > 0) {
		vf->step = STEP_SAVE; /* into the buffer just emptied, while the other is read */
		return;
	}
	if (vf->left[vf->buffer] > 0)
		return;
	if (!vf->stop_copy && p->track)
		vf->step = STEP_TRACK_READ;
	else if (!vf->stop_copy)
		next_round(p, vf);
	else
		vf->step = p->load ? STEP_LOAD : STEP_FREE;
	if (vf->step == STEP_FREE || vf->step == STEP_LOAD)
		vf->buffer = 0;
}

/* One event of this VF. */
static void advance(struct vfio_state *s, struct vf *vf, struct trace_record *rec)
{
	const struct vfio_params *p = s->p;
	uint64_t bytes;

	switch (vf->step) {
	case STEP_TRACK_START:
		fill(s, rec, vf, VFIO_TRACK_START, 0, p->track_bytes);
		vf->step = STEP_ALLOC;
		break;
	case STEP_ALLOC:
		fill(s, rec, vf, VFIO_ALLOC, 0, p->chunk_bytes);
		if (++vf->buffer == BUFFERS) {
			vf->buffer = 0;
			vf->round_start = vf->now;
			vf->step = STEP_SAVE;
		}
		break;
	case STEP_SAVE:
		bytes = MIN(vf->round_left, p->chunk_bytes);
		vf->saved[vf->save_buffer] = vf->left[vf->save_buffer] = bytes;
		fill(s, rec, vf, VFIO_SAVE, 0, bytes);
		vf->round_left -= bytes;
		vf->save_buffer = (vf->save_buffer + 1) % BUFFERS;
		if (vf->round_left == 0 || vf->left[vf->save_buffer] > 0)
			vf->step = STEP_READ;
		break;
	case STEP_READ:
		bytes = MIN(vf->left[vf->buffer], p->read_bytes);
		vf->now += transfer_ns(p, bytes);
		fill(s, rec, vf, VFIO_READ, vf->saved[vf->buffer] - vf->left[vf->buffer], bytes);
		vf->left[vf->buffer] -= bytes;
		after_read(p, vf);
		break;
	case STEP_TRACK_READ:
		fill(s, rec, vf, VFIO_TRACK_READ, 0,
		     MAX(align_down(dirty_bytes(p, vf->now - vf->round_start), PAGE_SIZE), PAGE_SIZE));
		next_round(p, vf);
		break;
	case STEP_LOAD:
		bytes = MIN(p->state_bytes - vf->loaded, p->chunk_bytes);
		vf->now += transfer_ns(p, bytes);
		fill(s, rec, vf, VFIO_LOAD, 0, bytes);
		vf->loaded += bytes;
		vf->buffer = (vf->buffer + 1) % BUFFERS;
		if (vf->loaded == p->state_bytes) {
			vf->buffer = 0;
			vf->step = STEP_FREE;
		}
		break;
	case STEP_FREE:
		fill(s, rec, vf, VFIO_FREE, 0, 0);
		if (++vf->buffer == BUFFERS)
			vf->step = p->track ? STEP_TRACK_STOP : STEP_DONE;
		break;
	default:
		fill(s, rec, vf, VFIO_TRACK_STOP, 0, 0);
		vf->step = STEP_DONE;
	}
}

/* Time of the VF's next event. */
static uint64_t due(const struct vfio_params *p, const struct vf *vf)
{
	if (vf->step == STEP_READ)
		return vf->now + transfer_ns(p, MIN(vf->left[vf->buffer], p->read_bytes));
	if (vf->step == STEP_LOAD)
		return vf->now + transfer_ns(p, MIN(p->state_bytes - vf->loaded, p->chunk_bytes));
	return vf->now;
}

static int next(void *state, struct trace_record *rec)
{
	struct vfio_state *s = state;
	struct vf *first = NULL;

	for (uint64_t i = 0; i < s->p->devices; i++) {
		struct vf *vf = &s->vfs[i];

		if (vf->step != STEP_DONE && (!first || due(s->p, vf) < due(s->p, first)))
			first = vf;
	}
	if (!first)
		return 0;
	advance(s, first, rec);
	return 1;
}

static void fini(void *state)
{
	g_free(((struct vfio_state *)state)->vfs);
}

const struct generator_ops generator_vfio = {
    .pub = {"vfio_migration", "live migrations: pre-copy rounds by dirty rate, stop-copy, dirty tracking",
	    TRACE_VFIO_MIGRATION, &table},
    .state_size = sizeof(struct vfio_state),
    .init = init,
    .devices = devices,
    .device_prefix = "vf",
    .next = next,
    .fini = fini,
};
