/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recorded mapping calls as a workload: what its files share. */
#ifndef DMASIM_DMA_REPLAY_MAPPING_H
#define DMASIM_DMA_REPLAY_MAPPING_H

#include "workloads/paths.h"
#include "workloads/replayer.h"

enum { ACCESS_NONE, ACCESS_ONCE };
struct replay_params {
	int access;
	uint64_t address_bits;
};

struct replay_stats {
	uint64_t maps, lists, windows, links, unmaps, coherent_allocs, coherent_frees, bytes, unknown_unmaps,
	    leftover, unsynced, failed, transfer_errors;
};

enum mapping_kind { KIND_SINGLE, KIND_LIST, KIND_WINDOW, KIND_COHERENT, KIND_PART };
enum mapping_state { STATE_MAPPING, STATE_DEVICE, STATE_MAPPED, STATE_FAILED };

struct replay_workload;
struct mapping {
	struct dma_object obj;
	struct cpu_work map_work, unmap_work;
	struct event touch;
	struct replay_workload *w;
	struct mapping *next;  /* of its bucket, its window or the free list */
	struct mapping *parts; /* of a window, newest first */
	struct cpu *unmap_cpu;
	struct phys_vec *vecs;
	unsigned nvecs, vec_room, seg_room;
	uint32_t device;
	uint8_t kind, state;
	bool unmap_wanted, access_failed;
	uint64_t handle, offset, bytes;
	uint64_t pending; /* of a window: where the links not yet synced begin */
	phys_addr_t coherent;
	sim_time_t start, done, unmap_at;
};

struct replay_workload {
	struct replayer base;
	struct replay_params params;
	struct replay_stats st;
	struct mapping **buckets, *free; /* live by device, kind and recorded address; to be used again */
	uint64_t nlive, mask;
	GPtrArray *mappings; /* all ever made, for the end */
};

/* mapping.c: one mapping, from its memory through map, access and unmap and back to the free list. */
struct mapping *mapping_get(struct replay_workload *w, const struct trace_record *rec, uint8_t kind);
void mapping_put(struct mapping *p);
void mapping_destroy(void *arg);
void mapping_add_vec(struct mapping *p, phys_addr_t phys, uint64_t len);
void mapping_map(struct mapping *p, struct cpu *cpu, sim_time_t at);
/* The driver wants it gone: now, or as soon as the device has done with it. */
void mapping_unmap(struct mapping *p, struct cpu *cpu, sim_time_t at);

/* live.c: the live mappings. */
void live_init(struct replay_workload *w);
void mapping_insert(struct replay_workload *w, struct mapping *p);
/* Where the newest of that address hangs, NULL if there is none. */
struct mapping **mapping_find(struct replay_workload *w, uint32_t device, uint8_t kind, uint64_t handle);
/* The same, taken out. */
struct mapping *mapping_take(struct replay_workload *w, uint32_t device, uint8_t kind, uint64_t handle);
/* Any of them from bucket *at on, taken out; NULL when none is left. Start with 0. */
struct mapping *mapping_take_any(struct replay_workload *w, uint64_t *at);

/* window.c: one call on a window, false when it undoes what is not known. Its end: how many parts it had. */
bool window_record(struct replay_workload *w, const struct trace_record *rec, struct cpu *cpu, sim_time_t at);
unsigned window_end(struct mapping *win, struct cpu *cpu, sim_time_t at);

#endif
