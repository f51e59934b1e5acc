/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 by libgcrypt, which uses the processor's instructions for it. */
#ifndef DMASIM_TRACE_DIGEST_H
#define DMASIM_TRACE_DIGEST_H

#include <dmasim/types.h>

struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *d, const void *data, size_t len);
/* In hex, g_free it; frees d. */
char *digest_finish(struct digest *d);
void digest_free(struct digest *d);

#endif
