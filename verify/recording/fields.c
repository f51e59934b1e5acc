/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an event's payload to struct recording_event. One decoder per kind of payload serves both sources:
 * a field is named by its key in the text and by its name in the format description
 * (include/trace/events/{dma,iommu,intel_iommu,swiotlb}.h, and kprobe events, whose fields are named by
 * who armed them). Requests: requests.c.
 */
#include "internal.h"
#include "recording.h"

#include <dmasim/dma-mapping.h>

#include <string.h>

struct decoder;
typedef bool (*decode_fn)(struct recording *r, const struct field_source *s, struct recording_event *e);

static bool decode_alloc(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	(void)r;
	return source_u64(s, "size", "size", 10, &e->iova.pages) &&
	       source_u64(s, "limit", "limit", 16, &e->iova.limit);
}

static bool decode_pfn(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	(void)r;
	return source_u64(s, "pfn", "pfn", 16, &e->iova.pfn);
}

static bool decode_iova_free(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	return decode_pfn(r, s, e) && source_u64(s, "size", "size", 10, &e->iova.pages);
}

static bool decode_map(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	(void)r;
	return source_u64(s, "iova", "iova", 16, &e->map.iova) &&
	       source_u64(s, "paddr", "paddr", 16, &e->map.phys) &&
	       source_u64(s, "size", "size", 10, &e->map.size);
}

static bool decode_unmap(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	(void)r;
	return source_u64(s, "iova", "iova", 16, &e->map.iova) &&
	       source_u64(s, "size", "size", 10, &e->map.size) &&
	       source_u64(s, "unmapped_size", "unmapped_size", 10, &e->map.unmapped);
}

/* dir: a name in the tracepoints' text, a number in probes and in trace.dat. */
static bool decode_dir(const struct field_source *s, uint8_t *dir)
{
	static const char *const names[] = {"BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE", "NONE"};
	uint64_t v;
	const char *text = s->payload ? text_value(s->payload, "dir") : NULL;

	for (unsigned i = 0; text && i < G_N_ELEMENTS(names); i++) {
		if (!strncmp(text, names[i], strlen(names[i]))) {
			*dir = (uint8_t)i;
			return true;
		}
	}
	if (!source_u64(s, "dir", "dir", 10, &v) || v > DMA_NONE)
		return false;
	*dir = (uint8_t)v;
	return true;
}

/* attrs=NAME|NAME|0x..., possibly empty. */
static bool decode_attrs(const struct field_source *s, uint64_t *attrs)
{
	static const struct {
		const char *name;
		uint64_t bit;
	} names[] = {
	    {"WEAK_ORDERING", DMA_ATTR_WEAK_ORDERING},
	    {"WRITE_COMBINE", DMA_ATTR_WRITE_COMBINE},
	    {"NO_KERNEL_MAPPING", DMA_ATTR_NO_KERNEL_MAPPING},
	    {"SKIP_CPU_SYNC", DMA_ATTR_SKIP_CPU_SYNC},
	    {"FORCE_CONTIGUOUS", DMA_ATTR_FORCE_CONTIGUOUS},
	    {"ALLOC_SINGLE_PAGES", DMA_ATTR_ALLOC_SINGLE_PAGES},
	    {"NO_WARN", DMA_ATTR_NO_WARN},
	    {"PRIVILEGED", DMA_ATTR_PRIVILEGED},
	    {"MMIO", DMA_ATTR_MMIO},
	};
	const char *p;

	*attrs = 0;
	if (!s->payload)
		return source_u64(s, "attrs", "attrs", 16, attrs);
	p = text_value(s->payload, "attrs");
	if (!p)
		return false;
	while (*p && *p != ' ') {
		size_t len = strcspn(p, "| ");
		uint64_t v;

		for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
			if (strlen(names[i].name) == len && !strncmp(p, names[i].name, len))
				*attrs |= names[i].bit;
		if (*p == '0' && text_number(p, 16, &v, NULL))
			*attrs |= v;
		p += len;
		p += *p == '|';
	}
	return true;
}

