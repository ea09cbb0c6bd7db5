/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth logs: what a container has written, from the journal and nowhere else. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/log-reader.h"
#include "cli/objects.h"
#include "cli/verb.h"
#include "util/io.h"
#include "util/strv.h"
#include "util/timestamp.h"

#define LAST_LINE_USEC (5 * USEC_PER_SEC) /* how long journald may take for the next line after an exit */
#define LAST_AGE_USEC (60 * USEC_PER_SEC) /* after that it has no more in its queue */
#define REMOVED_USEC (1 * USEC_PER_SEC)   /* the same, where nobody can say which one is the last */
#define FLUSH_SIZE 65536

#define NSEC_UNSET UINT64_MAX
#define TAIL_ALL UINT64_MAX

static bool arg_follow;
static bool arg_timestamps;
static uint64_t arg_since = NSEC_UNSET;
static uint64_t arg_until = NSEC_UNSET;
static uint64_t arg_tail = TAIL_ALL;

static int parse_time(const char *value, void *target, char **ret_error) {
        uint64_t nsec;
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
        uint64_t n = TAIL_ALL;

        /* as with docker, where less than none is all */
        if (!streq(value, "all") && parse_u64(value, &n) < 0 && !(parse_i32(value, &negative) >= 0 && negative < 0)) {
                *ret_error = strdup("a number of lines or \"all\" is needed");
                return -EINVAL;
        }
        *(uint64_t *) target = n;
        return 0;
}

