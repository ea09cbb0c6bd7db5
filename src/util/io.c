/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors: see io.h. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "util/io.h"

int fd_close(int fd) {
        if (fd >= 0) {
                int saved = errno;
                close(fd); /* EINTR included: on Linux the descriptor is gone either way */
                errno = saved;
        }
        return -EBADF;
}

int fd_write_all(int fd, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

int fd_read_all(int fd, size_t max, char **ret, size_t *ret_size) {
        _cleanup_free_ char *text = NULL;
        size_t used = 0, room = 0;

        for (;;) {
                if (used == room) {
                        size_t wanted = MIN_OF(MAX_OF(room * 2, (size_t) 4096), max + 1);
                        if (used > max)
                                return -EFBIG;
                        char *bigger = realloc(text, wanted + 1);
                        if (!bigger)
                                return -ENOMEM;
                        text = bigger;
                        room = wanted;
                }
                ssize_t n = read(fd, text + used, room - used);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        break;
                used += (size_t) n;
        }
        if (used > max)
                return -EFBIG;
        text[used] = '\0';
        if (ret_size)
                *ret_size = used;
        *ret = TAKE(text);
        return 0;
}

int fd_set_nonblock(int fd, bool nonblock) {
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0)
                return -errno;
        int wanted = nonblock ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
        if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0)
                return -errno;
        return 0;
}

int fd_set_cloexec(int fd, bool cloexec) {
        return fcntl(fd, F_SETFD, cloexec ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

void fd_set_no_linger(int fd) {
        static const struct linger off = { 0 };

        if (fd >= 0)
                (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
}

int memfd_new_sealed(const char *name, const void *data, size_t size) {
        _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        r = fd_write_all(fd, data, size);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int fd_wait(int fd, short events, int timeout_ms) {
        struct timespec start, now;
        int left = timeout_ms;

        clock_gettime(CLOCK_MONOTONIC, &start);
        for (;;) {
                struct pollfd p = { .fd = fd, .events = events };
                int r = poll(&p, 1, left);
                if (r > 0)
                        return p.revents;
                if (r == 0)
                        return 0;
                if (errno != EINTR)
                        return -errno;
                if (timeout_ms < 0)
                        continue;
                clock_gettime(CLOCK_MONOTONIC, &now);
                left = timeout_ms -
                       (int) ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000);
                if (left <= 0)
                        return 0;
        }
}
