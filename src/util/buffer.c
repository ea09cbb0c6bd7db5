/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that grow: see buffer.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/buffer.h"
#include "util/macro.h"

void buffer_done(Buffer *b) {
        free(b->data);
        *b = (Buffer) { 0 };
}

int buffer_reserve(Buffer *b, size_t more) {
        if (more <= b->room - b->size)
                return 0;
        size_t room = MAX_OF(b->size + more, b->room * 2);
        char *bigger = realloc(b->data, room);
        if (!bigger)
                return -ENOMEM;
        b->data = bigger;
        b->room = room;
        return 0;
}

int buffer_append(Buffer *b, const void *data, size_t size) {
        int r = buffer_reserve(b, size);

        if (r < 0)
                return r;
        if (size > 0)
                memcpy(b->data + b->size, data, size);
        b->size += size;
        return 0;
}
