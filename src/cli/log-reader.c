/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's lines in the journal: see log-reader.h. */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "cli/log-reader.h"
#include "util/strv.h"
#include "util/timestamp.h"

/* The fields of one entry that are looked at, as text. What is longer is none of ours and stays empty. */
typedef struct Fields {
        char epoch[LOG_ID_MAX], run_id[LOG_ID_MAX], ordinal[24], stream[16], priority[4], partial[8], timestamp[48];
        char unit[512], cgroup[2048];
} Fields;

struct LogReader {
        sd_journal *journal;
        Fields fields;
        LogEntry entry;
        char *message;
        size_t room;
        bool at_end; /* of the journal, after seek_tail: the first entry that comes is the next */
};

static const struct { const char *name; size_t offset, size; } fields[] = {
#define FIELD(name, member) { name "=", offsetof(Fields, member), sizeof(((Fields *) NULL)->member) }
        FIELD("CONTAINER_LOG_EPOCH", epoch),
        FIELD("CONTAINER_LOG_ORDINAL", ordinal),
        FIELD("CONTAINER_PARTIAL_MESSAGE", partial),
        FIELD("CONTAINER_RUN_ID", run_id),
        FIELD("CONTAINER_STREAM", stream),
        FIELD("PRIORITY", priority),
        FIELD("SYSLOG_TIMESTAMP", timestamp),
        FIELD("_SYSTEMD_CGROUP", cgroup),
        FIELD("_SYSTEMD_UNIT", unit),
#undef FIELD
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

int log_reader_open(const char *container_id, LogReader **ret) {
        _cleanup_(log_reader_freep) LogReader *r = calloc(1, sizeof(LogReader));
        char match[128];
        int k;

        if (!r)
                return -ENOMEM;
        /* The system's journals only: users have files of their own. */
        k = sd_journal_open(&r->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (k < 0)
                return k;
        if (sd_journal_has_persistent_files(r->journal) <= 0 && sd_journal_has_runtime_files(r->journal) <= 0)
                return -ENODATA;
        snprintf(match, sizeof(match), "CONTAINER_ID_FULL=%.64s", container_id);
        k = sd_journal_add_match(r->journal, match, 0);
        if (k >= 0)
                k = sd_journal_add_match(r->journal, "_UID=0", 0);
        if (k >= 0)
                k = sd_journal_set_data_threshold(r->journal, 0); /* whole lines, however long */
        if (k < 0)
                return k;
        *ret = TAKE(r);
        return 0;
}

LogReader *log_reader_free(LogReader *r) {
        if (!r)
                return NULL;
        if (r->journal)
                sd_journal_close(r->journal);
        free(r->message);
        free(r);
        return NULL;
}

int log_reader_seek_head(LogReader *r) {
        r->at_end = false;
        return sd_journal_seek_head(r->journal);
}

int log_reader_seek_time(LogReader *r, uint64_t usec) {
        r->at_end = false;
        return sd_journal_seek_realtime_usec(r->journal, usec);
}

int log_reader_seek_tail(LogReader *r) {
        r->at_end = true;
        return sd_journal_seek_tail(r->journal);
}

static int keep_message(LogReader *r, const char *data, size_t size) {
        if (size + 1 > r->room) {
                char *bigger = realloc(r->message, size + 1);
                if (!bigger)
                        return -ENOMEM;
                r->message = bigger;
                r->room = size + 1;
        }
        memcpy(r->message, data, size);
        r->message[size] = '\0';
        r->entry.message = r->message;
        r->entry.size = size;
        return 0;
}

static void keep_field(LogReader *r, const char *data, size_t size) {
        for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
                size_t n = strlen(fields[i].name);
                char *target = (char *) &r->fields + fields[i].offset;
                if (size < n || memcmp(data, fields[i].name, n) != 0)
                        continue;
                if (size - n < fields[i].size && !*target) {
                        memcpy(target, data + n, size - n);
                        target[size - n] = '\0';
                }
                return;
        }
}

/* Reads the entry where the journal stands. 1: it is a line of the container; 0: it is something else. */
static int read_entry(LogReader *r) {
        LogEntry *e = &r->entry;
        Fields *f = &r->fields;
        const void *data;
        size_t size;
        bool has_message = false;
        int k;

        memset(e, 0, sizeof(*e));
        memset(f, 0, sizeof(*f));
        sd_journal_restart_data(r->journal);
        while ((k = sd_journal_enumerate_available_data(r->journal, &data, &size)) > 0) {
                if (size >= 8 && memcmp(data, "MESSAGE=", 8) == 0 && !has_message) {
                        has_message = true;
                        k = keep_message(r, (const char *) data + 8, size - 8);
                        if (k < 0)
                                return k;
                } else
                        keep_field(r, data, size);
        }
        if (k < 0)
                return k == -EBADMSG ? 0 : k; /* one broken entry hides no other */
        if (!has_message || !log_origin_is_monitor(f->cgroup, f->unit) || parse_u64(f->ordinal, &e->ordinal) < 0)
                return 0; /* the monitor also writes about the container: such records have no ordinal */
        memcpy(e->epoch, f->epoch, sizeof(e->epoch));
        memcpy(e->run_id, f->run_id, sizeof(e->run_id));
        e->is_stderr = *f->stream ? streq(f->stream, "stderr") : streq(f->priority, "3");
        e->is_partial = streq(f->partial, "true");
        if (time_parse_date(f->timestamp, &e->nsec) < 0) {
                uint64_t usec = 0;
                (void) sd_journal_get_realtime_usec(r->journal, &usec);
                e->nsec = usec * 1000;
        }
        return 1;
}

static int step(LogReader *r, int (*move)(sd_journal *), const LogEntry **ret) {
        int k;

        while ((k = move(r->journal)) > 0) {
                k = read_entry(r);
                if (k < 0)
                        return k;
                if (k > 0) {
                        *ret = &r->entry;
                        return 1;
                }
        }
        return k;
}

int log_reader_next(LogReader *r, const LogEntry **ret) {
        int k;

        if (r->at_end) {
                /* From behind the end, next would give the last entry again: stand on that one first. */
                k = sd_journal_previous(r->journal);
                if (k == 0)
                        k = sd_journal_seek_head(r->journal);
                if (k < 0)
                        return k;
                r->at_end = false;
        }
        return step(r, sd_journal_next, ret);
}

int log_reader_previous(LogReader *r, const LogEntry **ret) {
        r->at_end = false;
        return step(r, sd_journal_previous, ret);
}

int log_reader_fd(LogReader *r) {
        return sd_journal_get_fd(r->journal);
}

int log_reader_timeout(LogReader *r, uint64_t *ret_usec) {
        return sd_journal_get_timeout(r->journal, ret_usec);
}

int log_reader_process(LogReader *r) {
        return sd_journal_process(r->journal);
}

int log_reader_wait(LogReader *r, uint64_t usec) {
        return sd_journal_wait(r->journal, usec);
}
