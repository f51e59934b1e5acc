/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that write and read a sweep's database. */
#ifndef DMASIM_SWEEP_INTERNAL_H
#define DMASIM_SWEEP_INTERNAL_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>

/* Is it a sweep's, of the version that this program knows? */
bool sweep_db_check(sqlite3 *sql, const char *path, GError **error);

#endif
