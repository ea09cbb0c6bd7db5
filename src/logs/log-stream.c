/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journal Export Format, read: see log-stream.h. A field is a line NAME=value; or, for any bytes, a line NAME, the value's size as 64
 * bits, little endian, the value, a line break. */
#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "logs/log-stream.h"
#include "util/io.h"
#include "util/strv.h"

#define BUFFER_MIN ((size_t) 64 * 1024)
#define ENTRY_MAX ((size_t) 64 * 1024 * 1024)
#define RECEIVED "__REALTIME_TIMESTAMP"

struct LogStream {
        int fd;
        LogParser *parser;
        char *data;
        size_t begin, end, room;
        uint64_t received; /* of the entry under way */
        bool in_entry;
        bool complete;     /* all that there is for now was read */
        bool ended;
};

int log_stream_new(int fd, bool details, LogStream **ret) {
        _cleanup_(log_stream_freep) LogStream *s = calloc(1, sizeof(LogStream));

        if (!s) {
                fd_close(fd);
                return -ENOMEM;
        }
        s->fd = fd;
        int r = log_parser_new(details, &s->parser);
        if (r < 0)
                return r;
        *ret = TAKE(s);
        return 0;
}

LogStream *log_stream_free(LogStream *s) {
        if (!s)
                return NULL;
        fd_close(s->fd);
        log_parser_free(s->parser);
        free(s->data);
        free(s);
        return NULL;
}

/* The length of the field, or empty line, at the beginning of what has been read; 0: not all of it is there yet. */
static int find_field(const LogStream *s, size_t *ret, size_t *ret_name, size_t *ret_value, size_t *ret_size) {
        const char *p = s->data + s->begin;
        size_t size = s->end - s->begin;
        const char *newline = size > 0 ? memchr(p, '\n', size) : NULL;
        uint64_t length;

        *ret = 0;
        if (!newline)
                return size > ENTRY_MAX ? -EBADMSG : 0;
        size_t line = (size_t) (newline - p);
        const char *equals = memchr(p, '=', line);
        *ret_name = equals ? (size_t) (equals - p) : line;
        if (equals || line == 0) {
                *ret_value = *ret_name + (equals != NULL);
                *ret_size = line - *ret_value;
                *ret = line + 1;
                return 0;
        }
        if (size - line - 1 < sizeof(length))
                return 0;
        memcpy(&length, newline + 1, sizeof(length));
        length = le64toh(length);
        *ret_value = line + 1 + sizeof(length);
        if (length > ENTRY_MAX || (size > *ret_value + length && p[*ret_value + length] != '\n'))
                return -EBADMSG;
        *ret_size = (size_t) length;
        if (size > *ret_value + length)
                *ret = *ret_value + *ret_size + 1;
        return 0;
}

/* Takes in one field. 1: the entry is whole and is a line. */
static int take_field(LogStream *s, size_t name, size_t value, size_t size, const LogEntry **ret) {
        const char *p = s->data + s->begin;
        char number[24] = "";

        if (name == 0) {
                s->complete = !s->in_entry;
                if (s->complete)
                        return 0;
                s->in_entry = false;
                return log_parser_end(s->parser, s->received, ret);
        }
        if (!s->in_entry) {
                log_parser_begin(s->parser);
                s->in_entry = true;
                s->complete = false;
                s->received = 0;
        }
        if (name == strlen(RECEIVED) && memcmp(p, RECEIVED, name) == 0 && size < sizeof(number)) {
                memcpy(number, p + value, size);
                return parse_u64(number, &s->received) < 0 ? -EBADMSG : 0;
        }
        return log_parser_field(s->parser, p, name, p + value, size);
}

/* 1: there is more; 0: not now, or it has ended. */
static int read_more(LogStream *s) {
        if (s->begin > 0) {
                memmove(s->data, s->data + s->begin, s->end - s->begin);
                s->end -= s->begin;
                s->begin = 0;
        }
        if (s->end == s->room) {
                size_t room = MAX_OF(s->room * 2, BUFFER_MIN);
                char *bigger = realloc(s->data, room);
                if (!bigger)
                        return -ENOMEM;
                s->data = bigger;
                s->room = room;
        }
        for (;;) {
                ssize_t n = read(s->fd, s->data + s->end, s->room - s->end);
                if (n > 0) {
                        s->end += (size_t) n;
                        return 1;
                }
                if (n == 0) {
                        s->ended = true;
                        return s->complete && s->end == 0 ? 0 : -ECONNRESET;
                }
                if (errno != EINTR)
                        return errno == EAGAIN ? 0 : -errno;
        }
}

int log_stream_next(LogStream *s, const LogEntry **ret) {
        size_t length, name, value, size;
        int r;

        for (;;) {
                r = find_field(s, &length, &name, &value, &size);
                if (r < 0)
                        return r;
                if (length == 0) {
                        r = s->ended ? 0 : read_more(s);
                        if (r <= 0)
                                return r;
                        continue;
                }
                r = take_field(s, name, value, size, ret);
                s->begin += length;
                if (r != 0 || (s->complete && s->begin == s->end))
                        return r;
        }
}

bool log_stream_has_ended(const LogStream *s) {
        return s->ended;
}

int log_stream_fd(const LogStream *s) {
        return s->fd;
}
