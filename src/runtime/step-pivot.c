/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Step: the init makes the container's root directory its own, and the host's tree is gone from its namespace. */
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/io.h"

int step_pivot(Launch *l) {
        /* The old root is put on top of the new one, in the same place, and taken off: no directory is needed for it.
         * The scratch of step-rootfs.c lies on the old root's own "/", so it is the topmost and goes first. */
        if (fchdir(l->root) < 0)
                return -errno;
        l->root = fd_close(l->root);
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return -errno;
        if (umount2(".", MNT_DETACH) < 0 || umount2(".", MNT_DETACH) < 0)
                return launch_fail(l, -errno, "let go of the host's root file system");
        return chdir("/") < 0 ? -errno : 0;
}
