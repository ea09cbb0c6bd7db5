/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of events in the making of a sandbox: see sandbox.h. */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/launch.h"
#include "util/io.h"
#include "util/strv.h"
#include "util/utf8.h"

/* A container may make its own /etc/passwd a pipe to nowhere; its monitor does not wait for that for ever. */
#define CHILD_TIMEOUT_MS 10000

/* The init reads and executes what lies on file systems that may be slow, on a host that may be starting hundreds. Who
 * takes longer waits for something that does not come, and the monitor is to hear of a stop meanwhile. */
#define INIT_TIMEOUT_MS 90000

/* A process whose file system does not answer cannot even be killed. It is left to itself. */
#define REAP_TIMEOUT_MS 10000

static const Step steps[] = {
        /* The monitor. Its clone of itself that becomes the init begins in launch_init(). */
        { PHASE_MONITOR,             "read the seccomp filter",                step_seccomp_read },
        { PHASE_MONITOR,             "give the streams to the container",      step_streams },
        { PHASE_MONITOR,             "make the namespaces",                    step_namespaces },
        { PHASE_MONITOR,             "write the id maps",                      step_id_maps },
        { PHASE_MONITOR,             "hold the namespaces",                    step_hold },
        { PHASE_MONITOR,             "map the ids of the image's layers",      step_layers },
        { PHASE_MONITOR,             "find what is to be bound",               step_binds },
        { PHASE_MONITOR,             "find berth-init",                        step_init_find },
        { PHASE_INSIDE,              "mount the root file system",             step_rootfs },
        { PHASE_INSIDE,              "make /etc/mtab",                         step_mtab },
        { PHASE_INSIDE,              "mount",                                  step_mounts },
        { PHASE_INSIDE,              "make /dev",                              step_dev },
        { PHASE_INSIDE,              "bind berth-init",                        step_init },
        { PHASE_INSIDE,              "make the working directory",             step_directory_make },

        /* The child: the init while the monitor prepares, then when told to continue; or a process of exec. */
        { PHASE_BORN | PHASE_JOIN,   "guard the process",                      step_guard },
        { PHASE_BORN,                "open /dev/null",                         step_null },
        { PHASE_JOIN,                "enter the container's namespaces",       step_join },
        { PHASE_BORN | PHASE_JOIN,   "let go of the monitor's descriptors",    step_descriptors },
        { PHASE_BORN | PHASE_JOIN,   "reset the signals",                      step_signals },
        { PHASE_BORN | PHASE_JOIN,   "drop capabilities",                      step_bounding },
        { PHASE_INIT | PHASE_JOIN,   "become the container's root",            step_become_root },
        { PHASE_INIT,                "mount",                                  step_mounts_own },
        { PHASE_INIT,                "enter the root file system",             step_pivot },
        { PHASE_INIT,                "set kernel parameters",                  step_sysctl },
        { PHASE_INIT,                "mask paths",                             step_masks },
        { PHASE_INIT,                "set the host name",                      step_hostname },
        { PHASE_INIT,                "bring the loopback interface up",        step_loopback },
        { PHASE_INIT | PHASE_JOIN,   "make the terminal",                      step_terminal },
        { PHASE_INIT,                "make the root file system read-only",    step_root_readonly },

        { PHASE_AFTER,               "bind on the kernel's file systems",      step_binds_late },

        /* The unit exists, the process is in its cgroup. */
        { PHASE_LIMITS,              "set the resource limits",                step_limits },
        { PHASE_GO,                  "mount the cgroup tree",                  step_cgroup },
        { PHASE_FINISH,              "start a session",                        step_session },
        { PHASE_FINISH,              "find the user",                          step_user },
        { PHASE_FINISH,              "give the streams to the user",           step_streams_own },
        { PHASE_FINISH,              "join a keyring",                         step_keyring },
        { PHASE_FINISH,              "enter the working directory",            step_directory },
        { PHASE_FINISH,              "take on the user's identity",            step_identity },
        { PHASE_FINISH,              "find the program",                       step_program },
        { PHASE_FINISH,              "load the seccomp filter",                step_seccomp },
        { PHASE_FINISH,              "execute the program",                    step_execute },
};

static int run_phase(Launch *l, Phase phase) {
        for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
                if (!(steps[i].phases & phase))
                        continue;
                int r = steps[i].run(l);
                if (r < 0)
                        return l->error.exit_code ? r : launch_fail(l, r, "%s", steps[i].name);
        }
        return 0;
}

int launch_refuse(Launch *l, int exit_code, int r, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(l->error.text, sizeof(l->error.text), format, ap);
        va_end(ap);
        utf8_make_line(l->error.text); /* it may have been cut within a character */
        l->error.exit_code = exit_code;
        return r;
}

