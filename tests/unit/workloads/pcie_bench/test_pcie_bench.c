/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A benchmark card: what it measures follows from a few values of the machine. */
#include "workload_rig.h"

static void bench_open(struct workload_rig *r, enum iommu_mode mode)
{
	workload_rig_open(r, "pcie_bench", "legacy", mode, FIDELITY_TIMING);
	workload_rig_set(r, "iommu.superpages", "false");
	workload_rig_set(r, "memory.latency_llc", "20ns");
	workload_rig_set(r, "memory.latency_dram", "100ns");
	workload_rig_set(r, "pcie.read_rtt", "400ns");
	workload_rig_set(r, "iotlb.entries", "100");
	workload_rig_set(r, "iotlb.hit_latency", "0");
	workload_rig_set(r, "walker.read_latency", "150ns");
	workload_rig_set(r, "walker.miss_overhead", "50ns");
	workload_rig_set(r, "pcie_bench.samples", "20000");
}

START_TEST(read_latency_is_hit_plus_penalty_times_misses)
{
	static const double pages[] = {50, 125, 200, 1000};
	struct workload_rig r;

	bench_open(&r, _i ? IOMMU_STRICT : IOMMU_OFF);
	workload_rig_set(&r, "pcie_bench.windows", "200KiB,500KiB,800KiB,4000KiB");
	workload_rig_run(&r);
	for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
		double misses = _i && pages[i] > 100 ? 1 - 100 / pages[i] : 0;

		ck_assert_double_eq_tol(workload_rig_cell(&r, i, "miss_fraction"), misses, 0.015);
		ck_assert_double_eq_tol(workload_rig_cell(&r, i, "latency_mean_ns"), 480 + 200 * misses, 4);
	}
	workload_rig_close(&r);
}
END_TEST

START_TEST(warm_reads_and_superpages_take_what_they_should)
{
	struct workload_rig r;

	bench_open(&r, IOMMU_STRICT);
	workload_rig_set(&r, "iommu.superpages", "true");
	workload_rig_set(&r, "pcie_bench.cold", "false");
	workload_rig_set(&r, "pcie_bench.windows", "64MiB");
	workload_rig_set(&r, "pcie_bench.piece", "4MiB");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(workload_rig_cell(&r, 0, "latency_mean_ns"), 400, 1);
	workload_rig_close(&r);
}
END_TEST

/* All accesses miss: no more than concurrency / penalty of them per second, in order or not. */
START_TEST(missing_accesses_are_limited_by_the_walkers)
{
	static const char *const walkers[] = {"1", "4"};
	struct workload_rig r;

	bench_open(&r, IOMMU_STRICT);
	workload_rig_set(&r, "walker.slow_share", "0");
	workload_rig_set(&r, "walker.concurrency", walkers[_i & 1]);
	workload_rig_set(&r, "pcie_bench.op", _i & 2 ? "write" : "read");
	workload_rig_set(&r, "pcie_bench.measure", "throughput");
	workload_rig_set(&r, "pcie_bench.windows", "64MiB");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(workload_rig_cell(&r, 0, "rate_per_s") / ((_i & 1 ? 4 : 1) / 200e-9), 1,
				0.03);
	workload_rig_close(&r);
}
END_TEST

static void fast_card(struct workload_rig *r)
{
	workload_rig_set(r, "walker.slow_share", "0");
	workload_rig_set(r, "walker.concurrency", "64");
	workload_rig_set(r, "pcie.lanes", "16");
	workload_rig_set(r, "pcie.rate", "64");
	workload_rig_set(r, "pcie_bench.command_limit", "512");
	workload_rig_set(r, "pcie_bench.command_window", "200");
	workload_rig_set(r, "pcie_bench.read_interval", "0");
	workload_rig_set(r, "pcie_bench.read_interval_byte", "0");
	workload_rig_set(r, "pcie_bench.measure", "throughput");
}

/*
 * Remapping takes up n reads in order, all walks take as long, the share m misses: whatever was taken up
 * together with the oldest miss leaves together with it, and so do the hits that come before the next
 * miss. So each walk's time sees n + (1 - m) / m reads.
 */
