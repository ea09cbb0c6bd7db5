/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of a layer's entries: made plain, and sorted into those that are files and those that stand for a removal
 * (image-spec, layer.md, "Whiteouts"). */
#pragma once

#include <limits.h>

#include "util/macro.h"

typedef enum LayerPathKind {
        LAYER_PATH_ROOT,     /* the layer's root directory */
        LAYER_PATH_ENTRY,
        LAYER_PATH_WHITEOUT, /* path: what is removed */
        LAYER_PATH_OPAQUE,   /* path: the directory whose lower content is hidden; "" for the root */
        LAYER_PATH_NOTHING,  /* AUFS's own files: passed over */
} LayerPathKind;

/* Relative, without ".", empty components or trailing slash: "usr/bin/env". */
typedef struct LayerPath {
        LayerPathKind kind;
        char path[PATH_MAX];
} LayerPath;

/* -EINVAL: climbs by "..", or is a whiteout of nothing; -ENAMETOOLONG. *ret_why (static) says it. */
int layer_path_parse(const char *name, LayerPath *ret, const char **ret_why);

/* Paths in reports: bytes other than printable ASCII as %XX, so that JSON holds any name. */
int layer_path_escape(const char *path, char **ret);
int layer_path_unescape(const char *text, char **ret);