const Arg logs_args[] = {
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

static bool is_running(const Subject *s) {
        return streq_null(s->state, "running") || streq_null(s->state, "paused") || streq_null(s->state, "restarting");
}

/* --- Output --- */

/* One of our two streams. What goes to the other one is flushed first, so that a terminal shows the order of the
 * journal. */
typedef struct Output {
        int fd;
        bool in_line; /* the last piece had no end of line */
        char *data;
        size_t size, room;
} Output;

typedef struct Printer {
        Output outputs[2]; /* stdout, stderr */
        char epoch[LOG_ID_MAX], run_id[LOG_ID_MAX]; /* of the last entry */
        uint64_t ordinal;
} Printer;

static int output_flush(Output *o) {
        size_t done = 0;

        while (done < o->size) {
                ssize_t n = write(o->fd, o->data + done, o->size - done);
                if (n >= 0)
                        done += (size_t) n;
                else if (errno == EAGAIN) { /* somebody else's flag on a descriptor that was given to us */
                        int r = fd_wait(o->fd, POLLOUT, -1);
                        if (r < 0)
                                return r;
                } else if (errno != EINTR)
                        return -errno;
        }
        o->size = 0;
        return 0;
}

static int output_append(Output *o, const char *data, size_t size) {
        if (size > o->room - o->size) {
                size_t room = MAX_OF(o->size + size, o->room * 2);
                char *bigger = realloc(o->data, room);
                if (!bigger)
                        return -ENOMEM;
                o->data = bigger;
                o->room = room;
        }
        if (size > 0)
                memcpy(o->data + o->size, data, size);
        o->size += size;
        return 0;
}

static int printer_flush(Printer *p) {
        int r = output_flush(&p->outputs[0]);
        return r < 0 ? r : output_flush(&p->outputs[1]);
}

static int print_missing(Printer *p, uint64_t n) {
        char line[64];

        if (n == 0)
                return 0;
        int size = snprintf(line, sizeof(line), "-- %llu line%s missing --\n", (unsigned long long) n,
                            n == 1 ? "" : "s");
        int r = printer_flush(p);

        if (r >= 0)
                r = output_append(&p->outputs[1], line, (size_t) size);
        return r < 0 ? r : output_flush(&p->outputs[1]);
}

/* Whether the entry is a new one; says what is missing before it. The monitor sends again what it is not sure of. */
static int check_order(Printer *p, const LogEntry *e) {
        bool same = *e->epoch && streq(p->epoch, e->epoch);
        uint64_t before = p->ordinal;
        int r = 1;

        if (same && e->ordinal <= before)
                return 0;
        memcpy(p->epoch, e->epoch, sizeof(p->epoch));
        memcpy(p->run_id, e->run_id, sizeof(p->run_id));
        p->ordinal = e->ordinal;
        if (same && e->ordinal > before + 1)
                r = print_missing(p, e->ordinal - before - 1);
        for (size_t i = 0; !same && r >= 0 && i < N_ELEMENTS(p->outputs); i++) {
                Output *o = &p->outputs[i];
                if (o->in_line) /* a run that ended in the middle of a line; the next begins on its own */
                        r = output_append(o, "\n", 1);
                o->in_line = false;
        }
        return r < 0 ? r : 1;
}

static int print_entry(Printer *p, const LogEntry *e) {
        Output *o = &p->outputs[e->is_stderr], *other = &p->outputs[!e->is_stderr];
        char date[TIME_RFC3339_MAX];
        int r = check_order(p, e);

        if (r <= 0)
                return r;
        if ((arg_since != NSEC_UNSET && e->nsec < arg_since) || (arg_until != NSEC_UNSET && e->nsec > arg_until))
                return 0;
        r = output_flush(other);
        if (r >= 0 && arg_timestamps && !o->in_line) {
                time_format_rfc3339(e->nsec, date);
                r = output_append(o, date, strlen(date));
                if (r >= 0)
                        r = output_append(o, " ", 1);
        }
        if (r >= 0)
                r = output_append(o, e->message, e->size);
        if (r >= 0 && !e->is_partial)
                r = output_append(o, "\n", 1);
        o->in_line = e->is_partial;
        return r >= 0 && o->size >= FLUSH_SIZE ? output_flush(o) : r;
}

static int print_all(Printer *p, LogReader *reader) {
        const LogEntry *e;
        int r;

        while ((r = log_reader_next(reader, &e)) > 0) {
                r = print_entry(p, e);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : printer_flush(p);
}

/* --- Where to begin, and when all is there --- */

/* Goes back from the end until so many lines are passed. A line ends with the piece that is not partial, or with the
 * last piece that there is of its stream in its run. */
static int seek_lines(LogReader *reader, uint64_t n) {
        const LogEntry *e;
        char epoch[LOG_ID_MAX] = "";
        bool later[2] = { false, false }; /* more of this stream, seen before as we go backwards */
        uint64_t seen = 0;
        int r = log_reader_seek_tail(reader);

        if (r < 0 || n == 0)
                return r;
        while ((r = log_reader_previous(reader, &e)) > 0) {
                if (arg_since != NSEC_UNSET && e->nsec < arg_since)
                        break;
                if (arg_until != NSEC_UNSET && e->nsec > arg_until)
                        continue;
                if (!streq(epoch, e->epoch)) {
                        memcpy(epoch, e->epoch, sizeof(epoch));
                        later[0] = later[1] = false;
                }
                bool ends = !e->is_partial || !later[e->is_stderr];
                later[e->is_stderr] = true;
                if (ends && seen++ == n)
                        return 0; /* on the line before the first one wanted */
        }
        if (r < 0)
                return r;
        return r == 0 ? log_reader_seek_head(reader) : 0;
}

static int seek_start(LogReader *reader) {
        if (arg_tail != TAIL_ALL)
                return seek_lines(reader, arg_tail);
        if (arg_since != NSEC_UNSET) /* nothing is in the journal before it was written */
                return log_reader_seek_time(reader, arg_since / 1000);
        return log_reader_seek_head(reader);
}

/* Waits until the last line of the last run is in the journal, as long as others come: journald may have thousands
 * queued. What is missing after that is lost. */
static int wait_for_last(LogReader *reader, const Subject *s) {
        uint64_t age = time_now_usec() - MIN_OF(s->finished, time_now_usec()), deadline = 0, seen = 0;
        const LogEntry *e;

        if (s->log_ordinal == 0 || !s->run_id || age > LAST_AGE_USEC)
                return 0;
        for (;;) {
                int r = log_reader_seek_tail(reader);
                if (r >= 0)
                        r = log_reader_previous(reader, &e);
                if (r < 0)
                        return r;
                uint64_t ordinal = r > 0 && streq(e->run_id, s->run_id) ? e->ordinal : 0, now = time_monotonic_usec();
                if (ordinal >= s->log_ordinal)
                        return 0;
                if (deadline == 0 || ordinal > seen)
                        deadline = now + LAST_LINE_USEC;
                seen = ordinal;
                if (now >= deadline)
                        return 0;
                r = log_reader_wait(reader, deadline - now);
                if (r < 0)
                        return r;
        }
}

/* How many lines of the ended run should have come behind the last one that did. */
static uint64_t lines_missing(const Printer *p, const Subject *s) {
        if (arg_until != NSEC_UNSET || !s->run_id || !streq(p->run_id, s->run_id) || p->ordinal >= s->log_ordinal)
                return 0;
        return s->log_ordinal - p->ordinal;
}

static int show(Printer *p, LogReader *reader, const Subject *s) {
        int r = is_running(s) ? 0 : wait_for_last(reader, s);

        if (r >= 0)
                r = seek_start(reader);
        if (r >= 0 && arg_tail != 0)
                r = print_all(p, reader);
        if (r >= 0 && !is_running(s))
                r = print_missing(p, lines_missing(p, s));
        return r;
}

/* --- Following --- */

typedef struct Follow {
        sd_bus *bus;
        const char *path;
        Subject subject;
        bool ask_again; /* something changed that the signal did not spell out */
        bool removed;
} Follow;

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Follow *f = userdata;
        const char *interface;

        if (sd_bus_message_read(m, "s", &interface) < 0 || !streq(interface, BUS_CONTAINER))
                return 0;
        if (properties_read(m, subject_properties, &f->subject) < 0)
                f->ask_again = true;
        else if (sd_bus_message_enter_container(m, 'a', "s") >= 0 && sd_bus_message_at_end(m, false) == 0)
                f->ask_again = true; /* invalidated without a value */
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

/* Sleeps until the journal, the bus or the clock has something. 0: go on; 1: nobody reads our output any more. */
static int follow_wait(Follow *f, LogReader *reader, uint64_t deadline) {
        uint64_t timeout = deadline, other, now = time_monotonic_usec();

        if (sd_bus_get_timeout(f->bus, &other) >= 0)
                timeout = MIN_OF(timeout, other);
        if (log_reader_timeout(reader, &other) >= 0)
                timeout = MIN_OF(timeout, other);
        struct pollfd fds[] = {
                { .fd = sd_bus_get_fd(f->bus), .events = (short) sd_bus_get_events(f->bus) },
                { .fd = log_reader_fd(reader), .events = POLLIN },
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
        int r = log_reader_process(reader);
        return r < 0 ? r : 0;
}

/* When to stop hoping for more. */
static uint64_t follow_deadline(const Follow *f, uint64_t ended_at) {
        uint64_t deadline = UINT64_MAX, now = time_now_usec();

        if (ended_at > 0)
                deadline = ended_at + (f->subject.log_ordinal > 0 || !f->removed ? LAST_LINE_USEC : REMOVED_USEC);
        if (arg_until != NSEC_UNSET) /* by the wall clock */
                deadline = MIN_OF(deadline, time_monotonic_usec() + MAX_OF(arg_until / 1000, now) - now);
        return deadline;
}

static bool has_last(const Printer *p, const Subject *s) {
        return s->log_ordinal == 0 || (s->run_id && streq(p->run_id, s->run_id) && p->ordinal >= s->log_ordinal);
}

static int follow(Printer *p, LogReader *reader, Follow *f) {
        uint64_t ended_at = 0;
        int r = log_reader_fd(reader); /* from here on changes are noticed */

        if (r >= 0)
                r = seek_start(reader);
        while (r >= 0) {
                r = follow_process(f);
                if (r < 0)
                        return r;
                /* The state is taken before the lines: none that came before the end can be missed. */
                bool ended = f->removed || !is_running(&f->subject);
                if (ended && ended_at == 0 && !f->removed) { /* the signal may have told of the state alone */
                        ended_at = time_monotonic_usec();
                        f->ask_again = true;
                        continue;
                }
                ended_at = !ended ? 0 : ended_at > 0 ? ended_at : time_monotonic_usec();
                uint64_t before = p->ordinal;
                r = print_all(p, reader);
                if (r < 0)
                        return r;
                if (ended && p->ordinal != before) /* more may be on its way */
                        ended_at = time_monotonic_usec();
                uint64_t deadline = follow_deadline(f, ended_at);
                bool knows_last = f->subject.log_ordinal > 0 || !f->removed;
                if (ended && knows_last && has_last(p, &f->subject))
                        return 0;
                if (time_monotonic_usec() >= deadline)
                        return ended ? print_missing(p, lines_missing(p, &f->subject)) : 0;
                r = follow_wait(f, reader, deadline);
                if (r > 0)
                        return 0;
        }
        return r;
}

/* --- The verb --- */

static int run(Follow *f) {
        _cleanup_(log_reader_freep) LogReader *reader = NULL;
        Printer p = { .outputs = { { .fd = STDOUT_FILENO }, { .fd = STDERR_FILENO } } };
        int r = log_reader_open(f->subject.id, &reader);

        if (r == -ENODATA) {
                cli_error("no journal of this system can be read: be root or in the group systemd-journal, and see "
                            "systemctl status systemd-journald");
                return EXIT_FAILED;
        }
        if (r >= 0)
                r = arg_follow && is_running(&f->subject) ? follow(&p, reader, f) : show(&p, reader, &f->subject);
        free(p.outputs[0].data);
        free(p.outputs[1].data);
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