static bool decode_dma_map(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	return source_device(r, s, "device", &e->device) && decode_dir(s, &e->dma.dir) &&
	       source_u64(s, "dma_addr", "dma_addr", 16, &e->dma.addr) &&
	       source_u64(s, "phys_addr", "phys_addr", 16, &e->dma.phys) &&
	       source_u64(s, "size", "size", 10, &e->dma.size) && decode_attrs(s, &e->dma.attrs);
}

static bool decode_dma_unmap(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	return source_device(r, s, "device", &e->device) && decode_dir(s, &e->dma.dir) &&
	       source_u64(s, "dma_addr", "addr", 16, &e->dma.addr) &&
	       source_u64(s, "size", "size", 10, &e->dma.size) && decode_attrs(s, &e->dma.attrs);
}

/* Before 6.13 these events have no direction: they tell of dma_alloc_attrs() alone, which serves both. */
static bool decode_coherent(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	e->dma.dir = DMA_BIDIRECTIONAL;
	return source_device(r, s, "device", &e->device) &&
	       source_u64(s, "dma_addr", "dma_addr", 16, &e->dma.addr) &&
	       source_u64(s, "size", "size", 10, &e->dma.size) &&
	       (!source_has(s, "dir", "dir") || decode_dir(s, &e->dma.dir)) && decode_attrs(s, &e->dma.attrs);
}

static bool decode_map_enter(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	(void)r;
	return source_u64(s, "off", "off", 10, &e->dma.offset) &&
	       source_u64(s, "size", "size", 10, &e->dma.size) && decode_dir(s, &e->dma.dir);
}

static bool decode_map_ret(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	(void)r;
	return source_u64(s, "addr", "addr", 16, &e->dma.addr);
}

static bool decode_unmap_enter(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	return decode_map_ret(r, s, e) && source_u64(s, "size", "size", 10, &e->dma.size) &&
	       decode_dir(s, &e->dma.dir);
}

static bool decode_sg(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	uint64_t v;

	if (!source_device(r, s, "device", &e->device) || !decode_dir(s, &e->sg.dir) ||
	    !source_list(r, s, "phys_addrs", "phys_addrs", &e->sg.phys) ||
	    !source_list(r, s, "dma_addrs", "dma_addrs", &e->sg.addrs) ||
	    !source_list(r, s, "sizes", "lengths", &e->sg.lens) || !decode_attrs(s, &e->sg.attrs))
		return false;
	if (e->sg.addrs.count != e->sg.lens.count)
		return false;
	e->sg.nents = e->sg.full_nents = e->sg.phys.count;
	e->sg.full_ents = e->sg.addrs.count;
	if (s->payload) { /* "nents=traced/full ents=traced/full" where the kernel prints it */
		const char *p = text_value(s->payload, "nents"), *end;
		const char *q = text_value(s->payload, "ents");

		if (p && text_number(p, 10, &v, &end) && *end == '/' && text_number(end + 1, 10, &v, NULL))
			e->sg.full_nents = (uint32_t)v;
		if (q && text_number(q, 10, &v, &end) && *end == '/' && text_number(end + 1, 10, &v, NULL))
			e->sg.full_ents = (uint32_t)v;
	} else {
		if (source_u64(s, NULL, "full_nents", 10, &v))
			e->sg.full_nents = (uint32_t)v;
		if (source_u64(s, NULL, "full_ents", 10, &v))
			e->sg.full_ents = (uint32_t)v;
	}
	return true;
}

static bool decode_unmap_sg(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	if (!source_device(r, s, "device", &e->device) || !decode_dir(s, &e->sg.dir) ||
	    !source_list(r, s, "phys_addrs", "addrs", &e->sg.phys) || !decode_attrs(s, &e->sg.attrs))
		return false;
	e->sg.nents = e->sg.full_nents = e->sg.phys.count;
	return true;
}

