/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define GAP_NS 50u
#define BLOCKS (1u << 20) /* of 4 KiB, read at random */
#define FIRST_PAGE                                                                              \
	0x10000u /* of the memory that scattered requests name, away from what the machine uses \
		  */
#define SCATTER_PAGES 0x40000u              /* ... and so many */
#define HALF_PAGE (uint32_t)(PAGE_SIZE / 2) /* where a scattered request begins and ends */

extern const struct workload_ops nvme_workload;

double stack_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

long stack_peak_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void set(struct config *c, const char *name, const char *value)
{
	GError *error = NULL;

	if (!config_set(c, name, value, "bench", &error)) {
		fprintf(stderr, "bench: %s\n", error->message);
		exit(2);
	}
}

static struct config *one_queue(void)
{
	struct config *c = config_new();

	set(c, "cpu.count", "1");
	set(c, "nvme.drive", "null");
	set(c, "nvme.loop", "closed");
	set(c, "nvme.queue_depth", "32");
	return c;
}

/* Half a page, 31 pages, half a page. */
static void scatter(struct trace_record *rec, struct trace_segment *segs, struct rng *rng)
{
	for (unsigned i = 0; i < STACK_SEGMENTS; i++) {
		phys_addr_t page = (FIRST_PAGE + rng_below(rng, SCATTER_PAGES)) << PAGE_SHIFT;
		bool end = i == 0 || i == STACK_SEGMENTS - 1;

		segs[i] = (struct trace_segment){.phys = i == 0 ? page + HALF_PAGE : page,
						 .len = end ? HALF_PAGE : (uint32_t)PAGE_SIZE,
						 .kind = MEMORY_RAM};
	}
	rec->segs = segs;
	rec->nsegs = STACK_SEGMENTS;
	rec->nvme.bytes = (STACK_SEGMENTS - 1) * PAGE_SIZE;
}

double stack_run(const struct dma_api *api, enum iommu_mode mode, enum fidelity fidelity,
		 enum stack_load load, uint64_t n, long *grown)
{
	struct config *config = one_queue();
	struct trace_segment segs[STACK_SEGMENTS];
	GError *error = NULL;
	struct machine *m = machine_new(config, mode, &kernel_profiles[api->shipped], fidelity, 1, &error);
	struct workload *w = m ? nvme_workload.create(m, api, &error) : NULL;
	struct rng rng;
	double start;
	long half = 0;
	bool ok = w != NULL;

	rng_init(&rng, 1, "bench");
	start = stack_seconds();
	for (uint64_t i = 0; ok && i < n; i++) {
		struct trace_record rec = {.time_ns = i * GAP_NS,
					   .where = i,
					   .nvme = {.op = NVME_OP_READ,
						    .offset = rng_below(&rng, BLOCKS) * PAGE_SIZE,
						    .bytes = PAGE_SIZE,
						    .done_ns = TRACE_NO_TIME}};

		if (load == STACK_SCATTERED)
			scatter(&rec, segs, &rng);
		ok = nvme_workload.record(w, &rec, &error);
		if (i == n / 2)
			half = stack_peak_kib();
	}
	ok = ok && nvme_workload.finish(w, &error);
	start = stack_seconds() - start;
	if (grown)
		*grown = stack_peak_kib() - half;
	if (!ok)
		fprintf(stderr, "bench: %s\n", error ? error->message : "failed");
	if (w)
		nvme_workload.destroy(w);
	machine_free(m);
	config_free(config);
	return ok ? start : -1;
}
