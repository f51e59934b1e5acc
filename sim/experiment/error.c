/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error domains and the exit statuses that belong to them. */
#include "internal.h"

GQuark dmasim_error_quark(void)
{
	return g_quark_from_static_string("dmasim-error");
}

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