START_TEST(reads_in_remapping_are_few_and_in_order)
{
	static const double n[] = {1, 2, 4, 8};
	static const char *const windows[] = {"400KiB", "500KiB", "800KiB", "4000KiB"};
	g_autofree char *places = g_strdup_printf("%g", n[_i / 4]);
	struct workload_rig r;
	double m;

	bench_open(&r, IOMMU_STRICT);
	fast_card(&r);
	workload_rig_set(&r, "pcie.read_window", places);
	workload_rig_set(&r, "pcie_bench.windows", windows[_i % 4]);
	workload_rig_run(&r);
	m = workload_rig_cell(&r, 0, "miss_fraction");
	if (_i % 4) {
		ck_assert_double_eq_tol(
		    workload_rig_cell(&r, 0, "rate_per_s") * 200e-9 / (n[_i / 4] + (1 - m) / m), 1, 0.04);
	} else {
		ck_assert_double_eq(m, 0);
	}
	workload_rig_close(&r);
}
END_TEST

/* A walker is kept until the lines of its read are gone; a write gives it back at once. */
START_TEST(walkers_stay_with_their_reads)
{
	static const double lines[] = {0, 1, 3, 7};
	static const char *const sizes[] = {"64", "128", "256", "512"};
	bool write = _i & 4;
	struct workload_rig r;

	bench_open(&r, IOMMU_STRICT);
	fast_card(&r);
	workload_rig_set(&r, "walker.concurrency", "3");
	workload_rig_set(&r, "pcie.read_line", "30ns");
	workload_rig_set(&r, "pcie.write_buffer", "1000");
	workload_rig_set(&r, "pcie_bench.write_interval", "0");
	workload_rig_set(&r, "pcie_bench.write_interval_byte", "0");
	workload_rig_set(&r, "pcie_bench.op", write ? "write" : "read");
	workload_rig_set(&r, "pcie_bench.size", sizes[_i & 3]);
	workload_rig_set(&r, "pcie_bench.windows", "64MiB");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(workload_rig_cell(&r, 0, "rate_per_s") *
				    (200e-9 + (write ? 0 : lines[_i & 3] * 30e-9)) / 3,
				1, 0.03);
	workload_rig_close(&r);
}
END_TEST

/* Writes wait for room: lines in the buffer / time that each stays there. */
START_TEST(posted_writes_are_limited_by_their_buffer)
{
	struct workload_rig r;

	bench_open(&r, IOMMU_OFF);
	workload_rig_set(&r, "pcie.write_buffer", "10");
	workload_rig_set(&r, "pcie.write_latency", "1us");
	workload_rig_set(&r, "pcie_bench.op", "write");
	workload_rig_set(&r, "pcie_bench.measure", "throughput");
	workload_rig_set(&r, "pcie_bench.windows", "64KiB");
	workload_rig_run(&r);
	ck_assert_double_eq_tol(workload_rig_cell(&r, 0, "rate_per_s"), 10 / 1e-6, 0.02 * 10 / 1e-6);
	workload_rig_close(&r);
}
END_TEST

/* Each byte of a transfer is mapped, however large it is next to the pieces and the window. */
START_TEST(transfers_lie_within_the_buffer)
{
	static const struct {
		const char *size, *windows, *piece;
	} loads[] = {{"8KiB", "1MiB", NULL},      {"64KiB", "1MiB", NULL},    {"5000", "20KiB,8KiB", NULL},
		     {"1MiB", "3MiB,1MiB", NULL}, {"64KiB", "1MiB", "16KiB"}, {"4KiB", "4KiB", NULL},
		     {"64KiB", "68KiB", "64KiB"}};
	struct workload_rig r;
	uint64_t n;

	workload_rig_open(&r, "pcie_bench", "legacy", IOMMU_STRICT,
			  _i & 1 ? FIDELITY_TIMING : FIDELITY_COUNTS);
	workload_rig_set(&r, "pcie_bench.size", loads[_i / 2].size);
	workload_rig_set(&r, "pcie_bench.windows", loads[_i / 2].windows);
	if (loads[_i / 2].piece)
		workload_rig_set(&r, "pcie_bench.piece", loads[_i / 2].piece);
	workload_rig_set(&r, "pcie_bench.samples", "500");
	workload_rig_set(&r, "pcie_bench.warm_up", "100");
	workload_rig_run(&r);
	n = 500 * r.w->curve.nrows;
	ck_assert_uint_eq(r.m->vtd_stats.faults, 0);
	ck_assert_uint_eq(r.m->io.failed, 0);
	ck_assert_uint_eq(r.m->io.completed, n);
	ck_assert_uint_eq(workload_rig_stat(&r, "pcie_bench.transfers"), n);
	workload_rig_close(&r);
}
END_TEST

