/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of verification. */
#ifndef DMASIM_JUDGE_INTERNAL_H
#define DMASIM_JUDGE_INTERNAL_H

#include "verify/replay/replay.h"

#include "machine/machine.h"
#include "models/device/nvme_device.h"
#include <dmasim/dma-mapping.h>
#include <dmasim/error.h>
#include <dmasim/verify.h>
#include <jansson.h>

/* ---- environment.c: what is known of the recorded machine ---- */

struct verify_environment {
	const struct kernel_profile *kernel; /* NULL: unknown */
	const char *mode;                    /* "strict" "lazy" "passthrough" "swiotlb", NULL */
	uint64_t hz, cpus, cap, ecap;        /* 0: unknown */
	uint64_t mdts;   /* of the drive, as identified: power of two of pages; 0: unknown */
	const char *sgl; /* "true" "false", NULL: unknown */
	struct verify_topology *topology;
	bool scalable; /* scalable mode of the unit */
	bool forwards; /* the root complex carried accesses between its ports */
	uint64_t bounce_base, bounce_size, bounce_areas;
	GPtrArray *devices;     /* char *, one per group, in order of the groups */
	GPtrArray *names;       /* char *: all functions, sorted by their group's place in devices */
	GHashTable *dma_masks;  /* function: bits of its DMA mask */
	GPtrArray *controllers; /* char *: function of nvme0, nvme1, ..., NULL where it is not told */
};

/* ---- topology.c: the PCI tree, where a function's memory is used by others ---- */

struct verify_topology;
struct verify_topology *verify_topology_new(void);
void verify_topology_free(struct verify_topology *t);
/* A line of environment.txt; others than its own are passed over. */
void verify_topology_line(struct verify_topology *t, const char *line);
bool verify_topology_has_peers(const struct verify_topology *t);
/* The function with that source id (bus << 8 | slot << 3 | function) caches translations itself. */
void verify_topology_ats(struct verify_topology *t, uint16_t sid);
/* Whether the tree matters: for peers, or for devices that cache. */
bool verify_topology_matters(const struct verify_topology *t);
/* As pcie.topology takes it; g_free. */
char *verify_topology_describe(const struct verify_topology *t);
/* Register the peer memory on the machine. False: it has no such function or window. */
bool verify_topology_provide(const struct verify_topology *t, struct machine *m);

enum { VERIFY_CONTROLLERS = 64 };
/* Controller nvme<number> is that function. */
void verify_environment_controller(struct verify_environment *e, unsigned number, const char *function);

struct verify_environment *verify_environment_read(const char *directory);
void verify_environment_free(struct verify_environment *e);
/* Fill what is still unknown from a summary, then from the events themselves. */
void verify_environment_from_summary(struct verify_environment *e, json_t *summary);
void verify_environment_from_events(struct verify_environment *e, const struct recording *r);
/* Index in devices of the group of function name, -1. */
int verify_environment_group(const struct verify_environment *e, const char *name);

/* ---- input.c: recordings and what lies beside them ---- */

struct verify_input {
	char *path, *directory, *name;
	struct recording *recording;
	json_t *summary; /* NULL: none */
	unsigned order;
};

GPtrArray *verify_inputs_new(void);
/* All recordings of a directory, in order of their clocks. NULL with *error. */
GPtrArray *verify_read_directory(const char *path, GError **error);
/* Files that follow one another and lie in one directory are one boot: how many of paths; 0 with *error. */
unsigned verify_read_files(char *const *paths, unsigned n, GPtrArray *inputs, GError **error);

/* ---- machine.c: a machine like the recorded one ---- */

struct verify_machine {
	struct machine *machine;
	struct config *config;
	struct verify_environment *env;
	struct nvme_params params;
	bool calls_only;
	GPtrArray *devices; /* struct device, as env->devices; then those only events name */
	GHashTable *by_name;
	struct device *usual; /* where events name none */
	GPtrArray *nvme;      /* struct replay_nvme of nvme0, nvme1, ..., NULL where none has commands */
};

struct verify_machine *verify_machine_new(GPtrArray *inputs, const struct verify_options *o, GError **error);
void verify_machine_free(struct verify_machine *b);
/* The device that events call name; arg: struct verify_machine. */
struct device *verify_machine_device(void *arg, const char *name);

/* ---- advice.c: what the verdict leaves open, and what would have decided it ---- */

/* A line each; g_free. NULL: nothing is open. */
char *verify_undecided(const struct replay *r, const struct verify_boot *boot);

/* ---- counts.c: the summary's numbers ---- */

struct count_snapshot {
	struct dma_stats dma;
	struct vtd_stats vtd;
	struct replay_totals totals;
};
/* The machine's counters now. */
void count_snapshot_take(struct count_snapshot *s, const struct machine *m, const struct replay_totals *t);
/*
 * What happened between two snapshots, against the summary. Mismatches go to the replay as divergences.
 * limits: of the NVMe queues, NULL if there are none. Returns how many numbers were compared.
 */
uint64_t verify_counts(struct replay *r, const char *path, json_t *summary, const struct recording *rec,
		       const struct count_snapshot *before, const struct count_snapshot *after,
		       const struct verify_boot *boot, const struct blk_limits *limits);

#endif
