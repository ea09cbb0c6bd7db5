/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The OOM killer's work: see oom.h. */
#include <limits.h>

#include "monitor/journal-record.h"
#include "monitor/monitor.h"

#define PAUSE_USEC USEC_PER_SEC /* what is killed again and again fills no journal */

void oom_watch_check(Monitor *m) {
        OomWatch *w = &m->oom;
        uint64_t kills = w->source.fd < 0 ? 0 : scope_oom_kills(w->source.fd);

        if (kills <= w->seen)
                return;
        uint64_t news = kills - w->seen;
        w->seen = kills;
        if (m->status != MONITOR_STATUS_RUNNING) /* what was left of the last payload */
                return;
        m->record.oom_killed = true;
        record_oom(m, news);
        server_tell(&m->server, MONITOR_OOM, (int) MIN_OF(news, (uint64_t) INT_MAX), 0, NULL, NULL);
}

static void on_events(void *userdata, uint32_t events) {
        Monitor *m = userdata;

        (void) loop_watch(&m->loop, &m->oom.source, 0);
        loop_timer_set(&m->loop, &m->oom.pause, PAUSE_USEC);
        oom_watch_check(m);
}

static void on_pause_over(void *userdata) {
        Monitor *m = userdata;

        (void) loop_watch(&m->loop, &m->oom.source, EPOLLPRI);
        oom_watch_check(m);
}

void oom_watch_start(Monitor *m) {
        OomWatch *w = &m->oom;

        w->source = (LoopSource) { .fd = scope_open_memory_events(&m->scope), .handler = on_events, .userdata = m };
        w->pause = (LoopTimer) { .handler = on_pause_over, .userdata = m };
        if (w->source.fd < 0)
                return;
        w->seen = scope_oom_kills(w->source.fd); /* the kernel reports what changes after a reading */
        (void) loop_watch(&m->loop, &w->source, EPOLLPRI);
}
