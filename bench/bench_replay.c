/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests per second of the whole stack on one core: 4 KiB random reads, 50 ns apart, on one CPU and
 * queue, in both fidelities, for each API and mode; the ratio to the first row of the same API (passthrough,
 * unless a mode is given), which holds whatever else the machine does; and how much memory the process takes.
 *
 *   bench_replay [millions of requests (10) [api [iommu mode [counts or timing]]]]
 */
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	t = stack_run(api, mode, f, STACK_PAGE, n, &grown);
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
