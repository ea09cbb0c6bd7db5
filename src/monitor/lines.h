/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines cuts a stream of bytes into lines, as Docker's log copier does: without their newline, and what is longer than
 * LINE_MAX_SIZE in pieces. Bytes are kept only while a line is unfinished. */
#pragma once

#include <sys/types.h>

#include "util/macro.h"

#define LINE_MAX_SIZE ((size_t) 16384)
#define LINE_ID_SIZE 33

/* One line or one piece of a long one. `data` is borrowed, and not terminated. */
typedef struct Line {
        const char *data;
        size_t size;
        uint64_t piece;      /* 0: a whole line; else the number of the piece, from 1 */
        bool last;           /* the newline was seen */
        const char *line_id; /* the same for all pieces of one line; NULL for a whole one */
        int severity;        /* of a <N> prefix, which is cut off; -1: none. The same for all pieces */
        bool cut;            /* off this piece */
} Line;

typedef struct Lines {
        char *pending;
        size_t used, room;
        uint64_t piece; /* pieces that the line under way has given so far */
        int severity;
        char line_id[LINE_ID_SIZE];
} Lines;

typedef void (*LineHandler)(void *userdata, const Line *line);

/* Hands out every line that is complete now. -ENOMEM: what followed the last handed-out line is lost. */
int lines_feed(Lines *l, const char *data, size_t size, LineHandler handler, void *userdata);

/* The stream has ended: hands out what is left as an unfinished piece, as Docker does. */
void lines_end(Lines *l, LineHandler handler, void *userdata);
