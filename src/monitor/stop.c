/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a container is stopped, whoever asks: berthd for a client, or systemd, which ends a unit with SIGCONT
 * (KillSignal= of the unit): that one harms nobody, so only the monitor acts on it. */
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "util/io.h"
#include "util/strv.h"

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
        if (m->status == MONITOR_STATUS_PREPARING) {
                want_stop(m, signo, timeout);
                return 0;
        }
        if (m->stop != STOP_KILLED) {
                m->stop = STOP_SENT;
                scope_thaw(&m->scope);
                (void) task_signal(m->init, signo > 0 ? signo : m->stop_signal);
                set_deadline(m, timeout);
        }
        return 0;
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
        if (from_systemd && m->stop != STOP_NONE)
                return; /* it sends SIGCONT after other signals as well: one request, one signal to the payload */
        (void) monitor_stop(m, 0, m->stop_timeout, from_systemd ? "systemd" : "client");
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
