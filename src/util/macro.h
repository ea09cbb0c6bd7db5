/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The few macros that every file uses. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))
#define SWAP(a, b) \
        do { \
                __typeof__(a) swap_ = (a); \
                (a) = (b); \
                (b) = swap_; \
        } while (0)

/* Moves a pointer out of its variable, which becomes NULL. */
#define TAKE(pointer)                                   \
        ({                                              \
                __typeof__(pointer) _taken = (pointer); \
                (pointer) = NULL;                       \
                _taken;                                 \
        })

/* Moves a descriptor out of its variable, which becomes -EBADF. */
#define TAKE_FD(fd)                  \
        ({                           \
                int _taken = (fd);   \
                (fd) = -EBADF;       \
                _taken;              \
        })

#define _cleanup_(function) __attribute__((__cleanup__(function)))
#define _printf_(text, first) __attribute__((__format__(__printf__, text, first)))
#define _unused_ __attribute__((__unused__))

/* Makes `void noun_freep(Type **p)` from `Type *noun_free(Type *)`, for _cleanup_. */
#define DEFINE_FREEP(Type, function)                            \
        static inline void function##p(Type **p) {              \
                if (*p)                                         \
                        function(*p);                           \
        }

static inline void freep(void *p) {
        free(*(void **) p);
}

#define _cleanup_free_ _cleanup_(freep)

/* errno as a negative result that is never zero, also where a library forgot to set it. */
static inline int negative_errno(void) {
        return errno > 0 ? -errno : -EIO;
}
