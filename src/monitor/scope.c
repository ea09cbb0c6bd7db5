/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Scope: see scope.h. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "monitor/scope.h"
#include "util/fs.h"
#include "util/cgroup.h"
#include "util/strv.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

int cgroup_write(int dir_fd, const char *path, const char *text) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return write(fd, text, strlen(text)) < 0 ? -errno : 0; /* the kernel takes one write as one value */
}

/* The files of /proc and cgroupfs have no size: a plain read of what is small. */
static int read_small(int dir_fd, const char *path, char *ret, size_t size) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        ssize_t n = read(fd, ret, size - 1);
        if (n < 0)
                return -errno;
        ret[n] = '\0';
        return 0;
}

static bool ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n > m && streq(s + n - m, suffix);
}

int scope_find(Scope *s) {
        char text[8192];
        int r = read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
        _cleanup_free_ char *path = NULL;

        if (r >= 0)
                r = cgroup_path_parse(text, &path);
        if (r < 0)
                return r;
        const char *unit = strrchr(path, '/') + 1;
        if ((!ends_with(unit, ".scope") && !ends_with(unit, ".service")) || streq(unit, "berth-spawn.service"))
                return -ENXIO;
        free(s->path);
        s->path = TAKE(path);
        return 0;
}

static int enable_controllers(Scope *s) {
        char text[1024], *state = NULL;
        int r = read_small(s->fd, "cgroup.controllers", text, sizeof(text));

        if (r < 0)
                return r;
        for (char *name = strtok_r(text, " \n", &state); name; name = strtok_r(NULL, " \n", &state)) {
                char enable[64];
                snprintf(enable, sizeof(enable), "+%s", name);
                /* One by one: where a single one cannot be had (it is threaded, or a limit of v1 holds it) the
                 * others still work. */
                (void) cgroup_write(s->fd, "cgroup.subtree_control", enable);
        }
        return 0;
}

int scope_enter(Scope *s) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, CGROUP_ROOT "%s", s->path) < 0)
                return -ENOMEM;
        s->fd = fs_open_dir(AT_FDCWD, path);
        if (s->fd < 0)
                return s->fd;
        r = fs_mkdir(s->fd, "monitor", 0755);
        if (r >= 0)
                r = fs_mkdir(s->fd, "payload", 0755);
        if (r >= 0)
                r = cgroup_write(s->fd, "monitor/cgroup.procs", "0");
        if (r >= 0) /* EBUSY while a process is in the unit's own cgroup, so not before */
                r = enable_controllers(s);
        return r;
}

int scope_move_payload(Scope *s, pid_t init) {
        char text[16];

        snprintf(text, sizeof(text), "%i", (int) init);
        return cgroup_write(s->fd, "payload/cgroup.procs", text);
}

void scope_kill(Scope *s) {
        (void) cgroup_write(s->fd, "payload/cgroup.kill", "1");
        (void) cgroup_write(s->fd, "exec/cgroup.kill", "1");
}

void scope_thaw(Scope *s) {
        (void) cgroup_write(s->fd, "payload/cgroup.freeze", "0");
        (void) cgroup_write(s->fd, "exec/cgroup.freeze", "0");
}

int scope_open_memory_events(Scope *s) {
        int fd = openat(s->fd, "memory.events", O_RDONLY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

uint64_t scope_oom_kills(int events_fd) {
        char text[512];
        ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);
        const char *count;

        if (n < 0)
                return 0;
        text[n] = '\0';
        count = strstr(text, "oom_kill ");
        return count ? strtoull(count + strlen("oom_kill "), NULL, 10) : 0;
}

void scope_next_payload(Scope *s) {
        scope_thaw(s);
}

/* A process that an exec has left behind keeps its cgroup; when it has gone the cgroup is swept out here. */
static void sweep_execs(int exec_fd) {
        int scan_fd = openat(exec_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = scan_fd < 0 ? NULL : fdopendir(scan_fd);

        if (!dir) {
                fd_close(scan_fd);
                return;
        }
        for (struct dirent *e; (e = readdir(dir));)
                if (e->d_type == DT_DIR && e->d_name[0] != '.')
                        (void) unlinkat(exec_fd, e->d_name, AT_REMOVEDIR); /* EBUSY: in use */
        closedir(dir);
}

int scope_exec_new(Scope *s, unsigned number) {
        char name[16];
        int r = fs_mkdir(s->fd, "exec", 0755);

        if (r < 0)
                return r;
        _cleanup_close_ int exec_fd = fs_open_dir(s->fd, "exec");
        if (exec_fd < 0)
                return exec_fd;
        sweep_execs(exec_fd);
        snprintf(name, sizeof(name), "%u", number);
        r = fs_mkdir(exec_fd, name, 0755);
        return r < 0 ? r : fs_open_dir(exec_fd, name);
}

void scope_exec_kill(Scope *s, unsigned number) {
        char path[48];

        snprintf(path, sizeof(path), "exec/%u/cgroup.kill", number);
        (void) cgroup_write(s->fd, path, "1");
}

void scope_exec_remove(Scope *s, unsigned number) {
        char path[32];

        snprintf(path, sizeof(path), "exec/%u", number);
        (void) unlinkat(s->fd, path, AT_REMOVEDIR);
}
