/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tar archives in memory for tests: well-formed ones, and with headers as no tar program writes them. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Tar {
        char *data;
        size_t size;
        FILE *out;
} Tar;

typedef struct TarEntry {
        const char *name;
        char type;             /* '0' file, '1' hard link, '2' symlink, '3' '4' devices, '5' directory, '6' fifo, 'x' */
        const char *link;
        const char *data;
        unsigned mode, uid, gid; /* mode 0: 0644 or 0755 */
        unsigned major, minor;
        const char *size;      /* the size field as it stands, instead of that of the data */
} TarEntry;

static inline void tar_begin(Tar *t) {
        *t = (Tar){ 0 };
        t->out = open_memstream(&t->data, &t->size);
}

static inline void tar_octal(char *field, size_t digits, uint64_t n) {
        for (; digits > 0; n >>= 3)
                field[--digits] = (char) ('0' + (n & 7));
}

static inline void tar_header(Tar *t, const TarEntry *e, size_t size) {
        char h[512] = { 0 };
        unsigned sum = 0;

        memcpy(h, e->name, strnlen(e->name, 100));
        tar_octal(h + 100, 7, e->mode ? e->mode : e->type == '5' ? 0755 : 0644);
        tar_octal(h + 108, 7, e->uid);
        tar_octal(h + 116, 7, e->gid);
        tar_octal(h + 124, 11, size);
        if (e->size)
                memcpy(h + 124, e->size, 12);
        tar_octal(h + 136, 11, 1000000000U);
        h[156] = e->type ? e->type : '0';
        if (e->link)
                memcpy(h + 157, e->link, strnlen(e->link, 100));
        memcpy(h + 257, "ustar\0" "00", 8);
        tar_octal(h + 329, 7, e->major);
        tar_octal(h + 337, 7, e->minor);
        memset(h + 148, ' ', 8);
        for (size_t i = 0; i < sizeof(h); i++)
                sum += (unsigned char) h[i];
        tar_octal(h + 148, 6, sum);
        h[154] = '\0';
        fwrite(h, sizeof(h), 1, t->out);
}

static inline void tar_data(Tar *t, const void *data, size_t size) {
        static const char zeros[512];

        fwrite(data, size, 1, t->out);
        if (size % 512)
                fwrite(zeros, 512 - size % 512, 1, t->out);
}

static inline void tar_add(Tar *t, const TarEntry *e) {
        size_t size = e->data ? strlen(e->data) : 0;

        tar_header(t, e, size);
        if (size > 0)
                tar_data(t, e->data, size);
}

static inline void tar_add_bytes(Tar *t, const char *name, const void *data, size_t size) {
        tar_header(t, &(TarEntry){ .name = name, .type = '0' }, size);
        tar_data(t, data, size);
}

/* A pax record before the next entry: one KEY=VALUE, value of any bytes. */
static inline void tar_pax(Tar *t, const char *key, const void *value, size_t value_size) {
        size_t n = strlen(key) + value_size + 3;
        size_t size = n + 1;
        char prefix[24], *text;

        for (size_t digits = 1; (size_t) snprintf(prefix, sizeof(prefix), "%zu", n + digits) != digits; digits++)
                size = n + digits + 1; /* a record's length counts its own digits */
        text = malloc(size + 1);
        size_t at = (size_t) sprintf(text, "%zu %s=", size, key);
        memcpy(text + at, value, value_size);
        text[size - 1] = '\n';
        tar_header(t, &(TarEntry){ .name = "pax", .type = 'x' }, size);
        tar_data(t, text, size);
        free(text);
}

/* Closes; the data is the caller's to free. */
static inline void tar_end(Tar *t) {
        static const char zeros[1024];

        fwrite(zeros, sizeof(zeros), 1, t->out);
        fclose(t->out);
        t->out = NULL;
}
