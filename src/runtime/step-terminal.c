/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: the terminal, from the container's own devpts. Its master goes to the monitor, its slave becomes the standard
 * streams and, for the init, /dev/console; in its session it is the controlling terminal. */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <termios.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/io.h"

/* What runs in the container may have put anything in this place: it has to be a devpts, and the slave comes from the
 * master, not from a path. */
static int open_master(void) {
        _cleanup_close_ int fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        struct statfs fs;
        int unlock = 0;

        if (fd < 0 || fstatfs(fd, &fs) < 0)
                return -errno;
        if (fs.f_type != DEVPTS_SUPER_MAGIC)
                return -ENODEV;
        if (ioctl(fd, TIOCSPTLCK, &unlock) < 0)
                return -errno;
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* By descriptors: in a /dev that others write to, a name may mean something else a moment later. */
static int bind_console(int slave) {
        int made = open("/dev/console", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
        if (made < 0 && errno != EEXIST)
                return -errno;
        fd_close(made);
        _cleanup_close_ int target = open("/dev/console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0)
                return -errno;
        _cleanup_close_ int mount = open_tree(slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        return mount < 0 || move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
               ? -errno : 0;
}

int step_terminal(Launch *l) {
        struct winsize size = { .ws_row = l->process->rows, .ws_col = l->process->columns };
        int r;

        if (!l->process->terminal)
                return 0;
        l->terminal = open_master();
        if (l->terminal < 0)
                return l->terminal;
        l->slave = ioctl(l->terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (l->slave < 0)
                return -errno;
        if (size.ws_row && size.ws_col && ioctl(l->terminal, TIOCSWINSZ, &size) < 0)
                return -errno;
        if (!l->joins) {
                r = bind_console(l->slave);
                if (r < 0)
                        return launch_fail(l, r, "bind /dev/console");
        }
        for (int i = 0; i < 3; i++)
                if (dup2(l->slave, i) < 0)
                        return -errno;
        fd_close(l->slave); /* the number stays, as the sign that there is a terminal */
        return 0;
}

int step_session(Launch *l) {
        if (setsid() < 0)
                return -errno;
        if (l->slave != -EBADF && ioctl(0, TIOCSCTTY, 0) < 0)
                return -errno;
        return 0;
}
