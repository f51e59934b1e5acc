/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native binary form (.dmt), version 1; little endian.
 *
 *	file    = magic (8 bytes) version (u32) blocks
 *	block   = kind (u32) raw length (u32) stored length (u32) zstd frame with content checksum
 *	payload = kind (u32) ...           the kind is repeated, so that the frame's checksum covers it
 *
 *	info     workload (u32)            first block
 *	device   name                      before the first record of the device; numbered from 0
 *	records  count (u32) records       numbers are LEB128 varints, times are differences
 *	end      number of records (u64)   last block: a file that was cut between blocks is seen
 *
 * A record is: time since the record before (zigzag), CPU, device, number of segments, then the
 * members of its workload in the order of put_* in dmt_write.c, then the segments.
 */
#ifndef DMASIM_TRACE_DMT_H
#define DMASIM_TRACE_DMT_H

#include <dmasim/types.h>

#define DMT_MAGIC "dmasim\x1a\n"
#define DMT_MAGIC_BYTES 8
#define DMT_VERSION 1
#define DMT_HEAD_BYTES 12 /* of a block */
/* A writer ends a block beyond this; one record may be longer. */
#define DMT_BLOCK ((size_t)256 * 1024)
/* Longest payload that a reader accepts. */
#define DMT_LARGEST ((size_t)64 * 1024 * 1024)

enum dmt_kind { DMT_INFO = 1, DMT_DEVICE, DMT_RECORDS, DMT_END };

static inline uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}
static inline int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

#endif
