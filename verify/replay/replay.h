/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replaying a recorded kernel in lock-step: the recorded DMA API calls run through the DMA layer, each
 * context on a stack of its own that stops at every place where the kernel left an event, and goes on
 * when the recording comes to that event. So an interrupt of the recording falls into the middle of a
 * call at the very place where it fell, and every event is compared with what the model does there.
 */
#ifndef DMASIM_REPLAY_H
#define DMASIM_REPLAY_H

#include "verify/operations/operations.h"

#include "machine/machine.h"
#include <dmasim/stat.h>
#include <dmasim/verify.h>

enum { REPLAY_FILL_CPUS = 8, REPLAY_ORDERS = 6 };

/* Ranges of unknown addresses in the caches of one size class when a recording begins. */
struct replay_fill {
	bool use;
	uint16_t loaded[REPLAY_FILL_CPUS], prev[REPLAY_FILL_CPUS]; /* per CPU, in each magazine */
	uint8_t depot;                                             /* full magazines */
	uint64_t wrong;                                            /* allocations that no fill explains */
};

struct replay;
struct replay_nvme;
struct nvme_params;
struct blk_limits;
struct replay_config {
	struct sim *sim;
	struct dma_layer *layer;
	/* Device by recorded name; "" where events name none. NULL: no such device. */
	struct device *(*device)(void *arg, const char *name);
	void *arg;
	unsigned magazine_size; /* iova.magazine_size */
	/* For each recording and order, REPLAY_ORDERS per recording; NULL: all carry on from before. */
	const struct replay_fill *fills;
	const GPtrArray *nvme; /* struct replay_nvme of each controller: run its requests through the driver
				  path; where NULL: replay their calls */
	const volatile sig_atomic_t *stop; /* polled; may be NULL */
};
/*
 * The driver side of a drive on machine m: dev is its group's device, function its own name, NULL: the same.
 * Free it after the replay.
 */
struct replay_nvme *replay_nvme_new(struct machine *m, struct device *dev, const char *function,
				    const struct nvme_params *params);
void replay_nvme_free(struct replay_nvme *n);
const struct blk_limits *replay_nvme_limits(const struct replay_nvme *n);

struct replay *replay_new(const struct replay_config *c);
void replay_free(struct replay *r);

/*
 * The fill of the caches of order at the beginning of the recording that has just been run, that explains
 * its allocations best.
 */
struct replay_fill replay_fit(const struct replay *r, unsigned order);
/* Allocations of order in that recording whose outcome only an unknown fill explains. */
uint64_t replay_explained(const struct replay *r, unsigned order);

/* Whether dev's domain, if it has one, was new when the first recording began. */
bool replay_began_fresh(const struct replay *r, struct device *dev);

/* Whether some recording so far shows events of that kind. */
bool replay_seen(const struct replay *r, enum recording_kind kind);

/* What one recording was seen to do, as histograms of exact values. */
enum replay_histogram {
	REPLAY_HIST_MAP,    /* bytes per map call */
	REPLAY_HIST_UNMAP,  /* bytes per unmap call */
	REPLAY_HIST_ALLOC,  /* pages per IOVA allocation */
	REPLAY_HIST_FREE,   /* pages per IOVA free */
	REPLAY_HIST_SPAN,   /* pages per page-selective descriptor */
	REPLAY_HIST_BOUNCE, /* bytes per bounce */
	REPLAY_HISTS
};
/* Of the last recording. */
const struct hist *replay_histogram(const struct replay *r, enum replay_histogram h);

/* Bring the state to where the next recording begins: what is queued has been flushed since. */
void replay_prepare(struct replay *r, struct operations *o);
/*
 * Run one recording, prepared, after those before it. Totals add up over the recordings of a boot. False if
 * some calls could not be compared to their ends.
 */
bool replay_run(struct replay *r, struct operations *o);
const struct replay_totals *replay_totals(const struct replay *r);
/* The first divergence with its surroundings, NULL if there is none. */
const char *replay_divergence(const struct replay *r);
/* Begin to look for a first divergence again. */
void replay_clear_divergence(struct replay *r);
/* A divergence found elsewhere (counts). */
void replay_report(struct replay *r, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
