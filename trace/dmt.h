/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native binary form (.dmt), version 2; little endian.
 *
 *	file    = magic (8 bytes) version (u32) blocks
 *	block   = kind (u32) raw length (u32) stored length (u32) records in it (u32) zstd frame with content
 *	          checksum
 *	payload = kind (u32) ...           the kind is repeated, so that the frame's checksum covers it
 *
 *	info     workload (u32)            first block
 *	device   name                      before the first record of the device; numbered from 0
 *	records  count (u32) records       numbers are LEB128 varints, times are differences, the first to 0
 *	end      number of records (u64), time of the last (u64)
 *	                                   last block: a file that was cut between blocks is seen
 *
 * A record is: time since the record before (zigzag), CPU, device, number of segments, then the
 * members of its workload in the order of put_* in dmt_write.c, then the segments. Blocks of records stand
 * alone, and their heads say how many there are: a reader passes over them without decompressing.
 *
 * Version 1 (read, no longer written) has no number of records in the heads, times run on from block to
 *block, and the end has no time.
 */
#ifndef DMASIM_TRACE_DMT_H
#define DMASIM_TRACE_DMT_H

#include <dmasim/types.h>

#define DMT_MAGIC "dmasim\x1a\n"
#define DMT_MAGIC_BYTES 8
#define DMT_VERSION 2
#define DMT_HEAD_BYTES 16   /* of a block */
#define DMT_HEAD_BYTES_1 12 /* in version 1 */
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
