/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: what a process inherits without asking, made clean: signals, the session keyring, the working directory. */
#include <linux/keyctl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/launch.h"

int step_signals(Launch *l) {
        sigset_t none;

        for (int s = 1; s < NSIG; s++)
                (void) signal(s, SIG_DFL); /* not for KILL, STOP and libc's own */
        (void) sigemptyset(&none);
        return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/* An own, anonymous one: the monitor's would be the host's. */
int step_keyring(Launch *l) {
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
                return -errno;
        return 0;
}

/* As the container's root, as in Docker: a user may be put where it could not go. The result has to be inside: a path
 * through /proc could lead to a directory that somebody else has open. */
int step_directory(Launch *l) {
        const char *path = l->process->cwd;
        char where[PATH_MAX];

        if (chdir(path) < 0)
                return launch_refuse(l, errno == ENOENT ? 127 : 126, -errno,
                                     "cannot enter the working directory %s: %s", path, strerror(errno));
        if (syscall(SYS_getcwd, where, sizeof(where)) < 0 || where[0] != '/')
                return launch_refuse(l, 126, -EXDEV, "the working directory %s is outside of the container", path);
        return 0;
}