static bool decode_sg_enter(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	uint64_t n;

	(void)r;
	if (!source_u64(s, "orig_nents", "orig_nents", 10, &n) && !source_u64(s, "nents", "nents", 10, &n))
		return false;
	e->sg.full_nents = (uint32_t)n;
	return decode_dir(s, &e->sg.dir);
}

/* What newer probes tell besides: which range and device, direction, attributes. */
static bool decode_api(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	e->api.dir = DMA_NONE;
	if (source_has(s, "dir", "dir") && !decode_dir(s, &e->api.dir))
		return false;
	if (!source_u64(s, "state", "state", 16, &e->api.state))
		e->api.state = 0;
	if (!source_u64(s, "attrs", "attrs", 16, &e->api.attrs))
		e->api.attrs = 0;
	source_name(r, s, "device", &e->device);
	return true;
}

static bool decode_try_alloc(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	return decode_api(r, s, e) && source_u64(s, "phys", "phys", 16, &e->api.phys) &&
	       source_u64(s, "size", "size", 10, &e->api.size);
}

static bool decode_try_alloc_ret(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	(void)r;
	return source_u64(s, "ok", "ok", 10, &e->api.ok);
}

static bool decode_sync(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	return decode_api(r, s, e) && source_u64(s, "off", "off", 10, &e->api.offset) &&
	       source_u64(s, "size", "size", 10, &e->api.size);
}

static bool decode_link(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	return decode_sync(r, s, e) && source_u64(s, "phys", "phys", 16, &e->api.phys);
}

static bool decode_destroy(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	return decode_api(r, s, e) && source_u64(s, "mapped", "mapped", 10, &e->api.size);
}

/* "dmar0 dmar0[0] type iotlb did 5 [0xS-0xE] addr 0xA [pages 0xP ]mask 0xM"; flush_all prints no range. */
static bool decode_tag(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	uint64_t did, type = 0;
	const char *range;

	(void)r;
	e->tag.start = e->tag.addr = 0;
	e->tag.end = UINT64_MAX;
	e->tag.mask = 52;
	if (!s->payload) {
		if (!source_u64(s, NULL, "domain_id", 10, &did) || !source_u64(s, NULL, "type", 10, &type))
			return false;
		if (source_u64(s, NULL, "start", 16, &e->tag.start) &&
		    (!source_u64(s, NULL, "end", 16, &e->tag.end) ||
		     !source_u64(s, NULL, "addr", 16, &e->tag.addr) ||
		     !source_u64(s, NULL, "mask", 16, &e->tag.mask)))
			return false;
	} else {
		if (!text_after(s->payload, " did ", 10, &did))
			return false;
		type = strstr(s->payload, "devtlb") != NULL;
		range = strstr(s->payload, "[0x");
		if (range) {
			const char *end;

			if (!text_number(range + 1, 16, &e->tag.start, &end) || *end != '-' ||
			    !text_number(end + 1, 16, &e->tag.end, NULL) ||
			    !text_after(s->payload, " addr ", 16, &e->tag.addr) ||
			    !text_after(s->payload, " mask ", 16, &e->tag.mask))
				return false;
		}
	}
	e->tag.did = (uint16_t)did;
	e->tag.device_tlb = type == 1 || type == 3;
	return did <= UINT16_MAX;
}

static bool decode_qi(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	uint64_t *const qw[4] = {&e->qi.qw0, &e->qi.qw1, &e->qi.qw2, &e->qi.qw3};
	static const char *const names[4] = {"qw0", "qw1", "qw2", "qw3"};
	const char *p = s->payload ? strstr(s->payload, ": ") : NULL;

	(void)r;
	if (s->payload && !p)
		return false;
	if (p)
		p += 1;
	for (unsigned i = 0; i < 4; i++) {
		if (!s->payload) {
			if (!source_u64(s, NULL, names[i], 16, qw[i]))
				return false;
			continue;
		}
		p += strspn(p, " ");
		if (!text_number(p, 16, qw[i], &p))
			return false;
	}
	return true;
}

