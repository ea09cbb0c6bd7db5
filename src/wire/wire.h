/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fixed-size messages with descriptors over SOCK_SEQPACKET: how berthd, berth-spawn, the monitors and the clients talk
 * to one another. One message is one struct of one size; a message of another size, or with more descriptors than
 * expected, is refused and its descriptors are closed. Both ends are of one build: no version is negotiated, but every
 * struct begins with a magic number, so that a mistake is an error and not a surprise. */
#pragma once

#include <sys/types.h>

#include "util/io.h"

#define WIRE_FDS_MAX 8

/* Sends one message; never raises SIGPIPE. Does not block if the socket does not: -EAGAIN. The descriptors stay the
 * caller's. 0 or negative errno (-EPIPE, -ECONNRESET: the peer is gone). */
int wire_send(int fd, const void *message, size_t size, const int *fds, size_t n_fds);

/* Receives one message of exactly `size` bytes and up to *n_fds descriptors (close-on-exec). 1: a message, *n_fds is
 * what came along; 0: the peer has closed; -EAGAIN; -EBADMSG: wrong size or too many descriptors (they are closed). */
int wire_recv(int fd, void *message, size_t size, int *fds, size_t *n_fds);

/* Connects to a SEQPACKET socket by path. Descriptor or negative errno. */
int wire_connect(const char *path);

/* Binds and listens; an old socket file of that name is replaced. Mode 0600. */
int wire_listen(const char *path);

/* socketpair(SOCK_SEQPACKET|SOCK_CLOEXEC). */
int wire_pair(int ret[2]);

/* Closes n descriptors and sets them to -EBADF. */
void wire_close_fds(int *fds, size_t n_fds);
