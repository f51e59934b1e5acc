/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table formats. Intel VT-d architecture specification rev 4.1: 3.6, 3.7, 9.7 (first-stage
 * entries), 9.8 (second-stage entries). What software sets: drivers/iommu/generic_pt/fmt/vtdss.h and
 * x86_64.h (Linux 7.0): first-stage entries carry user, accessed and, if writable, dirty.
 */
#include "vtd.h"

#define SS_READ (UINT64_C(1) << 0)
#define SS_WRITE (UINT64_C(1) << 1)
#define FS_PRESENT (UINT64_C(1) << 0)
#define FS_WRITE (UINT64_C(1) << 1)
#define FS_USER (UINT64_C(1) << 2)
#define FS_ACCESSED (UINT64_C(1) << 5)
#define FS_DIRTY (UINT64_C(1) << 6)
#define SS_ACCESSED (UINT64_C(1) << 8)
#define SS_DIRTY (UINT64_C(1) << 9)
#define PAGE_SIZE_BIT (UINT64_C(1) << 7)
#define ADDRESS_51_12 UINT64_C(0x000ffffffffff000)

#define SECOND_STAGE(bits, n)                                                                           \
	{                                                                                               \
		.name = "second-stage-" #bits, .levels = (n), .width = (bits),                          \
		.present_mask = SS_READ | SS_WRITE, .read = SS_READ, .write = SS_WRITE,                 \
		.page_size_bit = PAGE_SIZE_BIT, .address_mask = ADDRESS_51_12, .accessed = SS_ACCESSED, \
		.dirty = SS_DIRTY, .table_bits = SS_READ | SS_WRITE                                     \
	}
#define FIRST_STAGE(bits, n)                                                                            \
	{                                                                                               \
		.name = "first-stage-" #bits, .levels = (n), .width = (bits), .first_stage = true,      \
		.present_mask = FS_PRESENT, .read = FS_PRESENT, .write = FS_WRITE,                      \
		.page_size_bit = PAGE_SIZE_BIT, .address_mask = ADDRESS_51_12, .accessed = FS_ACCESSED, \
		.dirty = FS_DIRTY, .table_bits = FS_PRESENT | FS_WRITE | FS_USER | FS_ACCESSED,         \
		.leaf_bits = FS_PRESENT | FS_USER | FS_ACCESSED, .leaf_write_bits = FS_DIRTY            \
	}

const struct vtd_format_info vtd_formats[VTD_FORMATS] = {
    [VTD_SS_39] = SECOND_STAGE(39, 3), [VTD_SS_48] = SECOND_STAGE(48, 4), [VTD_SS_57] = SECOND_STAGE(57, 5),
    [VTD_FS_48] = FIRST_STAGE(48, 4),  [VTD_FS_57] = FIRST_STAGE(57, 5),
};
