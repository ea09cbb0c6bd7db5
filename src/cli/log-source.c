/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A LogSource: see log-source.h. */
#include <fcntl.h>
#include <unistd.h>

#include "cli/log-source.h"
#include "util/io.h"

void log_source_done(LogSource *s) {
        log_reader_free(s->reader);
        log_stream_free(s->stream);
}

static int append_options(sd_bus_message *m, const LogQuery *q, bool follow) {
        const struct { const char *key; uint64_t value; } numbers[] = {
                { "since", q->since }, { "until", q->until }, { "tail", q->tail },
        };
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(numbers); i++)
                if (numbers[i].value != UINT64_MAX)
                        r = bus_append_entry(m, numbers[i].key, "t", numbers[i].value);
        if (r >= 0 && follow)
                r = bus_append_entry(m, "follow", "b", 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* A pipe from the worker. */
static int call_logs(const char *path, const LogQuery *query, bool follow, sd_bus_error *error) {
        _cleanup_bus_message_ sd_bus_message *m = NULL, *reply = NULL;
        int fd, r;

        r = bus_message_new(path, BUS_CONTAINER, "Logs", &m, error);
        if (r >= 0)
                r = append_options(m, query, follow);
        if (r >= 0)
                r = bus_call(m, &reply, error);
        if (r >= 0)
                r = sd_bus_message_read(reply, "h", &fd);
        if (r < 0)
                return r;
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
}

static int open_stream(LogSource *s, const char *path, const LogQuery *query, bool details, bool follow) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int fd = call_logs(path, query, follow, &error);

        if (fd < 0) {
                bus_print_error(&error, fd);
                return -ECANCELED;
        }
        int r = follow ? fd_set_nonblock(fd, true) : 0; /* the description is ours alone */
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        return log_stream_new(fd, details, &s->stream);
}

int log_source_open(LogSource *s, const char *container_id, const char *path, const LogQuery *query, bool details, bool follow) {
        int r = log_reader_open(container_id, details, &s->reader);

        s->follow = follow;
        if (r == -ENODATA && geteuid() != 0)
                return open_stream(s, path, query, details, follow);
        if (r == -ENODATA) {
                cli_error("this system has no journal that can be read: see systemctl status systemd-journald");
                return -ECANCELED;
        }
        if (r >= 0 && follow)
                r = log_reader_fd(s->reader); /* from here on changes are noticed */
        return r < 0 ? r : log_reader_seek(s->reader, query);
}

int log_source_next(LogSource *s, const LogEntry **ret) {
        int r = s->reader ? log_reader_next(s->reader, ret) : log_stream_next(s->stream, ret);

        if (r == 0 && s->stream && s->follow && log_stream_has_ended(s->stream))
                r = -ECONNRESET;
        if (r == -ECONNRESET) {
                cli_error("the worker that reads the journal ended early: the journal of berth-logs-%u-*.service says more",
                          (unsigned) getuid());
                return -ECANCELED;
        }
        return r;
}

int log_source_fd(const LogSource *s) {
        return s->reader ? log_reader_fd(s->reader) : log_stream_fd(s->stream);
}

int log_source_timeout(const LogSource *s, uint64_t *ret_usec) {
        *ret_usec = UINT64_MAX;
        return s->reader ? log_reader_timeout(s->reader, ret_usec) : 0;
}

int log_source_process(LogSource *s) {
        return s->reader ? log_reader_process(s->reader) : 0;
}
