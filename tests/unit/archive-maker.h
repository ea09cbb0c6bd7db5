/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image archives for tests: the parts of an image with their digests, from which rows of a test put together right
 * and wrong archives. */
#pragma once

#include "oci/hash.h"
#include "oci/manifest.h"
#include "tar-maker.h"
#include "util/macro.h"

typedef struct Blob {
        char *data;
        size_t size;
        OciDigest digest;
} Blob;

static inline void blob_set(Blob *b, char *data, size_t size) {
        *b = (Blob){ .data = data, .size = size };
        if (oci_hash_buffer(data, size, &b->digest) < 0)
                abort();
}

static inline void blob_printf(Blob *b, const char *format, ...) _printf_(2, 3);
static inline void blob_printf(Blob *b, const char *format, ...) {
        char *text;
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                abort();
        blob_set(b, text, (size_t) n);
}

/* One image of one layer that holds a file. */
typedef struct TestImage {
        Blob layer, config, manifest, index;
} TestImage;

static inline void test_image_make(TestImage *i, const char *file_name, const char *content) {
        Tar t;

        tar_begin(&t);
        tar_add(&t, &(TarEntry){ .name = "etc/", .type = '5', .mode = 0750, .gid = 8 });
        tar_add(&t, &(TarEntry){ .name = file_name, .data = content });
        tar_end(&t);
        blob_set(&i->layer, t.data, t.size);
        blob_printf(&i->config, "{\"architecture\":\"%s\",\"os\":\"linux\",\"created\":\"2020-01-01T00:00:00Z\","
                                "\"config\":{\"Cmd\":[\"%s\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
                    oci_host_architecture(), content, i->layer.digest.text);
        blob_printf(&i->manifest,
                    "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG
                    "\",\"digest\":\"%s\",\"size\":%zu},"
                    "\"layers\":[{\"mediaType\":\"" MEDIA_OCI_LAYER "\",\"digest\":\"%s\",\"size\":%zu}]}",
                    i->config.digest.text, i->config.size, i->layer.digest.text, i->layer.size);
        blob_printf(&i->index,
                    "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
                    "\",\"digest\":\"%s\",\"size\":%zu,"
                    "\"annotations\":{\"" OCI_ANNOTATION_REF_NAME "\":\"test:1\"}}]}",
                    i->manifest.digest.text, i->manifest.size);
}

static inline void test_image_clear(TestImage *i) {
        free(i->layer.data);
        free(i->config.data);
        free(i->manifest.data);
        free(i->index.data);
}

static inline void tar_add_blob(Tar *t, const Blob *b) {
        char name[100];

        snprintf(name, sizeof(name), "blobs/sha256/%s", oci_digest_hex(&b->digest));
        tar_add_bytes(t, name, b->data, b->size);
}

static inline void tar_add_text(Tar *t, const char *name, const char *text) {
        tar_add_bytes(t, name, text, strlen(text));
}

static inline void test_image_add_oci(Tar *t, const TestImage *i) {
        tar_add_text(t, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
        tar_add_blob(t, &i->layer);
        tar_add_blob(t, &i->config);
        tar_add_blob(t, &i->manifest);
        tar_add_bytes(t, "index.json", i->index.data, i->index.size);
}
