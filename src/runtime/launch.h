/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Launch is one process on its way into a sandbox: the container's init, or one more by exec. It lives on the stack
 * of sandbox_prepare(), sandbox_start() or sandbox_exec(); the child works on its own copy of it. The steps (step-*.c)
 * are functions on it, and the table in sandbox.c says which runs when and where. A step returns a negative errno;
 * where "cannot NAME OF THE STEP: REASON" would not be enough it calls launch_fail() and returns what that returns. */
#pragma once

#include <linux/filter.h>

#include "runtime/sandbox.h"

/* Where a step runs. One row of the table may serve several. */
typedef enum Phase {
        PHASE_MONITOR = 1 << 0, /* the monitor, in the host's namespaces */
        PHASE_INSIDE = 1 << 1,  /* the monitor, in the init's mount namespace, with the fsuid of the container's root */
        PHASE_BORN = 1 << 2,    /* the init, before the monitor has done its part */
        PHASE_INIT = 1 << 3,    /* the init, after that */
        PHASE_JOIN = 1 << 4,    /* a process of exec */
        PHASE_AFTER = 1 << 8,   /* the monitor inside once more, when the init has done that; seldom needed */
        PHASE_LIMITS = 1 << 5,  /* the monitor again, on the process that waits for its go */
        PHASE_GO = 1 << 6,      /* the init, in its cgroup */
        PHASE_FINISH = 1 << 7,  /* both kinds of process, up to execve */
} Phase;

struct Sandbox {
        const RuntimeConfig *config; /* the caller's, lives longer */
        pid_t pid;
        int pidfd;
        int socket;
        int terminal;
        int namespace_fds[8];         /* -EBADF where not ours; see step-namespaces.c */
        struct sock_filter *filter;   /* a private, read-only mapping of the cached file: costs no memory of our own */
        size_t filter_size;
};

typedef struct Launch {
        Sandbox *sandbox;
        const RuntimeConfig *config;
        const RuntimeProcess *process;
        bool joins; /* exec */
        int bundle_fd;
        int stdio[3];
        int socket;   /* our end, whichever side we are */
        int terminal; /* the master's descriptor */
        int slave;    /* the child's */
        pid_t pid;
        int pidfd;
        int cgroup_fd;

        /* The monitor's, while it prepares. */
        int *layers; /* detached, id-mapped mounts; topmost first */
        size_t n_layers;
        int state;   /* likewise, of the directory with upper/ and work/ */
        int *binds;  /* one for each configured mount, -EBADF where it is no bind */
        int init;    /* berth-init's, if it is wanted */
        int root; /* O_PATH of the container's root directory; the child has it too until it is inside */

        /* The child's, while it finishes. */
        uint32_t uid, gid;
        uint32_t *groups;
        size_t n_groups;
        char **env;
        char **args;
        char *program; /* what execve gets */

        SandboxError error;
} Launch;

typedef struct Step {
        unsigned phases;
        const char *name; /* completes "cannot …" */
        int (*run)(Launch *l);
} Step;

/* Fills `error` with exit code 125, the formatted text after "cannot ", and the errno's text. Returns `r`. */
int launch_fail(Launch *l, int r, const char *format, ...) _printf_(3, 4);
/* The whole line as given, with Docker's exit code. */
int launch_refuse(Launch *l, int exit_code, int r, const char *format, ...) _printf_(4, 5);

/* What the child runs after it was cloned. */
_Noreturn void launch_init(Launch *l);
_Noreturn void launch_join(Launch *l);

/* The messages over the socket pair. `fd`: -EBADF for none. */
typedef enum LaunchMessage { LAUNCH_CONTINUE = 1, LAUNCH_READY, LAUNCH_GO, LAUNCH_FAILED } LaunchMessage;
int launch_send(int socket, LaunchMessage type, int fd, const SandboxError *error);
/* 1: got one, 0: end of file. *ret_fd is -EBADF if none came. -ETIMEDOUT after timeout_ms (-1: never). */
int launch_receive(int socket, int timeout_ms, LaunchMessage *ret_type, int *ret_fd, SandboxError *ret_error);

/* Whether the container has a user namespace, and the host's ids of its root. */
static inline bool launch_has_userns(const Launch *l) {
        return l->config->uid_map.size > 0;
}
static inline uint32_t launch_root_uid(const Launch *l) {
        return l->config->uid_map.host_id;
}
static inline uint32_t launch_root_gid(const Launch *l) {
        return l->config->gid_map.host_id;
}

/* Its descriptor, borrowed; -EBADF without. (step-namespaces.c) */
int launch_userns(const Launch *l);

/* Leaves and re-enters the host's mount namespace around PHASE_INSIDE (inside.c). */
typedef struct Inside Inside;
struct Inside {
        int mount_namespace;
        int securebits;
        unsigned mask;
        bool moved, shifted;
};
int inside_enter(Launch *l, Inside *i);
int inside_leave(Inside *i);

/* The target of a mount below root_fd: never outside, made (with its parents) if the image lacks it, also where a
 * symlink dangles. An O_PATH descriptor or a negative errno. (target.c) */
int target_open(int root_fd, const char *path, bool directory);

/* Attaches a detached mount (mount.c). */
int mount_attach(int mount_fd, int root_fd, const char *path, bool directory);
/* Makes a detached mount of a file system. -EINVAL etc.; `why` is the kernel's own explanation, if it has one. */
int mount_new(const char *type, const char *source, char *const *options, char why[static 160]);
/* Splits mount options into attributes of the mount and the rest. */
typedef struct MountFlags {
        uint64_t set, clear; /* MOUNT_ATTR_* */
        bool recursive, idmap;
} MountFlags;
/* true: the option is one of these; false: it is the file system's own. */
bool mount_flags_take(MountFlags *f, const char *option);
/* A detached, id-mapped (userns_fd >= 0) clone of a directory or file on the host. */
int mount_clone(int dir_fd, const char *path, bool recursive, int userns_fd);

/* The steps, in files of the same name. */
int step_seccomp_read(Launch *l);
int step_streams(Launch *l);
int step_namespaces(Launch *l);
int step_id_maps(Launch *l);
int step_hold(Launch *l);
int step_layers(Launch *l);
int step_binds(Launch *l);
int step_init_find(Launch *l);
int step_rootfs(Launch *l);
int step_mtab(Launch *l);
int step_mounts(Launch *l);
int step_dev(Launch *l);
int step_init(Launch *l);
int step_directory_make(Launch *l);
int step_guard(Launch *l);
int step_null(Launch *l);
int step_join(Launch *l);
int step_descriptors(Launch *l);
int step_bounding(Launch *l);
int step_become_root(Launch *l);
int step_mounts_own(Launch *l);
int step_binds_late(Launch *l);
bool launch_has_late_binds(const Launch *l);
int step_pivot(Launch *l);
int step_sysctl(Launch *l);
int step_masks(Launch *l);
int step_hostname(Launch *l);
int step_loopback(Launch *l);
int step_terminal(Launch *l);
int step_root_readonly(Launch *l);
int step_limits(Launch *l);
int step_cgroup(Launch *l);
int step_signals(Launch *l);
int step_session(Launch *l);
int step_user(Launch *l);
int step_streams_own(Launch *l);
int step_keyring(Launch *l);
int step_directory(Launch *l);
int step_identity(Launch *l);
int step_program(Launch *l);
int step_seccomp(Launch *l);
int step_execute(Launch *l);

/* Where berth-init is bound in a container (step-init.c). */
#define BERTH_INIT_INSIDE "/dev/init"
bool launch_wants_init(const Launch *l);
