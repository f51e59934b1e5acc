/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-request queue: Intel VT-d architecture specification rev 4.1, 7.4 and 11.4.11. */
#include "internal.h"

void page_request_init(struct vtd_unit *u)
{
	u->page_requests.size = (unsigned)u->p.ats.page_requests;
	u->page_requests.ring = g_new0(struct iommu_page_request, u->page_requests.size + 1);
}

void page_request_fini(struct vtd_unit *u)
{
	g_free(u->page_requests.ring);
}

int vtd_page_request(struct vtd_unit *u, const struct iommu_page_request *r)
{
	struct page_requests *q = &u->page_requests;

	u->st->page_requests++;
	/* A ring whose head equals its tail is empty, so one entry stays free. */
	if (q->overflow || q->count + 1 >= q->size) {
		q->overflow = true;
		u->st->page_requests_lost++;
		return -ENOSPC;
	}
	q->ring[(q->head + q->count) % q->size] = *r;
	q->count++;
	if (q->count == 1 && q->handler)
		q->handler(q->handler_arg, u);
	return 0;
}

bool vtd_page_request_read(struct vtd_unit *u, struct iommu_page_request *r)
{
	struct page_requests *q = &u->page_requests;

	if (!q->count)
		return false;
	*r = q->ring[q->head];
	q->head = (q->head + 1) % q->size;
	q->count--;
	return true;
}

bool vtd_page_request_overflow(struct vtd_unit *u, bool clear)
{
	bool overflow = u->page_requests.overflow;

	if (clear)
		u->page_requests.overflow = false;
	return overflow;
}

void vtd_set_page_request_handler(struct vtd_unit *u, void (*fn)(void *arg, struct vtd_unit *u), void *arg)
{
	u->page_requests.handler = fn;
	u->page_requests.handler_arg = arg;
}

void vtd_set_page_response(struct vtd_unit *u, vtd_page_response_fn fn, void *arg)
{
	u->page_requests.response = fn;
	u->page_requests.response_arg = arg;
}

void page_request_respond(struct vtd_unit *u, const struct qi_desc *d, sim_time_t when)
{
	const struct page_requests *q = &u->page_requests;
	uint32_t pasid = d->qw0 >> 4 & 1 ? (uint32_t)(d->qw0 >> 32 & 0xfffff) : NO_PASID;

	u->st->page_responses++;
	if (q->response)
		q->response(q->response_arg, (uint16_t)(d->qw0 >> 16), pasid,
			    (enum vtd_page_response)(d->qw0 >> 12 & 0xf), (uint16_t)(d->qw1 >> 3 & 0x1ff),
			    when);
}
