/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "digest.h"

#include <gcrypt.h>

#define SHA256_BYTES 32u

struct digest {
	gcry_md_hd_t sha;
};

static void *start_gcrypt(void *unused G_GNUC_UNUSED)
{
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	return NULL;
}

struct digest *digest_new(void)
{
	static GOnce once = G_ONCE_INIT;
	struct digest *d = g_new0(struct digest, 1);

	g_once(&once, start_gcrypt, NULL);
	if (gcry_md_open(&d->sha, GCRY_MD_SHA256, 0))
		g_error("libgcrypt has no memory for a SHA-256"); /* as GLib does where its own allocations
								     fail */
	return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	gcry_md_write(d->sha, data, len);
}

char *digest_finish(struct digest *d)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *sum = gcry_md_read(d->sha, GCRY_MD_SHA256);
	char *text = g_malloc0(2 * SHA256_BYTES + 1);

	for (unsigned i = 0; i < SHA256_BYTES; i++) {
		text[2 * i] = digits[sum[i] >> 4];
		text[2 * i + 1] = digits[sum[i] & 15];
	}
	digest_free(d);
	return text;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	gcry_md_close(d->sha);
	g_free(d);
}
