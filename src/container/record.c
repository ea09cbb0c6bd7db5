/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records in the journal, in its native protocol: see record.h. */
#include <endian.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "container/record.h"
#include "util/io.h"
#include "util/log.h"

#define KEPT_MAX 1024
#define RETRY_USEC 100000u

typedef struct Kept Kept;
struct Kept {
        Kept *next;
        size_t size;
        char data[];
};

struct Records {
        sd_event *event;
        const char *path;
        int fd;
        sd_event_source *retry;
        Kept *first, *last;
        size_t n;
};

int records_new(sd_event *event, const char *socket_path, Records **ret) {
        Records *r = calloc(1, sizeof(Records));

        if (!r)
                return -ENOMEM;
        r->event = sd_event_ref(event);
        r->path = socket_path;
        r->fd = -EBADF;
        *ret = r;
        return 0;
}

static void drop_first(Records *r) {
        Kept *k = r->first;

        r->first = k->next;
        if (!r->first)
                r->last = NULL;
        r->n--;
        free(k);
}

static int send_one(Records *r, const void *data, size_t size) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(r->path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, r->path);
        if (r->fd < 0)
                r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (r->fd < 0)
                return -errno;
        return sendto(r->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *) &address, sizeof(address)) < 0
                       ? -errno : 0;
}

static void send_kept(Records *r) {
        while (r->first && send_one(r, r->first->data, r->first->size) >= 0)
                drop_first(r);
}

Records *records_free(Records *r) {
        if (!r)
                return NULL;
        send_kept(r);
        while (r->first)
                drop_first(r);
        sd_event_source_disable_unref(r->retry);
        fd_close(r->fd);
        sd_event_unref(r->event);
        free(r);
        return NULL;
}

bool records_pending(const Records *r) {
        return r->first;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        Records *r = userdata;

        send_kept(r);
        if (!r->first) {
                r->retry = sd_event_source_disable_unref(r->retry);
                return 0;
        }
        (void) sd_event_source_set_time_relative(source, RETRY_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void keep(Records *r, const void *data, size_t size) {
        Kept *k = r->n < KEPT_MAX ? malloc(sizeof(Kept) + size) : NULL;

        if (!k) {
                log_debug("journald takes no record, and too many wait for it");
                return;
        }
        *k = (Kept) { .size = size };
        memcpy(k->data, data, size);
        if (r->last)
                r->last->next = k;
        else
                r->first = k;
        r->last = k;
        r->n++;
        if (!r->retry)
                (void) sd_event_add_time_relative(r->event, &r->retry, CLOCK_MONOTONIC, RETRY_USEC, 0, on_retry, r);
}

/* The length-prefixed form takes any bytes. Room for it has been counted. */
static char *append_field(char *p, const RecordField *f) {
        size_t n = strlen(f->value);
        uint64_t length = htole64(n);

        p = stpcpy(p, f->key);
        *p++ = '\n';
        p = mempcpy(p, &length, sizeof(length));
        p = mempcpy(p, f->value, n);
        *p++ = '\n';
        return p;
}

static void send_fields(Records *records, const RecordField *fields, size_t n) {
        size_t size = 0;

        if (!records)
                return;
        for (size_t i = 0; i < n; i++)
                if (fields[i].value && *fields[i].value)
                        size += strlen(fields[i].key) + strlen(fields[i].value) + sizeof(uint64_t) + 3;
        _cleanup_free_ char *data = malloc(size + 1);
        if (!data)
                return;
        char *p = data;
        for (size_t i = 0; i < n; i++)
                if (fields[i].value && *fields[i].value)
                        p = append_field(p, &fields[i]);
        if (records->first || send_one(records, data, (size_t) (p - data)) < 0)
                keep(records, data, (size_t) (p - data));
}

/* --- One record --- */

void record_begin(Record *r, const char *message_id, Severity severity, const char *event) {
        static const char *const severities[] = {
                [SEVERITY_WARNING] = "4", [SEVERITY_NOTICE] = "5", [SEVERITY_INFO] = "6",
        };

        r->n = r->n_numbers = 0;
        record_add(r, "MESSAGE_ID", message_id);
        record_add(r, "PRIORITY", severities[severity]);
        record_add(r, "SYSLOG_IDENTIFIER", "berth");
        record_add(r, "BERTH_EVENT", event);
}

void record_add(Record *r, const char *key, const char *value) {
        if (r->n < RECORD_FIELDS_MAX)
                r->fields[r->n++] = (RecordField) { key, value };
}

void record_add_number(Record *r, const char *key, int64_t value) {
        if (r->n_numbers == RECORD_NUMBERS_MAX)
                return;
        char *text = r->numbers[r->n_numbers++];
        snprintf(text, sizeof(r->numbers[0]), "%" PRIi64, value);
        record_add(r, key, text);
}

const char *record_add_caller(Record *r, const Caller *caller) {
        char buffer[CALLER_TEXT_MAX];

        if (caller->pid <= 0)
                return "";
        record_add_number(r, "BERTH_CALLER_UID", caller->uid);
        record_add_number(r, "BERTH_CALLER_PID", caller->pid);
        record_add(r, "BERTH_CALLER_USER", caller->user);
        record_add(r, "BERTH_CALLER_COMMAND", caller->command);
        record_add(r, "BERTH_CALLER_UNIT", caller->unit);
        snprintf(r->by, sizeof(r->by), " by %s", caller_describe(caller, buffer));
        return r->by;
}

const char *record_add_stopper(Record *r, const char *stopped_by, const Caller *stopper) {
        char buffer[CALLER_TEXT_MAX];

        if (!stopped_by)
                return "";
        record_add(r, "BERTH_STOPPED_BY", stopped_by);
        if (stopper->pid > 0) {
                record_add_number(r, "BERTH_STOPPED_BY_PID", stopper->pid);
                record_add_number(r, "BERTH_STOPPED_BY_UID", stopper->uid);
                record_add(r, "BERTH_STOPPED_BY_USER", stopper->user);
                record_add(r, "BERTH_STOPPED_BY_COMMAND", stopper->command);
                record_add(r, "BERTH_STOPPED_BY_UNIT", stopper->unit);
        }
        snprintf(r->by, sizeof(r->by), ", asked for by %s",
                 stopper->pid > 0 ? caller_describe(stopper, buffer) : caller_kind(stopped_by));
        return r->by;
}

void record_end(Record *r, Records *records, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        vsnprintf(r->message, sizeof(r->message), format, ap);
        va_end(ap);
        record_add(r, "MESSAGE", r->message);
        send_fields(records, r->fields, r->n);
}
