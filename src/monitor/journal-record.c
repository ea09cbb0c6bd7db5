/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records about the container: see journal-record.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "monitor/journal-record.h"
#include "util/strv.h"
#include "wire/message-ids.h"

#define TEXT_MAX 1024

static const char *annotation(const Monitor *m, const char *key) {
        const char *value = runtime_config_annotation(m->config, key);
        return value ? value : "";
}

static void add_text(Journal *j, const char *key, const char *value) {
        if (*value)
                journal_field(j, key, value, strlen(value));
}

/* False: there is no journal, or no configuration that says whose container this is. */
static bool begin(Monitor *m, const char *message_id, int severity, const char *event) {
        Journal *j = m->log.journal;

        if (!j || !m->config)
                return false;
        journal_begin_record(j);
        journal_fieldf(j, "MESSAGE_ID", "%s", message_id);
        journal_fieldf(j, "PRIORITY", "%i", severity);
        journal_fieldf(j, "SYSLOG_IDENTIFIER", "berth");
        journal_fieldf(j, "BERTH_EVENT", "%s", event);
        journal_fieldf(j, "CONTAINER_ID", "%.12s", annotation(m, "id"));
        add_text(j, "CONTAINER_ID_FULL", annotation(m, "id"));
        add_text(j, "CONTAINER_NAME", annotation(m, "name"));
        add_text(j, "IMAGE_NAME", annotation(m, "image"));
        add_text(j, "IMAGE_ID", annotation(m, "imageId"));
        add_text(j, "CONTAINER_RUN_ID", annotation(m, "runId"));
        return true;
}

_printf_(2, 3)
static void end(Monitor *m, const char *format, ...) {
        char text[TEXT_MAX];
        va_list ap;

        va_start(ap, format);
        vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        add_text(m->log.journal, "MESSAGE", text);
        journal_end(m->log.journal);
        journal_send(m->log.journal);
}

/* Who asked for the end, as fields, and in words. */
static const char *add_stopper(Monitor *m, char buffer[CALLER_TEXT_MAX]) {
        Journal *j = m->log.journal;
        const Caller *c = &m->stopper;

        if (!m->stopped_by[0])
                return NULL;
        add_text(j, "BERTH_STOPPED_BY", m->stopped_by);
        if (!streq(m->stopped_by, "client") || c->pid <= 0)
                return caller_kind(m->stopped_by);
        journal_fieldf(j, "BERTH_STOPPED_BY_PID", "%i", c->pid);
        journal_fieldf(j, "BERTH_STOPPED_BY_UID", "%u", c->uid);
        add_text(j, "BERTH_STOPPED_BY_USER", c->user);
        add_text(j, "BERTH_STOPPED_BY_COMMAND", c->command);
        add_text(j, "BERTH_STOPPED_BY_UNIT", c->unit);
        return caller_describe(c, buffer);
}

static const char *signal_text(int signo, char buffer[16]) {
        const char *name = sigabbrev_np(signo);

        snprintf(buffer, 16, name ? "SIG%.10s" : "%.0s%i", name ? name : "", signo);
        return buffer;
}

void record_started(Monitor *m) {
        if (!begin(m, BERTH_MESSAGE_STARTED, SEVERITY_INFO, "start"))
                return;
        journal_fieldf(m->log.journal, "BERTH_PID", "%i", (int) m->init->pid);
        end(m, "Container %s has started.", annotation(m, "name"));
}

bool record_start_failed(Monitor *m) {
        if (!begin(m, BERTH_MESSAGE_START_FAILED, SEVERITY_WARNING, "die"))
                return false;
        journal_fieldf(m->log.journal, "BERTH_EXIT_CODE", "%i", m->error.exit_code);
        add_text(m->log.journal, "BERTH_ERROR", m->error.text);
        end(m, "Container %s could not be started: %s", annotation(m, "name"), m->error.text);
        return journal_is_empty(m->log.journal);
}

void record_stopping(Monitor *m, int signo, int timeout) {
        char who[CALLER_TEXT_MAX], name[16], then[48] = "";
        const char *stopper;

        if (!begin(m, BERTH_MESSAGE_STOPPING, SEVERITY_INFO, "stop"))
                return;
        if (signo <= 0)
                signo = m->stop_signal;
        stopper = add_stopper(m, who);
        if (m->status == MONITOR_STATUS_RESTARTING) {
                end(m, "Container %s is asked to end by %s: it is not started again.", annotation(m, "name"),
                    stopper ? stopper : "nobody");
                return;
        }
        journal_fieldf(m->log.journal, "BERTH_SIGNAL", "%i", signo);
        if (timeout > 0)
                snprintf(then, sizeof(then), ", and is killed after %i s", timeout);
        end(m, "Container %s is asked to end by %s: it gets %s%s.", annotation(m, "name"), stopper ? stopper : "nobody",
            timeout == 0 ? "SIGKILL" : signal_text(signo, name), then);
}

void record_oom(Monitor *m, uint64_t kills) {
        if (!begin(m, BERTH_MESSAGE_OOM, SEVERITY_WARNING, "oom"))
                return;
        journal_fieldf(m->log.journal, "BERTH_OOM_KILLS", "%llu", (unsigned long long) kills);
        end(m, "The kernel has killed %llu process%s of container %s: there was no memory left for it.",
            (unsigned long long) kills, kills == 1 ? "" : "es", annotation(m, "name"));
}

void record_died(Monitor *m) {
        const ExitRecord *record = &m->record;
        char who[CALLER_TEXT_MAX], name[16], how[32] = "";
        const char *stopper;
        Severity severity = severity_of_end(record->exit_code, record->oom_killed, m->stopped_by[0]);

        if (!begin(m, BERTH_MESSAGE_DIED, severity, "die"))
                return;
        journal_fieldf(m->log.journal, "BERTH_EXIT_CODE", "%i", record->exit_code);
        if (record->signal > 0) {
                journal_fieldf(m->log.journal, "BERTH_SIGNAL", "%i", record->signal);
                snprintf(how, sizeof(how), " (%s)", signal_text(record->signal, name));
        }
        if (record->oom_killed)
                journal_fieldf(m->log.journal, "BERTH_OOM_KILLED", "true");
        stopper = add_stopper(m, who);
        end(m, "Container %s has ended with exit code %i%s%s%s%s.", annotation(m, "name"), record->exit_code, how,
            record->oom_killed ? ": it ran out of memory" : "", stopper ? ", asked for by " : "",
            stopper ? stopper : "");
}

void record_restarting(Monitor *m, uint64_t delay_usec) {
        if (!begin(m, BERTH_MESSAGE_RESTARTING, SEVERITY_INFO, "restarting"))
                return;
        journal_fieldf(m->log.journal, "BERTH_EXIT_CODE", "%i", m->record.exit_code);
        journal_fieldf(m->log.journal, "BERTH_RESTART_COUNT", "%u", m->restarts.count);
        journal_fieldf(m->log.journal, "BERTH_RESTART_DELAY_USEC", "%" PRIu64, delay_usec);
        end(m, "Container %s will be started again in %.1f s (restart %u).", annotation(m, "name"),
            (double) delay_usec / USEC_PER_SEC, m->restarts.count);
}
