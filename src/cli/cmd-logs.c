/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth logs: what a container has written, from the journal and nowhere else. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/log-printer.h"
#include "cli/log-source.h"
#include "cli/objects.h"
#include "cli/verb.h"
#include "util/strv.h"
#include "util/timestamp.h"

#define LAST_LINE_USEC (5 * USEC_PER_SEC) /* how long journald may take for the next line after an exit */
#define LAST_AGE_USEC (60 * USEC_PER_SEC) /* after that it has no more in its queue */
#define REMOVED_USEC (1 * USEC_PER_SEC)   /* the same, where nobody can say which one is the last */

static bool arg_details;
static bool arg_follow;
static bool arg_timestamps;
static uint64_t arg_since = LOG_TIME_UNSET;
static uint64_t arg_until = LOG_TIME_UNSET;
static uint64_t arg_tail = LOG_TAIL_ALL;

static int parse_time(const char *value, void *target, char **ret_error) {
        uint64_t nsec;

        if (!*value || streq(value, "0")) /* no limit, as with docker: that is what its API says for one */
                return 0;
        int r = time_parse_argument(value, time_now_usec() * 1000, &nsec);
        if (r == -ERANGE)
                *ret_error = strdup("that is too far away");
        else if (r < 0)
                *ret_error = strdup("it is no time: write 2006-01-02T15:04:05Z, seconds since 1970, or how long ago "
                                    "(10m, 1h30m)");
        else
                *(uint64_t *) target = nsec;
        return r;
}

static int parse_tail(const char *value, void *target, char **ret_error) {
        int32_t negative;
        uint64_t n = LOG_TAIL_ALL;

        /* as with docker, where less than none is all */
        if (*value && !streq(value, "all") && parse_u64(value, &n) < 0 && !(parse_i32(value, &negative) >= 0 && negative < 0)) {
                *ret_error = strdup("a number of lines or \"all\" is needed");
                return -EINVAL;
        }
        *(uint64_t *) target = n;
        return 0;
}

const Arg logs_args[] = {
        { "details",    0,   ARG_BOOL,   &arg_details,    NULL,     "Show what --log-opt added to each line" },
        { "follow",     'f', ARG_BOOL,   &arg_follow,     NULL,     "Go on until the container has ended" },
        { "since",      0,   ARG_STRING, &arg_since,      "string",
          "Not what is older: a time (2013-01-02T13:23:37Z) or how long ago (42m)", parse_time },
        { "tail",       'n', ARG_STRING, &arg_tail,       "string", "So many lines from the end (all)", parse_tail },
        { "timestamps", 't', ARG_BOOL,   &arg_timestamps, NULL,     "Show when each line was written" },
        { "until",      0,   ARG_STRING, &arg_until,      "string", "Not what is newer: as --since", parse_time },
        { 0 },
};

/* What is to be known about the container itself. */
typedef struct Subject {
        char *id, *state, *run_id;
        uint64_t log_ordinal, finished;
} Subject;

static const Property subject_properties[] = {
        { "Id",         PROPERTY_STRING, offsetof(Subject, id)          },
        { "State",      PROPERTY_STRING, offsetof(Subject, state)       },
        { "RunId",      PROPERTY_STRING, offsetof(Subject, run_id)      },
        { "LogOrdinal", PROPERTY_U64,    offsetof(Subject, log_ordinal) },
        { "Finished",   PROPERTY_U64,    offsetof(Subject, finished)    },
        { 0 },
};

/* One that waits to be started again goes on with the same run: so does who follows its log. */
static bool is_running(const Subject *s) {
        return streq_null(s->state, "running") || streq_null(s->state, "paused") || streq_null(s->state, "restarting");
}

/* --- Showing what there is --- */

