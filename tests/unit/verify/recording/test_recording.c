/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recorded events from text and from trace.dat, and the calls that they are reconstructed into. */
#include "support.h"
#include "verify/operations/operations.h"

#include <dmasim/dma-mapping.h>
#include <glib/gstdio.h>
#include <string.h>

static struct recording *parse(const char *text, GError **error)
{
	g_autofree char *name = NULL;
	int fd = g_file_open_tmp("dmasim-XXXXXX.trace.txt", &name, NULL);
	struct recording *r;

	ck_assert_int_ge(fd, 0);
	ck_assert(g_close(fd, NULL));
	ck_assert(g_file_set_contents(name, text, -1, NULL));
	r = recording_read(name, error);
	g_unlink(name);
	return r;
}

#define TASK "   task-1     [000] .....    10.000001: "
#define IRQ "   <idle>-0     [000] d.h1.    10.000002: "
#define SOFT "   <idle>-0     [001] ..s1.    10.000003: "

START_TEST(each_event_is_decoded)
{
	GError *error = NULL;
	struct recording *r = parse(
	    "# tracer: nop\n" TASK "iova_alloc: (alloc_iova_fast+0x0/0x280) size=3 limit=0xfffff\n" TASK
	    "iova_alloc_ret: (x <- y) pfn=0xffd37\n" TASK
	    "map: IOMMU: iova=0x00000000ffd37000 - 0x00000000ffd3a000 paddr=0x0000000107964000 "
	    "size=12288\n" TASK "dma_map_phys: 0000:00:01.0 dir=FROM_DEVICE dma_addr=ffd37200 size=8704 "
	    "phys_addr=107964200 attrs=MMIO|NO_WARN\n" IRQ
	    "unmap: IOMMU: iova=0x00000000ffd37000 - 0x00000000ffd3a000 size=12288 unmapped_size=12288\n" IRQ
	    "cache_tag_flush_range: dmar0 dmar0[0] type iotlb did 3 [0xffd37000-0xffd39fff] addr 0xffd34000 "
	    "pages 0x8 mask 0x3\n" IRQ "qi_submit: iotlb_inv dmar0: 0x300f2 0xffd34043 0x0 0x0\n" SOFT
	    "dma_map_sg: 0000:00:02.0 dir=TO_DEVICE nents=2/2 ents=1/1 dma_addrs={0xfffa0200} sizes={0x1c00} "
	    "phys_addrs={0x11825f200,0x11825e000} attrs=\n" SOFT
	    "swiotlb_bounced: dev_name: 0000:00:01.0 dma_mask=ffffffffffffffff dev_addr=136e3e000 size=4096 "
	    "FORCE\n" SOFT
	    "nvme_setup_cmd: nvme0: disk=nvme0n1, qid=1, cmdid=576, nsid=1, flags=0x0, meta=0x0, "
	    "cmd=(nvme_cmd_read slba=126480, len=7, ctrl=0x0, dsmgmt=0, reftag=0)\n" SOFT
	    "block_split: 259,0 R 125952 / 126456 [fio]\n" SOFT
	    "rq_vectors: disk=nvme0n1 qid=2 cmdid=17280 op=0 bytes=8192 segs=2 gap_bit=-1 bios=1 vecs=2 "
	    "phys={0x1327a7200,0x1327a6000} len={0xe00,0x1200}\n" SOFT "sched_switch: prev=x\n",
	    &error);
	const struct recording_event *e;

	ck_assert_msg(r != NULL, "%s", error ? error->message : "");
	ck_assert_uint_eq(r->events->len, 12);
	ck_assert_uint_eq(r->others, 1);
	ck_assert_uint_eq(r->ncpus, 2);
	e = recording_at(r, 0);
	ck_assert(e->kind == REC_IOVA_ALLOC && e->iova.pages == 3 && e->iova.limit == 0xfffff &&
		  e->line == 2);
	ck_assert_uint_eq(e->time_ns, 10000001000);
	e = recording_at(r, 2);
	ck_assert(e->kind == REC_MAP && e->map.iova == 0xffd37000 && e->map.phys == 0x107964000 &&
		  e->map.size == 12288);
	e = recording_at(r, 3);
	ck_assert(e->kind == REC_DMA_MAP && e->dma.addr == 0xffd37200 && e->dma.phys == 0x107964200 &&
		  e->dma.size == 8704 && e->dma.dir == DMA_FROM_DEVICE &&
		  e->dma.attrs == (DMA_ATTR_MMIO | DMA_ATTR_NO_WARN));
	ck_assert_str_eq(recording_name(r, e->device), "0000:00:01.0");
	e = recording_at(r, 5);
	ck_assert(e->kind == REC_TAG_FLUSH && e->tag.did == 3 && e->tag.start == 0xffd37000 &&
		  e->tag.end == 0xffd39fff && e->tag.addr == 0xffd34000 && e->tag.mask == 3);
	e = recording_at(r, 6);
	ck_assert(e->kind == REC_QI_SUBMIT && e->level == TRACE_HARDIRQ && e->qi.qw0 == 0x300f2 &&
		  e->qi.qw1 == 0xffd34043);
	e = recording_at(r, 7);
	ck_assert(e->kind == REC_DMA_MAP_SG && e->level == TRACE_SOFTIRQ && e->cpu == 1);
	ck_assert_uint_eq(e->sg.phys.count, 2);
	ck_assert_uint_eq(recording_list(r, e->sg.phys)[1], 0x11825e000);
	ck_assert_uint_eq(recording_list(r, e->sg.lens)[0], 0x1c00);
	e = recording_at(r, 8);
	ck_assert(e->kind == REC_BOUNCE && e->bounce.addr == 0x136e3e000 && e->bounce.size == 4096);
	e = recording_at(r, 9);
	ck_assert(e->kind == REC_NVME_SETUP && e->nvme.slba == 126480 && e->nvme.nlb == 7 &&
		  e->nvme.op == REC_NVME_READ && e->nvme.io);
	e = recording_at(r, 10);
	ck_assert(e->kind == REC_BLOCK_SPLIT && e->block.sector == 125952 && e->block.nr == 126456);
	e = recording_at(r, 11);
	ck_assert(e->kind == REC_RQ_VECTORS && e->vectors.gap_bit == -1 && e->vectors.phys.count == 2);
	recording_free(r);
}
END_TEST

