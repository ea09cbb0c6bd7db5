/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DetachKeys finds the keys in what is typed by which a person lets go of a container (ctrl-p ctrl-q, if not asked for
 * others). Keys that begin the sequence are held back until it is known whether it goes on: those of a sequence that
 * does not are passed through, in order, and the rest of it may begin another. */
#pragma once

#include "util/macro.h"

#define DETACH_KEYS_MAX 64
#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

typedef struct DetachKeys {
        unsigned char keys[DETACH_KEYS_MAX];
        size_t n;      /* 0: nothing detaches */
        size_t n_held; /* of them were typed, and not passed on */
} DetachKeys;

/* Docker's grammar: keys divided by commas, each a character, ctrl-a to ctrl-z, ctrl-@, ctrl-[, ctrl-\, ctrl-], ctrl-^,
 * ctrl-_ or DEL. NULL or "" are the default. -EINVAL. */
int detach_keys_parse(const char *text, DetachKeys *ret);

/* Filters what was typed: `ret` (room for size + DETACH_KEYS_MAX) is what goes on to the payload, *ret_size bytes.
 * True: then came the whole sequence; what was typed behind it is nobody's. */
bool detach_keys_filter(DetachKeys *d, const char *typed, size_t size, char *ret, size_t *ret_size);
