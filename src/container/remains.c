/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exit codes of containers that are gone: see remains.h. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "container/container-id.h"
#include "container/remains.h"
#include "util/fs.h"
#include "util/strv.h"

#define AGE_SEC 120

static int open_dir(const char *rundir, bool make) {
        _cleanup_free_ char *path = NULL;
        int r = 0;

        if (asprintf(&path, "%s/remains", rundir) < 0)
                return -ENOMEM;
        if (make)
                r = fs_mkdir(AT_FDCWD, path, 0700);
        return r < 0 ? r : fs_open_dir(AT_FDCWD, path);
}

static bool is_old(int dir_fd, const char *name, time_t now) {
        struct stat st;

        /* from the future: the clock was set back */
        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mtim.tv_sec + AGE_SEC < now ||
               st.st_mtim.tv_sec > now + 1;
}

static void sweep(int dir_fd) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        time_t now = time(NULL);

        if (!dir) {
                fd_close(fd);
                return;
        }
        for (struct dirent *e; (e = readdir(dir));)
                if (e->d_name[0] != '.' && is_old(dir_fd, e->d_name, now))
                        (void) unlinkat(dir_fd, e->d_name, 0); /* the next sweep tries again */
        closedir(dir);
}

int remains_add(const char *rundir, const char *id, int32_t exit_code) {
        _cleanup_close_ int dir_fd = open_dir(rundir, true);
        char code[16];

        if (dir_fd < 0)
                return dir_fd;
        sweep(dir_fd);
        snprintf(code, sizeof(code), "%i", exit_code);
        return symlinkat(code, dir_fd, id) < 0 && errno != EEXIST ? -errno : 0;
}

int remains_get(const char *rundir, const char *id, int32_t *ret_exit_code) {
        _cleanup_close_ int dir_fd = open_dir(rundir, false);
        char code[16];

        if (dir_fd < 0)
                return dir_fd;
        if (!container_id_is_valid(id))
                return -ENOENT;
        ssize_t n = readlinkat(dir_fd, id, code, sizeof(code) - 1);
        if (n < 0)
                return -errno;
        if (is_old(dir_fd, id, time(NULL)))
                return -ENOENT;
        code[n] = '\0';
        return parse_i32(code, ret_exit_code);
}
