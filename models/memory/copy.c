/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copies inside simulated memory that do not give contents to pages whose bytes nobody ever wrote. */
#include "memory.h"

#include <string.h>

/* Bytes from phys to the end of its page. */
static size_t page_rest(phys_addr_t phys)
{
	return PAGE_SIZE - (phys & ~PAGE_MASK);
}

void memory_copy(struct memory *m, phys_addr_t dst, phys_addr_t src, size_t len)
{
	while (len) {
		size_t n = MIN(len, MIN(page_rest(src), page_rest(dst)));
		const void *from = memory_peek(m, src);

		if (from) {
			/* The destination may be the page that is being given contents: look again. */
			void *to = memory_ptr(m, dst);

			memmove(to, memory_peek(m, src), n);
		} else {
			void *to = memory_peek(m, dst);

			if (to)
				memset(to, 0, n);
		}
		src += n;
		dst += n;
		len -= n;
	}
}
