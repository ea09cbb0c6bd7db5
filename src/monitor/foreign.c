/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that a client passed: see foreign.h. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "monitor/foreign.h"
#include "util/io.h"

size_t foreign_capacity(int fd) {
        int size = fcntl(fd, F_GETPIPE_SZ);
        socklen_t length = sizeof(size);

        if (size < 0 && getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) < 0)
                return SIZE_MAX;
        return (size_t) size;
}

int foreign_close(int fd) {
        fd_set_no_linger(fd); /* once more: its owner may have set it anew */
        return fd_close(fd);
}

int foreign_check(int fd) {
        struct stat st;
        int type;
        socklen_t size = sizeof(type);

        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISFIFO(st.st_mode))
                return 0;
        if (!S_ISSOCK(st.st_mode))
                return -EOPNOTSUPP;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
                return -errno;
        return type == SOCK_STREAM ? 0 : -EOPNOTSUPP;
}

static ssize_t result_of(ssize_t n) {
        return n < 0 ? -errno : n;
}

/* Empty between two calls, or one client would get what another sent. */
static int relay[2] = { -EBADF, -EBADF };

static int open_relay(void) {
        return relay[0] >= 0 || pipe2(relay, O_CLOEXEC | O_NONBLOCK) >= 0 ? 0 : -errno;
}

static void empty_relay(void) {
        char rest[4096];

        while (read(relay[0], rest, sizeof(rest)) > 0)
                ;
}

ssize_t foreign_pipe_read(int fd, void *data, size_t size) {
        int r = open_relay();

        if (r < 0)
                return r;
        ssize_t n = result_of(splice(fd, NULL, relay[1], NULL, size, SPLICE_F_NONBLOCK));
        if (n <= 0)
                return n;
        ssize_t done = 0, piece = 1;
        while (done < n && piece > 0) { /* buffers of a pipe in packet mode stay packets: each is a read of its own */
                piece = result_of(read(relay[0], (char *) data + done, (size_t) (n - done)));
                done += MAX_OF(piece, (ssize_t) 0);
        }
        empty_relay();
        return done > 0 ? done : piece;
}

ssize_t foreign_pipe_write(int fd, const void *data, size_t size) {
        int r = open_relay();

        if (r < 0)
                return r;
        ssize_t n = result_of(write(relay[1], data, size)); /* as much as a pipe holds */
        if (n <= 0)
                return n;
        ssize_t moved = result_of(splice(relay[0], NULL, fd, NULL, (size_t) n, SPLICE_F_NONBLOCK));
        if (moved < n)
                empty_relay();
        return moved;
}

ssize_t foreign_read(int fd, void *data, size_t size) {
        struct iovec iov = { .iov_base = data, .iov_len = size };
        ssize_t n = result_of(recv(fd, data, size, MSG_DONTWAIT));

        if (n != -ENOTSOCK)
                return n;
        n = result_of(preadv2(fd, &iov, 1, -1, RWF_NOWAIT));
        return n == -EOPNOTSUPP ? foreign_pipe_read(fd, data, size) : n;
}

ssize_t foreign_write(int fd, const void *data, size_t size) {
        struct iovec iov = { .iov_base = (void *) data, .iov_len = size };
        ssize_t n = result_of(send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL));

        if (n != -ENOTSOCK)
                return n;
        n = result_of(pwritev2(fd, &iov, 1, -1, RWF_NOWAIT));
        return n == -EOPNOTSUPP ? foreign_pipe_write(fd, data, size) : n;
}
