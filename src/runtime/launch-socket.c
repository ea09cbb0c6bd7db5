/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The messages between the monitor and the process that it launches: see launch.h. Both ends are ours until execve
 * closes the child's, so a message of another size is a mistake of ours, not an attack. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/launch.h"
#include "util/io.h"

typedef struct Message {
        uint32_t type;
        SandboxError error;
} Message;

int launch_send(int socket, LaunchMessage type, int fd, const SandboxError *error) {
        Message m = { .type = type };
        struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
        union {
                char bytes[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control = { 0 };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (error)
                m.error = *error;
        if (fd >= 0) {
                msg.msg_control = control.bytes;
                msg.msg_controllen = sizeof(control.bytes);
                struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(c), &fd, sizeof(int));
        }
        for (;;) {
                if (sendmsg(socket, &msg, MSG_NOSIGNAL) >= 0)
                        return 0;
                if (errno != EINTR)
                        return -errno;
        }
}

int launch_receive(int socket, int timeout_ms, LaunchMessage *ret_type, int *ret_fd, SandboxError *ret_error) {
        Message m;
        struct iovec iov = { .iov_base = &m, .iov_len = sizeof(m) };
        union {
                char bytes[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control;
        struct msghdr msg = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control),
        };
        ssize_t n;
        int r;

        *ret_fd = -EBADF;
        if (timeout_ms >= 0) {
                r = fd_wait(socket, POLLIN, timeout_ms);
                if (r <= 0)
                        return r < 0 ? r : -ETIMEDOUT;
        }
        do
                n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == ECONNRESET ? 0 : -errno; /* it went without reading what we sent */
        if (n == 0)
                return 0;
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
                memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
        if (n != sizeof(m))
                return -EBADMSG;
        *ret_type = m.type;
        if (ret_error && m.type == LAUNCH_FAILED)
                *ret_error = m.error;
        return 1;
}