static int print_all(LogPrinter *p, LogSource *source) {
        const LogEntry *e;
        int r;

        while ((r = log_source_next(source, &e)) > 0) {
                r = log_printer_add(p, e);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : log_printer_flush(p);
}

static int show(LogPrinter *p, LogSource *source, const Subject *s) {
        int r = arg_tail == 0 ? 0 : print_all(p, source);

        if (r < 0 || is_running(s) || arg_tail == 0)
                return r;
        return log_printer_finish(p, s->run_id, s->log_ordinal);
}

/* --- Following --- */

typedef struct Follow {
        sd_bus *bus;
        const char *path;
        Subject subject;
        bool ask_again; /* something changed that the signal did not spell out */
        bool removed;
        bool ended;     /* the run that was followed; there may be another by now */
        char end_run[LOG_ID_MAX];
        uint64_t end_ordinal; /* its last line, 0: none, or not known yet */
        bool past_end;  /* a line of a later run was seen */
} Follow;

static void note_end(Follow *f) {
        const Subject *s = &f->subject;

        if (!f->ended && is_running(s))
                return;
        if (!f->ended)
                snprintf(f->end_run, sizeof(f->end_run), "%s", s->run_id ? s->run_id : "");
        f->ended = true;
        if (streq_null(s->run_id, f->end_run) && (f->end_ordinal == 0 || !is_running(s)))
                f->end_ordinal = s->log_ordinal;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Follow *f = userdata;
        const char *interface;

        if (sd_bus_message_read(m, "s", &interface) < 0 || !streq(interface, BUS_CONTAINER))
                return 0;
        if (properties_read(m, subject_properties, &f->subject) < 0)
                f->ask_again = true;
        else if (sd_bus_message_enter_container(m, 'a', "s") >= 0 && sd_bus_message_at_end(m, false) == 0)
                f->ask_again = true; /* invalidated without a value */
        note_end(f);
        return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Follow *f = userdata;
        const char *path;

        if (sd_bus_message_read(m, "o", &path) >= 0 && streq(path, f->path))
                f->removed = true;
        return 0;
}

/* A berthd that was started anew has sent no signal about what happened while there was none. */
static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Follow *f = userdata;

        f->ask_again = true;
        return 0;
}

static int follow_subscribe(Follow *f) {
        int r = sd_bus_match_signal(f->bus, NULL, BUS_NAME, f->path, "org.freedesktop.DBus.Properties",
                                    "PropertiesChanged", on_changed, f);

        if (r >= 0)
                r = sd_bus_match_signal(f->bus, NULL, BUS_NAME, BUS_PATH, "org.freedesktop.DBus.ObjectManager",
                                        "InterfacesRemoved", on_removed, f);
        if (r >= 0)
                r = sd_bus_add_match(f->bus, NULL,
                                     "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                     "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" BUS_NAME "'",
                                     on_owner_changed, f);
        return r;
}

/* Takes in what the bus has to say. */
static int follow_process(Follow *f) {
        int r;

        for (;;) {
                while ((r = sd_bus_process(f->bus, NULL)) > 0)
                        ;
                if (r < 0)
                        return r;
                note_end(f);
                if (!f->ask_again || f->removed)
                        return 0;
                _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
                f->ask_again = false;
                r = properties_get(f->path, BUS_CONTAINER, subject_properties, &f->subject, &error);
                if (sd_bus_error_has_names(&error, SD_BUS_ERROR_UNKNOWN_OBJECT, SD_BUS_ERROR_UNKNOWN_METHOD,
                                           SD_BUS_ERROR_UNKNOWN_INTERFACE, BERTH_ERROR_NO_SUCH_CONTAINER))
                        f->removed = true;
                else if (r < 0) {
                        bus_print_error(&error, r);
                        return -ECANCELED;
                }
        }
}

/* Sleeps until the source, the bus or the clock has something. 0: go on; 1: nobody reads our output any more. */
static int follow_wait(Follow *f, LogSource *source, uint64_t deadline) {
        uint64_t timeout = deadline, other, now = time_monotonic_usec();

        if (sd_bus_get_timeout(f->bus, &other) >= 0)
                timeout = MIN_OF(timeout, other);
        if (log_source_timeout(source, &other) >= 0)
                timeout = MIN_OF(timeout, other);
        struct pollfd fds[] = {
                { .fd = sd_bus_get_fd(f->bus), .events = (short) sd_bus_get_events(f->bus) },
                { .fd = log_source_fd(source), .events = POLLIN },
                { .fd = STDOUT_FILENO }, /* only for its end */
        };
        struct timespec ts = {};
        if (timeout != UINT64_MAX && timeout > now)
                ts = (struct timespec) { .tv_sec = (time_t) ((timeout - now) / USEC_PER_SEC),
                                         .tv_nsec = (long) ((timeout - now) % USEC_PER_SEC * 1000) };
        if (ppoll(fds, N_ELEMENTS(fds), timeout == UINT64_MAX ? NULL : &ts, NULL) < 0 && errno != EINTR)
                return -errno;
        if (fds[2].revents & (POLLERR | POLLHUP | POLLNVAL))
                return 1;
        int r = log_source_process(source);
        return r < 0 ? r : 0;
}

