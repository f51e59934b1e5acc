/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Invalidation descriptors: Intel VT-d architecture specification rev 4.1, 6.5.2.1-6.5.2.9. */
#include "vtd.h"

#define SHIFTED(value, at) ((uint64_t)(value) << (at))

_Static_assert(sizeof(struct qi_desc) == 32, "a 256-bit descriptor");

struct qi_desc qi_desc_iotlb(uint16_t did, enum qi_granularity g, uint64_t addr, unsigned am, bool ih,
			     bool drain)
{
	struct qi_desc d = {.qw0 = QI_IOTLB | SHIFTED(g, 4) | SHIFTED(drain ? 3 : 0, 6) | SHIFTED(did, 16)};

	if (g == QI_PAGE)
		d.qw1 = (addr & PAGE_MASK) | SHIFTED(ih, 6) | (am & 0x3f);
	return d;
}

struct qi_desc qi_desc_wait(phys_addr_t status_addr, uint32_t status_data)
{
	return (struct qi_desc){.qw0 = QI_WAIT | SHIFTED(1, 5) | SHIFTED(status_data, 32),
				.qw1 = status_addr & ~UINT64_C(3)};
}

struct qi_desc qi_desc_context(uint16_t did, enum qi_context_granularity g, uint16_t sid, uint8_t fm)
{
	return (struct qi_desc){.qw0 = QI_CC | SHIFTED(g, 4) | SHIFTED(did, 16) | SHIFTED(sid, 32) |
				       SHIFTED(fm & 3, 48)};
}

/* Address field of a device-TLB invalidation: order 0 has S = 0, 52 and more mean everything. */
static uint64_t ats_range(uint64_t addr, unsigned order)
{
	uint64_t size_bits;

	addr &= PAGE_MASK;
	if (!order)
		return addr;
	if (order > 52)
		order = 52;
	/* Address bits 12 .. 12 + order - 2 are ones and bit 12 + order - 1 is zero (order 52: bit 63). */
	size_bits = (SHIFTED(1, order - 1) - 1) << PAGE_SHIFT;
	addr |= size_bits;
	addr &= ~SHIFTED(1, PAGE_SHIFT + order - 1);
	return addr;
}

struct qi_desc qi_desc_device_tlb(uint16_t sid, uint16_t pfsid, unsigned queue_depth, uint64_t addr,
				  unsigned size_order)
{
	return (struct qi_desc){.qw0 = QI_DEV_TLB | SHIFTED(pfsid & 0xf, 12) |
				       SHIFTED(queue_depth & 0x1f, 16) | SHIFTED(sid, 32) |
				       SHIFTED(pfsid >> 4, 52),
				.qw1 = ats_range(addr, size_order) | (size_order > 0)};
}

struct qi_desc qi_desc_iec(bool index, uint16_t iidx, unsigned im)
{
	return (struct qi_desc){.qw0 = QI_IEC | SHIFTED(index, 4) | SHIFTED(im & 0x1f, 27) |
				       SHIFTED(iidx, 32)};
}

struct qi_desc qi_desc_piotlb(uint16_t did, uint32_t pasid, enum qi_piotlb_granularity g, uint64_t addr,
			      unsigned am, bool ih)
{
	struct qi_desc d = {.qw0 = QI_P_IOTLB | SHIFTED(g, 4) | SHIFTED(did, 16) |
				   SHIFTED(pasid & 0xfffff, 32)};

	if (g == QI_PIOTLB_PAGE)
		d.qw1 = (addr & PAGE_MASK) | SHIFTED(ih, 6) | (am & 0x3f);
	return d;
}

struct qi_desc qi_desc_pasid_cache(uint16_t did, uint32_t pasid, enum qi_pc_granularity g)
{
	return (struct qi_desc){.qw0 = QI_PC | SHIFTED(g, 4) | SHIFTED(did, 16) |
				       SHIFTED(pasid & 0xfffff, 32)};
}

struct qi_desc qi_desc_pdevice_tlb(uint16_t sid, uint16_t pfsid, unsigned queue_depth, uint32_t pasid,
				   uint64_t addr, unsigned size_order)
{
	return (struct qi_desc){.qw0 = QI_P_DEV_TLB | SHIFTED(queue_depth & 0x1f, 4) |
				       SHIFTED(pfsid & 0xf, 12) | SHIFTED(sid, 16) |
				       SHIFTED(pasid & 0xfffff, 32) | SHIFTED(pfsid >> 4, 52),
				.qw1 = ats_range(addr, size_order) | SHIFTED(size_order > 0, 11)};
}

struct qi_desc qi_desc_page_response(uint16_t rid, bool pasid_present, uint32_t pasid, unsigned code,
				     unsigned group)
{
	return (struct qi_desc){.qw0 = QI_PGRP_RESP | SHIFTED(pasid_present, 4) | SHIFTED(code & 0xf, 12) |
				       SHIFTED(rid, 16) | SHIFTED(pasid & 0xfffff, 32),
				.qw1 = SHIFTED(group & 0x1ff, 3)};
}

unsigned qi_device_tlb_order(uint64_t qw1)
{
	/* S is bit 0 of type 3 and bit 11 of type 8, where bit 0 means all PASIDs. */
	uint64_t page = qw1 >> PAGE_SHIFT;
	uint64_t zeros = ~page & ((UINT64_C(1) << 52) - 1);

	return zeros ? (unsigned)__builtin_ctzll(zeros) + 1 : 52;
}
