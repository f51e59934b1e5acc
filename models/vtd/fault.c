/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults: reasons and primary fault logging. Intel VT-d architecture specification rev 4.1: 7.1.3
 * (reasons), 7.2 (primary logging), 11.4.7.6 (status), 11.4.14 (records).
 */
#include "internal.h"

uint8_t fault_code(const struct vtd_unit *u, bool first_stage, enum fault_kind kind)
{
	static const uint8_t legacy[] = {
	    [FAULT_ADDRESS] = 0x4, [FAULT_ACCESS] = 0x7, [FAULT_NOT_PRESENT] = 0x6, [FAULT_READ] = 0x6,
	    [FAULT_WRITE] = 0x5,   [FAULT_USER] = 0x6,   [FAULT_RESERVED] = 0xc,    [FAULT_INTERRUPT] = 0xe,
	};
	static const uint8_t second[] = {
	    [FAULT_ADDRESS] = 0x84,  [FAULT_ACCESS] = 0x78,    [FAULT_NOT_PRESENT] = 0x79,
	    [FAULT_READ] = 0x86,     [FAULT_WRITE] = 0x85,     [FAULT_USER] = 0x79,
	    [FAULT_RESERVED] = 0x7a, [FAULT_INTERRUPT] = 0x87,
	};
	static const uint8_t first[] = {
	    [FAULT_ADDRESS] = 0x80,  [FAULT_ACCESS] = 0x70,    [FAULT_NOT_PRESENT] = 0x71,
	    [FAULT_READ] = 0x71,     [FAULT_WRITE] = 0x85,     [FAULT_USER] = 0x81,
	    [FAULT_RESERVED] = 0x72, [FAULT_INTERRUPT] = 0x87,
	};

	if (first_stage)
		return first[kind];
	return u->scalable ? second[kind] : legacy[kind];
}

bool fault_is_permission(uint8_t reason)
{
	switch (reason) {
	case 0x5:
	case 0x6: /* legacy: no write, no read */
	case 0x71:
	case 0x79: /* not present */
	case 0x81:
	case 0x85:
	case 0x86: /* user, write, read */
		return true;
	default:
		return false;
	}
}

uint8_t fault_blocked(const struct vtd_unit *u)
{
	return u->scalable ? 0x5b : 0xd;
}

/*
 * Records are written in circular order; a record that software has not cleared yet stops logging
 * (overflow) until software clears the overflow bit.
 */
void fault_record(struct vtd_unit *u, const struct iommu_request *rq, uint8_t reason)
{
	struct fault_log *l = &u->faults;
	struct vtd_fault *f = &l->records[l->next];

	u->st->faults++;
	if (l->overflow || f->pending) {
		l->overflow = true;
		u->st->faults_lost++;
		return;
	}
	*f = (struct vtd_fault){
	    .addr = rq->addr & PAGE_MASK,
	    .sid = rq->sid,
	    .pasid = rq->pasid,
	    .reason = reason,
	    .write = rq->access == IOMMU_ACCESS_WRITE,
	    .pending = true,
	};
	if (!l->pending)
		l->first = l->next;
	l->pending++;
	l->next = (l->next + 1) % u->caps.fault_records;
	/* The event is raised when the status goes from nothing pending to something. */
	if (l->pending == 1 && l->handler)
		l->handler(l->handler_arg, u);
}

bool vtd_fault_read(struct vtd_unit *u, struct vtd_fault *out)
{
	struct fault_log *l = &u->faults;
	struct vtd_fault *f = &l->records[l->first];

	if (!l->pending)
		return false;
	*out = *f;
	f->pending = false;
	l->first = (l->first + 1) % u->caps.fault_records;
	l->pending--;
	return true;
}

bool vtd_fault_overflow(struct vtd_unit *u, bool clear)
{
	bool overflow = u->faults.overflow;

	if (clear)
		u->faults.overflow = false;
	return overflow;
}

void vtd_set_fault_handler(struct vtd_unit *u, vtd_fault_handler fn, void *arg)
{
	u->faults.handler = fn;
	u->faults.handler_arg = arg;
}
