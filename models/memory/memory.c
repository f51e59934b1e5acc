/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simulated physical memory: parameters and life. */
#include "internal.h"

#define PARAMS_OF struct memory_params
static const struct param_spec memory_specs[] = {
    PARAM(size, SIZE, "64GiB", .min = 16.0 * MIB, .max = 4096.0 * GIB, .help = "DRAM of the machine"),
    PARAM(nodes, UINT, "1", .min = 1, .max = 16, .help = "NUMA nodes, equal shares of DRAM"),
    PARAM(fragmentation, DOUBLE, "1", .max = 1,
	  .help =
	      "chance that the page after a data page lies elsewhere: 0 neighbours, 1 every page by itself"),
    PARAM(huge_share, DOUBLE, "0", .max = 1, .help = "share of data buffers that are backed by 2 MiB pages"),
    PARAM(low_hole_base, SIZE, "2GiB", .min = 16.0 * MIB, .max = 4096.0 * MIB,
	  .help = "start of the MMIO hole below 4 GiB; DRAM goes on at 4 GiB"),
    PARAM(latency_llc, TIME, "20ns", .max = 1e7,
	  .help = "one read by the I/O side that hits the last-level cache; models use differences between "
		  "the three",
	  .source = "E (absolute value; pcie.read_rtt holds the round trip)"),
    PARAM(latency_dram, TIME, "87ns", .max = 1e7, .help = "one read by the I/O side from local DRAM",
	  .source = "pcie-bench (SIGCOMM 2018), Broadwell: 480 - 413 ns, difference to latency_llc: A"),
    PARAM(latency_remote, TIME, "148ns", .max = 1e7,
	  .help = "one read by the I/O side from another socket's DRAM",
	  .source = "pcie-bench (SIGCOMM 2018), Broadwell: 541 - 480 ns, difference to latency_dram: A"),
    PARAM(io_hits_llc, BOOL, "true",
	  .help = "device reads of lines that a CPU wrote hit the last-level cache"),
    PARAM(llc_size, SIZE, "0", .max = 1e10,
	  .help = "last-level cache of a socket (pcie_bench: what stays warm); 0: as large as it takes"),
    PARAM(
	llc_io, SIZE, "0", .max = 1e10,
	.help = "part of memory.llc_size that lines written by devices may occupy; 0: as large as it takes"),
};
const struct param_table memory_param_table = PARAM_TABLE("memory", "DRAM: size, nodes, layout, latency",
							  memory_specs);
#undef PARAMS_OF

struct memory *memory_new(struct sim *sim, const struct memory_params *p)
{
	struct memory *m = g_new0(struct memory, 1);
	uint64_t size = align_down(p->size, PAGE_SIZE),
		 low = MIN(size, align_down(p->low_hole_base, PAGE_SIZE));

	m->sim = sim;
	m->params = *p;
	m->params.size = size;
	m->low_last = low - 1;
	m->high_last = size > low ? 4 * GIB + (size - low) - 1 : 0;
	m->ram_pages = size >> PAGE_SHIFT;
	m->node_pages = MAX(m->ram_pages / p->nodes, 1);
	m->nchunks = (memory_max(m) >> (PAGE_SHIFT + CHUNK_LG2)) + 1;
	m->contents = g_new0(struct page_contents *, m->nchunks);
	m->infos = g_new0(struct page_infos *, m->nchunks);
	m->bars = g_array_new(FALSE, TRUE, sizeof(struct bar));
	m->slabs = g_ptr_array_new_with_free_func(g_free);
	memory_alloc_init(m);
	return m;
}

void memory_free(struct memory *m)
{
	if (!m)
		return;
	memory_alloc_fini(m);
	for (uint64_t i = 0; i < m->nchunks; i++) {
		g_free(m->contents[i]);
		g_free(m->infos[i]);
	}
	for (guint i = 0; i < m->bars->len; i++) {
		struct bar *b = &g_array_index(m->bars, struct bar, i);

		for (uint64_t c = 0; c < bar_chunks(b); c++)
			g_free(b->contents[c]);
		g_free(b->contents);
	}
	g_free(m->contents);
	g_free(m->infos);
	g_array_free(m->bars, TRUE);
	g_ptr_array_free(m->slabs, TRUE);
	g_free(m);
}

const struct memory_params *memory_params(const struct memory *m)
{
	return &m->params;
}
