/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A layer's directories: see layer-dirs.h. */
#include <string.h>

#include "image/layer-dirs.h"

int layer_dirs_add(LayerDirs *d, const char *path, const struct timespec *mtime) {
        size_t size = strlen(path) + 1;

        if (d->text_size + size + sizeof(LayerDir) > LAYER_DIRS_TEXT_MAX)
                return -E2BIG;
        if (d->n == d->room) {
                size_t room = d->room * 2 + 64;
                LayerDir *items = reallocarray(d->items, room, sizeof(LayerDir));
                if (!items)
                        return -ENOMEM;
                d->items = items;
                d->room = room;
        }
        char *copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        d->items[d->n] = (LayerDir){ .path = copy, .order = d->n, .has_entry = mtime };
        if (mtime)
                d->items[d->n].mtime = *mtime;
        d->n++;
        d->text_size += size + sizeof(LayerDir);
        return 0;
}

static int compare(const void *x, const void *y) {
        const LayerDir *a = x, *b = y;
        int r = strcmp(a->path, b->path);

        if (r == 0)
                r = (int) a->has_entry - (int) b->has_entry;
        return r != 0 ? r : (a->order > b->order) - (a->order < b->order);
}

void layer_dirs_settle(LayerDirs *d) {
        size_t kept = 0;

        if (d->n > 0)
                qsort(d->items, d->n, sizeof(LayerDir), compare);
        for (size_t i = 0; i < d->n; i++) {
                if (i + 1 < d->n && strcmp(d->items[i].path, d->items[i + 1].path) == 0)
                        free(d->items[i].path); /* a better one follows */
                else
                        d->items[kept++] = d->items[i];
        }
        d->n = kept;
}

void layer_dirs_clear(LayerDirs *d) {
        for (size_t i = 0; i < d->n; i++)
                free(d->items[i].path);
        free(d->items);
        *d = (LayerDirs){ 0 };
}
