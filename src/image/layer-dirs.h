/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is remembered of a layer's directories until its end: their times, which writing into them changes, and which of
 * them had no entry of their own. */
#pragma once

#include <time.h>

#include "util/macro.h"

typedef struct LayerDir {
        char *path;      /* as LayerPath has it; "" is the root */
        size_t order;
        bool has_entry;  /* false: made because something lay in it */
        struct timespec mtime;
} LayerDir;

typedef struct LayerDirs {
        LayerDir *items;
        size_t n, room;
        size_t text_size;
} LayerDirs;

/* mtime NULL: without an entry. -E2BIG: more than LAYER_DIRS_TEXT_MAX bytes of names. */
#define LAYER_DIRS_TEXT_MAX (256U << 20)
int layer_dirs_add(LayerDirs *d, const char *path, const struct timespec *mtime);
/* Sorts by path and leaves one of each: the last one with an entry, if any had one. */
void layer_dirs_settle(LayerDirs *d);
void layer_dirs_clear(LayerDirs *d);
