/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that grow. Zero-initialised it is empty; who made it calls buffer_done(). */
#pragma once

#include <stddef.h>

typedef struct Buffer {
        char *data;
        size_t size, room;
} Buffer;

void buffer_done(Buffer *b);

/* Room for `more` bytes behind those that are there. -ENOMEM, and nothing has changed. */
int buffer_reserve(Buffer *b, size_t more);
int buffer_append(Buffer *b, const void *data, size_t size);
