/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by run and replay. */
#ifndef DMASIM_CLI_RUN_H
#define DMASIM_CLI_RUN_H

#include "cli.h"

/* Options of run and replay beyond the common ones; zero or NULL: not given. */
struct cli_run_extra {
	const char *command;
	const char *interval; /* "1ms" */
	bool timeline, dry_run;
	int threads; /* 0: one per CPU */
};

/* --set, --api, --iommu, --seeds, --fidelity applied to a scenario. */
bool cli_apply_run_options(struct scenario *s, const struct cli_common *o, GError **error);
/* Apply the options, run, write the result directory, print table or JSON. */
int cli_run_scenario(struct scenario *s, const struct cli_common *o, const struct cli_run_extra *extra);
/* Say what a resolved scenario would run, and about how long it would take. */
int cli_dry_run(struct scenario *s, const struct cli_common *o, unsigned threads);
/* The comparison table. */
void cli_print_comparison(FILE *out, const struct experiment_result *r);

#endif
