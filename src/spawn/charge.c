/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Charge: see charge.h. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor/identity.h"
#include "monitor/monitor.h"
#include "monitor/title.h"
#include "spawn/charge.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/process.h"

#define MONITOR_OOM_SCORE "-900"

static int open_pidfd(pid_t pid) {
        int fd = (int) syscall(SYS_pidfd_open, pid, 0);
        return fd < 0 ? -errno : fd;
}

/* Ends what a dead monitor has left. If it had written the exit record there is nothing; if the bundle names another
 * process it belongs to a later run; if it names none, the monitor died before it had moved anything into the unit,
 * and the init ends by itself. */
static void kill_left_behind(int bundle_fd, pid_t pid) {
        static const char *const files[] = { "payload/cgroup.kill", "exec/cgroup.kill" };
        _cleanup_(identity_done) Identity who = { 0 };
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (fstatat(bundle_fd, "exit.json", &st, AT_SYMLINK_NOFOLLOW) >= 0 || identity_read(bundle_fd, &who) < 0)
                return;
        if (who.pid != pid || asprintf(&path, "/sys/fs/cgroup%s", who.cgroup) < 0)
                return;
        _cleanup_close_ int fd = fs_open_dir(AT_FDCWD, path);
        for (size_t i = 0; fd >= 0 && i < N_ELEMENTS(files); i++)
                (void) cgroup_write(fd, files[i], "1");
}

static void charge_free(Charge *c) {
        for (Charge **p = &c->launcher->charges; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        break;
                }
        (void) loop_watch(&c->launcher->loop, &c->exit, 0);
        fd_close(c->exit.fd);
        fd_close(c->bundle_fd);
        free(c);
}

static void on_death(void *userdata, uint32_t events) {
        Charge *c = userdata;
        Launcher *l = c->launcher;
        siginfo_t info = { 0 };
        SpawnMessage m = { .magic = SPAWN_MAGIC, .type = SPAWN_DIED, .pid = c->pid };

        if (waitid((idtype_t) P_PIDFD, (id_t) c->exit.fd, &info, WEXITED) < 0)
                m.value = -ECHILD;
        else
                m.value = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0) : W_EXITCODE(0, info.si_status);
        kill_left_behind(c->bundle_fd, c->pid);
        memcpy(m.id, c->id, sizeof(m.id));
        charge_free(c);
        launcher_tell(l, &m);
}

/* Takes the pidfd, copies the bundle's descriptor. */
static int charge_new(Launcher *l, const char *id, pid_t pid, int pidfd, int bundle_fd, Charge **ret) {
        Charge *c = calloc(1, sizeof(Charge));
        int r = c ? 0 : -ENOMEM;

        if (!c) {
                fd_close(pidfd);
                return r;
        }
        *c = (Charge) {
                .next = l->charges,
                .launcher = l,
                .pid = pid,
                .exit = { .fd = pidfd, .handler = on_death, .userdata = c },
                .bundle_fd = fcntl(bundle_fd, F_DUPFD_CLOEXEC, 3),
        };
        snprintf(c->id, sizeof(c->id), "%s", id);
        l->charges = c;
        r = c->bundle_fd < 0 ? -errno : loop_watch(&l->loop, &c->exit, EPOLLIN);
        if (r < 0) {
                charge_free(c);
                return r;
        }
        *ret = c;
        return 0;
}

/* Nothing of the launcher is to be seen in the monitor but its code: two descriptors and stderr stay open. */
static int become_monitor(int bundle_fd, int listen_fd) {
        int fds[] = { bundle_fd, listen_fd };
        sigset_t none;

        for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
                fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 1000); /* out of the way of the final numbers */
                if (fds[i] < 0)
                        return -errno;
        }
        for (size_t i = 0; i < N_ELEMENTS(fds); i++)
                if (dup3(fds[i], 3 + (int) i, O_CLOEXEC) < 0)
                        return -errno;
        if (close_range(5, ~0u, 0) < 0)
                return -errno;
        if (setsid() < 0)
                return -errno;
        for (int signo = 1; signo < NSIG; signo++)
                (void) signal(signo, SIG_DFL); /* EINVAL: not one of ours */
        sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return -errno;
        title_set("berth-monitor", "");
        (void) !chdir("/");
        /* The unit has asked for the same, of a systemd that may have been told otherwise. */
        (void) cgroup_write(AT_FDCWD, "/proc/self/oom_score_adj", MONITOR_OOM_SCORE);
        return monitor_run(3, 4, NULL);
}

int charge_spawn(Launcher *l, const char *id, int bundle_fd, int listen_fd, Charge **ret) {
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0) {
                int r = become_monitor(bundle_fd, listen_fd);
                if (r < 0)
                        log_error("The monitor of %s could not go on: %s", id, strerror(-r));
                _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        }
        /* The child is not reaped yet, so the number is still its own. */
        int pidfd = open_pidfd(pid), r = pidfd;
        if (r >= 0)
                r = charge_new(l, id, pid, pidfd, bundle_fd, ret);
        if (r < 0) {
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
        }
        return r;
}

int charge_adopt(Launcher *l, const char *id, int bundle_fd) {
        _cleanup_(identity_done) Identity who = { 0 };
        Charge *c;
        int r = identity_read(bundle_fd, &who);

        if (r < 0)
                return r;
        /* The pidfd first: if the start time is the right one afterwards, it is that process and no later one of the
         * same number. */
        int pidfd = open_pidfd(who.pid);
        if (pidfd < 0 && pidfd != -ESRCH)
                return pidfd;
        if (pidfd < 0 || process_start_time(who.pid) != who.start_time) {
                fd_close(pidfd);
                kill_left_behind(bundle_fd, who.pid);
                return 0;
        }
        r = charge_new(l, id, who.pid, pidfd, bundle_fd, &c);
        return r < 0 ? r : 1;
}
