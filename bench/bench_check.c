/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --check costs: the same load without and with it, user time of the fastest of five. */
#include "experiment/result.h"
#include <stdio.h>
#include <sys/resource.h>

static double user_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
}

static bool set(struct scenario *s, const char *const *settings)
{
	GError *error = NULL;

	for (; settings[0]; settings += 2)
		if (!scenario_set(s, settings[0], settings[1], "the benchmark", &error)) {
			fprintf(stderr, "%s\n", error->message);
			return false;
		}
	return true;
}

static double run(const char *fidelity, const char *check)
{
	const char *const settings[] = {"workload.generator",
					"nvme",
					"workload.requests",
					"100000",
					"workload.sizes",
					"4KiB:3,64KiB:1",
					"compare.iommu",
					"strict,lazy",
					"scenario.fidelity",
					fidelity,
					"scenario.check",
					check,
					NULL};
	const struct experiment_options o = {.threads = 1};
	double best = 1e9;

	for (int i = 0; i < 5; i++) {
		struct scenario *s = scenario_new();
		struct experiment_result *r = NULL;
		double start = user_seconds();
		GError *error = NULL;

		if (set(s, settings) && scenario_resolve(s, &error))
			r = experiment_run(s, &o, &error);
		if (!r) {
			fprintf(stderr, "%s\n", error ? error->message : "");
			return 0;
		}
		best = MIN(best, user_seconds() - start);
		experiment_result_free(r);
		scenario_free(s);
	}
	return best;
}

int main(void)
{
	static const char *const fidelities[] = {"counts", "timing"};

	for (size_t i = 0; i < G_N_ELEMENTS(fidelities); i++) {
		double off = run(fidelities[i], "false"), on = run(fidelities[i], "true");

		printf("%s: %.3f s without, %.3f s with --check: %.2f times\n", fidelities[i], off, on,
		       on / off);
	}
	return 0;
}
