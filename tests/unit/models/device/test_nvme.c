/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The controller's commands in time: what waits for what. */
#include "nvme_support.h"

/*
 * 64 reads at once, and a root complex that keeps posted writes for 20 us before they are visible. A
 * completion entry follows its data on the link and stays behind them by itself: a read takes that time once,
 * not for its data and again for its entry, and the others do not wait for it. (Fetches of entries wait for
 * writes before them: some rounds, not 64.)
 */
START_TEST(entries_follow_their_data)
{
	struct nvme_rig rig = nvme_rig_new(
	    "legacy", IOMMU_OFF, KERNEL_7_0, FIDELITY_TIMING, "nvme.drive=null", "nvme.loop=open",
	    "pcie.write_latency=20us", "pcie.write_buffer=4096", "cpu.count=1", "cpu.clock_scale=0.1", NULL);
	double first, last;

	for (unsigned i = 0; i < 64; i++)
		nvme_rig_submit(&rig, NVME_OP_READ, i * 4096, 4096, NULL, 0);
	nvme_rig_finish(&rig);
	ck_assert_uint_eq(rig.m->io.completed, 64);
	first = (double)hist_quantile(rig.m->io.latency_ns, 0) / 1000;
	last = (double)(rig.m->io.last - rig.m->io.first) / SIM_US;
	ck_assert_double_gt(first, 20);
	ck_assert_double_lt(first, 40);
	ck_assert_double_lt(last, 5 * 20);
	nvme_rig_free(&rig);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("nvme controller");

	tcase_add_test(t, entries_follow_their_data);
	return test_run("nvme controller", t, NULL);
}
