/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records about a container: see container-record.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "container/container-record.h"
#include "container/record.h"
#include "util/strv.h"
#include "wire/message-ids.h"

#define FIELDS_MAX 32

/* One record being made. The texts that are printed for it are its own. */
typedef struct Draft {
        RecordField fields[FIELDS_MAX];
        size_t n;
        char texts[8][24];
        size_t n_texts;
        char message[1024];
} Draft;

static void add(Draft *d, const char *key, const char *value) {
        if (d->n < FIELDS_MAX)
                d->fields[d->n++] = (RecordField) { key, value };
}

static void add_number(Draft *d, const char *key, int64_t value) {
        char *text = d->texts[d->n_texts++ % N_ELEMENTS(d->texts)];

        snprintf(text, sizeof(d->texts[0]), "%" PRIi64, value);
        add(d, key, text);
}

static void begin(Draft *d, const Container *c, const char *message_id, int severity, const char *event) {
        static const char *const severities[] = {
                [RECORD_WARNING] = "4", [RECORD_NOTICE] = "5", [RECORD_INFO] = "6",
        };

        add(d, "MESSAGE_ID", message_id);
        add(d, "PRIORITY", severities[severity]);
        add(d, "SYSLOG_IDENTIFIER", "berth");
        add(d, "BERTH_EVENT", event);
        snprintf(d->texts[d->n_texts], sizeof(d->texts[0]), "%.12s", c->id);
        add(d, "CONTAINER_ID", d->texts[d->n_texts++]);
        add(d, "CONTAINER_ID_FULL", c->id);
        add(d, "CONTAINER_NAME", c->name);
        add(d, "IMAGE_NAME", c->settings.image);
        add(d, "OBJECT_SYSTEMD_UNIT", c->unit); /* journalctl -u shows it there, too */
}

_printf_(3, 4)
static void end(Draft *d, const Container *c, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        vsnprintf(d->message, sizeof(d->message), format, ap);
        va_end(ap);
        add(d, "MESSAGE", d->message);
        records_send(c->host->records, d->fields, d->n);
}

/* Who made the call that is being handled: as fields, and " by …" for the text, "" if there is none. */
static void add_caller(Draft *d, const Container *c, Caller *caller, char text[CALLER_TEXT_MAX + 4]) {
        char buffer[CALLER_TEXT_MAX];

        *text = '\0';
        c->host->caller(c->host, caller);
        if (caller->pid <= 0)
                return;
        add_number(d, "BERTH_CALLER_UID", caller->uid);
        add_number(d, "BERTH_CALLER_PID", caller->pid);
        add(d, "BERTH_CALLER_USER", caller->user);
        add(d, "BERTH_CALLER_COMMAND", caller->command);
        add(d, "BERTH_CALLER_UNIT", caller->unit);
        snprintf(text, CALLER_TEXT_MAX + 4, " by %s", caller_describe(caller, buffer));
}

void container_record_created(const Container *c) {
        char by[CALLER_TEXT_MAX + 4];
        char image_id[80];
        Draft d = { 0 };
        Caller caller;

        begin(&d, c, BERTH_MESSAGE_CREATED, RECORD_INFO, "create");
        snprintf(image_id, sizeof(image_id), "sha256:%s", c->image_id);
        add(&d, "IMAGE_ID", image_id);
        add_caller(&d, c, &caller, by);
        end(&d, c, "Container %s was created from image %s%s.", c->name, c->settings.image, by);
}

void container_record_removed(const Container *c) {
        char by[CALLER_TEXT_MAX + 4];
        Draft d = { 0 };
        Caller caller;

        begin(&d, c, BERTH_MESSAGE_REMOVED, RECORD_INFO, "destroy");
        add_caller(&d, c, &caller, by);
        end(&d, c, "Container %s was removed%s.", c->name, by);
}

static void record_lost(const Container *c, uint64_t lines) {
        Draft d = { 0 };

        begin(&d, c, BERTH_MESSAGE_LINES_LOST, RECORD_WARNING, "log");
        add(&d, "CONTAINER_RUN_ID", c->result.run_id);
        add_number(&d, "BERTH_LINES_LOST", (int64_t) lines);
        end(&d, c, "%" PRIu64 " lines of container %s are missing in the journal: journald did not take them in time.", lines,
            c->name);
}

void container_record_ended(const Container *c, bool journaled, uint64_t lines_lost) {
        const ContainerResult *result = &c->result;
        bool ran = result->started_usec > 0;
        Draft d = { 0 };

        if (!journaled) {
                begin(&d, c, ran ? BERTH_MESSAGE_DIED : BERTH_MESSAGE_START_FAILED,
                      result->exit_code == 0 || result->stopped_by ? RECORD_INFO : RECORD_WARNING, "die");
                add(&d, "CONTAINER_RUN_ID", result->run_id);
                add_number(&d, "BERTH_EXIT_CODE", result->exit_code);
                if (result->signal > 0)
                        add_number(&d, "BERTH_SIGNAL", result->signal);
                if (result->oom_killed)
                        add(&d, "BERTH_OOM_KILLED", "true");
                add(&d, "BERTH_STOPPED_BY", result->stopped_by);
                add(&d, "BERTH_ERROR", result->error);
                if (ran)
                        end(&d, c, "Container %s has ended with exit code %i%s%s.", c->name, result->exit_code,
                            result->error ? ": " : "", result->error ? result->error : "");
                else
                        end(&d, c, "Container %s could not be started: %s", c->name,
                            result->error ? result->error : "nobody knows why");
        }
        if (lines_lost > 0)
                record_lost(c, lines_lost);
}
