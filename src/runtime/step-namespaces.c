/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps: the clone that is to become the container's process, with its namespaces: new ones for the init, the init's
 * for exec. */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/io.h"

/* What the monitor holds on to: their end takes milliseconds and would come before the exit status if the last process
 * did it. */
static const struct {
        int flag;
        const char *name;
} held[] = {
        { CLONE_NEWUSER, "user" }, { CLONE_NEWNS, "mnt" },  { CLONE_NEWPID, "pid" },
        { CLONE_NEWIPC, "ipc" },   { CLONE_NEWNET, "net" },
};
#define HELD_USER 0 /* a row of the table */
_Static_assert(N_ELEMENTS(held) <= N_ELEMENTS(((Sandbox *) 0)->namespace_fds), "room for every namespace held");

/* In the child, the parent's end is closed and l->socket is the child's. */
static pid_t clone_process(Launch *l, uint64_t flags) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        struct clone_args args = {
                .flags = flags | CLONE_PIDFD | (l->cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
                .pidfd = (uint64_t) (uintptr_t) &l->pidfd,
                .exit_signal = SIGCHLD,
                .cgroup = l->cgroup_fd >= 0 ? (uint64_t) l->cgroup_fd : 0,
        };
        pid_t pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        int r = pid < 0 ? -errno : pid;
        if (r == 0) {
                fd_close(pair[0]);
                l->socket = pair[1];
                return 0;
        }
        fd_close(pair[1]);
        if (r < 0)
                fd_close(pair[0]);
        else
                l->socket = pair[0];
        return r;
}

/* Of a process, others in its pid namespace may read the mount table and all of /proc/PID/net: an exec's is never seen
 * without these namespaces. */
static const struct {
        int flag;
        const char *own;
} told[] = {
        { CLONE_NEWNS,  "/proc/self/ns/mnt" },
        { CLONE_NEWNET, "/proc/self/ns/net" },
        { CLONE_NEWPID, "/proc/self/ns/pid" },
};
#define TOLD (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID)

/* exec: the monitor goes into the container's namespaces itself, and comes back without the child that is born there.
 * The user namespace is left to the child, since there is no way back from it. */
static pid_t clone_into(Launch *l) {
        int flags = l->config->namespaces & TOLD, back[N_ELEMENTS(told)], r = 0;
        pid_t pid = -1;

        for (size_t i = 0; i < N_ELEMENTS(told); i++) {
                back[i] = flags & told[i].flag && r == 0 ? open(told[i].own, O_RDONLY | O_CLOEXEC) : -EBADF;
                if (back[i] == -1)
                        r = -errno;
        }
        if (r == 0 && setns(l->sandbox->pidfd, flags) < 0)
                r = -errno;
        if (r == 0) {
                pid = clone_process(l, 0);
                if (pid == 0)
                        return 0;
                for (size_t i = 0; i < N_ELEMENTS(told); i++)
                        if (back[i] >= 0 && setns(back[i], told[i].flag) < 0)
                                abort(); /* a monitor that is lost in its container is none */
        }
        for (size_t i = 0; i < N_ELEMENTS(told); i++)
                fd_close(back[i]);
        return r < 0 ? r : pid;
}

/* The ipc namespace brings along the file system of its message queues, whose root belongs to the file-system ids of
 * whoever makes it: those of the container's root. The child gets its own with its identity. */
static pid_t clone_init(Launch *l) {
        (void) setfsgid(launch_root_gid(l));
        (void) setfsuid(launch_root_uid(l));
        pid_t pid = clone_process(l, (uint64_t) (l->config->namespaces & ~CLONE_NEWCGROUP));
        if (pid != 0) {
                (void) setfsuid(0);
                (void) setfsgid(0);
        }
        return pid;
}

int step_namespaces(Launch *l) {
        pid_t pid = l->joins ? clone_into(l) : clone_init(l);

        if (pid < 0)
                return l->joins && (pid == -ENOMEM || pid == -ESRCH) /* the namespace's init is gone */
                       ? launch_refuse(l, 125, pid, "the container is not running")
                       : launch_fail(l, pid, "clone the container's process");
        if (pid == 0) {
                if (l->joins)
                        launch_join(l);
                else
                        launch_init(l);
        }
        l->pid = pid;
        return 0;
}

static int write_map(pid_t pid, const char *which, const RuntimeIdMap *map) {
        char path[64], line[64];

        snprintf(path, sizeof(path), "/proc/%i/%s", (int) pid, which);
        int n = snprintf(line, sizeof(line), "%u %u %u\n", map->container_id, map->host_id, map->size);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd_write_all(fd, line, (size_t) n);
}

int step_id_maps(Launch *l) {
        int r;

        if (!launch_has_userns(l))
                return 0;
        r = write_map(l->pid, "uid_map", &l->config->uid_map);
        return r < 0 ? r : write_map(l->pid, "gid_map", &l->config->gid_map);
}

int step_hold(Launch *l) {
        for (size_t i = 0; i < N_ELEMENTS(held); i++) {
                char path[64];
                if (!(l->config->namespaces & held[i].flag))
                        continue;
                snprintf(path, sizeof(path), "/proc/%i/ns/%s", (int) l->pid, held[i].name);
                l->sandbox->namespace_fds[i] = open(path, O_RDONLY | O_CLOEXEC);
                if (l->sandbox->namespace_fds[i] < 0)
                        return -errno;
        }
        return 0;
}

int launch_userns(const Launch *l) {
        return l->sandbox->namespace_fds[HELD_USER];
}

/* The first net under a monitor that dies; a change of uid takes it away, so step_identity spreads it again. Nobody may
 * look into the monitor's memory through its clone: not dumpable until execve. */
int step_guard(Launch *l) {
        (void) umask(0);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
                return -errno;
        return 0;
}

/* The other namespaces of the init, as they are now. */
int step_join(Launch *l) {
        int flags = l->config->namespaces & ~TOLD;

        if (flags == 0 || setns(l->sandbox->pidfd, flags) >= 0)
                return 0;
        if (errno == ESRCH)
                return launch_refuse(l, 125, -ESRCH, "the container is not running");
        return -errno;
}
