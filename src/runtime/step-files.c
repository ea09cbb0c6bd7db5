/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: files from outside that are bound into the container: the bundle's, and berth-init. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "config.h"
#include "runtime/launch.h"
#include "util/io.h"
#include "util/strv.h"

static const struct {
        const char *source; /* in the bundle, or absolute */
        const char *target;
        uint64_t attributes;
} files[] = {
        { "hosts",                          "/etc/hosts",       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
        { "hostname",                       "/etc/hostname",    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
        { "resolv.conf",                    "/etc/resolv.conf", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
        { BERTH_LIBEXECDIR "/berth-init",   BERTH_INIT_INSIDE,  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV },
};
_Static_assert(N_ELEMENTS(files) == FILES_OF_BUNDLE, "a descriptor for every row");

bool launch_wants_init(const Launch *l) {
        const char *value = runtime_config_annotation(l->config, "init");
        return !l->joins && value && streq(value, "true");
}

/* A mount of the user's own on the same place wins. */
static bool is_wanted(const Launch *l, size_t row) {
        if (streq(files[row].target, BERTH_INIT_INSIDE))
                return launch_wants_init(l);
        for (size_t i = 0; i < l->config->n_mounts; i++)
                if (streq(l->config->mounts[i].destination, files[row].target))
                        return false;
        return true;
}

int step_files_find(Launch *l) {
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                struct mount_attr attr = { .attr_set = files[i].attributes };

                if (!is_wanted(l, i))
                        continue;
                l->files[i] = mount_clone(l->bundle_fd, files[i].source, false, -EBADF);
                if (l->files[i] == -ENOENT && files[i].source[0] != '/')
                        continue; /* a bundle without it: the image's own stays */
                if (l->files[i] < 0)
                        return launch_fail(l, l->files[i], "bind %s", files[i].source);
                if (mount_setattr(l->files[i], "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
                        return launch_fail(l, -errno, "bind %s", files[i].source);
        }
        return 0;
}

int step_files(Launch *l) {
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                if (l->files[i] < 0)
                        continue;
                int r = mount_attach(l->files[i], l->root, files[i].target, false);
                if (r < 0)
                        return launch_fail(l, r, "bind %s", files[i].target);
        }
        return 0;
}
