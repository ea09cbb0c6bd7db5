/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes an image of one layer from a tar archive: what `berth-unpack import` does. berthd has written what it wants to
 * import.json in the staging directory: { created, comment, config }. */
#pragma once

#include "image/image-archive.h"

#define IMPORT_SIZE_MAX (1U << 20)

/* Reads the tar archive from fd; leaves blobs/ and layers/HEX/diff in staging_fd. *ret_layers: reports by chain id. */
int import_run(Archive *a, int staging_fd, int fd, json_object **ret_layers);
