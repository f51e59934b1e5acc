/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by all libcheck suites. */
#ifndef DMASIM_TEST_SUPPORT_H
#define DMASIM_TEST_SUPPORT_H

#include <check.h>
#include "machine/machine.h"

/* Run one suite made of the given test cases; returns the exit status for main(). */
int test_run(const char *name, TCase *first, ...) G_GNUC_NULL_TERMINATED;
/* Seed for property tests: DMASIM_SEED, else fixed; printed so that a failure can be repeated. */
uint64_t test_seed(void);
/* Operations for property tests: n, times 10 when DMASIM_FULL is set (./check --full). */
uint64_t test_scale(uint64_t n);

#endif
