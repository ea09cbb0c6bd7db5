/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies beneath every image: see base-layer.h. */
#include <fcntl.h>
#include <unistd.h>

#include "image/base-layer.h"
#include "util/fs.h"

/* Parents first. */
static const struct { const char *path; mode_t mode; } entries[] = {
        { BASE_LAYER_NAME,                      S_IFDIR | 0755 },
        { BASE_LAYER_NAME "/dev",               S_IFDIR | 0755 },
        { BASE_LAYER_NAME "/proc",              S_IFDIR | 0755 },
        { BASE_LAYER_NAME "/sys",               S_IFDIR | 0755 },
        { BASE_LAYER_NAME "/etc",               S_IFDIR | 0755 },
        { BASE_LAYER_NAME "/etc/hostname",      S_IFREG | 0644 },
        { BASE_LAYER_NAME "/etc/hosts",         S_IFREG | 0644 },
        { BASE_LAYER_NAME "/etc/resolv.conf",   S_IFREG | 0644 },
};

int base_layer_make(int state_fd) {
        for (size_t i = 0; i < N_ELEMENTS(entries); i++) {
                mode_t mode = entries[i].mode & 07777;
                _cleanup_close_ int fd = -EBADF;
                int r;

                if (S_ISDIR(entries[i].mode)) {
                        r = fs_mkdir(state_fd, entries[i].path, mode);
                        if (r < 0)
                                return r;
                        fd = fs_open_dir(state_fd, entries[i].path);
                } else {
                        fd = openat(state_fd, entries[i].path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
                        if (fd < 0)
                                fd = -errno;
                }
                if (fd < 0)
                        return fd;
                if (fchmod(fd, mode) < 0) /* whatever the umask was */
                        return -errno;
        }
        return 0;
}
