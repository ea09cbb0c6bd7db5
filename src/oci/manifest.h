/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image manifests and indexes as data: OCI's (image-spec manifest.md, image-index.md) and Docker's schema 2, which
 * differ in names only. */
#pragma once

#include "oci/descriptor.h"

#define OCI_MANIFEST_SIZE_MAX (4U << 20)
#define OCI_LAYERS_MAX        500U /* overlayfs takes no more lower directories */
#define OCI_INDEX_ENTRIES_MAX 1024U

typedef struct OciDescriptors {
        OciDescriptor *items;
        size_t n;
} OciDescriptors;

typedef struct OciManifest {
        uint32_t schema_version;
        char *media_type;
        OciDescriptor config;
        OciDescriptors layers;
} OciManifest;

typedef struct OciIndex {
        uint32_t schema_version;
        char *media_type;
        OciDescriptors manifests;
} OciIndex;

/* -EINVAL with the field at fault in *ret_where (may be NULL), -E2BIG, -EOPNOTSUPP: a schema or digest of another kind.
 * A text that is both manifest and index is neither (CVE-2021-41190). */
int oci_manifest_parse(const char *text, size_t size, OciManifest **ret, const char **ret_where);
OciManifest *oci_manifest_free(OciManifest *m);
DEFINE_FREEP(OciManifest, oci_manifest_free)

int oci_index_parse(const char *text, size_t size, OciIndex **ret, const char **ret_where);
OciIndex *oci_index_free(OciIndex *i);
DEFINE_FREEP(OciIndex, oci_index_free)
