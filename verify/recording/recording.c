/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container of a recording: names, lists, text input, printing. */
#include "recording.h"
#include "trace/input.h"

#include <inttypes.h>
#include <string.h>

const char *const recording_kind_names[REC_KINDS] = {
    [REC_IOVA_ALLOC] = "iova_alloc",
    [REC_IOVA_TREE_ALLOC] = "iova_tree_alloc",
    [REC_IOVA_ALLOC_RET] = "iova_alloc_ret",
    [REC_IOVA_FREE] = "iova_free",
    [REC_IOVA_TREE_FREE] = "iova_tree_free",
    [REC_MAP] = "map",
    [REC_MAP_NOSYNC] = "iommu_map_nosync",
    [REC_UNMAP] = "unmap",
    [REC_DMA_MAP] = "dma_map",
    [REC_DMA_MAP_ENTER] = "dma_map (entry)",
    [REC_DMA_MAP_RET] = "dma_map (return)",
    [REC_DMA_UNMAP] = "dma_unmap",
    [REC_DMA_UNMAP_ENTER] = "dma_unmap (entry)",
    [REC_DMA_MAP_SG] = "dma_map_sg",
    [REC_DMA_MAP_SG_ENTER] = "dma_map_sg (entry)",
    [REC_DMA_UNMAP_SG] = "dma_unmap_sg",
    [REC_DMA_ALLOC] = "dma_alloc",
    [REC_DMA_FREE] = "dma_free",
    [REC_TRY_ALLOC] = "dma_iova_try_alloc",
    [REC_TRY_ALLOC_RET] = "dma_iova_try_alloc_ret",
    [REC_LINK] = "dma_iova_link",
    [REC_SYNC] = "dma_iova_sync",
    [REC_UNLINK] = "dma_iova_unlink",
    [REC_DESTROY] = "dma_iova_destroy",
    [REC_API_FREE] = "dma_iova_free",
    [REC_TAG_FLUSH] = "cache_tag_flush_range",
    [REC_TAG_FLUSH_NP] = "cache_tag_flush_range_np",
    [REC_QI_SUBMIT] = "qi_submit",
    [REC_BOUNCE] = "swiotlb_bounced",
    [REC_P2P_TYPE] = "p2p_map_type",
    [REC_NVME_SETUP] = "nvme_setup_cmd",
    [REC_NVME_COMPLETE] = "nvme_complete_rq",
    [REC_RQ_VECTORS] = "rq_vectors",
    [REC_BLOCK_ISSUE] = "block_rq_issue",
    [REC_BLOCK_COMPLETE] = "block_rq_complete",
    [REC_BLOCK_SPLIT] = "block_split",
};

uint32_t recording_intern(struct recording *r, const char *name, size_t len)
{
	char *copy = g_strndup(name, len);
	gpointer found = g_hash_table_lookup(r->name_index, copy);

	if (found) {
		g_free(copy);
		return GPOINTER_TO_UINT(found);
	}
	g_ptr_array_add(r->names, copy);
	g_hash_table_insert(r->name_index, copy, GUINT_TO_POINTER(r->names->len));
	return r->names->len;
}

const char *recording_name(const struct recording *r, uint32_t index)
{
	return index ? g_ptr_array_index(r->names, index - 1) : "";
}

void recording_add(struct recording *r, const struct recording_event *e)
{
	g_array_append_vals(r->events, e, 1);
	if (e->cpu >= r->ncpus)
		r->ncpus = e->cpu + 1u;
	if (e->kind == REC_MAP)
		r->nosync_only = false;
}

