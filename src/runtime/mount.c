/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts by the new API: options as words, file systems and clones as detached descriptors, and where they are
 * attached: see launch.h. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/io.h"
#include "util/strv.h"

typedef struct Option {
        const char *word;
        uint64_t set, clear;
        bool recursive, idmap;
} Option;

static const Option options_of_mounts[] = {
        { "ro",          .set = MOUNT_ATTR_RDONLY },
        { "rw",          .clear = MOUNT_ATTR_RDONLY },
        { "nosuid",      .set = MOUNT_ATTR_NOSUID },
        { "suid",        .clear = MOUNT_ATTR_NOSUID },
        { "nodev",       .set = MOUNT_ATTR_NODEV },
        { "dev",         .clear = MOUNT_ATTR_NODEV },
        { "noexec",      .set = MOUNT_ATTR_NOEXEC },
        { "exec",        .clear = MOUNT_ATTR_NOEXEC },
        { "noatime",     .set = MOUNT_ATTR_NOATIME, .clear = MOUNT_ATTR__ATIME },
        { "strictatime", .set = MOUNT_ATTR_STRICTATIME, .clear = MOUNT_ATTR__ATIME },
        { "relatime",    .set = MOUNT_ATTR_RELATIME, .clear = MOUNT_ATTR__ATIME },
        { "nodiratime",  .set = MOUNT_ATTR_NODIRATIME },
        { "diratime",    .clear = MOUNT_ATTR_NODIRATIME },
        { "bind" },
        { "rbind",       .recursive = true },
        { "idmap",       .idmap = true },
        { "ridmap",      .idmap = true, .recursive = true },
        { "private" }, /* what every mount in a container is */
        { "rprivate" },
        { "defaults" },
};

bool mount_flags_take(MountFlags *f, const char *word) {
        for (size_t i = 0; i < N_ELEMENTS(options_of_mounts); i++) {
                const Option *o = options_of_mounts + i;
                if (!streq(o->word, word))
                        continue;
                f->set = (f->set & ~o->clear) | o->set;
                f->clear = (f->clear & ~o->set) | o->clear;
                f->recursive |= o->recursive;
                f->idmap |= o->idmap;
                return true;
        }
        return false;
}

/* The kernel's explanation, where it left one: "e tmpfs: Bad value for 'size'". */
static void explain(int fs_fd, char why[static 160]) {
        char line[160];
        ssize_t n = read(fs_fd, line, sizeof(line) - 1);

        line[MAX_OF(n, 0)] = '\0';
        line[strcspn(line, "\n")] = '\0';
        (void) strcpy(why, startswith(line, "e ") ?: line);
}

static int configure(int fs_fd, const char *word) {
        const char *equals = strchr(word, '=');

        if (!equals)
                return fsconfig(fs_fd, FSCONFIG_SET_FLAG, word, NULL, 0) < 0 ? -errno : 0;
        _cleanup_free_ char *key = strndup(word, (size_t) (equals - word));
        if (!key)
                return -ENOMEM;
        return fsconfig(fs_fd, FSCONFIG_SET_STRING, key, equals + 1, 0) < 0 ? -errno : 0;
}

int mount_new(const char *type, const char *source, char *const *options, char why[static 160]) {
        _cleanup_close_ int fs_fd = fsopen(type, FSOPEN_CLOEXEC);
        MountFlags flags = { 0 };
        int r;

        why[0] = '\0';
        if (fs_fd < 0)
                return -errno;
        r = fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", source ?: type, 0) < 0 ? -errno : 0;
        for (char *const *o = options; r == 0 && o && *o; o++)
                if (!mount_flags_take(&flags, *o))
                        r = configure(fs_fd, *o);
        if (r == 0 && fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                r = -errno;
        if (r < 0) {
                explain(fs_fd, why);
                return r;
        }
        int fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, (unsigned) flags.set);
        return fd < 0 ? -errno : fd;
}

int mount_clone(int dir_fd, const char *path, bool recursive, int userns_fd) {
        unsigned recurse = recursive ? AT_RECURSIVE : 0;
        _cleanup_close_ int fd = open_tree(dir_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recurse);

        if (fd < 0)
                return -errno;
        struct mount_attr attr = { .propagation = MS_PRIVATE };
        if (userns_fd >= 0) {
                attr.attr_set = MOUNT_ATTR_IDMAP;
                attr.userns_fd = (uint64_t) userns_fd;
        }
        if (mount_setattr(fd, "", AT_EMPTY_PATH | recurse, &attr, sizeof(attr)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int mount_attach(int mount_fd, int root_fd, const char *path, bool directory) {
        _cleanup_close_ int target = target_open(root_fd, path, directory);

        if (target < 0)
                return target;
        return move_mount(mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}
