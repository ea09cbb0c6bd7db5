/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages with descriptors: see wire.h. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire/wire.h"

void wire_close_fds(int *fds, size_t n_fds) {
        for (size_t i = 0; i < n_fds; i++)
                fds[i] = fd_close(fds[i]);
}

int wire_send(int fd, const void *message, size_t size, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
        } control = { 0 };
        struct iovec iov = { .iov_base = (void *) message, .iov_len = size };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (n_fds > WIRE_FDS_MAX)
                return -EINVAL;
        if (n_fds > 0) {
                m.msg_control = &control;
                m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                control.header = (struct cmsghdr) {
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                        .cmsg_len = CMSG_LEN(sizeof(int) * n_fds),
                };
                memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n_fds);
        }
        for (;;) {
                if (sendmsg(fd, &m, MSG_NOSIGNAL) >= 0)
                        return 0;
                if (errno != EINTR)
                        return -errno;
        }
}

int wire_recv(int fd, void *message, size_t size, int *fds, size_t *n_fds) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
        } control;
        struct iovec iov = { .iov_base = message, .iov_len = size };
        struct msghdr m = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        size_t room = n_fds ? *n_fds : 0, got = 0;
        bool bad = false;
        ssize_t n;

        /* ECONNRESET, told once: the peer has closed without reading all of ours. What it had sent before is there. */
        do
                n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
        while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        if (n < 0)
                return -errno;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < count; i++) {
                        int received;
                        memcpy(&received, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                        if (got < room)
                                fds[got++] = received;
                        else {
                                fd_close(received);
                                bad = true;
                        }
                }
        }
        if (n == 0 && got == 0 && !bad)
                return 0;
        if (bad || (size_t) n != size || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
                wire_close_fds(fds, got);
                return -EBADMSG;
        }
        if (n_fds)
                *n_fds = got;
        return 1;
}

static int fill_address(const char *path, struct sockaddr_un *address) {
        *address = (struct sockaddr_un) { .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof(address->sun_path))
                return -ENAMETOOLONG;
        strcpy(address->sun_path, path);
        return 0;
}

int wire_connect(const char *path) {
        struct sockaddr_un address;
        int r = fill_address(path, &address);

        if (r < 0)
                return r;
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int wire_listen(const char *path) {
        struct sockaddr_un address;
        int r = fill_address(path, &address);

        if (r < 0)
                return r;
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) unlink(path);
        if (fchmod(fd, 0600) < 0) /* before bind: the file is born with this mode */
                return -errno;
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        if (listen(fd, 64) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int wire_pair(int ret[2]) {
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0 ? -errno : 0;
}