static bool take_line(struct recording *r, const char *text, uint32_t line, GError **error)
{
	struct ftrace_line l;
	struct recording_event e;
	const char *at = text;
	uint64_t lost = 0;
	bool known;

	switch (ftrace_parse(text, &l, &lost, &at)) {
	case FTRACE_COMMENT:
		return true;
	case FTRACE_LOST:
		r->lost += lost;
		return true;
	case FTRACE_BAD: {
		g_autofree char *begin = g_strndup(at, 60), *shown = g_strescape(begin, NULL);

		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "%s:%u: not a line of tracing text (expected \"task-pid [cpu] flags time: event: "
			    "...\"), wrong at: %s",
			    r->path, line, shown);
		return false;
	}
	case FTRACE_EVENT:
		break;
	}
	if (!recording_parse_text(r, &l, line, &e, &known)) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_RECORD,
			    "%s:%u: event %.*s lacks a field or holds a wrong one: %.120s", r->path, line,
			    (int)l.event_len, l.event, l.payload);
		return false;
	}
	if (known)
		recording_add(r, &e);
	else
		r->others++;
	return true;
}

static bool read_text(struct recording *r, GError **error)
{
	struct trace_input *in = input_open(r->path, NULL, error);
	const char *line;
	size_t len;
	int got;

	if (!in)
		return false;
	while ((got = input_line(in, &line, &len, error)) > 0) {
		if (input_line_open(in)) {
			g_set_error(error, TRACE_ERROR, TRACE_ERROR_TRUNCATED,
				    "%s:%" PRIu64 ": the last line does not end: the file was cut short",
				    r->path, input_line_number(in));
			got = -1;
			break;
		}
		if (!take_line(r, line, (uint32_t)input_line_number(in), error)) {
			got = -1;
			break;
		}
	}
	input_close(in);
	return got == 0;
}

static bool names_dat(const char *path)
{
	return strstr(path, ".dat.") || g_str_has_suffix(path, ".dat");
}

struct recording *recording_read(const char *path, GError **error)
{
	struct recording *r = g_new0(struct recording, 1);
	bool ok;

	r->path = g_strdup(path);
	r->events = g_array_new(FALSE, FALSE, sizeof(struct recording_event));
	r->lists = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	r->names = g_ptr_array_new_with_free_func(g_free);
	r->name_index = g_hash_table_new(g_str_hash, g_str_equal);
	r->nosync_only = true;
	r->binary = names_dat(path);
	ok = r->binary ? recording_read_dat(r, path, error) : read_text(r, error);
	if (ok && !r->events->len && !r->others) {
		g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
			    "%s: holds no event: not a recording (expected ftrace text or trace.dat)", path);
		ok = false;
	}
	if (!ok) {
		recording_free(r);
		return NULL;
	}
	return r;
}

void recording_free(struct recording *r)
{
	if (!r)
		return;
	g_array_unref(r->events);
	g_array_unref(r->lists);
	g_hash_table_unref(r->name_index);
	g_ptr_array_unref(r->names);
	g_free(r->path);
	g_free(r);
}

static void describe_list(GString *s, const struct recording *r, const char *name, struct recording_list l)
{
	const uint64_t *v = recording_list(r, l);

	g_string_append_printf(s, " %s={", name);
	for (uint32_t i = 0; i < l.count && i < 4; i++)
		g_string_append_printf(s, "%s0x%" PRIx64, i ? "," : "", v[i]);
	g_string_append(s, l.count > 4 ? ",...}" : "}");
}

