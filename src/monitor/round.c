/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From one payload of a run to the next, where the restart policy wants another: the back-off in between, and a fresh
 * sandbox. All of it works while berthd is dead. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "monitor/journal-record.h"
#include "monitor/monitor.h"
#include "util/log.h"
#include "util/strv.h"

static void on_past_idle(Task *t) {
        Monitor *m = t->userdata;

        for (Task **p = &m->past; *p; p = &(*p)->next)
                if (*p == t) {
                        *p = t->next;
                        break;
                }
        task_free(t);
        malloc_trim(0);
        monitor_check_end(m);
}

void monitor_write_interim(Monitor *m) {
        monitor_fill_record(m);
        int r = exit_record_write_interim(&m->record, m->bundle_fd);
        if (r < 0)
                log_warning("how far the container's restarts have got cannot be written down: %s", strerror(-r));
}

/* What was to be started again is not: how it ended last is how it ended, and the error says why that was all. */
static void give_up(Monitor *m) {
        m->record.error = m->error.text;
        monitor_end_run(m);
}

static void on_restart_timer(void *userdata) {
        Monitor *m = userdata;

        m->error = (SandboxError) { 0 };
        journal_resume(m->log.journal);
        scope_next_payload(&m->scope);
        if (monitor_prepare_sandbox(m) < 0 || monitor_start_sandbox(m) < 0) {
                give_up(m);
                return;
        }
        m->record.exit_code = m->record.signal = 0;
        m->record.oom_killed = m->record.restarting = false;
        monitor_running(m);
}

void monitor_back_off(Monitor *m, uint64_t usec) {
        Task *ended = m->init, *next = monitor_new_init(m);

        if (!next) {
                snprintf(m->error.text, sizeof(m->error.text), "Cannot start the container again: out of memory.");
                give_up(m);
                return;
        }
        m->status = MONITOR_STATUS_RESTARTING;
        m->record.restarting = true;
        monitor_write_interim(m);
        server_tell(&m->server, MONITOR_RESTARTING, m->record.exit_code, 0, NULL, NULL);

        /* As with Docker, for who is attached that was the end. */
        m->init = next;
        ended->next = m->past;
        m->past = ended;
        ended->idle = on_past_idle;
        clients_finish(ended, CONTROL_EXITED, m->record.exit_code, NULL);
        task_set_done(ended);

        (void) notify_sendf(m->notify, "STATUS=Ended with status %i, starts again in %.1f s (restart %u)",
                            m->record.exit_code, (double) usec / USEC_PER_SEC, m->restarts.count);
        record_restarting(m, usec);

        scope_kill(&m->scope);
        monitor_drop_sandbox(m);
        malloc_trim(0);
        loop_timer_set(&m->loop, &m->restart_timer, usec);
}

void monitor_end_back_off(Monitor *m) {
        loop_timer_clear(&m->loop, &m->restart_timer);
        monitor_end_run(m);
}

int monitor_restarts_init(Monitor *m, const char *policy, const char *stop_signal) {
        char why[RESTART_TEXT_MAX];
        int32_t signo;
        int r = parse_i32(stop_signal, &signo);

        if (r >= 0)
                r = restart_policy_parse(policy, &m->restarts.policy, why);
        if (r < 0)
                return r;
        m->restarts.stop_signal = signo;
        m->restart_timer = (LoopTimer) { .handler = on_restart_timer, .userdata = m };
        return 0;
}
