/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verification: recordings of a real kernel replayed on a machine built like the recorded one, every
 * address, descriptor, map call and count compared.
 */
#ifndef DMASIM_VERIFY_H
#define DMASIM_VERIFY_H

#include <dmasim/config.h>
#include <dmasim/export.h>
#include <dmasim/kernel.h>

#include <signal.h>

struct replay_totals {
	/* addresses handed out: IOVAs, bounce slots, direct mappings */
	uint64_t addresses;
	uint64_t predicted; /* equal, from known state alone */
	uint64_t ordered;   /* equal, an interrupt's place inside the allocation taken from the recording */
	uint64_t bound;     /* state older than the recording showed itself */
	uint64_t explained; /* not equal, but the fill of that cache was unknown */
	uint64_t diverging;
	/* the rest, compared one by one */
	uint64_t descriptors, tag_flushes, maps, unmaps, frees, calls;
	uint64_t pasid_pages, pasid_domains; /* of them first-stage descriptors, made by the model */
	uint64_t inferred;      /* lines of probes that the recording lacks */
	uint64_t foreign;       /* descriptors of other subsystems, passed over */
	uint64_t timer_flushes; /* taken from the recording */
	uint64_t full_flushes;  /* of full rings, made by the model */
	uint64_t model_timers;  /* how often the model's own timer would have fired */
	uint64_t adopted;       /* older mappings, bound when they were unmapped */
	uint64_t older_frees;   /* ranges queued before the recording, released in it */
	uint64_t unrecorded;    /* events of the model of kinds that were not recorded */
	uint64_t cut_calls;     /* held only in part: their effects are taken over */
	uint64_t domains_bound; /* domain ids */
	uint64_t hints_bound;   /* bounce areas */
	uint64_t requests;      /* driver requests rebuilt and run through the driver path */
	uint64_t classified;    /* pages of peers, by their route */
	uint64_t counts;        /* numbers compared with the summary */
	uint64_t divergences;   /* of any kind */
};

struct verify_options {
	char *const *set;                  /* "section.key=value", NULL-terminated; may be NULL */
	const struct config *machine;      /* the recorded machine, as far as no environment.txt tells it */
	bool from_calls;                   /* replay the driver's recorded DMA calls, not its requests */
	const volatile sig_atomic_t *stop; /* polled; may be NULL */
};

struct verify_recording {
	char *path, *name;
	uint64_t events, lost;
	struct replay_totals totals; /* of this recording alone */
	bool complete;               /* compared to its end */
	bool summary;                /* a summary was there to compare counts with */
	char *divergence;            /* the first one in its surroundings, NULL if all is equal */
};

/* One boot: recordings that share allocator state, in order. */
struct verify_boot {
	char *name;
	const struct kernel_profile *kernel;
	const char *mode;      /* strict, lazy, passthrough, swiotlb */
	bool fresh;            /* began with a new domain */
	GPtrArray *recordings; /* struct verify_recording */
	struct replay_totals totals;
	char *undecided; /* what a further probe or event would have decided, a line each; NULL: nothing */
};

/*
 * Verify the boots that paths (files in order, or directories) make up. Returns an array of
 * struct verify_boot, or NULL with *error on input that cannot be read or understood.
 */
DMASIM_API GPtrArray *verify_paths(char *const *paths, unsigned n, const struct verify_options *o,
				   GError **error);
DMASIM_API bool verify_equal(const GPtrArray *boots);
/* Paths of the recordings in a directory, by name; NULL with *error if there is none. */
DMASIM_API GPtrArray *verify_recording_files(const char *path, GError **error);

struct json_t;
DMASIM_API struct json_t *verify_json(const GPtrArray *boots);
/* The table of docs/exactness.md. */
DMASIM_API char *verify_table(const GPtrArray *boots);

#endif
