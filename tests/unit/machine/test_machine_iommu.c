/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines with several remapping units from a DMAR table. */
#include "support.h"

#include "experiment/result.h"
#include <dmasim/dma-mapping.h>
#include <glib/gstdio.h>
#include <string.h>

/* 4 MiB right below 4 GiB, where the first ranges are handed out. */
#define REGION (4 * MIB)
#define FIRST_REGION (4 * GIB - REGION - 64 * KIB)

struct table {
	uint8_t b[256];
	size_t n;
};

static void put(struct table *t, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		t->b[t->n++] = (uint8_t)(v >> (8 * i));
}

/*
 * One unit for what is below root port 00:01.0, and if asked for one for all the rest, on node 1; regions
 * that overlap for what is below that port.
 */
static char *write_regions(bool rest, unsigned nregions, uint64_t region)
{
	char *path = g_strdup_printf("%s/dmasim-dmar-%d", g_get_tmp_dir(), (int)g_random_int());
	struct table t = {0};
	uint8_t sum = 0;

	memcpy(t.b, "DMAR", 4);
	t.b[36] = 47;
	t.n = 48;
	put(&t, 0, 2), put(&t, 24, 2), put(&t, 0, 4), put(&t, 0xfed90000, 8);
	put(&t, 2, 1), put(&t, 8, 1), put(&t, 0, 4), put(&t, 1, 2); /* bridge, bus 0, path 01.0 */
	if (rest) {
		put(&t, 0, 2), put(&t, 16, 2), put(&t, 1, 4), put(&t, 0xfed91000, 8);
		put(&t, 3, 2), put(&t, 20, 2), put(&t, 0, 4), put(&t, 0xfed91000, 8), put(&t, 1, 4);
	}
	for (unsigned i = 0; i < nregions; i++) {
		put(&t, 1, 2), put(&t, 32, 2), put(&t, 0, 4);
		put(&t, region + i * 64 * KIB, 8), put(&t, region + i * 64 * KIB + REGION - 1, 8);
		put(&t, 2, 1), put(&t, 8, 1), put(&t, 0, 4), put(&t, 1, 2);
	}
	t.b[4] = (uint8_t)t.n;
	for (size_t i = 0; i < t.n; i++)
		sum = (uint8_t)(sum + t.b[i]);
	t.b[9] = (uint8_t)-sum;
	ck_assert(g_file_set_contents(path, (const char *)t.b, (gssize)t.n, NULL));
	return path;
}

static char *write_table(bool rest)
{
	return write_regions(rest, 0, 0);
}

static struct machine *machine(struct config *c, const char *path, GError **error)
{
	ck_assert(config_set(c, "iommu.dmar", path, "test", NULL));
	ck_assert(config_set(c, "memory.nodes", "2", "test", NULL));
	return machine_new(c, IOMMU_STRICT, kernel_profile_find("6.12"), FIDELITY_COUNTS, 1, error);
}

static void transfer(struct machine *m, struct device *dev)
{
	phys_addr_t page = memory_alloc_pages(m->memory, 0, 0);
	dma_addr_t addr = dma_map_phys(dev, page, PAGE_SIZE, DMA_FROM_DEVICE, 0);
	struct pcie_dma d = {.fn = dev->pci, .op = PCIE_WRITE, .addr = addr, .len = 64, .pasid = NO_PASID};

	ck_assert_int_eq(pcie_dma(&d, 0), 0);
	dma_unmap_phys(dev, addr, PAGE_SIZE, DMA_FROM_DEVICE, 0);
}

/* Each device has its own unit, with domain ids of its own; a flush on one leaves the other alone. */
START_TEST(two_units)
{
	char *path = write_table(true);
	struct config *c = config_new();
	struct machine *m = machine(c, path, NULL);
	struct device *a, *b;

	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(m->units->len, 2);
	a = machine_add_device(m, "0000:08:00.0", NULL);
	b = machine_add_device(m, "0000:10:00.0", NULL);
	ck_assert_ptr_eq(a->pci->iommu, m->units->pdata[0]);
	ck_assert_ptr_eq(b->pci->iommu, m->units->pdata[1]);
	transfer(m, a);
	transfer(m, b);
	ck_assert_uint_eq(m->vtd_stats.walks, 2);
	ck_assert_uint_eq(m->vtd_stats.qi_iotlb_page, 2);
	ck_assert_uint_eq(m->vtd_stats.invalidated_iotlb, 2);
	machine_free(m);
	config_free(c);
	g_unlink(path);
	g_free(path);
}
END_TEST

