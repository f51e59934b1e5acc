/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fibres: stacks that a simulated CPU's kernel code runs on, so that it can stop in the middle at a
 * waiting point. A new stack is entered once through ucontext(3); every later switch is
 * a jump that saves no signal mask and makes no system call.
 */
#ifndef DMASIM_FIBRE_H
#define DMASIM_FIBRE_H

#include <dmasim/types.h>

struct fibre;

/* A fibre that will run fn(arg) when first switched to; fn must not return. */
struct fibre *fibre_new(void (*fn)(void *arg), void *arg);
/* Stands for the stack of the caller of the event loop. */
struct fibre *fibre_new_main(void);
/* Must not be the running one. */
void fibre_free(struct fibre *f);
/* Leave from (the running fibre), go on in to; returns when somebody switches back to from. */
void fibre_switch(struct fibre *from, struct fibre *to);

#endif
