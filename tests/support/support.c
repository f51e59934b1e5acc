/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include <stdarg.h>
#include <stdlib.h>

int test_run(const char *name, TCase *first, ...)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	va_list args;
	int failed;

	va_start(args, first);
	for (TCase *t = first; t; t = va_arg(args, TCase *))
		suite_add_tcase(suite, t);
	va_end(args);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

uint64_t test_seed(void)
{
	const char *text = g_getenv("DMASIM_SEED");

	return text ? g_ascii_strtoull(text, NULL, 0) : 20260101;
}

uint64_t test_scale(uint64_t n)
{
	return g_getenv("DMASIM_FULL") ? 10 * n : n;
}
