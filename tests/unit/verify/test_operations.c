/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls from events: recordings that begin anywhere, hold some groups only, or name a range by its state. */
#include "support.h"
#include "verify/operations/operations.h"

#include <glib/gstdio.h>

struct read {
	struct recording *r;
	struct operations *o;
};

static struct read parse(const char *text)
{
	g_autofree char *name = NULL;
	int fd = g_file_open_tmp("dmasim-XXXXXX.trace.txt", &name, NULL);
	struct read p;

	ck_assert_int_ge(fd, 0);
	ck_assert(g_close(fd, NULL));
	ck_assert(g_file_set_contents(name, text, -1, NULL));
	p.r = recording_read(name, NULL);
	g_unlink(name);
	ck_assert_ptr_nonnull(p.r);
	p.o = operations_new(p.r);
	return p;
}

static void done(struct read *p)
{
	operations_free(p->o);
	recording_free(p->r);
}

#define TASK "   task-1     [000] .....    10.000001: "
#define MAP(iova, end, phys) \
	TASK "map: IOMMU: iova=0x00000000" iova " - 0x00000000" end " paddr=0x0000000" phys " size=4096\n"
#define UNMAP(iova, end) \
	TASK "unmap: IOMMU: iova=0x00000000" iova " - 0x00000000" end " size=4096 unmapped_size=4096\n"
#define NAMED(iova, phys)                                                                             \
	TASK "dma_map_phys: 0000:00:01.0 dir=FROM_DEVICE dma_addr=" iova " size=4096 phys_addr=" phys \
	     " attrs=\n"
#define ALLOC TASK "iova_alloc: (alloc_iova_fast+0x0/0x280) size=1 limit=0xfffff\n"
#define RET TASK "iova_alloc_ret: (x <- y) pfn=0xffffe\n"

START_TEST(addresses_of_somebody_else_are_mappings_of_their_own)
{
	struct read p = parse(MAP("ffffe000", "fffff000", "1a6800000") MAP(
	    "ffffc000", "ffffd000", "1b6800000") UNMAP("ffffe000", "fffff000") UNMAP("ffffc000", "ffffd000"));

	ck_assert_uint_eq(p.o->ops->len, 4);
	ck_assert_uint_eq(operations_at(p.o, 0)->kind, REPLAY_GIVEN_MAP);
	ck_assert_uint_eq(operations_at(p.o, 1)->kind, REPLAY_GIVEN_MAP);
	ck_assert_uint_eq(operations_at(p.o, 1)->addr, 0xffffc000);
	ck_assert_uint_eq(operations_at(p.o, 1)->size, 4096);
	ck_assert_uint_eq(operations_at(p.o, 2)->kind, REPLAY_GIVEN_UNMAP);
	ck_assert_uint_eq(operations_at(p.o, 3)->addr, 0xffffc000);
	done(&p);
}
END_TEST

START_TEST(only_the_first_call_of_a_context_may_be_cut)
{
	struct read p = parse(RET MAP("ffffe000", "fffff000", "1a6800000") NAMED("ffffe000", "1a6800000")
				  RET MAP("ffffd000", "ffffe000", "1a6801000")
				      NAMED("ffffd000", "1a6801000"));

	ck_assert_uint_eq(p.o->ops->len, 2);
	ck_assert(operations_at(p.o, 0)->cut && operations_at(p.o, 0)->complete);
	ck_assert(!operations_at(p.o, 1)->cut && operations_at(p.o, 1)->complete);
	done(&p);
	p = parse(ALLOC RET MAP("ffffe000", "fffff000", "1a6800000") NAMED("ffffe000", "1a6800000"));
	ck_assert(!operations_at(p.o, 0)->cut && operations_at(p.o, 0)->opening);
	done(&p);
}
END_TEST

#define LINK(state, phys)                                                                  \
	TASK "dma_iova_link: (x+0x4/0x350) phys=0x" phys " off=0 size=4096 state=0x" state \
	     " dir=2 attrs=0x400 device=\"0000:00:03.0\"\n"