int launch_fail(Launch *l, int r, const char *format, ...) {
        char what[384];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(what, sizeof(what), format, ap);
        va_end(ap);
        return launch_refuse(l, 125, r, "cannot %s: %s", what, strerror(-r));
}

/* --- the child's side ------------------------------------------------------------------------------------------ */

/* Waits for the monitor; its death shows as the end of the socket, and then there is nothing left to do. */
static void child_wait(Launch *l, LaunchMessage wanted) {
        LaunchMessage type;
        int fd;

        if (launch_receive(l->socket, -1, &type, &fd, NULL) <= 0 || type != wanted)
                _exit(125);
        if (fd >= 0)
                l->root = fd;
}

static void child_run(Launch *l, Phase phase) {
        if (run_phase(l, phase) >= 0)
                return;
        (void) launch_send(l->socket, LAUNCH_FAILED, -EBADF, &l->error);
        _exit(l->error.exit_code);
}

static void child_ready(Launch *l) {
        if (launch_send(l->socket, LAUNCH_READY, l->terminal, NULL) < 0)
                _exit(125);
        l->terminal = fd_close(l->terminal);
}

_Noreturn void launch_init(Launch *l) {
        child_run(l, PHASE_BORN);
        child_wait(l, LAUNCH_CONTINUE);
        child_run(l, PHASE_INIT);
        child_ready(l);
        child_wait(l, LAUNCH_GO);
        child_run(l, PHASE_GO);
        child_run(l, PHASE_FINISH);
        _exit(125);
}

_Noreturn void launch_join(Launch *l) {
        child_run(l, PHASE_JOIN);
        if (l->terminal >= 0)
                child_ready(l);
        child_wait(l, LAUNCH_GO);
        child_run(l, PHASE_FINISH);
        _exit(125);
}

/* --- the monitor's side ---------------------------------------------------------------------------------------- */

static void launch_begin(Launch *l, Sandbox *s, const RuntimeProcess *process, const int stdio[3]) {
        *l = (Launch) {
                .sandbox = s,
                .config = s->config,
                .process = process,
                .bundle_fd = -EBADF,
                .socket = -EBADF,
                .terminal = -EBADF,
                .slave = -EBADF,
                .pidfd = -EBADF,
                .cgroup_fd = -EBADF,
                .state = -EBADF,
                .init = -EBADF,
                .root = -EBADF,
        };
        memcpy(l->stdio, stdio, sizeof(l->stdio));
}

/* Frees what only the preparation needed. */
static void launch_end(Launch *l) {
        for (size_t i = 0; i < l->n_layers; i++)
                fd_close(l->layers[i]);
        for (size_t i = 0; l->binds && i < l->config->n_mounts; i++)
                fd_close(l->binds[i]);
        free(l->layers);
        free(l->binds);
        fd_close(l->state);
        fd_close(l->init);
        fd_close(l->root);
}

/* Copies the error out; there always is a text. */
static int launch_report(Launch *l, int r, SandboxError *error) {
        if (l->error.exit_code == 0)
                launch_fail(l, r, "start the container");
        if (error)
                *error = l->error;
        return r;
}

/* Takes what the child says until it is ready, or with `executed` until execve has closed the socket. */
static int launch_await(Launch *l, bool executed, int timeout_ms) {
        for (;;) {
                LaunchMessage type;
                int fd, r;

                r = launch_receive(l->socket, timeout_ms, &type, &fd, &l->error);
                if (r == -ETIMEDOUT)
                        return launch_refuse(l, 125, r, "the process did not start within %i s", timeout_ms / 1000);
                if (r < 0)
                        return r;
                if (r == 0)
                        return executed ? 0
                                        : launch_refuse(l, 125, -ECHILD, "the container's first process was killed");
                if (type == LAUNCH_FAILED)
                        return -ECANCELED;
                if (type == LAUNCH_READY) {
                        l->terminal = fd;
                        if (!executed)
                                return 0;
                }
        }
}

static void kill_and_reap(int pidfd) {
        siginfo_t info;

        if (pidfd < 0)
                return;
        (void) pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
        if (fd_wait(pidfd, POLLIN, REAP_TIMEOUT_MS) > 0)
                (void) waitid(P_PIDFD, (id_t) pidfd, &info, WEXITED | WNOHANG);
}

static int run_inside(Launch *l, Phase phase) {
        Inside inside;
        int r, q;

        r = inside_enter(l, &inside);
        if (r >= 0)
                r = run_phase(l, phase);
        q = inside_leave(&inside);
        return r < 0 ? r : q < 0 ? launch_fail(l, q, "return to the host's mount namespace") : 0;
}

