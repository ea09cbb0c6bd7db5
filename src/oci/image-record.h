/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image record (docs/architecture.md): everything that berthd wants to know of an image, as one bounded JSON
 * object. A worker makes it of manifest and configuration; berthd adds the size and keeps it as images/HEX.json. */
#pragma once

#include "oci/image-config.h"

#define OCI_RECORD_SIZE_MAX (8U << 20)

/* NULL when out of memory. `chain_ids` has n_diff_ids entries, as has manifest->layers; what the manifest says of a
 * layer's kind and size is taken over. */
json_object *oci_image_record_new(const OciDescriptor *manifest_descriptor, const OciManifest *manifest,
                                  const OciImageConfig *config, const OciDigest *chain_ids);

typedef struct OciRecordLayer {
        OciDigest digest, diff_id, chain_id;
        uint64_t size; /* of the blob */
} OciRecordLayer;

/* What the store itself needs of a record; the rest is passed on as it is. */
typedef struct OciImageRecord {
        OciDigest id;
        OciDescriptor manifest;
        char *created;
        uint64_t size; /* unpacked; 0 if the record does not say yet */
        OciRecordLayer *layers;
        size_t n_layers;
} OciImageRecord;

int oci_image_record_read(json_object *record, OciImageRecord **ret, const char **ret_where);
OciImageRecord *oci_image_record_free(OciImageRecord *r);
DEFINE_FREEP(OciImageRecord, oci_image_record_free)