START_TEST(windows_are_told_apart_by_their_state)
{
	struct read p = parse(ALLOC RET LINK("ffffffffc01590c0", "123478000")
				  LINK("ffffffffc0159138", "131df6000"));
	const struct replay_op *op = operations_at(p.o, 1);

	ck_assert_uint_eq(p.o->ops->len, 3);
	ck_assert(op->kind == REPLAY_LINK && op->state == 0xffffffffc01590c0 && op->attrs == 0x400 &&
		  op->dir == 2);
	ck_assert_str_eq(recording_name(p.r, op->device), "0000:00:03.0");
	ck_assert_uint_eq(operations_at(p.o, 2)->state, 0xffffffffc0159138);
	done(&p);
}
END_TEST

/* dma_iova_destroy is made of the two that it calls. */
START_TEST(what_destroy_calls_is_part_of_it)
{
	struct read p = parse(
	    TASK "dma_iova_destroy: (x+0x0) mapped=4096 state=0x10 device=\"0000:00:03.0\"\n" TASK
		 "dma_iova_unlink: (x+0x4/0x120) off=0 size=4096 state=0x10 dir=2 attrs=0x0 "
		 "device=\"0000:00:03.0\"\n" UNMAP("ffffe000", "fffff000") TASK
	    "dma_iova_free: (x+0x4/0x60) state=0x10 device=\"0000:00:03.0\"\n" TASK
	    "iova_free: (free_iova_fast+0x0) pfn=0xffffe size=1\n");

	ck_assert_uint_eq(p.o->ops->len, 1);
	ck_assert_uint_eq(operations_at(p.o, 0)->kind, REPLAY_DESTROY);
	ck_assert_uint_eq(operations_at(p.o, 0)->nevents, 3);
	done(&p);
}
END_TEST

START_TEST(coherent_memory_of_6_12_has_no_direction)
{
	struct read p = parse(
	    TASK "dma_alloc: 0000:02:00.0 dma_addr=fe980000 size=524288 virt_addr=000000006cadbcb1 "
		 "flags=GFP_KERNEL attrs=\n" TASK "dma_free: 0000:02:00.0 dma_addr=fe980000 size=524288 "
		 "virt_addr=000000006cadbcb1 attrs=\n");

	ck_assert_uint_eq(p.o->ops->len, 2);
	ck_assert_uint_eq(operations_at(p.o, 0)->kind, REPLAY_ALLOC);
	ck_assert_uint_eq(operations_at(p.o, 1)->kind, REPLAY_FREE);
	ck_assert_uint_eq(operations_at(p.o, 1)->size, 524288);
	done(&p);
}
END_TEST

/* Caching mode: the sync's flush after mapping is part of the sync. */
START_TEST(a_flush_after_mapping_belongs_to_what_mapped)
{
	struct read p = parse(
	    ALLOC RET LINK("10", "123478000") MAP("ffffe000", "fffff000", "123478000") TASK
	    "dma_iova_sync: (x+0x4/0x50) off=0 size=4096 state=0x10 device=\"0000:00:03.0\"\n" TASK
	    "cache_tag_flush_range_np: dmar0 dmar0[0] type iotlb did 3 [0xffffe000-0xffffefff] addr "
	    "0xffffe000 mask "
	    "0x0\n" TASK "qi_submit: iotlb_inv dmar0: 0x300f2 0xffffe000 0x0 0x0\n");

	ck_assert_uint_eq(p.o->ops->len, 3);
	ck_assert_uint_eq(operations_at(p.o, 2)->kind, REPLAY_SYNC);
	ck_assert_uint_eq(operations_at(p.o, 2)->nevents, 3);
	done(&p);
}
END_TEST

int main(void)
{
	TCase *calls = tcase_create("calls");

	tcase_add_test(calls, addresses_of_somebody_else_are_mappings_of_their_own);
	tcase_add_test(calls, only_the_first_call_of_a_context_may_be_cut);
	tcase_add_test(calls, windows_are_told_apart_by_their_state);
	tcase_add_test(calls, what_destroy_calls_is_part_of_it);
	tcase_add_test(calls, coherent_memory_of_6_12_has_no_direction);
	tcase_add_test(calls, a_flush_after_mapping_belongs_to_what_mapped);
	return test_run("operations", calls, NULL);
}
