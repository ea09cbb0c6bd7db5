/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's line from its fields: see log-entry.h. */
#include <stdio.h>
#include <string.h>

#include "logs/log-entry.h"
#include "util/buffer.h"
#include "util/strv.h"
#include "util/timestamp.h"

#define PREFIX_SIZE 3 /* "<6>" */

/* The fields of one entry that are looked at, as text. What is longer is none of ours and stays empty. */
typedef struct Fields {
        char epoch[LOG_ID_MAX], run_id[LOG_ID_MAX], ordinal[24], stream[16], priority[4], partial[8], timestamp[48], prefix[8], piece[24], unwanted[4];
        char unit[512], cgroup[2048];
} Fields;

struct LogParser {
        bool wants_details, has_message;
        Fields fields;
        LogEntry entry;
        Buffer message; /* PREFIX_SIZE bytes are left free in front */
        char **details;
        Buffer joined;
};

static const struct { const char *name; size_t offset, size; } fields[] = {
#define FIELD(name, member) { name, offsetof(Fields, member), sizeof(((Fields *) NULL)->member) }
        FIELD("CONTAINER_LOG_EPOCH", epoch),
        FIELD("CONTAINER_LOG_ORDINAL", ordinal),
        FIELD("CONTAINER_MESSAGE_PREFIX", prefix),
        FIELD("CONTAINER_PARTIAL_MESSAGE", partial),
        FIELD("CONTAINER_PARTIAL_ORDINAL", piece),
        FIELD("CONTAINER_RUN_ID", run_id),
        FIELD("CONTAINER_STREAM", stream),
        FIELD("PRIORITY", priority),
        FIELD("SYSLOG_TIMESTAMP", timestamp),
        FIELD("_SYSTEMD_CGROUP", cgroup),
        FIELD("_SYSTEMD_UNIT", unit),
        FIELD(LOG_FIELD_UNWANTED, unwanted),
#undef FIELD
};

/* What else is never somebody's label or variable: the other fields of a line, and those that systemd.journal-fields(7) names. */
static const char *const not_details[] = {
        "CONTAINER_ID", "CONTAINER_ID_FULL", "CONTAINER_NAME", "CONTAINER_PARTIAL_ID", "CONTAINER_PARTIAL_LAST",
        "CONTAINER_TAG", "IMAGE_DIGEST", "IMAGE_ID", "IMAGE_NAME", "MESSAGE", "MESSAGE_ID",
        "CODE_FILE", "CODE_FUNC", "CODE_LINE", "DOCUMENTATION", "ERRNO", "INVOCATION_ID", "SYSLOG_FACILITY", "SYSLOG_IDENTIFIER",
        "SYSLOG_PID", "SYSLOG_RAW", "TID", "UNIT", "USER_INVOCATION_ID", "USER_UNIT",
};

bool log_origin_is_monitor(const char *cgroup, const char *unit) {
        const char *scope = startswith(unit, "berth-"), *service = startswith(unit, "berth@"),
                   *dot = strrchr(unit, '.');
        const char *p = cgroup;

        if (!dot || !((scope && streq(dot, ".scope")) || (service && streq(dot, ".service"))))
                return false;
        for (;;) { /* the first that is no slice must be the unit itself, and nothing but `monitor` below it */
                if (*p++ != '/')
                        return false;
                size_t n = strcspn(p, "/");
                if (n > 6 && strncmp(p + n - 6, ".slice", 6) == 0) {
                        p += n;
                        continue;
                }
                return strlen(unit) == n && strncmp(p, unit, n) == 0 && streq(p + n, "/monitor");
        }
}

bool log_parser_is_from_monitor(const LogParser *p) {
        return log_origin_is_monitor(p->fields.cgroup, p->fields.unit);
}

int log_parser_new(bool details, LogParser **ret) {
        LogParser *p = calloc(1, sizeof(LogParser));

        if (!p)
                return -ENOMEM;
        p->wants_details = details;
        *ret = p;
        return 0;
}

LogParser *log_parser_free(LogParser *p) {
        if (!p)
                return NULL;
        strv_free(p->details);
        buffer_done(&p->message);
        buffer_done(&p->joined);
        free(p);
        return NULL;
}

void log_parser_begin(LogParser *p) {
        memset(&p->entry, 0, sizeof(p->entry));
        memset(&p->fields, 0, sizeof(p->fields));
        p->has_message = false;
        if (p->details)
                strv_free(TAKE(p->details));
}