static bool decode_bounce(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	if (s->payload) {
		const char *name = s->payload;

		if (!strncmp(name, "dev_name: ", 10))
			name += 10;
		e->device = recording_intern(r, name, strcspn(name, " "));
	} else if (!source_device(r, s, "dev_name", &e->device)) {
		return false;
	}
	return source_u64(s, "dev_addr", "dev_addr", 16, &e->bounce.addr) &&
	       source_u64(s, "size", "size", 10, &e->bounce.size);
}

/* Until 6.18 the kernel's numbers lack "no peer memory". */
static bool decode_p2p_segment(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	uint64_t type;

	(void)r;
	if (!source_u64(s, "type", "type", 10, &type))
		return false;
	e->p2p.type = (uint32_t)(type ? type + 1 : type);
	return true;
}

static bool decode_p2p_type(struct recording *r, const struct field_source *s, struct recording_event *e)
{
	uint64_t type;

	(void)r;
	if (!source_u64(s, "type", "type", 10, &type))
		return false;
	e->p2p.type = (uint32_t)type;
	return true;
}

/* ---- the table of events ---- */

enum { ANY, TRACEPOINT, PROBE };
static const struct event_row {
	const char *name;
	uint8_t kind, form;
	decode_fn decode;
} rows[] = {
    {"iova_alloc", REC_IOVA_ALLOC, PROBE, decode_alloc},
    {"iova_tree_alloc", REC_IOVA_TREE_ALLOC, PROBE, decode_alloc},
    {"iova_alloc_ret", REC_IOVA_ALLOC_RET, PROBE, decode_pfn},
    {"iova_free", REC_IOVA_FREE, ANY, decode_iova_free},
    {"iova_tree_free", REC_IOVA_TREE_FREE, ANY, decode_pfn},
    {"map", REC_MAP, TRACEPOINT, decode_map},
    {"iommu_map_nosync", REC_MAP_NOSYNC, PROBE, decode_map},
    {"unmap", REC_UNMAP, TRACEPOINT, decode_unmap},
    {"dma_map_page", REC_DMA_MAP, TRACEPOINT, decode_dma_map},
    {"dma_map_phys", REC_DMA_MAP, TRACEPOINT, decode_dma_map},
    {"dma_map_resource", REC_DMA_MAP, TRACEPOINT, decode_dma_map},
    {"dma_map_page", REC_DMA_MAP_ENTER, PROBE, decode_map_enter},
    {"dma_map_page_ret", REC_DMA_MAP_RET, PROBE, decode_map_ret},
    {"dma_unmap_page", REC_DMA_UNMAP, TRACEPOINT, decode_dma_unmap},
    {"dma_unmap_phys", REC_DMA_UNMAP, TRACEPOINT, decode_dma_unmap},
    {"dma_unmap_resource", REC_DMA_UNMAP, TRACEPOINT, decode_dma_unmap},
    {"dma_unmap_page", REC_DMA_UNMAP_ENTER, PROBE, decode_unmap_enter},
    {"dma_map_sg", REC_DMA_MAP_SG, TRACEPOINT, decode_sg},
    {"dma_map_sg", REC_DMA_MAP_SG_ENTER, PROBE, decode_sg_enter},
    {"dma_map_sgtable", REC_DMA_MAP_SG_ENTER, PROBE, decode_sg_enter},
    {"dma_unmap_sg", REC_DMA_UNMAP_SG, TRACEPOINT, decode_unmap_sg},
    {"dma_unmap_sg", REC_DMA_UNMAP_SG, PROBE, decode_sg_enter},
    {"dma_alloc", REC_DMA_ALLOC, TRACEPOINT, decode_coherent},
    {"dma_free", REC_DMA_FREE, TRACEPOINT, decode_coherent},
    {"dma_iova_try_alloc", REC_TRY_ALLOC, PROBE, decode_try_alloc},
    {"dma_iova_try_alloc_ret", REC_TRY_ALLOC_RET, PROBE, decode_try_alloc_ret},
    {"dma_iova_link", REC_LINK, PROBE, decode_link},
    {"dma_iova_sync", REC_SYNC, PROBE, decode_sync},
    {"dma_iova_unlink", REC_UNLINK, PROBE, decode_sync},
    {"dma_iova_destroy", REC_DESTROY, ANY, decode_destroy},
    {"dma_iova_free", REC_API_FREE, ANY, decode_api},
    {"cache_tag_flush_range", REC_TAG_FLUSH, TRACEPOINT, decode_tag},
    {"cache_tag_flush_all", REC_TAG_FLUSH, TRACEPOINT, decode_tag},
    {"cache_tag_flush_range_np", REC_TAG_FLUSH_NP, TRACEPOINT, decode_tag},
    {"qi_submit", REC_QI_SUBMIT, TRACEPOINT, decode_qi},
    {"swiotlb_bounced", REC_BOUNCE, TRACEPOINT, decode_bounce},
    {"p2p_map_segment", REC_P2P_TYPE, PROBE, decode_p2p_segment},
    {"p2p_map_type", REC_P2P_TYPE, PROBE, decode_p2p_type},
    {"nvme_setup_cmd", REC_NVME_SETUP, TRACEPOINT, recording_decode_nvme_setup},
    {"nvme_complete_rq", REC_NVME_COMPLETE, TRACEPOINT, recording_decode_nvme_head},
    {"rq_vectors", REC_RQ_VECTORS, TRACEPOINT, recording_decode_vectors},
    {"block_rq_issue", REC_BLOCK_ISSUE, TRACEPOINT, recording_decode_block_issue},
    {"block_rq_complete", REC_BLOCK_COMPLETE, TRACEPOINT, recording_decode_block_complete},
    {"block_split", REC_BLOCK_SPLIT, TRACEPOINT, recording_decode_block_split},
};

