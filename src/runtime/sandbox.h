/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Sandbox: namespaces, mounts and process of one container, made from an OCI runtime configuration. The caller (the
 * monitor) is root in the host's namespaces, single-threaded, owns the Sandbox, and is the parent of the container's
 * PID 1. Knows nothing of berthd, journal or clients, so that a runc-like command can be made of it. The order of
 * events is the table in sandbox.c.
 *
 * sandbox_prepare() does all that can be done before the unit exists; the init then waits. The caller moves the init's
 * pid into its cgroup, then calls sandbox_start(). If the caller dies before that, the init ends by itself (its socket
 * is closed). */
#pragma once

#include <sys/types.h>

#include "oci/runtime-config.h"
#include "util/macro.h"

typedef struct Sandbox Sandbox;

/* Why something could not be done: Docker's exit code (125 ours, 126 not executable, 127 not found) and one line. */
typedef struct SandboxError {
        int exit_code;
        char text[512];
} SandboxError;

/* `bundle_fd`: where relative sources of binds are; only used during the call. `stdio`: the container's ends of stdin,
 * stdout, stderr, all -EBADF with a terminal (the sandbox makes one in the container's own devpts); without one, -EBADF
 * stands for /dev/null. They stay the caller's; pipes and sockets change their owner to the container's user,
 * everything else is left alone. `config` stays the caller's and has to live as long as the Sandbox. The caller's
 * working directory is "/" afterwards. On failure nothing is left, the child has been reaped. */
int sandbox_prepare(const RuntimeConfig *config, int bundle_fd, const int stdio[3], Sandbox **ret, SandboxError *error);
/* Returns when the payload has been executed (0) or could not be (negative, `error` filled; the init has ended or is
 * about to, and sandbox_free() reaps it). The rlimits that the configuration lists are set here, all or failure: list
 * only what somebody asked for. */
int sandbox_start(Sandbox *s, SandboxError *error);

/* Once, at the start of a program whose descriptors may become many: it takes all the open files that its hard limit
 * allows, and the payloads get the soft limit as it was (what systemd gives to services), if none is configured. */
int sandbox_keep_limits(void);

pid_t sandbox_pid(const Sandbox *s);    /* the init, in the host's pid namespace; the caller's child, not yet reaped */
int sandbox_pidfd(const Sandbox *s);    /* borrowed */
int sandbox_terminal(const Sandbox *s); /* the terminal's master side, borrowed; -EBADF without */

/* Resizing and signals are the caller's: TIOCSWINSZ on sandbox_terminal(), pidfd_send_signal on sandbox_pidfd(). */

/* Runs one more process inside: enters all namespaces, cgroup `cgroup_fd` (a directory, by CLONE_INTO_CGROUP, -EBADF:
 * none), same seccomp, capabilities of `process`. 0: executed; *ret_pid is a child of the caller, *ret_pidfd and
 * *ret_terminal (-EBADF without) are the caller's. A container that does not let its new process start (its /etc/passwd
 * may be a pipe) fails this after 10 s. -ESRCH, -ENOMEM: there is no init any more. */
int sandbox_exec(Sandbox *s, const RuntimeProcess *process, const int stdio[3], int cgroup_fd,
                 pid_t *ret_pid, int *ret_pidfd, int *ret_terminal, SandboxError *error);

/* Drops the namespace descriptors (the slow tear-down happens here: report the exit first), kills the init if it still
 * lives, and reaps it if the caller has not. */
Sandbox *sandbox_free(Sandbox *s);
DEFINE_FREEP(Sandbox, sandbox_free)
