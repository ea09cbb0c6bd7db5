/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Spill keeps what a client that is behind will read later: a ring in a file without a name, on the disk where the
 * container's own files are, so that it costs nobody memory. It belongs to a ClientStream; without a file it is
 * empty. */
#pragma once

#include <sys/types.h>

#include "util/macro.h"

#define SPILL_MAX ((uint64_t) 64 * 1024 * 1024)
#define SPILL_STEP ((uint64_t) 1 << 20) /* less than this is not given back to the disk; a part of the ring */
#define SPILL_RING (SPILL_MAX + ((uint64_t) 4 << 20)) /* and what a task that has ended has left in its pipes */

typedef struct Spill {
        int fd;
        uint64_t begin, end; /* counted from the first byte ever */
} Spill;

#define SPILL_NONE { .fd = -EBADF }

static inline size_t spill_size(const Spill *s) {
        return (size_t) (s->end - s->begin);
}

/* All of it or nothing: -ENOSPC: it is full, or what the file system says. `directory` NULL: in memory. */
int spill_append(Spill *s, const char *directory, const char *data, size_t size);
/* Takes up to `size` bytes; how many. */
ssize_t spill_take(Spill *s, char *data, size_t size);
/* `data`, then all that is in it, as a file for somebody else to read: a descriptor that is good for nothing but
 * reading. *ret_at: where it begins in the ring, which ends at SPILL_RING. The spill stays as it is, but must not be
 * used any more once somebody has the descriptor. */
int spill_hand_over(Spill *s, const char *directory, const char *data, size_t size, uint64_t *ret_at);
void spill_done(Spill *s);
