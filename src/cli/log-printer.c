/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A LogPrinter: see log-printer.h. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/log-printer.h"
#include "logs/log-reader.h"
#include "util/io.h"
#include "util/strv.h"
#include "util/timestamp.h"

#define FLUSH_SIZE 65536

void log_printer_done(LogPrinter *p) {
        for (size_t i = 0; i < N_ELEMENTS(p->outputs); i++)
                buffer_done(&p->outputs[i].text);
}

static int output_flush(LogOutput *o) {
        size_t done = 0;

        while (done < o->text.size) {
                ssize_t n = write(o->fd, o->text.data + done, o->text.size - done);
                if (n >= 0)
                        done += (size_t) n;
                else if (errno == EAGAIN) { /* somebody else's flag on a descriptor that was given to us */
                        int r = fd_wait(o->fd, POLLOUT, -1);
                        if (r < 0)
                                return r;
                } else if (errno != EINTR)
                        return -errno;
        }
        o->text.size = 0;
        return 0;
}

int log_printer_flush(LogPrinter *p) {
        int r = output_flush(&p->outputs[0]);
        return r < 0 ? r : output_flush(&p->outputs[1]);
}

/* On a line of its own, also where the container's stderr stands in the middle of one. */
static int print_missing(LogPrinter *p, uint64_t n) {
        LogOutput *o = &p->outputs[1];
        char line[64];

        if (n == 0)
                return 0;
        int size = snprintf(line, sizeof(line), "%s-- %llu line%s missing --\n", o->in_line ? "\n" : "",
                            (unsigned long long) n, n == 1 ? "" : "s");
        int r = log_printer_flush(p);

        if (r >= 0)
                r = buffer_append(&o->text, line, (size_t) size);
        return r < 0 ? r : output_flush(o);
}

/* Whether the entry is a new one; says what is missing before it. The monitor sends again what it is not sure of. */
static int check_order(LogPrinter *p, const LogEntry *e) {
        bool same = *e->epoch && streq(p->epoch, e->epoch), first = !*p->epoch;
        uint64_t before = same ? p->ordinal : 0;
        int r = 0;

        if (e->ordinal <= before)
                return 0;
        if (!first || p->from_head) /* else nobody knows what is just not asked for */
                r = print_missing(p, e->ordinal - before - 1);
        memcpy(p->epoch, e->epoch, sizeof(p->epoch));
        memcpy(p->run_id, e->run_id, sizeof(p->run_id));
        p->ordinal = e->ordinal;
        for (size_t i = 0; !same && i < N_ELEMENTS(p->outputs); i++)
                p->outputs[i].in_line = false; /* a run that ended in the middle of a line: no line goes on in the next */
        return r < 0 ? r : 1;
}

static int append_head(const LogPrinter *p, LogOutput *o, const LogEntry *e) {
        char date[TIME_RFC3339_MAX];
        int r = 0;

        if (p->timestamps) {
                time_format_rfc3339(e->nsec, date);
                r = buffer_append(&o->text, date, strlen(date));
                if (r >= 0)
                        r = buffer_append(&o->text, " ", 1);
        }
        if (r >= 0 && p->details) {
                r = buffer_append(&o->text, e->details, strlen(e->details));
                if (r >= 0)
                        r = buffer_append(&o->text, " ", 1); /* also where there are none, as docker does */
        }
        return r;
}

int log_printer_add(LogPrinter *p, const LogEntry *e) {
        LogOutput *o = &p->outputs[e->is_stderr], *other = &p->outputs[!e->is_stderr];
        int r = check_order(p, e);

        if (r <= 0 || e->is_unwanted)
                return MIN_OF(r, 0);
        if ((p->since != LOG_TIME_UNSET && e->nsec < p->since) || (p->until != LOG_TIME_UNSET && e->nsec > p->until))
                return 0;
        r = output_flush(other);
        if (r >= 0 && !o->in_line)
                r = append_head(p, o, e);
        if (r >= 0)
                r = buffer_append(&o->text, e->message, e->size);
        if (r >= 0 && !e->is_partial)
                r = buffer_append(&o->text, "\n", 1);
        o->in_line = e->is_partial;
        return r >= 0 && o->text.size >= FLUSH_SIZE ? output_flush(o) : r;
}

bool log_printer_has(const LogPrinter *p, const char *run_id, uint64_t ordinal) {
        return ordinal == 0 || (streq_null(run_id, p->run_id) && p->ordinal >= ordinal);
}

int log_printer_finish(LogPrinter *p, const char *run_id, uint64_t ordinal) {
        bool seen_any = *p->epoch;

        if (p->until != LOG_TIME_UNSET || log_printer_has(p, run_id, ordinal))
                return 0;
        if (streq_null(run_id, p->run_id))
                return print_missing(p, ordinal - p->ordinal);
        /* Of this run nothing came at all. */
        return seen_any || p->from_head ? print_missing(p, ordinal) : 0;
}
