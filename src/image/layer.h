/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One layer from a descriptor into a directory, with its digests: what `berth-unpack layer` and `import` have in
 * common. */
#pragma once

#include "image/tar-stream.h"
#include "util/json.h"

typedef struct LayerResult {
        TarStreamResult stream;
        json_object *report; /* layers/HEX/layer.json: size, maxId, entries, opaque, implicit, skippedDevices */
} LayerResult;

void layer_result_clear(LayerResult *r);

/* Reads fd to its end and fills dir_fd, which is empty. The bytes as they came are also written to copy_fd, unless
 * that is negative. Everything is on the disk afterwards (syncfs). */
int layer_unpack(int fd, int copy_fd, int dir_fd, LayerResult *ret, Fault *fault);
