/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "native.h"

const char *const native_columns[COLUMNS] = {
    [COL_TIME] = "time_ns",
    [COL_CPU] = "cpu",
    [COL_DEVICE] = "device",
    [COL_QUEUE] = "queue",
    [COL_OP] = "op",
    [COL_OFFSET] = "offset",
    [COL_BYTES] = "bytes",
    [COL_SEGMENTS] = "segments",
    [COL_DONE_NS] = "done_ns",
    [COL_DONE_CPU] = "done_cpu",
    [COL_SPLIT] = "split",
    [COL_EVENT] = "event",
    [COL_MR] = "mr",
    [COL_WRITE] = "write",
    [COL_VA] = "va",
    [COL_ACCESS] = "access",
    [COL_IMPLICIT] = "implicit",
    [COL_BUFFER] = "buffer",
    [COL_DIRECTION] = "direction",
    [COL_PURPOSE] = "purpose",
    [COL_INCREMENTAL] = "incremental",
    [COL_HANDLE] = "handle",
    [COL_PHYS] = "phys",
    [COL_ATTRS] = "attrs",
};

static const enum native_column nvme[] = {COL_TIME,    COL_CPU,      COL_DEVICE, COL_QUEUE,
					  COL_OP,      COL_OFFSET,   COL_BYTES,  COL_SEGMENTS,
					  COL_DONE_NS, COL_DONE_CPU, COL_SPLIT};
static const enum native_column odp[] = {COL_TIME,     COL_CPU,    COL_DEVICE, COL_EVENT,
					 COL_MR,       COL_OFFSET, COL_BYTES,  COL_WRITE,
					 COL_SEGMENTS, COL_VA,     COL_ACCESS, COL_IMPLICIT};
static const enum native_column vfio[] = {COL_TIME,      COL_CPU,     COL_DEVICE,     COL_EVENT,
					  COL_BUFFER,    COL_BYTES,   COL_OFFSET,     COL_SEGMENTS,
					  COL_DIRECTION, COL_PURPOSE, COL_INCREMENTAL};
static const enum native_column dma[] = {COL_TIME,   COL_CPU,    COL_DEVICE,  COL_EVENT,
					 COL_HANDLE, COL_OFFSET, COL_BYTES,   COL_DIRECTION,
					 COL_PHYS,   COL_ATTRS,  COL_SEGMENTS};

const struct native_form native_forms[TRACE_WORKLOADS] = {
    [TRACE_NVME] = {nvme, G_N_ELEMENTS(nvme), 7},
    [TRACE_RDMA_ODP] = {odp, G_N_ELEMENTS(odp), 7},
    [TRACE_VFIO_MIGRATION] = {vfio, G_N_ELEMENTS(vfio), 6},
    [TRACE_DMA] = {dma, G_N_ELEMENTS(dma), 7},
};

const char *const native_ops[] = {"R", "W", "F", "D", NULL};
const char *const native_splits[] = {"", "done", "front", NULL};
const char *const native_directions[] = {"bidirectional", "to_device", "from_device", "none", NULL};
const char *const native_purposes[] = {"data", "header", "tracker", "stop_copy", NULL};
const char *const native_kinds[] = {"ram", "p2p", "mmio", NULL};

static const char *const odp_events[] = {"reg", "fault", "prefetch", "inval", "dereg", "access", NULL};
static const char *const vfio_events[] = {"alloc",       "save",       "load",       "read", "free",
					  "track_start", "track_read", "track_stop", NULL};
static const char *const dma_events[] = {
    "map",    "unmap",   "map_sg", "unmap_sg",       "try_alloc",     "link", "sync",
    "unlink", "destroy", "free",   "alloc_coherent", "free_coherent", NULL};
const char *const *const native_events[TRACE_WORKLOADS] = {
    [TRACE_RDMA_ODP] = odp_events,
    [TRACE_VFIO_MIGRATION] = vfio_events,
    [TRACE_DMA] = dma_events,
};
