/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PRP or SGL: every policy against the same requests. */
#include "support.h"
#include "workloads/nvme/nvme.h"

enum { PRP = NVME_FORMAT_PRP, SGL = NVME_FORMAT_SGL };

/* threshold 32 KiB; bytes over segments; gap: a seam inside a controller page; listed: metadata in pieces */
static const struct {
	bool sgl, gap, listed;
	uint64_t bytes;
	unsigned segments;
	int page, iter, list; /* page: without a list of PRPs */
} rows[] = {
    {true, false, false, 4096, 1, PRP, PRP, PRP},  {true, false, false, 32768, 1, PRP, SGL, SGL},
    {true, false, false, 65536, 2, PRP, SGL, SGL}, {true, false, false, 65535, 3, PRP, PRP, PRP},
    {true, true, false, 8192, 2, SGL, SGL, SGL},   {true, true, false, 8192, 1, SGL, SGL, PRP},
    {true, false, true, 8192, 2, SGL, SGL, SGL},   {false, false, false, 1048576, 1, PRP, PRP, PRP},
    {false, true, false, 8192, 2, SGL, PRP, PRP},
};

START_TEST(policies)
{
	struct nvme_workload w = {.params = {.sgl = rows[_i].sgl, .sgl_threshold = 32 * KIB}};
	struct nvme_dev dev = {.w = &w};
	struct nvme_queue q = {.dev = &dev};
	struct nvme_request rq = {.queue = &q, .bytes = rows[_i].bytes};

	rq.gap_mask = rows[_i].gap ? 512 : 0;
	rq.meta.len = rows[_i].listed ? 64 : 0;
	rq.meta.segments = 2;
	ck_assert_int_eq(nvme_policy_page(&rq, true), rows[_i].page);
	ck_assert_int_eq(nvme_policy_page(&rq, false), SGL);
	ck_assert_int_eq(nvme_policy_iter(&rq, rows[_i].segments), rows[_i].iter);
	ck_assert_int_eq(nvme_policy_list(&rq, rows[_i].segments), rows[_i].list);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("data_pointer");

	tcase_add_loop_test(t, policies, 0, G_N_ELEMENTS(rows));
	return test_run("data_pointer", t, NULL);
}
