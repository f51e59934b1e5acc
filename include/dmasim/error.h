/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors of the library: one domain, whose codes are the program's exit statuses. */
#ifndef DMASIM_ERROR_H
#define DMASIM_ERROR_H

#include <dmasim/export.h>

#include <glib.h>

#define DMASIM_ERROR (dmasim_error_quark())
DMASIM_API GQuark dmasim_error_quark(void);
enum dmasim_error {
	DMASIM_ERROR_CHECK = 1,     /* it ran, and a rule that was to be checked is broken */
	DMASIM_ERROR_USAGE = 2,     /* command line or scenario */
	DMASIM_ERROR_INPUT = 3,     /* trace or other input file */
	DMASIM_ERROR_OUTPUT = 4,    /* result could not be written */
	DMASIM_ERROR_INTERNAL = 70, /* a model reports what must not happen */
	DMASIM_ERROR_INTERRUPTED = 130,
};
/* The exit status that belongs to an error of any domain that the library uses. */
DMASIM_API int dmasim_error_status(const GError *error);

#endif
