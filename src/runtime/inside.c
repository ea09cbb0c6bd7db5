/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monitor's visit to the init's mount namespace: what needs the host's privilege is mounted there directly, so no
 * mount is ever attached anywhere else, and no namespace has to be made for the work alone.
 *
 * The file-system ids are those of the container's root: overlayfs keeps the credentials of its mounter for its own
 * work, and the work directory is made with them; whatever the steps create belongs to that root too.
 * SECBIT_NO_SETUID_FIXUP keeps the capabilities that a change of fsuid would drop. */
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/io.h"

int inside_enter(Launch *l, Inside *i) {
        *i = (Inside) { .mount_namespace = -EBADF };
        i->mount_namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        if (i->mount_namespace < 0)
                return launch_fail(l, -errno, "open the mount namespace");
        i->securebits = prctl(PR_GET_SECUREBITS);
        if (i->securebits < 0 || prctl(PR_SET_SECUREBITS, (unsigned long) i->securebits | SECBIT_NO_SETUID_FIXUP) < 0)
                return launch_fail(l, -errno, "keep capabilities");
        i->shifted = true;
        i->mask = umask(0);
        (void) setfsuid(launch_root_uid(l));
        (void) setfsgid(launch_root_gid(l));
        if (setns(l->pidfd, CLONE_NEWNS) < 0)
                return launch_fail(l, -errno, "enter the container's mount namespace");
        i->moved = true;
        return 0;
}

int inside_leave(Inside *i) {
        int r = 0;

        if (i->moved && setns(i->mount_namespace, CLONE_NEWNS) < 0)
                r = -errno;
        if (i->shifted) {
                (void) setfsuid(0);
                (void) setfsgid(0);
                (void) umask(i->mask);
                if (prctl(PR_SET_SECUREBITS, (unsigned long) i->securebits) < 0)
                        r = -errno;
        }
        fd_close(i->mount_namespace);
        return r;
}