/* Domain ids are a unit's own: coherent memory of two units has the same domain id and the same address. */
START_TEST(coherent_memory_of_two_units)
{
	char *path = _i ? write_table(true) : NULL;
	struct config *c = config_new();
	struct machine *m;
	struct device *dev[2];
	dma_addr_t handle[2];
	phys_addr_t phys[2];

	if (path)
		ck_assert(config_set(c, "iommu.dmar", path, "test", NULL));
	else
		ck_assert(config_set(c, "iommu.units", "2", "test", NULL));
	m = machine_new(c, IOMMU_STRICT, kernel_profile_find("6.12"), FIDELITY_COUNTS, 1, NULL);
	dev[0] = machine_add_device(m, "0000:08:00.0", NULL);
	dev[1] = machine_add_device(m, "0000:10:00.0", NULL);
	ck_assert_ptr_ne(dev[0]->pci->iommu, dev[1]->pci->iommu);
	for (unsigned i = 0; i < 2; i++) {
		phys[i] = dma_alloc_coherent(dev[i], 3 * PAGE_SIZE, &handle[i]);
		ck_assert_uint_ne(phys[i], 0);
	}
	ck_assert_uint_eq(handle[0], handle[1]);
	ck_assert_uint_eq(dma_coherent_phys(dev[0], phys[0], handle[0], 0), phys[0]);
	ck_assert_uint_eq(dma_coherent_phys(dev[1], phys[1], handle[1], 0), phys[1]);
	dma_free_coherent(dev[0], 3 * PAGE_SIZE, phys[0], handle[0]);
	dma_free_coherent(dev[1], 3 * PAGE_SIZE, phys[1], handle[1]);
	machine_free(m);
	config_free(c);
	if (path)
		g_unlink(path);
	g_free(path);
}
END_TEST

/* Units without a table: the ports of a socket are dealt out to the units of that socket. */
START_TEST(units_by_number)
{
	struct config *c = config_new();
	struct iommu_unit *seen[5];
	struct machine *m;

	ck_assert(config_set(c, "iommu.units", "4", "test", NULL));
	m = machine_new(c, IOMMU_STRICT, kernel_profile_find("6.12"), FIDELITY_COUNTS, 1, NULL);
	ck_assert_uint_eq(m->units->len, 4);
	for (unsigned i = 0; i < 5; i++) {
		struct device *dev = machine_add_device(m, NULL, NULL);

		seen[i] = dev->pci->iommu;
		ck_assert_ptr_eq(seen[i], m->units->pdata[i % 4]);
		transfer(m, dev);
	}
	ck_assert_uint_eq(m->vtd_stats.walks, 5);
	machine_free(m);
	config_free(c);
}
END_TEST

START_TEST(number_and_table_are_an_error)
{
	char *path = write_table(true);
	struct config *c = config_new();
	GError *error = NULL;

	ck_assert(config_set(c, "iommu.units", "2", "test", NULL));
	ck_assert_ptr_null(machine(c, path, &error));
	ck_assert_int_eq(dmasim_error_status(error), DMASIM_ERROR_USAGE);
	ck_assert_msg(strstr(error->message, "iommu.units") != NULL, "%s", error->message);
	g_error_free(error);
	config_free(c);
	g_unlink(path);
	g_free(path);
}
END_TEST

/* Which table reads are slow differs between units: each has its own stream. */
START_TEST(units_have_their_own_streams)
{
	struct config *c = config_new();
	struct machine *m;
	sim_time_t ready[2] = {0, 0};

	ck_assert(config_set(c, "iommu.units", "2", "test", NULL));
	ck_assert(config_set(c, "walker.slow_share", "0.5", "test", NULL));
	m = machine_new(c, IOMMU_STRICT, kernel_profile_find("6.12"), FIDELITY_TIMING, 1, NULL);
	m->sim.cpu = &m->sim.cpus[0];
	for (unsigned i = 0; i < 2; i++) {
		struct device *dev = machine_add_device(m, NULL, NULL);

		for (unsigned n = 0; n < 64; n++) {
			struct iommu_request rq = {.sid = dev->pci->sid,
						   .pasid = NO_PASID,
						   .access = IOMMU_ACCESS_READ,
						   .addr = (dma_addr_t)n << 30};
			struct iommu_result res;

			/* Nothing is mapped: the time until that is known has table reads in it. */
			iommu_translate(dev->pci->iommu, &rq, 0, &res);
			ready[i] = ready[i] * 3 + res.ready;
		}
	}
	ck_assert_uint_ne(ready[0], ready[1]);
	machine_free(m);
	config_free(c);
}
END_TEST

/* A device that no unit has in its scope is not translated. */
START_TEST(device_without_unit)
{
	char *path = write_table(false);
	struct config *c = config_new();
	struct machine *m = machine(c, path, NULL);
	struct device *a, *b;

	a = machine_add_device(m, "0000:08:00.0", NULL);
	b = machine_add_device(m, "0000:10:00.0", NULL);
	ck_assert_ptr_nonnull(a->pci->iommu);
	ck_assert_ptr_null(b->pci->iommu);
	ck_assert(a->use_dma_iommu && !b->use_dma_iommu);
	ck_assert(dma_set_mask(b, UINT64_MAX) == 0);
	transfer(m, b);
	ck_assert_uint_eq(m->vtd_stats.walks, 0);
	machine_free(m);
	config_free(c);
	g_unlink(path);
	g_free(path);
}
END_TEST

