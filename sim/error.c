/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dmasim/error.h>

GQuark dmasim_error_quark(void)
{
	return g_quark_from_static_string("dmasim-error");
}
