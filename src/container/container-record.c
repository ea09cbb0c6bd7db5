/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records about a container: see container-record.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "container/container-record.h"
#include "container/record.h"
#include "wire/message-ids.h"

/* What is made of the container's own strings, which a record borrows. */
typedef struct Names {
        char short_id[CONTAINER_SHORT_ID_LENGTH + 1];
        char image_id[80];
} Names;

static void begin(Record *r, Names *names, const Container *c, const char *message_id, Severity severity,
                  const char *event) {
        snprintf(names->short_id, sizeof(names->short_id), "%.*s", CONTAINER_SHORT_ID_LENGTH, c->id);
        snprintf(names->image_id, sizeof(names->image_id), "sha256:%s", c->image_id);
        record_begin(r, message_id, severity, event);
        record_add(r, "CONTAINER_ID", names->short_id);
        record_add(r, "CONTAINER_ID_FULL", c->id);
        record_add(r, "CONTAINER_NAME", c->name);
        record_add(r, "IMAGE_NAME", c->settings.image);
        record_add(r, "IMAGE_ID", names->image_id);
        record_add(r, "OBJECT_SYSTEMD_UNIT", c->unit); /* journalctl -u shows it there, too */
}

/* What a caller asked for and has got: `format` says so, and the caller follows. */
_printf_(4, 5)
static void record_done(const Container *c, const char *message_id, const char *event, const char *format, ...) {
        char what[512];
        Caller caller;
        Record r;
        Names names;
        va_list ap;

        va_start(ap, format);
        vsnprintf(what, sizeof(what), format, ap);
        va_end(ap);
        begin(&r, &names, c, message_id, SEVERITY_INFO, event);
        c->host->caller(c->host, &caller);
        const char *by = record_add_caller(&r, &caller);
        record_end(&r, c->host->records, "%s%s.", what, by);
}

void container_record_created(const Container *c) {
        record_done(c, BERTH_MESSAGE_CREATED, "create", "Container %s was created from image %s", c->name,
                    c->settings.image);
}

void container_record_removed(const Container *c) {
        record_done(c, BERTH_MESSAGE_REMOVED, "destroy", "Container %s was removed", c->name);
}

void container_record_updated(const Container *c) {
        record_done(c, BERTH_MESSAGE_UPDATED, "update", "The settings of container %s were changed", c->name);
}

static void record_lost(const Container *c, uint64_t lines) {
        Record r;
        Names names;

        begin(&r, &names, c, BERTH_MESSAGE_LINES_LOST, SEVERITY_WARNING, "log");
        record_add(&r, "CONTAINER_RUN_ID", c->result.run_id);
        record_add_number(&r, "BERTH_LINES_LOST", (int64_t) lines);
        record_end(&r, c->host->records,
                   "%" PRIu64 " lines of container %s are missing in the journal: journald did not take them in time.",
                   lines, c->name);
}

static void record_died(const Container *c) {
        const ContainerResult *result = &c->result;
        bool ran = result->started_usec > 0;
        Record r;
        Names names;

        begin(&r, &names, c, ran ? BERTH_MESSAGE_DIED : BERTH_MESSAGE_START_FAILED,
              ran ? severity_of_end(result->exit_code, result->oom_killed, result->stopped_by) : SEVERITY_WARNING, "die");
        record_add(&r, "CONTAINER_RUN_ID", result->run_id);
        record_add_number(&r, "BERTH_EXIT_CODE", result->exit_code);
        if (result->signal > 0)
                record_add_number(&r, "BERTH_SIGNAL", result->signal);
        if (result->oom_killed)
                record_add(&r, "BERTH_OOM_KILLED", "true");
        const char *by = record_add_stopper(&r, result->stopped_by, &result->stopper);
        record_add(&r, "BERTH_ERROR", result->error);
        if (ran)
                record_end(&r, c->host->records, "Container %s has ended with exit code %i%s%s%s.", c->name,
                           result->exit_code, by, result->error ? ": " : "", result->error ? result->error : "");
        else
                record_end(&r, c->host->records, "Container %s could not be started: %s", c->name,
                           result->error ? result->error : "nobody knows why");
}

void container_record_ended(const Container *c, bool journaled, uint64_t lines_lost) {
        if (!journaled)
                record_died(c);
        if (lines_lost > 0)
                record_lost(c, lines_lost);
}
