/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's lines in the journal: see log-reader.h. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-journal.h>

#include "logs/log-reader.h"
#include "util/strv.h"
#include "util/timestamp.h"

#define LAST_LINE_USEC (5 * USEC_PER_SEC) /* how long journald may take for the next line after an exit */

struct LogReader {
        sd_journal *journal;
        LogParser *parser;
        bool at_end; /* of the journal, after seek_tail: the first entry that comes is the next */
};

/* A journal may have more files than descriptors are allowed by default. */
static void allow_many_files(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) >= 0 && limit.rlim_cur < limit.rlim_max) {
                limit.rlim_cur = limit.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &limit);
        }
}

int log_reader_open(const char *container_id, bool details, LogReader **ret) {
        _cleanup_(log_reader_freep) LogReader *r = calloc(1, sizeof(LogReader));
        char match[128];
        int k;

        if (!r)
                return -ENOMEM;
        allow_many_files();
        k = log_parser_new(details, &r->parser);
        /* The system's journals only: users have files of their own. */
        if (k >= 0)
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
        log_parser_free(r->parser);
        free(r);
        return NULL;
}

int log_reader_fields(LogReader *r, int (*handler)(void *userdata, const void *data, size_t size), void *userdata) {
        const void *data;
        size_t size;
        int k;

        sd_journal_restart_data(r->journal);
        while ((k = sd_journal_enumerate_available_data(r->journal, &data, &size)) > 0) {
                k = handler(userdata, data, size);
                if (k < 0)
                        return k;
        }
        return k;
}

static int parse_field(void *userdata, const void *data, size_t size) {
        const char *equals = memchr(data, '=', size);

        if (!equals)
                return 0;
        size_t name_size = (size_t) (equals - (const char *) data);
        return log_parser_field(userdata, data, name_size, equals + 1, size - name_size - 1);
}

/* Reads the entry where the journal stands. 1: it is a line of the container; 0: it is something else. */
static int read_entry(LogReader *r, const LogEntry **ret) {
        uint64_t received = 0;
        int k;

        log_parser_begin(r->parser);
        k = log_reader_fields(r, parse_field, r->parser);
        if (k < 0)
                return k == -EBADMSG ? 0 : k; /* one broken entry hides no other */
        if (!log_parser_is_from_monitor(r->parser))
                return 0;
        (void) sd_journal_get_realtime_usec(r->journal, &received);
        return log_parser_end(r->parser, received, ret);
}

static int step(LogReader *r, int (*move)(sd_journal *), const LogEntry **ret) {
        int k;

        while ((k = move(r->journal)) > 0) {
                k = read_entry(r, ret);
                if (k != 0)
                        return k;
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

static int previous(LogReader *r, const LogEntry **ret) {
        r->at_end = false;
        return step(r, sd_journal_previous, ret);
}

static int seek_end(LogReader *r) {
        r->at_end = true;
        return sd_journal_seek_tail(r->journal);
}

static int seek_head(LogReader *r) {
        r->at_end = false;
        return sd_journal_seek_head(r->journal);
}

/* Goes back from the end until so many lines are passed. A line ends with the piece that is not partial, or with the
 * last piece that there is of its stream in its run. */
static int seek_lines(LogReader *r, const LogQuery *q) {
        const LogEntry *e;
        char epoch[LOG_ID_MAX] = "";
        bool later[2] = { false, false }; /* more of this stream, seen before as we go backwards */
        uint64_t seen = 0;
        int k = seek_end(r);

        if (k < 0 || q->tail == 0)
                return k;
        while ((k = previous(r, &e)) > 0) {
                if (q->since != LOG_TIME_UNSET && e->received < q->since / 1000)
                        break; /* and so is all before it */
                if ((q->since != LOG_TIME_UNSET && e->nsec < q->since) || (q->until != LOG_TIME_UNSET && e->nsec > q->until))
                        continue;
                if (!streq(epoch, e->epoch)) {
                        memcpy(epoch, e->epoch, sizeof(epoch));
                        later[0] = later[1] = false;
                }
                bool ends = !e->is_partial || !later[e->is_stderr];
                later[e->is_stderr] = true;
                if (ends && seen++ == q->tail)
                        return 0; /* on the line before the first one wanted */
        }
        if (k < 0)
                return k;
        return k == 0 ? seek_head(r) : 0;
}

/* journald may have thousands of lines queued. What is missing after that is lost. */
static int wait_for_last(LogReader *r, const LogQuery *q) {
        uint64_t deadline = 0, seen = 0;
        const LogEntry *e;

        if (q->last_ordinal == 0)
                return 0;
        for (;;) {
                int k = seek_end(r);
                if (k >= 0)
                        k = previous(r, &e);
                if (k < 0)
                        return k;
                uint64_t ordinal = k > 0 && streq(e->run_id, q->last_run) ? e->ordinal : 0, now = time_monotonic_usec();
                if (ordinal >= q->last_ordinal)
                        return 0;
                if (deadline == 0 || ordinal > seen)
                        deadline = now + LAST_LINE_USEC;
                seen = ordinal;
                if (now >= deadline)
                        return 0;
                k = sd_journal_wait(r->journal, deadline - now);
                if (k < 0)
                        return k;
        }
}

int log_reader_seek(LogReader *r, const LogQuery *q) {
        int k = wait_for_last(r, q);

        if (k < 0)
                return k;
        if (q->tail != LOG_TAIL_ALL)
                return seek_lines(r, q);
        if (q->since == LOG_TIME_UNSET)
                return seek_head(r);
        r->at_end = false;
        return sd_journal_seek_realtime_usec(r->journal, q->since / 1000); /* nothing is in the journal before it was written */
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
