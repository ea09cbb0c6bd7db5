/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a line of a container looks like in the journal: the fields of Docker's journald driver, and a few more. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "monitor/journal.h"

static const struct {
        const char *name;
        int severity; /* Docker's; a <N> prefix overrides it, and never says which stream it was */
} streams[] = {
        [LOG_STDOUT] = { "stdout", 6 },
        [LOG_STDERR] = { "stderr", 3 },
};

void journal_timestamp(char ret[JOURNAL_TIMESTAMP_SIZE]) {
        struct timespec now;
        struct tm tm;

        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        size_t n = strftime(ret, JOURNAL_TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(ret + n, JOURNAL_TIMESTAMP_SIZE - n, ".%09ldZ", now.tv_nsec);
}

static void add_piece_fields(Journal *j, const Line *line) {
        journal_fieldf(j, "CONTAINER_PARTIAL_ID", "%s", line->line_id);
        journal_fieldf(j, "CONTAINER_PARTIAL_ORDINAL", "%" PRIu64, line->piece);
        journal_fieldf(j, "CONTAINER_PARTIAL_LAST", "%s", line->last ? "true" : "false");
        if (!line->last)
                journal_fieldf(j, "CONTAINER_PARTIAL_MESSAGE", "true");
}

void journal_log_line(JournalLog *log, LogStream stream, const char *timestamp, const Line *line) {
        Journal *j = log->journal;

        log->ordinal++;
        journal_begin(j);
        journal_fieldf(j, "PRIORITY", "%i", line->severity >= 0 ? line->severity : streams[stream].severity);
        journal_fieldf(j, "CONTAINER_STREAM", "%s", streams[stream].name);
        journal_fieldf(j, "CONTAINER_LOG_EPOCH", "%s", log->epoch);
        journal_fieldf(j, "CONTAINER_LOG_ORDINAL", "%" PRIu64, log->ordinal);
        journal_fieldf(j, "SYSLOG_TIMESTAMP", "%s", timestamp);
        if (line->piece > 0)
                add_piece_fields(j, line);
        if (line->cut) /* who wants the bytes as they were written puts it back in front */
                journal_fieldf(j, "CONTAINER_MESSAGE_PREFIX", "<%i>", line->severity);
        journal_field(j, "MESSAGE", line->data, line->size);
        journal_end(j);
}
