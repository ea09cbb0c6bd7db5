/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a container is stopped, whoever asks: berthd for a client, or systemd, which ends a unit with SIGCONT
 * (KillSignal= of the scope): that one harms nobody, so only the monitor acts on it. A service's monitor gets SIGTERM,
 * and nobody else does (KillMode=mixed). */
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "config.h"
#include "monitor/journal-record.h"
#include "monitor/monitor.h"
#include "util/io.h"
#include "util/strv.h"

#define NOTIFY_MARGIN_SEC 15
#define FOREVER_USEC (UINT64_C(365) * 24 * 3600 * USEC_PER_SEC)

static void kill_all(Monitor *m) {
        m->stop = STOP_KILLED;
        scope_kill(&m->scope);
        (void) task_signal(m->init, SIGKILL); /* where there is no cgroup.kill */
}

static void on_stop_timer(void *userdata) {
        kill_all(userdata);
}

static void set_deadline(Monitor *m, int timeout) {
        uint64_t usec = (uint64_t) timeout * USEC_PER_SEC;

        if (timeout == 0) {
                kill_all(m);
                return;
        }
        /* A later request may make it shorter, not longer. */
        if (timeout < 0 || (m->stop_timer.deadline != 0 && m->stop_timer.deadline <= now_monotonic() + usec))
                return;
        loop_timer_set(&m->loop, &m->stop_timer, usec);
}

/* berth-shutdown.service is stopped before any container is, and writes this. */
static bool is_shutdown(void) {
        return access(BERTH_RUNDIR "/stopping", F_OK) >= 0;
}

/* systemd's own limit must not come before ours. */
static void announce_stop(Monitor *m) {
        uint64_t now = now_monotonic(), deadline = m->stop_timer.deadline, usec = NOTIFY_MARGIN_SEC * USEC_PER_SEC;

        if (m->stop != STOP_KILLED)
                usec = deadline == 0 ? FOREVER_USEC : usec + (deadline > now ? deadline - now : 0);
        (void) notify_sendf(m->notify, "EXTEND_TIMEOUT_USEC=%llu\nSTATUS=Stopping, as asked by %s",
                            (unsigned long long) usec, m->stopped_by);
}

/* Asked for before there is anything to stop: it has to end at the latest as the most impatient wants it to. */
static void want_stop(Monitor *m, int signo, int timeout) {
        bool first = m->stop != STOP_WANTED;

        if (first || m->wanted_signal != SIGKILL)
                m->wanted_signal = signo;
        if (first || m->wanted_timeout < 0 || (timeout >= 0 && timeout < m->wanted_timeout))
                m->wanted_timeout = timeout;
        m->stop = STOP_WANTED;
}

int monitor_stop(Monitor *m, int signo, int timeout, const char *origin) {
        if (m->status == MONITOR_STATUS_ENDING)
                return 0;
        if (m->stop == STOP_NONE)
                snprintf(m->stopped_by, sizeof(m->stopped_by), "%s", origin);
        m->restarts.canceled = true;
        if (m->status == MONITOR_STATUS_PREPARING) {
                want_stop(m, signo, timeout);
                return 0;
        }
        if (m->stop == STOP_NONE || m->stop == STOP_WANTED)
                record_stopping(m, signo, timeout);
        if (m->status == MONITOR_STATUS_RESTARTING) {
                monitor_end_back_off(m);
                return 0;
        }
        if (m->stop != STOP_KILLED) {
                m->stop = STOP_SENT;
                scope_thaw(&m->scope);
                (void) task_signal(m->init, signo > 0 ? signo : m->stop_signal);
                set_deadline(m, timeout);
        }
        announce_stop(m);
        return 0;
}

/* systemd wants the end of what a client has asked to end: the payload has had its signal, but may have less time now.
 * And only now that systemd has begun its own stop does it hear how long ours may take. */
static void hurry(Monitor *m) {
        if (m->status != MONITOR_STATUS_RUNNING)
                return;
        if (m->stop != STOP_KILLED)
                set_deadline(m, m->stop_timeout);
        announce_stop(m);
}

int monitor_signal(Monitor *m, int signo, const char **ret_text) {
        if (m->status == MONITOR_STATUS_RUNNING) {
                restarts_signalled(&m->restarts, signo);
                return task_signal(m->init, signo);
        }
        if (m->status == MONITOR_STATUS_RESTARTING) { /* there is nobody to take it, but it may end the wait */
                restarts_signalled(&m->restarts, signo);
                if (m->restarts.canceled)
                        monitor_end_back_off(m);
                return 0;
        }
        *ret_text = "The container is not running.";
        return -ESRCH;
}

void monitor_stop_pending(Monitor *m) {
        if (m->stop == STOP_WANTED)
                (void) monitor_stop(m, m->wanted_signal, m->wanted_timeout, m->stopped_by);
}

static void on_signal(void *userdata, uint32_t events) {
        Monitor *m = userdata;
        struct signalfd_siginfo info;

        if (read(m->signals.fd, &info, sizeof(info)) != sizeof(info))
                return;
        bool from_systemd = info.ssi_pid == 1 && info.ssi_uid == 0;
        if (info.ssi_signo == SIGCONT && !from_systemd)
                return;
        if (from_systemd && m->stop != STOP_NONE) {
                hurry(m); /* it sends SIGCONT after other signals as well: one request, one signal to the payload */
                return;
        }
        (void) monitor_stop(m, 0, m->stop_timeout, !from_systemd ? "client" : is_shutdown() ? "shutdown" : "systemd");
}

int monitor_stop_init(Monitor *m) {
        static const int ignored[] = { SIGPIPE, SIGHUP, SIGINT, SIGQUIT };
        sigset_t set;

        m->stop_timer = (LoopTimer) { .handler = on_stop_timer, .userdata = m };
        m->signals = (LoopSource) { .fd = -EBADF, .handler = on_signal, .userdata = m };
        for (size_t i = 0; i < N_ELEMENTS(ignored); i++)
                if (signal(ignored[i], SIG_IGN) == SIG_ERR)
                        return -errno;
        sigemptyset(&set);
        sigaddset(&set, SIGCONT);
        sigaddset(&set, SIGTERM);
        if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
                return -errno;
        m->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (m->signals.fd < 0)
                return -errno;
        return loop_watch(&m->loop, &m->signals, EPOLLIN);
}
