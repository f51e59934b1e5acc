/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DMASIM_VTD_DMAR_TEXT_H
#define DMASIM_VTD_DMAR_TEXT_H

#include <dmasim/types.h>

/* The bytes of the DMAR table in the text of acpidump or iasl, NULL if it is neither. */
GByteArray *dmar_from_text(const char *text, size_t len);

#endif
