/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Step: paths of proc and sysfs that the container is not to see or not to write. By the init, after it has pivoted:
 * its own root directory is the only one, so no path leads outside. A path that the kernel lacks is no fault. */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/launch.h"
#include "util/io.h"

static int set_readonly(const char *path, unsigned flags) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
        return mount_setattr(AT_FDCWD, path, flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

/* One empty tmpfs serves every masked directory: *first is where it was attached. */
static int mask_directory(const char *path, const char **first) {
        static char *const options[] = { (char *) "ro", (char *) "nosuid", (char *) "nodev", (char *) "noexec", NULL };
        char why[160];

        if (*first)
                return mount(*first, path, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
        int fd = mount_new("tmpfs", "mask", options, why);
        if (fd < 0)
                return fd;
        int r = move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
        fd_close(fd);
        if (r == 0)
                *first = path;
        return r;
}

/* The device itself, whatever may take its name meanwhile in a /dev that others can write to. */
static int open_null(void) {
        _cleanup_close_ int fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) ? TAKE_FD(fd) : -ENODEV;
}

static int mask_file(const char *path) {
        _cleanup_close_ int null = open_null();
        if (null < 0)
                return null;
        _cleanup_close_ int fd = open_tree(null, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        return fd < 0 || move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

int step_masks(Launch *l) {
        const char *first = NULL;

        for (char **p = l->config->masked_paths; p && *p; p++) {
                struct stat st;
                int r;

                if (stat(*p, &st) < 0)
                        r = errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
                else if (S_ISDIR(st.st_mode))
                        r = mask_directory(*p, &first);
                else
                        r = mask_file(*p);
                if (r < 0)
                        return launch_fail(l, r, "mask %s", *p);
        }
        for (char **p = l->config->readonly_paths; p && *p; p++) {
                int r = mount(*p, *p, NULL, MS_BIND | MS_REC, NULL) < 0 ? -errno : set_readonly(*p, AT_RECURSIVE);
                if (r < 0 && r != -ENOENT)
                        return launch_fail(l, r, "make %s read-only", *p);
        }
        return 0;
}
