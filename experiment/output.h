/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of output files that appears whole or not at all: each is written under a temporary name in
 * the target directory and synced; commit renames them, the last one added last, after the old last
 * one was removed. A reader that finds the last file finds the set complete.
 */
#ifndef DMASIM_OUTPUT_H
#define DMASIM_OUTPUT_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

struct output_set;
/* A device or a pipe, which a rename would replace by a file: it is written in place. */
bool output_is_special(const char *path);
struct output_set *output_set_new(const char *dir, GError **error);
/* A stream to write name; NULL with *error. Finish it with output_close. */
FILE *output_open(struct output_set *s, const char *name, GError **error);
/* Flush, sync and close the stream opened last. */
bool output_close(struct output_set *s, GError **error);
bool output_commit(struct output_set *s, GError **error);
/* Remove what was not committed and free. */
void output_set_free(struct output_set *s);

#endif
