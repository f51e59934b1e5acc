/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of `dmasim explain`: each returns an object of facts, NULL if the word is nothing it
 * knows. */
#ifndef DMASIM_EXPLAIN_H
#define DMASIM_EXPLAIN_H

#include "cli.h"

/* Adds a fact; none if there is no text. */
void explain_fact(struct json_t *facts, const char *key, const char *text);

/* iommu.cap=HEX, iommu.ecap=HEX: what the fields say. */
struct json_t *explain_register(const char *word);
struct json_t *explain_section(const char *word);

#endif
