/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines: see lines.h. */
#include <stdio.h>
#include <string.h>

#include "monitor/lines.h"
#include "monitor/random-id.h"

/* The length of sd-daemon's prefix <N>, N from 0 to 7, as systemd reads it off a service's output; 0: there is none. */
static size_t severity_prefix(const char *data, size_t size, int *severity) {
        if (size < 3 || data[0] != '<' || data[1] < '0' || data[1] > '7' || data[2] != '>')
                return 0;
        *severity = data[1] - '0';
        return 3;
}

static void hand_out(Lines *l, const char *data, size_t size, bool last, LineHandler handler, void *userdata) {
        size_t prefix = 0;

        if (l->piece == 0) {
                l->severity = -1;
                prefix = severity_prefix(data, size, &l->severity);
                if (!last)
                        random_id(l->line_id);
        }
        bool whole = l->piece == 0 && last;
        if (!whole)
                l->piece++;
        handler(userdata, &(Line) {
                .data = data + prefix,
                .size = size - prefix,
                .piece = l->piece,
                .last = last,
                .line_id = whole ? NULL : l->line_id,
                .severity = l->severity,
                .cut = prefix > 0,
        });
        if (last)
                l->piece = 0;
}

static int keep(Lines *l, const char *data, size_t size) {
        if (l->used + size > l->room) {
                size_t room = MIN_OF(MAX_OF((l->used + size) * 2, (size_t) 256), LINE_MAX_SIZE);
                char *bigger = realloc(l->pending, room);
                if (!bigger)
                        return -ENOMEM;
                l->pending = bigger;
                l->room = room;
        }
        memcpy(l->pending + l->used, data, size);
        l->used += size;
        return 0;
}

static void forget(Lines *l) {
        free(l->pending);
        l->pending = NULL;
        l->used = l->room = 0;
}

int lines_feed(Lines *l, const char *data, size_t size, LineHandler handler, void *userdata) {
        while (size > 0) {
                size_t room = LINE_MAX_SIZE - l->used;
                const char *newline = memchr(data, '\n', MIN_OF(size, room));
                size_t n = newline ? (size_t) (newline - data) : MIN_OF(size, room);
                bool complete = newline || n == room;

                if (!complete || l->used > 0) {
                        int r = keep(l, data, n);
                        if (r < 0) {
                                forget(l);
                                return r;
                        }
                }
                if (complete) {
                        bool kept = l->used > 0;
                        hand_out(l, kept ? l->pending : data, kept ? l->used : n, newline != NULL, handler, userdata);
                        if (kept)
                                forget(l);
                }
                n += newline != NULL;
                data += n;
                size -= n;
        }
        return 0;
}

void lines_end(Lines *l, LineHandler handler, void *userdata) {
        if (l->used > 0)
                hand_out(l, l->pending, l->used, false, handler, userdata);
        forget(l);
        l->piece = 0;
}