START_TEST(a_window_smaller_than_a_transfer_is_an_error)
{
	struct workload_rig r;
	GError *error = NULL;

	workload_rig_open(&r, "pcie_bench", "legacy", IOMMU_STRICT, FIDELITY_COUNTS);
	workload_rig_set(&r, "pcie_bench.size", "64KiB");
	workload_rig_set(&r, "pcie_bench.windows", "1MiB,60KiB");
	if (_i) {
		workload_rig_set(&r, "pcie_bench.target", "hole"); /* has no buffer to run off */
		workload_rig_run(&r);
		workload_rig_close(&r);
		return;
	}
	r.m = machine_new(r.config, r.mode, &kernel_profiles[r.api->shipped], r.fidelity, 1, &error);
	ck_assert_ptr_nonnull(r.m);
	ck_assert_ptr_null(r.ops->create(r.m, r.api, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "pcie_bench.windows"));
	ck_assert_ptr_nonnull(strstr(error->message, "pcie_bench.size"));
	g_error_free(error);
	machine_free(r.m);
	config_free(r.config);
}
END_TEST

/* What faults is not completed, the warm-up is not counted, and each half of a transfer asks for its page. */
START_TEST(faulted_transfers_failed)
{
	static const char *const ops[] = {"read", "write", "write_read"};
	unsigned halves = _i / 2 == 2 ? 2 : 1;
	bool ats = _i & 1;
	struct workload_rig r;

	workload_rig_open(&r, "pcie_bench", "legacy", IOMMU_STRICT, FIDELITY_COUNTS);
	workload_rig_set(&r, "pcie_bench.target", "hole");
	workload_rig_set(&r, "pcie_bench.op", ops[_i / 2]);
	workload_rig_set(&r, "pcie_bench.windows", "1MiB,64KiB");
	workload_rig_set(&r, "pcie_bench.samples", "50");
	workload_rig_set(&r, "pcie_bench.warm_up", "7");
	if (ats)
		workload_rig_set(&r, "ats.devices", "all");
	workload_rig_run(&r);
	ck_assert_uint_eq(r.m->io.failed, 100);
	ck_assert_uint_eq(r.m->io.completed, 0);
	ck_assert_uint_eq(r.m->io.bytes, 0);
	ck_assert_uint_eq(workload_rig_stat(&r, "pcie_bench.transfers"), 100);
	ck_assert_uint_eq(ats ? r.m->vtd_stats.page_requests : r.m->vtd_stats.faults, 114 * halves);
	workload_rig_close(&r);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("pcie_bench");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, read_latency_is_hit_plus_penalty_times_misses, 0, 2);
	tcase_add_test(t, warm_reads_and_superpages_take_what_they_should);
	tcase_add_loop_test(t, missing_accesses_are_limited_by_the_walkers, 0, 4);
	tcase_add_loop_test(t, reads_in_remapping_are_few_and_in_order, 0, 16);
	tcase_add_loop_test(t, walkers_stay_with_their_reads, 0, 8);
	tcase_add_test(t, posted_writes_are_limited_by_their_buffer);
	tcase_add_loop_test(t, transfers_lie_within_the_buffer, 0, 14);
	tcase_add_loop_test(t, a_window_smaller_than_a_transfer_is_an_error, 0, 2);
	tcase_add_loop_test(t, faulted_transfers_failed, 0, 6);
	return test_run("pcie_bench", t, NULL);
}
