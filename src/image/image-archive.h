/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An archive of images, taken apart: what `berth-unpack archive` does. The Archive is the growing report. */
#pragma once

#include "image/members.h"
#include "oci/image-record.h"

#define ARCHIVE_IMAGES_MAX     1024U
#define ARCHIVE_REFERENCES_MAX 4096U
#define ARCHIVE_REPORT_MAX     (8U << 20)

typedef struct Archive {
        Members members;
        int blobs_fd;         /* borrowed */
        Fault *fault;         /* borrowed */
        json_object *images;  /* array of { record, references } */
        size_t n_references, report_size;
} Archive;

/* Adds an image whose manifest and configuration are in blobs/; a second time: only its references. Checks that every
 * layer is there. */
int archive_add_image(Archive *a, const OciDescriptor *manifest_descriptor, const OciManifest *manifest,
                      char *const *references);
/* Gives an image that was added another name; nothing happens if there is no such image. */
int archive_add_reference(Archive *a, const char *image_digest, const char *reference);

/* Makes the manifest as a blob and describes it; the descriptor is to be cleared. */
int archive_write_manifest(int blobs_fd, const OciManifest *m, OciDescriptor *ret);

/* index.json: 1 if there is one, and its images were added; 0 if not. */
int archive_read_oci(Archive *a);
/* manifest.json of `docker save`: the same. After archive_read_oci() only names are taken from it. */
int archive_read_docker(Archive *a, bool names_only);
