/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mount targets in a tree that came from outside: see target_open in launch.h. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/fs.h"

#define LINKS_MAX 40 /* as the kernel */
#define NAMES_MAX 4096 /* that are missing on the way: each is a call within a call */

/* Splits off the last name of a path; the parent is "" for a name alone. `path` is changed. */
static char *last_name(char *path, char **ret_parent) {
        size_t n = strlen(path);

        while (n > 1 && path[n - 1] == '/')
                path[--n] = '\0';
        char *slash = strrchr(path, '/');
        if (!slash) {
                *ret_parent = path + n;
                return path;
        }
        *slash = '\0';
        *ret_parent = path;
        return slash + 1;
}

/* Makes one entry; an existing one will do, whatever it is. */
static int make_entry(int parent, const char *name, bool directory) {
        if (directory)
                return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
        int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return errno == EEXIST ? 0 : -errno;
        fd_close(fd);
        return 0;
}

/* What a symlink in `parent_fd`, which `parent` leads to, points at: -EINVAL, -ENOENT: there is none. */
static int read_link(int parent_fd, const char *parent, const char *name, char **ret) {
        char link[PATH_MAX];
        ssize_t n = readlinkat(parent_fd, name, link, sizeof(link) - 1);

        if (n < 0)
                return -errno;
        link[n] = '\0';
        bool absolute = link[0] == '/';
        return asprintf(ret, "%s%s%s", absolute ? "" : parent, absolute ? "" : "/", link) < 0 ? -ENOMEM : 0;
}

typedef struct Effort {
        unsigned links, names;
} Effort;

/* Recurses, so it has no large variables, and `effort` bounds it: the path may be an image's. */
static int open_or_make(int root_fd, const char *path, bool directory, Effort *effort) {
        int flags = O_PATH | (directory ? O_DIRECTORY : 0);
        _cleanup_free_ char *copy = NULL, *next = NULL;
        char *parent, *name;
        int r;

        int fd = fs_open_in_root(root_fd, *path ? path : "/", flags, 0);
        if (fd != -ENOENT)
                return fd;
        if (++effort->names > NAMES_MAX)
                return -ENAMETOOLONG;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        name = last_name(copy, &parent);
        if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return -ENOENT;
        _cleanup_close_ int parent_fd = open_or_make(root_fd, parent, true, effort);
        if (parent_fd < 0)
                return parent_fd;

        r = read_link(parent_fd, parent, name, &next);
        if (r == -ENOMEM)
                return r;
        if (r == 0) /* dangling: what it points at is made, inside */
                return ++effort->links > LINKS_MAX ? -ELOOP : open_or_make(root_fd, next, directory, effort);
        r = make_entry(parent_fd, name, directory);
        return r < 0 ? r : fs_open_in_root(root_fd, path, flags, 0);
}

int target_open(int root_fd, const char *path, bool directory) {
        return open_or_make(root_fd, path, directory, &(Effort) { 0 });
}