START_TEST(bad_tables_are_errors)
{
	char *path = write_table(true);
	struct config *c = config_new();
	GError *error = NULL;

	ck_assert_ptr_null(machine(c, "/nonexistent", &error));
	ck_assert_int_eq(dmasim_error_status(error), DMASIM_ERROR_INPUT);
	g_clear_error(&error);
	ck_assert(g_file_set_contents(path, "nonsense", -1, NULL));
	ck_assert_ptr_null(machine(c, path, &error));
	ck_assert_int_eq(dmasim_error_status(error), DMASIM_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(error->message, path));
	g_error_free(error);
	config_free(c);
	g_unlink(path);
	g_free(path);
}
END_TEST

/* Regions of firmware: reached one to one by their device, and no range of it lies there. */
START_TEST(reserved_regions)
{
	char *path = write_regions(true, 2, FIRST_REGION);
	struct config *c = config_new();
	struct machine *m = machine(c, path, NULL);
	struct device *dev[2] = {machine_add_device(m, "0000:08:00.0", NULL),
				 machine_add_device(m, "0000:10:00.0", NULL)};

	ck_assert_uint_eq(dev[0]->nresv, 2);
	ck_assert_uint_eq(dev[1]->nresv, 0);
	ck_assert_uint_eq(m->dma_stats.direct_pages, (REGION + 64 * KIB) / PAGE_SIZE); /* they overlap */
	ck_assert_uint_eq(m->dma_stats.iommu_map_ops, 0);
	for (unsigned i = 0; i < 2; i++) {
		struct pcie_dma d = {.fn = dev[i]->pci, .op = PCIE_WRITE, .len = 64, .pasid = NO_PASID};
		unsigned inside = 0;

		for (uint64_t at = FIRST_REGION; at < 4 * GIB; at += 60 * KIB) {
			d.addr = at;
			ck_assert_int_eq(pcie_dma(&d, 0), i ? -EFAULT : 0);
		}
		d.addr = FIRST_REGION - PAGE_SIZE;
		ck_assert_int_eq(pcie_dma(&d, 0), -EFAULT);
		for (unsigned k = 0; k < 2000; k++) {
			dma_addr_t a = dma_map_phys(dev[i], GIB, PAGE_SIZE << k % 4, DMA_TO_DEVICE, 0);

			ck_assert(!dma_mapping_error(dev[i], a));
			inside += a + (PAGE_SIZE << k % 4) > FIRST_REGION && a < 4 * GIB;
		}
		ck_assert_uint_eq(inside > 0, i);
	}
	machine_free(m);
	config_free(c);
	g_unlink(path);
	g_free(path);
}
END_TEST

/* A region from address 0 is one like others; one beyond three levels of tables is the user's error. */
START_TEST(regions_at_the_edges)
{
	const uint64_t at[] = {0, UINT64_C(1) << 40};

	for (unsigned i = 0; i < 2; i++) {
		char *path = write_regions(true, 2, at[i]);
		struct config *c = config_new();
		struct machine *m;
		GError *error = NULL;

		ck_assert(config_set(c, "iommu.cap", "0xd2078c106f0266", "test", NULL));
		m = machine(c, path, NULL);
		if (i) {
			ck_assert_ptr_null(machine_add_device(m, "0000:08:00.0", &error));
			ck_assert_int_eq(dmasim_error_status(error), DMASIM_ERROR_USAGE);
			ck_assert_ptr_nonnull(strstr(error->message, "RMRR"));
			g_error_free(error);
		} else {
			ck_assert_ptr_nonnull(machine_add_device(m, "0000:08:00.0", NULL));
			ck_assert_uint_eq(m->dma_stats.direct_pages, (REGION + 64 * KIB) / PAGE_SIZE);
		}
		machine_free(m);
		config_free(c);
		g_unlink(path);
		g_free(path);
	}
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("units");

	tcase_add_test(c, two_units);
	tcase_add_loop_test(c, coherent_memory_of_two_units, 0, 2);
	tcase_add_test(c, units_by_number);
	tcase_add_test(c, number_and_table_are_an_error);
	tcase_add_test(c, units_have_their_own_streams);
	tcase_add_test(c, device_without_unit);
	tcase_add_test(c, reserved_regions);
	tcase_add_test(c, regions_at_the_edges);
	tcase_add_test(c, bad_tables_are_errors);
	return test_run("machine_iommu", c, NULL);
}
