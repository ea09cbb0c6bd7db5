/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files: see fs.h. */
#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/fs.h"

int fs_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
        struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };

        for (unsigned attempt = 0;; attempt++) {
                int fd = (int) syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
                if (fd >= 0)
                        return fd;
                if (errno == EINTR)
                        continue;
                /* EAGAIN: something was renamed on the host meanwhile and ".." could not be proven safe. */
                if (errno != EAGAIN || attempt >= 64)
                        return -errno;
        }
}

int fs_open_beneath(int dir_fd, const char *path, int flags, mode_t mode) {
        return fs_openat2(dir_fd, path, (uint64_t) flags, mode,
                          RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

int fs_open_in_root(int dir_fd, const char *path, int flags, mode_t mode) {
        return fs_openat2(dir_fd, path, (uint64_t) flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int fs_read_file(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        return fd_read_all(fd, max, ret, ret_size);
}

int fs_sync_dir(int dir_fd) {
        _cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return fsync(fd) < 0 ? -errno : 0;
}

/* fsync of the directory that holds `path`. */
static int sync_parent(int dir_fd, const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent = NULL;

        if (!slash)
                return dir_fd == AT_FDCWD ? fs_sync_dir(AT_FDCWD) : fs_sync_dir(dir_fd);
        parent = strndup(path, slash == path ? 1 : (size_t) (slash - path));
        if (!parent)
                return -ENOMEM;
        _cleanup_close_ int fd = fs_open_dir(dir_fd, parent);
        return fd < 0 ? fd : fs_sync_dir(fd);
}

int fs_write_file(int dir_fd, const char *path, const void *data, size_t size, mode_t mode, WriteFlags flags) {
        static atomic_uint serial;
        _cleanup_free_ char *temporary = NULL;
        int r;

        if (asprintf(&temporary, "%s.%i.%u.new", path, (int) getpid(), atomic_fetch_add(&serial, 1)) < 0)
                return -ENOMEM;
        _cleanup_close_ int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0)
                return -errno;
        r = fd_write_all(fd, data, size);
        if (r >= 0 && fchmod(fd, mode) < 0) /* whatever the umask */
                r = -errno;
        if (r >= 0 && (flags & WRITE_SYNC) && fsync(fd) < 0)
                r = -errno;
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, path) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(dir_fd, temporary, 0);
                return r;
        }
        return flags & WRITE_SYNC ? sync_parent(dir_fd, path) : 0;
}

int fs_mkdir(int dir_fd, const char *path, mode_t mode) {
        struct stat st;

        if (mkdirat(dir_fd, path, mode) >= 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int fs_mkdir_all(const char *path, mode_t mode) {
        _cleanup_free_ char *part = strdup(path);

        if (!part)
                return -ENOMEM;
        for (char *p = part + 1; *p; p++) {
                if (*p != '/')
                        continue;
                *p = '\0';
                if (mkdir(part, mode) < 0 && errno != EEXIST)
                        return -errno;
                *p = '/';
        }
        if (mkdir(part, mode) < 0 && errno != EEXIST)
                return -errno;
        return 0;
}

int fs_open_dir(int dir_fd, const char *path) {
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static bool is_dot(const char *name) {
        return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Gives a subdirectory a name of its own in the trash, so that its content is met at the top next time. */
static int move_up(int trash_fd, int dir_fd, const char *name) {
        static atomic_uint serial;

        for (;;) {
                char moved[64];
                snprintf(moved, sizeof(moved), ".moved-%i-%u", (int) getpid(), atomic_fetch_add(&serial, 1));
                if (syscall(SYS_renameat2, dir_fd, name, trash_fd, moved, 1 /* RENAME_NOREPLACE */) >= 0)
                        return 0;
                if (errno != EEXIST)
                        return -errno;
        }
}

/* Unlinks what is in one directory of the trash; subdirectories go or are moved up. */
static int empty_dir(int trash_fd, int dir_fd, unsigned *budget) {
        _cleanup_close_ int scan_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = 0;

        if (scan_fd < 0)
                return -errno;
        DIR *dir = fdopendir(scan_fd);
        if (!dir)
                return -errno;
        scan_fd = -EBADF; /* the stream owns it */
        for (struct dirent *e; (e = readdir(dir));) {
                if (is_dot(e->d_name))
                        continue;
                if (*budget == 0) {
                        r = 1;
                        break;
                }
                (*budget)--;
                if (unlinkat(dir_fd, e->d_name, 0) >= 0 || errno == ENOENT)
                        continue;
                if (errno != EISDIR && errno != EPERM) {
                        r = -errno;
                        break;
                }
                if (unlinkat(dir_fd, e->d_name, AT_REMOVEDIR) >= 0)
                        continue;
                if (errno != ENOTEMPTY && errno != EEXIST) {
                        r = -errno;
                        break;
                }
                if (dir_fd == trash_fd) {
                        _cleanup_close_ int child = fs_open_dir(dir_fd, e->d_name);
                        r = child < 0 ? child : empty_dir(trash_fd, child, budget);
                        if (r != 0)
                                break;
                        if (unlinkat(dir_fd, e->d_name, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY) {
                                r = -errno;
                                break;
                        }
                } else {
                        r = move_up(trash_fd, dir_fd, e->d_name);
                        if (r < 0)
                                break;
                }
        }
        closedir(dir);
        return r;
}

int fs_remove_some(int trash_fd, unsigned budget) {
        for (;;) {
                unsigned before = budget;
                int r = empty_dir(trash_fd, trash_fd, &budget);
                if (r != 0)
                        return r;
                if (budget == before) /* a pass that found nothing: empty */
                        return 0;
        }
}

int fs_remove_tree(int dir_fd, const char *path) {
        int r;

        if (unlinkat(dir_fd, path, 0) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return -errno;
        if (unlinkat(dir_fd, path, AT_REMOVEDIR) >= 0)
                return 0;
        if (errno != ENOTEMPTY && errno != EEXIST)
                return -errno;
        _cleanup_close_ int fd = fs_open_dir(dir_fd, path);
        if (fd < 0)
                return fd;
        do
                r = fs_remove_some(fd, 4096);
        while (r > 0);
        if (r < 0)
                return r;
        return unlinkat(dir_fd, path, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}