static void describe_payload(GString *s, const struct recording *r, const struct recording_event *e)
{
	switch ((enum recording_kind)e->kind) {
	case REC_IOVA_ALLOC:
	case REC_IOVA_TREE_ALLOC:
		g_string_append_printf(s, " pages=%" PRIu64 " limit=0x%" PRIx64, e->iova.pages,
				       e->iova.limit);
		break;
	case REC_IOVA_ALLOC_RET:
	case REC_IOVA_TREE_FREE:
		g_string_append_printf(s, " pfn=0x%" PRIx64, e->iova.pfn);
		break;
	case REC_IOVA_FREE:
		g_string_append_printf(s, " pfn=0x%" PRIx64 " pages=%" PRIu64, e->iova.pfn, e->iova.pages);
		break;
	case REC_MAP:
	case REC_MAP_NOSYNC:
		g_string_append_printf(s, " iova=0x%" PRIx64 " phys=0x%" PRIx64 " size=%" PRIu64, e->map.iova,
				       e->map.phys, e->map.size);
		break;
	case REC_UNMAP:
		g_string_append_printf(s, " iova=0x%" PRIx64 " size=%" PRIu64 " unmapped=%" PRIu64,
				       e->map.iova, e->map.size, e->map.unmapped);
		break;
	case REC_DMA_MAP:
	case REC_DMA_MAP_ENTER:
	case REC_DMA_MAP_RET:
	case REC_DMA_UNMAP:
	case REC_DMA_UNMAP_ENTER:
	case REC_DMA_ALLOC:
	case REC_DMA_FREE:
		g_string_append_printf(s, " addr=0x%" PRIx64 " phys=0x%" PRIx64 " size=%" PRIu64, e->dma.addr,
				       e->dma.phys, e->dma.size);
		break;
	case REC_DMA_MAP_SG:
	case REC_DMA_MAP_SG_ENTER:
	case REC_DMA_UNMAP_SG:
		g_string_append_printf(s, " nents=%u", e->sg.full_nents);
		describe_list(s, r, "phys", e->sg.phys);
		describe_list(s, r, "addr", e->sg.addrs);
		describe_list(s, r, "len", e->sg.lens);
		break;
	case REC_TAG_FLUSH:
	case REC_TAG_FLUSH_NP:
		g_string_append_printf(
		    s, " did=%u [0x%" PRIx64 "-0x%" PRIx64 "] addr=0x%" PRIx64 " mask=%" PRIu64, e->tag.did,
		    e->tag.start, e->tag.end, e->tag.addr, e->tag.mask);
		break;
	case REC_QI_SUBMIT:
		g_string_append_printf(s, " 0x%" PRIx64 " 0x%" PRIx64, e->qi.qw0, e->qi.qw1);
		break;
	case REC_BOUNCE:
		g_string_append_printf(s, " addr=0x%" PRIx64 " size=%" PRIu64, e->bounce.addr,
				       e->bounce.size);
		break;
	case REC_NVME_SETUP:
	case REC_NVME_COMPLETE:
		g_string_append_printf(s, " qid=%u cid=%u slba=%" PRIu64 " nlb=%u", e->nvme.qid, e->nvme.cid,
				       e->nvme.slba, e->nvme.nlb);
		break;
	case REC_RQ_VECTORS:
		g_string_append_printf(s, " qid=%u cid=%u bytes=%u vecs=%u gap_bit=%d", e->vectors.qid,
				       e->vectors.cid, e->vectors.bytes, e->vectors.vecs, e->vectors.gap_bit);
		describe_list(s, r, "phys", e->vectors.phys);
		break;
	case REC_BLOCK_ISSUE:
	case REC_BLOCK_COMPLETE:
	case REC_BLOCK_SPLIT:
		g_string_append_printf(s, " sector=%" PRIu64 " nr=%" PRIu64, e->block.sector, e->block.nr);
		break;
	default: /* the two-step interface */
		g_string_append_printf(s, " phys=0x%" PRIx64 " offset=%" PRIu64 " size=%" PRIu64, e->api.phys,
				       e->api.offset, e->api.size);
	}
}

char *recording_describe(const struct recording *r, const struct recording_event *e)
{
	static const char levels[] = ".shz";
	GString *s = g_string_new(NULL);

	g_string_printf(s, "line %u cpu %u %c pid %d %" PRIu64 ".%06" PRIu64 " %s", e->line, e->cpu,
			levels[e->level & 3], e->pid, e->time_ns / 1000000000, e->time_ns / 1000 % 1000000,
			recording_kind_names[e->kind]);
	describe_payload(s, r, e);
	return g_string_free(s, FALSE);
}
