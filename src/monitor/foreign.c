/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that a client passed: see foreign.h. */
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "monitor/foreign.h"

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

static bool is_ready(int fd, short events) {
        struct pollfd p = { .fd = fd, .events = events };

        return poll(&p, 1, 0) > 0;
}

ssize_t foreign_read(int fd, void *data, size_t size) {
        struct iovec iov = { .iov_base = data, .iov_len = size };
        ssize_t n = result_of(recv(fd, data, size, MSG_DONTWAIT));

        if (n != -ENOTSOCK)
                return n;
        n = result_of(preadv2(fd, &iov, 1, -1, RWF_NOWAIT));
        if (n != -EOPNOTSUPP)
                return n;
        /* Before 6.4 pipes do not know RWF_NOWAIT. A pipe that is readable gives what it has. */
        return is_ready(fd, POLLIN) ? result_of(read(fd, data, size)) : -EAGAIN;
}

ssize_t foreign_write(int fd, const void *data, size_t size) {
        struct iovec iov = { .iov_base = (void *) data, .iov_len = size };
        ssize_t n = result_of(send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL));

        if (n != -ENOTSOCK)
                return n;
        n = result_of(pwritev2(fd, &iov, 1, -1, RWF_NOWAIT));
        if (n != -EOPNOTSUPP)
                return n;
        /* Before 6.4: a pipe that is writable takes PIPE_BUF bytes at once. */
        return is_ready(fd, POLLOUT) ? result_of(write(fd, data, MIN_OF(size, (size_t) PIPE_BUF))) : -EAGAIN;
}