static int keep_message(LogParser *p, const char *value, size_t size) {
        p->message.size = 0;
        int r = buffer_reserve(&p->message, PREFIX_SIZE + size);
        if (r < 0)
                return r;
        if (size > 0)
                memcpy(p->message.data + PREFIX_SIZE, value, size);
        p->message.size = PREFIX_SIZE + size;
        p->has_message = true;
        return 0;
}

/* As Go's url.QueryEscape writes it. */
static int append_escaped(Buffer *t, const char *s, size_t size) {
        static const char digits[] = "0123456789ABCDEF";
        int r = buffer_reserve(t, 3 * size + 1);

        if (r < 0)
                return r;
        for (; size > 0; s++, size--) {
                unsigned char c = (unsigned char) *s;
                bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             (c && strchr("-_.~", c));
                if (plain || c == ' ') {
                        t->data[t->size++] = c == ' ' ? '+' : (char) c;
                        continue;
                }
                t->data[t->size++] = '%';
                t->data[t->size++] = digits[c >> 4];
                t->data[t->size++] = digits[c & 15];
        }
        return 0;
}

static int keep_detail(LogParser *p, const char *name, size_t name_size, const char *value, size_t size) {
        Buffer t = {};
        int r;

        for (size_t i = 0; i < N_ELEMENTS(not_details); i++)
                if (strlen(not_details[i]) == name_size && memcmp(not_details[i], name, name_size) == 0)
                        return 0;
        r = append_escaped(&t, name, name_size);
        if (r >= 0)
                t.data[t.size++] = '=';
        if (r >= 0)
                r = append_escaped(&t, value, size);
        if (r >= 0)
                r = strv_extendf(&p->details, "%.*s", (int) t.size, t.data);
        buffer_done(&t);
        return r;
}

int log_parser_field(LogParser *p, const char *name, size_t name_size, const char *value, size_t size) {
        if (name_size == 7 && memcmp(name, "MESSAGE", 7) == 0)
                return p->has_message ? 0 : keep_message(p, value, size);
        for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
                char *target = (char *) &p->fields + fields[i].offset;
                if (strlen(fields[i].name) != name_size || memcmp(name, fields[i].name, name_size) != 0)
                        continue;
                if (size < fields[i].size && !*target) {
                        memcpy(target, value, size);
                        target[size] = '\0';
                }
                return 0;
        }
        if (!p->wants_details || name_size == 0 || *name == '_')
                return 0;
        return keep_detail(p, name, name_size, value, size);
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int join_details(LogParser *p) {
        p->joined.size = 0;
        if (p->details)
                qsort(p->details, strv_length(p->details), sizeof(char *), compare);
        for (char **d = p->details; d && *d; d++) {
                size_t size = strlen(*d);
                int r = buffer_reserve(&p->joined, size + 2);
                if (r < 0)
                        return r;
                if (d != p->details)
                        p->joined.data[p->joined.size++] = ',';
                memcpy(p->joined.data + p->joined.size, *d, size + 1);
                p->joined.size += size;
        }
        p->entry.details = p->details ? p->joined.data : "";
        return 0;
}

/* What was cut off the line for journald's sake is a part of it. */
static void put_prefix_back(LogParser *p) {
        bool has_prefix = strlen(p->fields.prefix) == PREFIX_SIZE;

        if (has_prefix)
                memcpy(p->message.data, p->fields.prefix, PREFIX_SIZE);
        p->entry.message = p->message.data + (has_prefix ? 0 : PREFIX_SIZE);
        p->entry.size = p->message.size - (has_prefix ? 0 : PREFIX_SIZE);
}

int log_parser_end(LogParser *p, uint64_t received, const LogEntry **ret) {
        const Fields *f = &p->fields;
        LogEntry *e = &p->entry;

        if (!p->has_message || parse_u64(f->ordinal, &e->ordinal) < 0)
                return 0; /* the monitor also writes about the container: such records have no ordinal */
        put_prefix_back(p);
        memcpy(e->epoch, f->epoch, sizeof(e->epoch));
        memcpy(e->run_id, f->run_id, sizeof(e->run_id));
        e->is_stderr = *f->stream ? streq(f->stream, "stderr") : streq(f->priority, "3");
        e->is_first = !*f->piece || streq(f->piece, "1");
        e->is_partial = streq(f->partial, "true");
        e->is_unwanted = *f->unwanted;
        e->received = received;
        if (time_parse_date(f->timestamp, &e->nsec) < 0)
                e->nsec = received * 1000;
        int r = join_details(p);
        if (r < 0)
                return r;
        *ret = e;
        return 1;
}