const struct event_row *recording_row(const char *name, size_t len, bool probe)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strlen(rows[i].name) == len && !strncmp(rows[i].name, name, len) &&
		    (rows[i].form == ANY || (rows[i].form == PROBE) == probe))
			return &rows[i];
	return NULL;
}

enum recording_kind recording_kind_of(const char *name, bool probe)
{
	const struct event_row *row = recording_row(name, strlen(name), probe);

	return row ? row->kind : REC_KINDS;
}

bool recording_decode(struct recording *r, const struct event_row *row, const struct field_source *s,
		      struct recording_event *e)
{
	e->kind = row->kind;
	return row->decode(r, s, e);
}

/* Third character of the flags column: the interrupt level (trace_print_lat_fmt). */
static uint8_t text_level(const char *flags)
{
	switch (strlen(flags) > 2 ? flags[2] : '.') {
	case 'Z':
	case 'z':
		return TRACE_NMI;
	case 'H':
	case 'h':
		return TRACE_HARDIRQ;
	case 's':
		return TRACE_SOFTIRQ;
	default:
		return TRACE_TASK;
	}
}

bool recording_parse_text(struct recording *r, const struct ftrace_line *l, uint32_t line,
			  struct recording_event *e, bool *known)
{
	/* Probes print where they sit: "(function+offset) ...". */
	bool probe = l->payload[0] == '(';
	const struct event_row *row = recording_row(l->event, l->event_len, probe);
	const struct field_source s = {.payload = l->payload};

	*known = row != NULL;
	if (!row)
		return true;
	if ((row->kind == REC_MAP || row->kind == REC_UNMAP) && strncmp(l->payload, "IOMMU: ", 7)) {
		*known = false; /* another group's event of this name */
		return true;
	}
	memset(e, 0, sizeof(*e));
	e->time_ns = l->time_ns;
	e->line = line;
	e->pid = (int32_t)l->pid;
	e->cpu = (uint16_t)l->cpu;
	e->level = text_level(l->flags);
	return recording_decode(r, row, &s, e);
}
