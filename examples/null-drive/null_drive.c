/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device of one's own, outside the dmasim tree: a drive that reads its command and its data through
 * the IOMMU and does nothing else. Shows how to embed the library: build a machine, add a device, port
 * a driver's DMA calls as they stand in the kernel, let the device access memory, read statistics.
 *
 *   cc null_drive.c $(pkg-config --cflags --libs dmasim) -o null_drive && ./null_drive
 */
#include <dmasim/dma-mapping.h>
#include <dmasim/machine.h>
#include <dmasim/pcie.h>

#include <stdio.h>
#include <stdlib.h>

struct null_drive {
	struct machine *machine;
	struct device *dev;
	dma_addr_t command_dma; /* one command slot in coherent memory */
	phys_addr_t command;
};

/* The hardware side: fetch the 64-byte command, then the data. 0 or errno. */
static int null_drive_execute(struct null_drive *d, dma_addr_t data, uint64_t len)
{
	struct pcie_dma fetch = {
	    .fn = d->dev->pci, .op = PCIE_READ, .addr = d->command_dma, .len = 64, .pasid = NO_PASID};
	struct pcie_dma read = {
	    .fn = d->dev->pci, .op = PCIE_READ, .addr = data, .len = len, .pasid = NO_PASID};
	int err = pcie_dma(&fetch, machine_now(d->machine));

	return err ? err : pcie_dma(&read, fetch.done);
}

/* The driver side: what a kernel driver would write, with the kernel's own calls. */
static int null_drive_write(struct null_drive *d, phys_addr_t buffer, size_t len)
{
	dma_addr_t addr = dma_map_phys(d->dev, buffer, len, DMA_TO_DEVICE, 0);
	int err;

	if (dma_mapping_error(d->dev, addr))
		return -ENOMEM;
	err = null_drive_execute(d, addr, len);
	dma_unmap_phys(d->dev, addr, len, DMA_TO_DEVICE, 0);
	return err;
}

struct job {
	struct null_drive drive;
	phys_addr_t buffer;
	int err;
};

/* Kernel code runs on a simulated CPU. */
static void probe_and_write(void *arg)
{
	struct job *job = arg;

	job->drive.command = dma_alloc_coherent(job->drive.dev, PAGE_SIZE, &job->drive.command_dma);
	for (int i = 0; i < 1000 && !job->err; i++)
		job->err = null_drive_write(&job->drive, job->buffer, 16 * KIB);
	dma_free_coherent(job->drive.dev, PAGE_SIZE, job->drive.command, job->drive.command_dma);
}

int main(void)
{
	GError *error = NULL;
	struct config *config = config_new();
	struct job job = {0};

	job.drive.machine = machine_new(config, IOMMU_STRICT, kernel_profile_find("7.0"), FIDELITY_COUNTS, 1,
					&error);
	if (job.drive.machine)
		job.drive.dev = machine_add_device(job.drive.machine, NULL, &error);
	if (!job.drive.dev) {
		fprintf(stderr, "null_drive: %s\n", error->message);
		return EXIT_FAILURE;
	}
	job.buffer = machine_alloc_pages(job.drive.machine, 0, 2);
	machine_run(job.drive.machine, 0, probe_and_write, &job);
	printf("maps %" G_GUINT64_FORMAT ", page-selective invalidations %" G_GUINT64_FORMAT
	       ", IOTLB misses %" G_GUINT64_FORMAT "\n",
	       machine_stat(job.drive.machine, "dma.map_calls").i,
	       machine_stat(job.drive.machine, "qi.desc_iotlb_page").i,
	       machine_stat(job.drive.machine, "iotlb.misses").i);
	machine_free(job.drive.machine);
	config_free(config);
	return job.err ? EXIT_FAILURE : EXIT_SUCCESS;
}
