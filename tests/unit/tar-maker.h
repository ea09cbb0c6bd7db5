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

static inline void tar_header(Tar *t, const TarEntry *e, size_t size) {
        char h[512] = { 0 };
        unsigned sum = 0;

        strncpy(h, e->name, 100);
        snprintf(h + 100, 8, "%07o", e->mode ? e->mode : e->type == '5' ? 0755 : 0644);
        snprintf(h + 108, 8, "%07o", e->uid);
        snprintf(h + 116, 8, "%07o", e->gid);
        snprintf(h + 124, 12, "%011zo", size);
        if (e->size)
                memcpy(h + 124, e->size, 12);
        snprintf(h + 136, 12, "%011o", 1000000000U);
        h[156] = e->type ? e->type : '0';
        if (e->link)
                strncpy(h + 157, e->link, 100);
        memcpy(h + 257, "ustar\0" "00", 8);
        snprintf(h + 329, 8, "%07o", e->major);
        snprintf(h + 337, 8, "%07o", e->minor);
        memset(h + 148, ' ', 8);
        for (size_t i = 0; i < sizeof(h); i++)
                sum += (unsigned char) h[i];
        snprintf(h + 148, 8, "%06o", sum);
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
        size_t size = 0, n = strlen(key) + value_size + 3;
        char prefix[24], *text;

        for (size_t digits = 1; size == 0 || (size_t) snprintf(prefix, sizeof(prefix), "%zu", size) != digits; digits++)
                size = n + digits;
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
