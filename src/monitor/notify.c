/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service's side of systemd's protocols: see notify.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "monitor/notify.h"
#include "util/io.h"
#include "util/strv.h"

#define LISTEN_FDS_START 3

int notify_init(Notify *n, int *ret_listen_fd) {
        static const char *const names[] = { "NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" };
        const char *path = getenv("NOTIFY_SOCKET"), *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
        uint32_t number = 0, n_fds = 0;
        int r = 0;

        *n = (Notify) { 0 };
        if (path && strlen(path) < sizeof(n->path))
                strcpy(n->path, path);
        if (!pid || !count || parse_u32(pid, &number) < 0 || parse_u32(count, &n_fds) < 0 ||
            number != (uint32_t) getpid())
                r = -ENOENT;
        else if (n_fds != 1)
                r = n_fds == 0 ? -ENOENT : -E2BIG;
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                (void) unsetenv(names[i]);
        if (r < 0)
                return r;
        r = fd_set_cloexec(LISTEN_FDS_START, true);
        if (r < 0)
                return r;
        *ret_listen_fd = LISTEN_FDS_START;
        return 0;
}

void notify_take(Notify *n) {
        int fd;

        (void) notify_init(n, &fd); /* an error is about the socket */
}

int notify_send(const Notify *n, const char *state) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t length = n ? strlen(n->path) : 0;

        if (length == 0)
                return 0;
        memcpy(address.sun_path, n->path, length);
        if (address.sun_path[0] == '@')
                address.sun_path[0] = '\0';
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *) &address,
                   (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length)) < 0)
                return -errno;
        return 0;
}

int notify_sendf(const Notify *n, const char *format, ...) {
        char state[1024];
        va_list ap;

        va_start(ap, format);
        vsnprintf(state, sizeof(state), format, ap);
        va_end(ap);
        return notify_send(n, state);
}
