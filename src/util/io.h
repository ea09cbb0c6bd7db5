/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors: closing, whole reads and writes, pipes and memfds. A descriptor that is not there is below zero. */
#pragma once

#include <sys/types.h>

#include "util/macro.h"

/* Closes if fd >= 0, keeps errno. Returns -EBADF, to be assigned to the variable. */
int fd_close(int fd);

static inline void fd_closep(int *fd) {
        fd_close(*fd);
}
#define _cleanup_close_ _cleanup_(fd_closep)

/* Writes all of it, again after EINTR and short writes; for blocking descriptors. 0 or negative errno. */
int fd_write_all(int fd, const void *data, size_t size);

/* Reads to the end, at most `max` bytes; -EFBIG beyond. The text is NUL-terminated one past `*ret_size` (may be
 * NULL). */
int fd_read_all(int fd, size_t max, char **ret, size_t *ret_size);

/* Sets or clears O_NONBLOCK on a description that is ours alone (never on one that a client passed). */
int fd_set_nonblock(int fd, bool nonblock);
int fd_set_cloexec(int fd, bool cloexec);
/* The last close of a socket with SO_LINGER waits for the peer, for hours if its owner likes. Not so after this; of no
 * effect on what is no socket. */
void fd_set_no_linger(int fd);

/* A sealed, read-only memfd with this content. Returns the descriptor. */
int memfd_new_sealed(const char *name, const void *data, size_t size);

/* poll() on one descriptor; timeout in ms, -1 for ever. Events > 0, 0 on timeout, negative errno. Restarts after
 * EINTR. */
int fd_wait(int fd, short events, int timeout_ms);
