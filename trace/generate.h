/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A generator fills records in time order; generate.c makes a trace_reader of it. */
#ifndef DMASIM_TRACE_GENERATE_H
#define DMASIM_TRACE_GENERATE_H

#include "sim/rng.h"
#include <dmasim/trace.h>

struct generator_ops {
	struct trace_generator pub;
	size_t state_size;
	/* params were checked by their table; false with *error when they do not fit together. */
	bool (*init)(void *state, const void *params, uint64_t seed, GError **error);
	unsigned (*devices)(const void *state);
	const char *device_prefix; /* devices are called PREFIX0, PREFIX1, ... */
	/* 1: *rec filled (it comes zeroed only once: fill every member), 0: end. */
	int (*next)(void *state, struct trace_record *rec);
	void (*fini)(void *state);
};

extern const struct generator_ops generator_nvme, generator_odp, generator_vfio;

#endif
