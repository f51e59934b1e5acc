/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A checked longjmp refuses to go to another stack, which is what is wanted here. */
#undef _FORTIFY_SOURCE
#include "fibre.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBRE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBRE_ASAN 1
#endif
#endif
#ifdef FIBRE_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

/* Address space only: pages are taken when touched. Hardware events run on these stacks too. */
#define FIBRE_STACK ((size_t)512 << 10)

/* The compiler's own jumps, where all have them: the library's look for clean-up handlers on the way. */
#ifdef __x86_64__
typedef void *jump_state[5];
#define SAVE_STATE __builtin_setjmp
#define JUMP_TO __builtin_longjmp
#else
typedef jmp_buf jump_state;
#define SAVE_STATE _setjmp
#define JUMP_TO _longjmp
#endif

struct fibre {
	ucontext_t context;
	jump_state state;
	bool started;
	void (*fn)(void *arg);
	void *arg;
	void *map; /* guard page and stack; NULL for the main one */
	size_t map_size;
#ifdef FIBRE_ASAN
	const void *stack_bottom;
	size_t stack_size;
	void *fake_stack;
	struct fibre *came_from;
#endif
};

#ifdef FIBRE_ASAN
/* The sanitizer replaces longjmp by one that knows a single stack, so ucontext does all the work. */
static void asan_arrived(struct fibre *f)
{
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(f->fake_stack, &bottom, &size);
	f->came_from->stack_bottom = bottom;
	f->came_from->stack_size = size;
}
#endif

static void fibre_entry(unsigned low, unsigned high)
{
	struct fibre *f = (struct fibre *)((uintptr_t)high << 32 | low);

#ifdef FIBRE_ASAN
	asan_arrived(f);
#endif
	f->fn(f->arg);
	g_assert_not_reached();
}

struct fibre *fibre_new(void (*fn)(void *arg), void *arg)
{
	struct fibre *f = g_new0(struct fibre, 1);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t self = (uintptr_t)f;

	f->fn = fn;
	f->arg = arg;
	f->map_size = FIBRE_STACK + page;
	f->map = mmap(NULL, f->map_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (f->map == MAP_FAILED || mprotect(f->map, page, PROT_NONE) != 0)
		g_error("no memory for the stack of a simulated CPU");
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = (char *)f->map + page;
	f->context.uc_stack.ss_size = FIBRE_STACK;
	f->context.uc_link = NULL;
#ifdef FIBRE_ASAN
	f->stack_bottom = f->context.uc_stack.ss_sp;
	f->stack_size = FIBRE_STACK;
#endif
	makecontext(&f->context, (void (*)(void))fibre_entry, 2, (unsigned)self,
		    (unsigned)((uint64_t)self >> 32));
	return f;
}

struct fibre *fibre_new_main(void)
{
	struct fibre *f = g_new0(struct fibre, 1);

	f->started = true;
	return f;
}

void fibre_free(struct fibre *f)
{
	if (!f)
		return;
	if (f->map)
		munmap(f->map, f->map_size);
	g_free(f);
}

#ifdef FIBRE_ASAN
void fibre_switch(struct fibre *from, struct fibre *to)
{
	to->came_from = from;
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack_bottom, to->stack_size);
	swapcontext(&from->context, &to->context);
	asan_arrived(from);
}
#else
G_GNUC_NO_INLINE void fibre_switch(struct fibre *from, struct fibre *to)
{
	if (SAVE_STATE(from->state))
		return;
	if (to->started)
		JUMP_TO(to->state, 1);
	to->started = true;
	setcontext(&to->context);
	g_error("no stack for a simulated CPU"); /* and this function's frame stays until it is jumped to */
}
#endif
