/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: --init. berth-init is found on the host and bound, read-only, into the container's /dev. */
#include <fcntl.h>
#include <sys/mount.h>

#include "config.h"
#include "runtime/launch.h"
#include "util/strv.h"

bool launch_wants_init(const Launch *l) {
        const char *value = runtime_config_annotation(l->config, "init");
        return !l->joins && value && streq(value, "true");
}

int step_init_find(Launch *l) {
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

        if (!launch_wants_init(l))
                return 0;
        l->init = mount_clone(AT_FDCWD, BERTH_LIBEXECDIR "/berth-init", false, -EBADF);
        return l->init < 0 ? l->init : mount_setattr(l->init, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int step_init(Launch *l) {
        return l->init < 0 ? 0 : mount_attach(l->init, l->root, BERTH_INIT_INSIDE, false);
}
