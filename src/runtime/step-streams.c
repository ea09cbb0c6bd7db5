/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: the process's standard streams, and every other descriptor out of its reach. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/io.h"

#define SOCKET_FD 3 /* where the child keeps its end; closed by execve */

/* Only what has no name anywhere else changes hands: a pipe or socket that the monitor made for this container. */
static int chown_stream(int fd, uint32_t uid, uint32_t gid) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))
                return 0;
        return fchown(fd, uid, gid) < 0 ? -errno : 0;
}

/* The container's root owns them first, so that it can give them to the user it finds: /dev/stdout is opened by its
 * owner. */
int step_streams(Launch *l) {
        for (size_t i = 0; i < 3 && launch_has_userns(l); i++) {
                int r = l->stdio[i] < 0 ? 0 : chown_stream(l->stdio[i], launch_root_uid(l), launch_root_gid(l));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The host's, for what is not given: in the container, anything may have its name by now. */
int step_null(Launch *l) {
        for (size_t i = 0; i < 3; i++) {
                if (l->stdio[i] >= 0)
                        continue;
                l->stdio[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
                if (l->stdio[i] < 0)
                        return -errno;
        }
        return 0;
}

int step_descriptors(Launch *l) {
        int safe[3];

        /* Above all targets first: any of them may be where another has to go. */
        int socket = fcntl(l->socket, F_DUPFD_CLOEXEC, SOCKET_FD + 1);
        if (socket < 0)
                return -errno;
        for (size_t i = 0; i < 3; i++) {
                safe[i] = fcntl(l->stdio[i], F_DUPFD_CLOEXEC, SOCKET_FD + 1);
                if (safe[i] < 0)
                        return -errno;
        }
        for (int i = 0; i < 3; i++)
                if (dup2(safe[i], i) < 0)
                        return -errno;
        if (dup3(socket, SOCKET_FD, O_CLOEXEC) < 0 || close_range(SOCKET_FD + 1, ~0U, 0) < 0)
                return -errno;
        l->socket = SOCKET_FD;
        return 0;
}

int step_streams_own(Launch *l) {
        for (int i = 0; i < 3; i++) {
                /* The terminal: only its own, and tty's group stays, as with login. */
                int r = l->slave == -EBADF ? chown_stream(i, l->uid, l->gid)
                                           : i == 0 && fchown(i, l->uid, (gid_t) -1) < 0 ? -errno : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}
