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

#define REOPEN_MAX 3 /* without an entry in between */

/* Lines from the end were asked for, and the first of them has pieces before the end of the last one that was not: of the entries in
 * this epoch up to this one, only those that belong to it are wanted. */
typedef struct Straddle {
        char epoch[LOG_ID_MAX];
        uint64_t ordinal;  /* the last entry that is looked at; 0: there is nothing of the kind */
        uint64_t first[2]; /* where the wanted line begins, by stream; UINT64_MAX: behind `ordinal` */
} Straddle;

struct LogReader {
        sd_journal *journal;
        LogParser *parser;
        LogEntry entry; /* the last one, as it was handed out */
        Straddle straddle;
        uint64_t since; /* where it has begun, or the last entry's time, in microseconds: where it begins anew */
        unsigned n_reopened;
        char match[128];
        bool is_watched;
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

static int open_journal(LogReader *r) {
        int k;

        /* The system's journals only: users have files of their own. */
        k = sd_journal_open(&r->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (k >= 0)
                k = sd_journal_add_match(r->journal, r->match, 0);
        if (k >= 0)
                k = sd_journal_add_match(r->journal, "_UID=0", 0);
        if (k >= 0)
                k = sd_journal_set_data_threshold(r->journal, 0); /* whole lines, however long */
        if (k >= 0 && r->is_watched)
                k = sd_journal_get_fd(r->journal);
        return k < 0 ? k : 0;
}

int log_reader_open(const char *container_id, bool details, LogReader **ret) {
        _cleanup_(log_reader_freep) LogReader *r = calloc(1, sizeof(LogReader));
        int k;

        if (!r)
                return -ENOMEM;
        allow_many_files();
        snprintf(r->match, sizeof(r->match), "CONTAINER_ID_FULL=%.64s", container_id);
        k = log_parser_new(details, &r->parser);
        if (k >= 0)
                k = open_journal(r);
        if (k < 0)
                return k;
        if (sd_journal_has_persistent_files(r->journal) <= 0 && sd_journal_has_runtime_files(r->journal) <= 0)
                return -ENODATA;
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

static int next(LogReader *r, const LogEntry **ret) {
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

/* A file that is deleted while we are in it is full of holes from then on: what is in the others comes next. Entries may come again,
 * which has to be expected of a monitor, too. */
static int begin_anew(LogReader *r) {
        int k;

        if (r->n_reopened++ >= REOPEN_MAX)
                return -EBADMSG;
        sd_journal_close(TAKE(r->journal));
        r->at_end = false;
        k = open_journal(r);
        return k < 0 ? k : sd_journal_seek_realtime_usec(r->journal, r->since);
}

static bool is_unwanted(const LogReader *r, const LogEntry *e) {
        const Straddle *s = &r->straddle;

        return s->ordinal > 0 && e->ordinal <= s->ordinal && streq(e->epoch, s->epoch) && e->ordinal < s->first[e->is_stderr];
}

int log_reader_next(LogReader *r, const LogEntry **ret) {
        const LogEntry *e;
        int k;

        while ((k = next(r, &e)) == -EBADMSG) {
                k = begin_anew(r);
                if (k < 0)
                        return k;
        }
        if (k <= 0)
                return k;
        r->n_reopened = 0;
        r->since = e->received;
        r->entry = *e;
        r->entry.is_unwanted = is_unwanted(r, e);
        *ret = &r->entry;
        return 1;
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

/* What is known of one stream while its lines are counted from the end. */
typedef struct Counted {
        bool later;     /* something of it, further on in the same epoch */
        bool is_open;   /* the line that was counted last goes on before here */
        uint64_t first; /* its first piece so far */
} Counted;

/* Does a line end with this entry? With the piece that is not partial, or with the last that there is of its stream in its epoch. */
static bool count_piece(Counted *streams, const LogEntry *e) {
        Counted *c = &streams[e->is_stderr];
        bool ends = !e->is_partial || !c->later;

        c->later = true;
        return ends;
}

static void take_piece(Counted *streams, const LogEntry *e) {
        Counted *c = &streams[e->is_stderr];

        c->is_open = !e->is_first;
        c->first = e->ordinal;
}

/* The wanted lines begin behind this entry, but for pieces of some that begin before it: goes on back to the first of these. */
static int seek_straddling(LogReader *r, Counted *streams, const LogEntry *e) {
        Straddle s = { .ordinal = e->ordinal, .first = { UINT64_MAX, UINT64_MAX } };
        bool was_open[2] = { streams[0].is_open, streams[1].is_open };
        int k = 1;

        memcpy(s.epoch, e->epoch, sizeof(s.epoch));
        while (k > 0 && (streams[0].is_open || streams[1].is_open)) {
                Counted *c = &streams[e->is_stderr];
                if (!streq(e->epoch, s.epoch))
                        break; /* the beginning is lost */
                if (c->is_open && e->is_partial)
                        take_piece(streams, e);
                else
                        c->is_open = false; /* the end of another line: what was in between is lost */
                if (streams[0].is_open || streams[1].is_open)
                        k = previous(r, &e);
                else
                        k = sd_journal_previous(r->journal); /* this one is wanted */
        }
        if (k < 0)
                return k;
        for (size_t i = 0; i < 2; i++)
                if (was_open[i])
                        s.first[i] = streams[i].first;
        r->straddle = s;
        return k == 0 ? seek_head(r) : 0;
}

/* Goes back from the end until so many lines are passed. */
static int seek_lines(LogReader *r, const LogQuery *q) {
        const LogEntry *e;
        char epoch[LOG_ID_MAX] = "";
        Counted streams[2] = {};
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
                        memset(streams, 0, sizeof(streams));
                }
                if (count_piece(streams, e) && seen++ == q->tail)
                        return seek_straddling(r, streams, e);
                take_piece(streams, e);
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

static int seek(LogReader *r, const LogQuery *q) {
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

int log_reader_seek(LogReader *r, const LogQuery *q) {
        int k;

        r->since = q->since == LOG_TIME_UNSET ? 0 : q->since / 1000;
        while ((k = seek(r, q)) == -EBADMSG) {
                k = begin_anew(r);
                if (k < 0)
                        return k;
        }
        return k;
}

int log_reader_fd(LogReader *r) {
        r->is_watched = true;
        return sd_journal_get_fd(r->journal);
}

int log_reader_timeout(LogReader *r, uint64_t *ret_usec) {
        return sd_journal_get_timeout(r->journal, ret_usec);
}

int log_reader_process(LogReader *r) {
        return sd_journal_process(r->journal);
}