/* When to stop hoping for more. */
static uint64_t follow_deadline(const Follow *f, uint64_t ended_at) {
        uint64_t deadline = UINT64_MAX, now = time_now_usec();

        if (ended_at > 0)
                deadline = ended_at + (f->end_ordinal > 0 || !f->removed ? LAST_LINE_USEC : REMOVED_USEC);
        if (arg_until != LOG_TIME_UNSET) /* by the wall clock */
                deadline = MIN_OF(deadline, time_monotonic_usec() + MAX_OF(arg_until / 1000, now) - now);
        return deadline;
}

/* A line of the next run, or of what the monitor has started again in the same one. */
static bool is_past_end(const Follow *f, const LogPrinter *p, const LogEntry *e) {
        if (!f->ended)
                return false;
        if (streq(e->run_id, f->end_run))
                return f->end_ordinal > 0 && e->ordinal > f->end_ordinal;
        return streq(p->run_id, f->end_run);
}

static int follow_print(Follow *f, LogPrinter *p, LogSource *source) {
        const LogEntry *e;
        int r;

        while ((r = log_source_next(source, &e)) > 0) {
                f->past_end = is_past_end(f, p, e);
                if (f->past_end)
                        break;
                r = log_printer_add(p, e);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : log_printer_flush(p);
}

static int follow(LogPrinter *p, LogSource *source, Follow *f) {
        uint64_t ended_at = 0;

        for (;;) {
                int r = follow_process(f);
                if (r < 0)
                        return r;
                /* The state is taken before the lines: none that came before the end can be missed. */
                bool ended = f->removed || f->ended;
                if (ended && ended_at == 0 && !f->removed) { /* the signal may have told of the state alone */
                        ended_at = time_monotonic_usec();
                        f->ask_again = true;
                        continue;
                }
                ended_at = !ended ? 0 : ended_at > 0 ? ended_at : time_monotonic_usec();
                uint64_t before = p->ordinal;
                r = follow_print(f, p, source);
                if (r < 0)
                        return r;
                if (ended && p->ordinal != before) /* more may be on its way */
                        ended_at = time_monotonic_usec();
                uint64_t deadline = follow_deadline(f, ended_at);
                bool knows_last = f->end_ordinal > 0 || !f->removed;
                if (ended && knows_last && log_printer_has(p, f->end_run, f->end_ordinal))
                        return 0;
                if (time_monotonic_usec() >= deadline || f->past_end)
                        return ended ? log_printer_finish(p, f->end_run, f->end_ordinal) : 0;
                r = follow_wait(f, source, deadline);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
}

/* --- The verb --- */

/* Of a container that has ended a moment ago journald may still have lines in its queue. */
static LogQuery make_query(const Subject *s) {
        LogQuery query = { .since = arg_since, .until = arg_until, .tail = arg_tail };
        uint64_t now = time_now_usec(), age = now - MIN_OF(s->finished, now);

        if (!is_running(s) && s->run_id && age <= LAST_AGE_USEC) {
                snprintf(query.last_run, sizeof(query.last_run), "%s", s->run_id);
                query.last_ordinal = s->log_ordinal;
        }
        return query;
}

static int run(Follow *f) {
        _cleanup_(log_printer_done) LogPrinter p = LOG_PRINTER_NULL;
        _cleanup_(log_source_done) LogSource source = {};
        LogQuery query = make_query(&f->subject);
        bool follows = arg_follow && is_running(&f->subject);
        int r;

        p.timestamps = arg_timestamps;
        p.details = arg_details;
        p.since = arg_since;
        p.until = arg_until;
        p.from_head = arg_since == LOG_TIME_UNSET && arg_tail == LOG_TAIL_ALL;
        r = log_source_open(&source, f->subject.id, f->path, &query, arg_details, follows);
        if (r >= 0)
                r = follows ? follow(&p, &source, f) : show(&p, &source, &f->subject);
        if (r == -EPIPE) /* the reader has what it wanted */
                return EXIT_OK;
        if (r == -ECANCELED)
                return EXIT_FAILED; /* said already */
        if (r < 0) {
                cli_error("cannot read the log of %s: %s", f->subject.id, strerror(-r));
                return EXIT_FAILED;
        }
        return EXIT_OK;
}

int cmd_logs(int argc, char **argv) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = NULL;
        Follow f = {};
        int r = bus_get_container(argv[0], &path, &error);

        f.path = path;
        if (r >= 0)
                r = bus_open(&f.bus, &error);
        if (r >= 0 && arg_follow)
                r = follow_subscribe(&f);
        if (r >= 0)
                r = properties_get(path, BUS_CONTAINER, subject_properties, &f.subject, &error);
        r = r < 0 ? bus_print_error(&error, r) : run(&f);
        properties_done(subject_properties, &f.subject);
        return r;
}
