/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a drive's own values are, and when they hold. */
#include "models/device/nvme_device.h"
#include <string.h>

#include "support.h"

static int drive(const char *name)
{
	int i = 0;

	while (strcmp(nvme_drives[i].name, name))
		i++;
	return i;
}

/* The bandwidth of reads of MDTS belongs to the drive's own MDTS and bandwidth. */
START_TEST(bandwidth_of_the_largest_reads)
{
	static const struct {
		uint64_t mdts;
		double read, largest, want;
	} rows[] = {
	    {0, 0, 0, 6.38}, {2 * MIB, 0, 0, 6.38}, {1 * MIB, 0, 0, 0}, {0, 14, 0, 0}, {1 * MIB, 14, 9, 9},
	};
	struct nvme_params p = {.drive = drive("pm9a3"), .block_size = 512};

	p.mdts = rows[_i].mdts;
	p.read_bandwidth = rows[_i].read;
	p.read_bandwidth_mdts = rows[_i].largest;
	ck_assert(nvme_params_resolve(&p, NULL));
	ck_assert_double_eq_tol(p.read_bandwidth_mdts, rows[_i].want, 1e-9);
	ck_assert_uint_eq(p.mdts, rows[_i].mdts ? rows[_i].mdts : 2 * MIB);
}
END_TEST

START_TEST(other_drives_know_one_bandwidth)
{
	for (const struct nvme_drive *d = nvme_drives; strcmp(d->name, "null"); d++) {
		struct nvme_params p = {.drive = (int)(d - nvme_drives), .block_size = 512};

		ck_assert(nvme_params_resolve(&p, NULL));
		ck_assert_double_eq_tol(p.read_bandwidth, d->read_bandwidth, 1e-9);
		ck_assert_double_eq_tol(p.write_bandwidth, d->write_bandwidth, 1e-9);
		if (strcmp(d->name, "pm9a3"))
			ck_assert_double_eq_tol(p.read_bandwidth_mdts, 0, 1e-9);
	}
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("drives");

	tcase_add_loop_test(t, bandwidth_of_the_largest_reads, 0, 5);
	tcase_add_test(t, other_drives_know_one_bandwidth);
	return test_run("nvme_drives", t, NULL);
}
