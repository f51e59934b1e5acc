/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that fail: how many, and why the first one did. */
#include "machine_io.h"

#include <inttypes.h>
#include <stdio.h>

/* Takes the reason away, so that another failure does not find it. */
static void describe(struct machine *m)
{
	struct refusal why = m->sim.refusal;
	struct io_stats *io = &m->io;
	int n;

	m->sim.refusal = (struct refusal){0};
	if (io->failure[0])
		return;
	n = snprintf(io->failure, sizeof(io->failure), "%s%s%s",
		     why.what ? why.what : "the device refused it", why.who ? " " : "",
		     why.who ? why.who : "");
	if (why.bytes && n > 0 && (size_t)n < sizeof(io->failure))
		snprintf(io->failure + n, sizeof(io->failure) - (size_t)n, " (%" PRIu64 " bytes)", why.bytes);
}

void machine_io_failed(struct machine *m)
{
	m->io.failed++;
	describe(m);
}

void machine_io_refused(struct machine *m)
{
	m->io.refused++;
	machine_io_failed(m);
}
