/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which exit status belongs to the errors of each floor. */
#include "result.h"
#include <dmasim/trace.h>

int dmasim_error_status(const GError *error)
{
	if (error->domain == DMASIM_ERROR)
		return error->code;
	if (error->domain == PARAM_ERROR)
		return DMASIM_ERROR_USAGE;
	if (error->domain == TRACE_ERROR)
		return error->code == TRACE_ERROR_WRITE   ? DMASIM_ERROR_OUTPUT
		       : error->code == TRACE_ERROR_USAGE ? DMASIM_ERROR_USAGE
							  : DMASIM_ERROR_INPUT;
	return DMASIM_ERROR_INTERNAL;
}

const char *dmasim_version(void)
{
	return DMASIM_VERSION;
}
