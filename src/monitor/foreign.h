/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that a client passed: pipes and sockets whose other users must not notice us. So they are never given
 * flags (O_NONBLOCK belongs to the description, which the client shares) and never block us all the same. */
#pragma once

#include <sys/types.h>

#include "util/macro.h"

/* 0: a pipe or a stream socket; -EOPNOTSUPP: anything else (a file or a terminal could block). */
int foreign_check(int fd);
/* How many bytes it may hold that nobody has read. */
size_t foreign_capacity(int fd);
/* As fd_close(), and does not wait until a socket's other side has everything, whatever its owner set. */
int foreign_close(int fd);

/* As read(2) and write(2), but -EAGAIN rather than waiting. Never raises SIGPIPE where that is ignored. */
ssize_t foreign_read(int fd, void *data, size_t size);
ssize_t foreign_write(int fd, const void *data, size_t size);

/* The same for pipes alone, on any kernel: those before 6.4 have no RWF_NOWAIT for them, and what poll calls writable
 * may be full by the time it is written to, if the client writes to it, too. So the bytes go through a pipe of our own,
 * between which and the client's the kernel moves them without waiting. */
ssize_t foreign_pipe_read(int fd, void *data, size_t size);
ssize_t foreign_pipe_write(int fd, const void *data, size_t size);
