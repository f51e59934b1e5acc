/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of output files that appears whole or not at all: each is written under a temporary name in
 * the target directory and synced. Commit moves the older set aside, its last file first, and renames the
 * new files, the last one added last: a reader that finds the last file finds one set, complete. When
 * anything fails the older set is there as it was.
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
/* Take a file in dir that was written and synced by someone else into the set. */
bool output_adopt(struct output_set *s, const char *file, const char *name, GError **error);
/* All names that such a set may have (NULL-terminated): commit removes older files that this set has not. */
void output_replaces(struct output_set *s, const char *const *members);
bool output_commit(struct output_set *s, GError **error);
/* Remove what was not committed and free. */
void output_set_free(struct output_set *s);

/*
 * Be the only one at work in a directory. wait: until the other is done, else its being there is an error.
 * Returns what output_unlock takes, -1 with *error.
 */
int output_lock(const char *dir, bool wait, GError **error);
void output_unlock(int lock);
/* Make a directory of its own name: path ends in XXXXXX, which is replaced. */
bool output_scratch(char *path, GError **error);
/* A directory with all files in it. */
void output_remove_dir(const char *dir);

#endif