static int prepare(Launch *l) {
        int r;

        if ((r = run_phase(l, PHASE_MONITOR)) < 0 || (r = run_inside(l, PHASE_INSIDE)) < 0 ||
            (r = launch_send(l->socket, LAUNCH_CONTINUE, l->root, NULL)) < 0 ||
            (r = launch_await(l, false, INIT_TIMEOUT_MS)) < 0)
                return r;
        return launch_has_late_binds(l) ? run_inside(l, PHASE_AFTER) : 0;
}

int sandbox_prepare(const RuntimeConfig *config, int bundle_fd, const int stdio[3], Sandbox **ret,
                    SandboxError *error) {
        _cleanup_(sandbox_freep) Sandbox *s = calloc(1, sizeof(Sandbox));
        Launch l;
        int r;

        if (!s) {
                *error = (SandboxError) { .exit_code = 125, .text = "out of memory" };
                return -ENOMEM;
        }
        s->config = config;
        s->pidfd = s->socket = s->terminal = -EBADF;
        for (size_t i = 0; i < N_ELEMENTS(s->namespace_fds); i++)
                s->namespace_fds[i] = -EBADF;
        launch_begin(&l, s, &config->process, stdio);
        l.bundle_fd = bundle_fd;
        r = prepare(&l);
        launch_end(&l);
        s->pid = l.pid;
        s->pidfd = l.pidfd;
        s->socket = l.socket;
        s->terminal = l.terminal;
        if (r < 0)
                return launch_report(&l, r, error);
        *ret = TAKE(s);
        return 0;
}

int sandbox_start(Sandbox *s, SandboxError *error) {
        static const int no_stdio[3] = { -EBADF, -EBADF, -EBADF };
        Launch l;
        int r;

        launch_begin(&l, s, &s->config->process, no_stdio);
        l.pid = s->pid;
        l.socket = s->socket;
        r = run_phase(&l, PHASE_LIMITS);
        if (r >= 0)
                r = launch_send(l.socket, LAUNCH_GO, -EBADF, NULL);
        if (r >= 0)
                r = launch_await(&l, true, INIT_TIMEOUT_MS);
        else if (r == -EPIPE)
                r = launch_refuse(&l, 125, -ECHILD, "the container's first process was killed");
        s->socket = fd_close(s->socket);
        if (r >= 0)
                return 0;
        /* What is said not to have started does not start later. */
        (void) pidfd_send_signal(s->pidfd, SIGKILL, NULL, 0);
        return launch_report(&l, r, error);
}

int sandbox_exec(Sandbox *s, const RuntimeProcess *process, const int stdio[3], int cgroup_fd,
                 pid_t *ret_pid, int *ret_pidfd, int *ret_terminal, SandboxError *error) {
        Launch l;
        int r;

        launch_begin(&l, s, process, stdio);
        l.joins = true;
        l.cgroup_fd = cgroup_fd;
        r = step_streams(&l);
        if (r >= 0)
                r = step_null(&l); /* the child is born where there is no host */
        if (r >= 0)
                r = step_namespaces(&l);
        for (size_t i = 0; i < N_ELEMENTS(l.stdio); i++)
                if (l.stdio[i] != stdio[i])
                        fd_close(l.stdio[i]);
        if (r >= 0)
                r = run_phase(&l, PHASE_LIMITS);
        if (r >= 0)
                r = launch_send(l.socket, LAUNCH_GO, -EBADF, NULL);
        if (r >= 0 || r == -EPIPE) /* it may have said why before it went */
                r = launch_await(&l, true, CHILD_TIMEOUT_MS);
        fd_close(l.socket);
        if (r < 0) {
                kill_and_reap(l.pidfd);
                fd_close(l.pidfd);
                fd_close(l.terminal);
                return launch_report(&l, r, error);
        }
        *ret_pid = l.pid;
        *ret_pidfd = l.pidfd;
        *ret_terminal = l.terminal;
        return 0;
}

pid_t sandbox_pid(const Sandbox *s) {
        return s->pid;
}

int sandbox_pidfd(const Sandbox *s) {
        return s->pidfd;
}

int sandbox_terminal(const Sandbox *s) {
        return s->terminal;
}

Sandbox *sandbox_free(Sandbox *s) {
        if (!s)
                return NULL;
        s->socket = fd_close(s->socket);
        kill_and_reap(s->pidfd);
        fd_close(s->pidfd);
        fd_close(s->terminal);
        for (size_t i = 0; i < N_ELEMENTS(s->namespace_fds); i++)
                fd_close(s->namespace_fds[i]);
        if (s->filter)
                (void) munmap(s->filter, s->filter_size);
        free(s);
        return NULL;
}
