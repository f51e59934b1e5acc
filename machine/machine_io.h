/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How requests of a workload end; what struct io_stats counts. */
#ifndef DMASIM_MACHINE_IO_H
#define DMASIM_MACHINE_IO_H

#include "machine.h"
#include <dmasim/stat.h>

/* Its data have moved. */
static inline void machine_io_completed(struct machine *m, uint64_t bytes, sim_time_t end)
{
	m->io.completed++;
	m->io.bytes += bytes;
	m->io.last = MAX(m->io.last, end);
}
/* How long it took. In fidelity = counts that is what the CPU did for it: replayed traces leave it out. */
static inline void machine_io_latency(struct machine *m, sim_time_t start, sim_time_t end)
{
	hist_add(m->io.latency_ns, (end - start) / SIM_NS, 1);
}
/* An access failed, or the device refused it; its memory could not be mapped. Keeps why the first one did. */
void machine_io_failed(struct machine *m);
void machine_io_refused(struct machine *m);

#endif
