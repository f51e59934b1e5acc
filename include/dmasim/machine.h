/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine is a value: everything one run needs, and nothing outside it. One machine runs one API
 * in one IOMMU mode; machines that are compared share only the read-only record buffer. A machine is used by
 * one thread at a time; different machines by different threads.
 */
#ifndef DMASIM_MACHINE_H
#define DMASIM_MACHINE_H

#include <dmasim/config.h>
#include <dmasim/device.h>
#include <dmasim/export.h>
#include <dmasim/kernel.h>
#include <dmasim/stat.h>

struct machine;

/*
 * A machine of this configuration with an IOMMU driver of that kernel in that mode. config must outlive it.
 * seed starts all its random streams. NULL with *error when the values contradict each other or a file that
 * they name cannot be read. Free with machine_free.
 */
DMASIM_API struct machine *machine_new(const struct config *config, enum iommu_mode mode,
				       const struct kernel_profile *kernel, enum fidelity fidelity,
				       uint64_t seed, GError **error);
/* Free the machine with its devices. NULL: nothing to do. */
DMASIM_API void machine_free(struct machine *m);
/*
 * Add a PCI endpoint under its own root port (or find it in the loaded topology), attach it to the
 * fabric, the IOMMU unit and the DMA layer. name "0000:00:01.0", or NULL for the next free one. The machine
 * owns the device. NULL with *error when there is no such function, or no room for one more.
 */
DMASIM_API struct device *machine_add_device(struct machine *m, const char *name, GError **error);
/* Number of simulated CPUs (cpu.count), from 1. */
DMASIM_API unsigned machine_cpus(const struct machine *m);
/*
 * Run fn(arg) as kernel code of CPU cpu (below machine_cpus) and return when it has ended; all calls of
 * <dmasim/dma-mapping.h> are made from such code. Not from inside another fn.
 */
DMASIM_API void machine_run(struct machine *m, unsigned cpu, void (*fn)(void *arg), void *arg);
/* Simulated time, in picoseconds from the machine's beginning; in kernel code that of its CPU. */
DMASIM_API sim_time_t machine_now(const struct machine *m);
/* 2^order pages (4 KiB each, contiguous) of node's memory; 0 when it is exhausted. */
DMASIM_API phys_addr_t machine_alloc_pages(struct machine *m, unsigned node, unsigned order);
/* Give back what machine_alloc_pages gave. */
DMASIM_API void machine_free_pages(struct machine *m, phys_addr_t base, unsigned order);
/*
 * A statistic of the machine by name (`dmasim stats`), as it stands; STAT_NULL when the fidelity does not
 * compute it, when it is a histogram, or when there is none of that name.
 */
DMASIM_API struct stat_value machine_stat(const struct machine *m, const char *name);

#endif