/* Before 6.13 dma_alloc and dma_free print no direction. */
START_TEST(allocations_without_direction)
{
	GError *error = NULL;
	struct recording *r = parse(
	    TASK
	    "dma_alloc: 0000:02:00.0 dma_addr=fe980000 size=524288 virt_addr=000000006cadbcb1 "
	    "flags=GFP_KERNEL attrs=\n" TASK
	    "dma_free: 0000:02:00.0 dma_addr=fe980000 size=524288 virt_addr=000000006cadbcb1 attrs=\n" TASK
	    "dma_alloc: 0000:02:00.0 dir=FROM_DEVICE dma_addr=fe980000 size=4096 virt_addr=0 flags=0 "
	    "attrs=\n",
	    &error);

	ck_assert_msg(r, "%s", error ? error->message : "");
	ck_assert_uint_eq(r->events->len, 3);
	ck_assert(recording_at(r, 0)->kind == REC_DMA_ALLOC && recording_at(r, 1)->kind == REC_DMA_FREE);
	ck_assert_uint_eq(recording_at(r, 0)->dma.dir, DMA_BIDIRECTIONAL);
	ck_assert_uint_eq(recording_at(r, 0)->dma.size, 524288);
	ck_assert_uint_eq(recording_at(r, 1)->dma.addr, 0xfe980000);
	ck_assert_uint_eq(recording_at(r, 2)->dma.dir, DMA_FROM_DEVICE);
	recording_free(r);
	ck_assert(
	    !parse(TASK "dma_alloc: 0000:02:00.0 dir=UPWARDS dma_addr=fe980000 size=1 attrs=\n", &error));
	g_clear_error(&error);
}
END_TEST

START_TEST(bad_lines_name_their_place)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {"no trace\n", ":1: not a line of tracing text"},
	    {"# x\n" TASK "unmap: IOMMU: iova=0xfff size=1\n", ":2: event unmap lacks a field"},
	    {TASK "qi_submit: iotlb_inv dmar0: 0x1 0x2 zzz 0x4\n", ":1: event qi_submit"},
	    {TASK "iova_free: (x) pfn=0xfffffffffffffffffff size=1\n", ":1: event iova_free"},
	    {TASK "iova_free: (x) pfn=0xff size=1", ":1: the last line does not end"},
	    {"", "holds no event"},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		GError *error = NULL;
		struct recording *r = parse(cases[i].text, &error);

		ck_assert_msg(!r && error && strstr(error->message, cases[i].message), "case %u: %s", i,
			      error ? error->message : "accepted");
		g_clear_error(&error);
	}
}
END_TEST

/* The same recording as text and as trace.dat: calls are equal. */
START_TEST(binary_equals_text)
{
	static const char *const names[] = {"sg", "iova"};

	for (unsigned n = 0; n < G_N_ELEMENTS(names); n++) {
		g_autofree char *path = g_strdup_printf("%s/trace/%s.trace.dat", DMASIM_TEST_DATA, names[n]);
		GError *error = NULL;
		struct recording *r = recording_read(path, &error);
		unsigned maps = 0, unmaps = 0, flushes = 0, lists = 0;

		ck_assert_msg(r != NULL, "%s", error ? error->message : "");
		ck_assert(r->binary);
		for (unsigned i = 0; i < r->events->len; i++) {
			const struct recording_event *e = recording_at(r, i);

			maps += e->kind == REC_MAP;
			unmaps += e->kind == REC_UNMAP;
			flushes += e->kind == REC_QI_SUBMIT;
			if (e->kind == REC_DMA_MAP_SG) {
				lists++;
				ck_assert_uint_gt(e->sg.phys.count, 0);
				ck_assert_uint_eq(e->sg.addrs.count, e->sg.lens.count);
				ck_assert_uint_gt(recording_list(r, e->sg.lens)[0], 0);
			}
		}
		ck_assert_uint_gt(maps, unmaps);
		ck_assert_uint_eq(unmaps, flushes);
		ck_assert((lists > 0) == !strcmp(names[n], "sg"));
		recording_free(r);
	}
}
END_TEST

