/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth-logs CONTAINER-ID SINCE UNTIL TAIL FOLLOW [RUN-ID ORDINAL]: the lines of one container to stdout, as log-stream.h says, for
 * somebody who may see this container but not the journal. Run by berthd in a unit of its own. SINCE and UNTIL are nanoseconds since
 * 1970 or -; TAIL is a number or -; FOLLOW is 0 or 1. It ends when nobody reads any more. */
#include <endian.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "logs/log-reader.h"
#include "util/buffer.h"
#include "util/io.h"
#include "util/log.h"
#include "util/strv.h"
#include "util/timestamp.h"

#define FLUSH_SIZE ((size_t) 32 * 1024)

typedef struct Out {
        Buffer text;
        bool complete; /* it has been said that these were all */
} Out;

static int out_flush(Out *o) {
        int r = o->text.size > 0 ? fd_write_all(STDOUT_FILENO, o->text.data, o->text.size) : 0;

        o->text.size = 0;
        return r;
}

static bool is_text(const char *data, size_t size) {
        for (; size > 0; data++, size--)
                if ((unsigned char) *data < ' ' || (unsigned char) *data >= 127)
                        return false;
        return true;
}

/* What the sender said; what journald adds about it is of no use to the reader. */
static int put_field(void *userdata, const void *data, size_t size) {
        const char *text = data, *equals = memchr(data, '=', size);
        Out *o = userdata;
        int r;

        if (!equals || equals == text || *text == '_')
                return 0;
        if (is_text(text, size)) {
                r = buffer_append(&o->text, text, size);
                return r < 0 ? r : buffer_append(&o->text, "\n", 1);
        }
        size_t name = (size_t) (equals - text), value = size - name - 1;
        uint64_t length = htole64(value);
        r = buffer_append(&o->text, text, name);
        if (r >= 0)
                r = buffer_append(&o->text, "\n", 1);
        if (r >= 0)
                r = buffer_append(&o->text, &length, sizeof(length));
        if (r >= 0)
                r = buffer_append(&o->text, equals + 1, value);
        return r < 0 ? r : buffer_append(&o->text, "\n", 1);
}

static int put_entry(Out *o, LogReader *reader, const LogEntry *e) {
        char line[64];
        int n = snprintf(line, sizeof(line), "__REALTIME_TIMESTAMP=%llu\n", (unsigned long long) e->received);
        int r = buffer_append(&o->text, line, (size_t) n);

        if (r >= 0 && e->is_unwanted)
                r = buffer_append(&o->text, LOG_FIELD_UNWANTED "=1\n", sizeof(LOG_FIELD_UNWANTED "=1\n") - 1);
        if (r >= 0)
                r = log_reader_fields(reader, put_field, o);
        if (r >= 0)
                r = buffer_append(&o->text, "\n", 1);
        o->complete = false;
        return r >= 0 && o->text.size >= FLUSH_SIZE ? out_flush(o) : r;
}

static int put_all(Out *o, LogReader *reader) {
        const LogEntry *e;
        int r;

        while ((r = log_reader_next(reader, &e)) > 0) {
                r = put_entry(o, reader, e);
                if (r < 0)
                        return r;
        }
        if (r >= 0 && !o->complete)
                r = buffer_append(&o->text, "\n", 1);
        o->complete = true;
        return r < 0 ? r : out_flush(o);
}

/* 0: there may be more; 1: nobody reads. */
static int wait_for_more(LogReader *reader) {
        struct pollfd fds[] = { { .fd = log_reader_fd(reader), .events = POLLIN }, { .fd = STDOUT_FILENO } };
        uint64_t until = UINT64_MAX, now = time_monotonic_usec();
        struct timespec ts = {};
        int r;

        r = log_reader_timeout(reader, &until);
        if (r < 0)
                return r;
        if (until > now)
                ts = (struct timespec) { .tv_sec = (time_t) ((until - now) / USEC_PER_SEC),
                                         .tv_nsec = (long) ((until - now) % USEC_PER_SEC * 1000) };
        if (ppoll(fds, N_ELEMENTS(fds), until == UINT64_MAX ? NULL : &ts, NULL) < 0 && errno != EINTR)
                return -errno;
        if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
                return 1;
        r = log_reader_process(reader);
        return r < 0 ? r : 0;
}

static int run(const char *id, const LogQuery *query, bool follow) {
        _cleanup_(log_reader_freep) LogReader *reader = NULL;
        Out out = {};
        int r = log_reader_open(id, false, &reader);

        if (r >= 0 && follow)
                r = log_reader_fd(reader);
        if (r >= 0)
                r = log_reader_seek(reader, query);
        if (r >= 0 && query->tail == 0 && !follow)
                r = fd_write_all(STDOUT_FILENO, "\n", 1);
        else if (r >= 0)
                r = put_all(&out, reader);
        while (r >= 0 && follow) {
                r = wait_for_more(reader);
                if (r > 0)
                        break;
                if (r >= 0)
                        r = put_all(&out, reader);
        }
        buffer_done(&out.text);
        return r == -EPIPE ? 0 : r;
}

static int parse_number(const char *text, uint64_t *ret) {
        *ret = UINT64_MAX;
        return streq(text, "-") ? 0 : parse_u64(text, ret);
}

int main(int argc, char *argv[]) {
        LogQuery query = {};
        int r;

        log_open("berth-logs");
        if ((argc != 6 && argc != 8) || strlen(argv[1]) != 64 || parse_number(argv[2], &query.since) < 0 ||
            parse_number(argv[3], &query.until) < 0 || parse_number(argv[4], &query.tail) < 0 ||
            (argc == 8 && (strlen(argv[6]) >= sizeof(query.last_run) || parse_u64(argv[7], &query.last_ordinal) < 0))) {
                log_error("Usage: berth-logs CONTAINER-ID SINCE UNTIL TAIL FOLLOW [RUN-ID ORDINAL]");
                return EXIT_FAILURE;
        }
        if (argc == 8)
                strcpy(query.last_run, argv[6]);
        signal(SIGPIPE, SIG_IGN);
        r = run(argv[1], &query, streq(argv[5], "1"));
        if (r == -ENODATA)
                log_error("No journal of this system can be read.");
        else if (r < 0)
                log_error("The log of container %s cannot be read: %s", argv[1], strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
