/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests per second of the whole stack on one core: 4 KiB random reads, 50 ns apart, on one CPU and
 * queue, in both fidelities, for each API and mode; the ratio to the first row of the same API (passthrough,
 * unless a mode is given), which holds whatever else the machine does; and how much memory the process takes.
 *
 *   bench_replay [millions of requests (10) [api [iommu mode [counts or timing]]]]
 */
#include <dmasim/workload.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

extern const struct workload_ops nvme_workload;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static long peak_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void set(struct config *c, const char *name, const char *value)
{
	GError *error = NULL;

	if (!config_set(c, name, value, "bench", &error)) {
		fprintf(stderr, "bench_replay: %s\n", error->message);
		exit(2);
	}
}

/* Seconds for n requests, negative on failure; *grown: KiB that the process grew by over the last half. */
static double run(const struct dma_api *api, enum iommu_mode mode, enum fidelity fidelity, uint64_t n,
		  long *grown)
{
	struct config *config = config_new();
	GError *error = NULL;
	struct machine *m;
	struct workload *w;
	struct rng rng;
	double start;
	long half = 0;
	bool ok = true;

	set(config, "cpu.count", "1");
	set(config, "nvme.drive", "null");
	set(config, "nvme.loop", "closed");
	set(config, "nvme.queue_depth", "32");
	m = machine_new(config, mode, &kernel_profiles[api->shipped], fidelity, 1, &error);
	w = m ? nvme_workload.create(m, api, &error) : NULL;
	rng_init(&rng, 1, "bench");
	start = seconds();
	for (uint64_t i = 0; w && ok && i < n; i++) {
		struct trace_record rec = {.time_ns = i * 50,
					   .where = i,
					   .nvme = {.op = NVME_OP_READ,
						    .offset = rng_below(&rng, 1 << 20) * 4096,
						    .bytes = 4096,
						    .done_ns = TRACE_NO_TIME}};

		ok = nvme_workload.record(w, &rec, &error);
		if (i == n / 2)
			half = peak_kib();
	}
	ok = w && ok && nvme_workload.finish(w, &error);
	start = seconds() - start;
	*grown = peak_kib() - half;
	if (!ok)
		fprintf(stderr, "bench_replay: %s\n", error ? error->message : "failed");
	if (w)
		nvme_workload.destroy(w);
	machine_free(m);
	config_free(config);
	return ok ? start : -1;
}

/* Columns of one fidelity, "-" when only the other is wanted. *base: the first rate of this API. */
static bool rate(const struct dma_api *api, enum iommu_mode mode, enum fidelity f, uint64_t n,
		 const char *wanted, double *base)
{
	static const char *const names[] = {[FIDELITY_COUNTS] = "counts", [FIDELITY_TIMING] = "timing"};
	long grown = 0;
	double t;

	if (strcmp(wanted, names[f])) {
		printf(" %16s %8s %12s", "-", "-", "-");
		return true;
	}
	t = run(api, mode, f, n, &grown);
	if (t < 0)
		return false;
	if (*base <= 0)
		*base = (double)n / t;
	printf(" %16.0f %8.2f %12ld", (double)n / t, (double)n / t / *base, grown);
	fflush(stdout);
	return true;
}

int main(int argc, char **argv)
{
	uint64_t n = (uint64_t)((argc > 1 ? atof(argv[1]) : 10) * 1e6);

	printf("%-8s %-12s %16s %8s %12s %16s %8s %12s\n", "api", "iommu", "counts req/s", "ratio",
	       "growth KiB", "timing req/s", "ratio", "growth KiB");
	for (const struct dma_api *const *api = dma_apis; *api; api++) {
		double counts = 0, timing = 0;

		if (argc > 2 && strcmp(argv[2], (*api)->name))
			continue;
		for (int mode = IOMMU_PASSTHROUGH; mode <= IOMMU_STRICT; mode++) {
			if (argc > 3 && strcmp(argv[3], iommu_mode_names[mode]))
				continue;
			printf("%-8s %-12s", (*api)->name, iommu_mode_names[mode]);
			if (!rate(*api, (enum iommu_mode)mode, FIDELITY_COUNTS, n,
				  argc > 4 ? argv[4] : "counts", &counts) ||
			    !rate(*api, (enum iommu_mode)mode, FIDELITY_TIMING, n / 4,
				  argc > 4 ? argv[4] : "timing", &timing))
				return 1;
			printf("\n");
		}
	}
	return 0;
}