START_TEST(interrupts_do_not_cut_calls)
{
	struct recording *r = parse(
	    TASK "iova_alloc: (f) size=1 limit=0xfffff\n" IRQ
		 "unmap: IOMMU: iova=0xffff0000 - 0xffff1000 size=4096 unmapped_size=4096\n" IRQ
		 "iova_free: (f) pfn=0xffff0 size=1\n" IRQ
		 "dma_unmap_phys: 0000:00:01.0 dir=TO_DEVICE dma_addr=ffff0000 size=512 attrs=\n" TASK
		 "iova_alloc_ret: (f) pfn=0xffff0\n" TASK
		 "iommu_map_nosync: (f) iova=0xffff0000 paddr=0x1000 size=4096\n" TASK
		 "dma_map_phys: 0000:00:01.0 dir=TO_DEVICE dma_addr=ffff0000 size=4096 phys_addr=1000 "
		 "attrs=\n" TASK
		 "dma_unmap_phys: 0000:00:01.0 dir=TO_DEVICE dma_addr=ffff0000 size=4096 attrs=\n" SOFT
		 "qi_submit: iotlb_inv dmar0: 0x300e2 0x0 0x0 0x0\n" SOFT
		 "iova_free: (f) pfn=0xffff0 size=1\n" SOFT
		 "qi_submit: iotlb_inv dmar0: 0x300e2 0x0 0x0 0x0\n",
	    NULL);
	struct operations *o;

	ck_assert_ptr_nonnull(r);
	o = operations_new(r);
	ck_assert_uint_eq(o->ops->len, 5);
	ck_assert_uint_eq(operations_at(o, 0)->kind, REPLAY_MAP);
	ck_assert_uint_eq(operations_at(o, 0)->nevents, 4);
	ck_assert_uint_eq(operations_at(o, 0)->pfn, 0xffff0);
	ck_assert_uint_eq(operations_at(o, 1)->kind, REPLAY_UNMAP);
	ck_assert_uint_eq(operations_at(o, 1)->nevents, 3);
	ck_assert_uint_eq(operations_at(o, 2)->kind, REPLAY_UNMAP);
	ck_assert_uint_eq(operations_at(o, 3)->kind, REPLAY_FLUSH_TIMER);
	ck_assert_uint_eq(operations_at(o, 3)->nevents, 2);
	ck_assert_uint_eq(operations_at(o, 4)->kind, REPLAY_FLUSH_TIMER);
	ck_assert_uint_eq(o->ncontexts, 3);
	operations_free(o);
	recording_free(r);
}
END_TEST

/* Lengths of a list's entries from its runs and outputs; the list is longer than the event holds. */
START_TEST(lists_are_completed)
{
	struct recording *r = parse(
	    TASK
	    "iova_alloc: (f) size=4 limit=0xfffff\n" TASK "iova_alloc_ret: (f) pfn=0xfffe0\n" TASK
	    "map: IOMMU: iova=0xfffe0000 - 0xfffe1000 paddr=0x10000 size=4096\n" TASK
	    "map: IOMMU: iova=0xfffe1000 - 0xfffe4000 paddr=0x22000 size=12288\n" TASK
	    "dma_map_sg: 0000:00:01.0 dir=TO_DEVICE nents=3/4 ents=1/1 dma_addrs={0xfffe0200} sizes={0x3c00} "
	    "phys_addrs={0x10200,0x22000,0x23000} attrs=\n",
	    NULL);
	struct operations *o;
	const struct replay_op *op;
	const uint64_t *lens, *phys;

	ck_assert_ptr_nonnull(r);
	o = operations_new(r);
	ck_assert_uint_eq(o->ops->len, 1);
	op = operations_at(o, 0);
	ck_assert_uint_eq(op->kind, REPLAY_MAP_SG);
	ck_assert_uint_eq(op->vectors.count, 4);
	lens = recording_list(r, op->lens);
	phys = recording_list(r, op->vectors);
	ck_assert(lens[0] == 0xe00 && lens[1] == 0x1000 && lens[2] == 0x1000);
	ck_assert_uint_eq(phys[3], 0x24000);
	operations_free(o);
	recording_free(r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("recording");

	tcase_add_test(t, each_event_is_decoded);
	tcase_add_test(t, allocations_without_direction);
	tcase_add_test(t, bad_lines_name_their_place);
	tcase_add_test(t, binary_equals_text);
	tcase_add_test(t, interrupts_do_not_cut_calls);
	tcase_add_test(t, lists_are_completed);
	return test_run("recording", t, NULL);
}
