/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An OCI image-layout in an archive (image-spec, image-layout.md): index.json, and below it manifests or indexes of one
 * image per platform. */
#include "image/image-archive.h"
#include "util/strv.h"

#define INDEX_DEPTH_MAX 4

static int parse_fault(Archive *a, int error, const char *what, const char *where) {
        if (error == -ENOMEM)
                return fault_set_errno(a->fault, error, "Cannot read %s", what);
        if (where[0])
                return fault_set(a->fault, -EBADMSG, "%s in the archive is refused: its field %s is %s", what, where,
                                 error == -E2BIG        ? "too large"
                                 : error == -EOPNOTSUPP ? "of a kind that berth does not read"
                                                        : "malformed");
        return fault_set(a->fault, -EBADMSG, "%s in the archive is no such document%s", what,
                         error == -EFBIG ? ": it is too large" : "");
}

static int read_blob(Archive *a, const OciDescriptor *d, char **ret, size_t *ret_size) {
        int r = blob_read(a->blobs_fd, &d->digest, OCI_MANIFEST_SIZE_MAX, ret, ret_size);

        if (r == -ENOENT)
                return fault_set(a->fault, -EBADMSG, "The manifest %s is missing from the archive", d->digest.text);
        if (r == -EFBIG)
                return fault_set(a->fault, -EBADMSG, "The manifest %s is too large", d->digest.text);
        if (r < 0)
                return fault_set_errno(a->fault, r, "Cannot read the manifest %s", d->digest.text);
        if (*ret_size != d->size)
                return fault_set(a->fault, -EBADMSG, "The manifest %s has %zu bytes, not %llu", d->digest.text,
                                 *ret_size, (unsigned long long) d->size);
        return 0;
}

/* Attestations stand beside images under a platform that nobody has. */
static bool is_no_image(const OciDescriptor *d) {
        return d->platform.os && streq(d->platform.os, "unknown");
}

static const OciDescriptor *pick_platform(const OciDescriptors *d) {
        for (size_t i = 0; i < d->n; i++)
                if (!is_no_image(&d->items[i]) && oci_platform_is_host(&d->items[i].platform))
                        return &d->items[i];
        return NULL;
}

static int add_descriptor(Archive *a, const OciDescriptor *d, char *const *references, unsigned depth) {
        _cleanup_(oci_manifest_freep) OciManifest *manifest = NULL;
        _cleanup_(oci_index_freep) OciIndex *index = NULL;
        _cleanup_free_ char *text = NULL;
        const char *where;
        size_t size;
        int r;

        r = read_blob(a, d, &text, &size);
        if (r < 0)
                return r;
        switch (oci_media_from_string(d->media_type)) {
        case OCI_MEDIA_MANIFEST:
                r = oci_manifest_parse(text, size, &manifest, &where);
                if (r < 0)
                        return parse_fault(a, r, d->digest.text, where);
                return archive_add_image(a, d, manifest, references);
        case OCI_MEDIA_INDEX:
                break;
        default:
                return fault_set(a->fault, -EBADMSG,
                                 "The manifest %s is of the kind \"%.100s\", which berth does not read", d->digest.text,
                                 d->media_type ?: "");
        }
        r = oci_index_parse(text, size, &index, &where);
        if (r < 0)
                return parse_fault(a, r, d->digest.text, where);
        if (depth >= INDEX_DEPTH_MAX)
                return fault_set(a->fault, -EBADMSG, "The indexes in the archive are nested too deeply");
        const OciDescriptor *picked = pick_platform(&index->manifests);
        if (!picked)
                return fault_set(a->fault, -EBADMSG, "%s in the archive has no image for linux/%s",
                                 references[0] ?: d->digest.text, oci_host_architecture());
        return add_descriptor(a, picked, references, depth + 1);
}

static int add_entry(Archive *a, const OciDescriptor *d) {
        const char *name = strv_env_get(d->annotations, OCI_ANNOTATION_CONTAINERD_NAME);
        char *references[2] = { 0 };

        /* Docker writes the whole name to its own annotation, and the tag alone to the specification's. */
        if (!name)
                name = strv_env_get(d->annotations, OCI_ANNOTATION_REF_NAME);
        references[0] = (char *) name;
        return add_descriptor(a, d, references, 0);
}

int archive_read_oci(Archive *a) {
        _cleanup_(oci_index_freep) OciIndex *index = NULL;
        _cleanup_free_ char *text = NULL;
        const char *where;
        size_t size;
        int r;

        const Member *member = members_find(&a->members, "index.json");
        if (!member)
                return 0;
        r = blob_read(a->blobs_fd, &member->digest, OCI_MANIFEST_SIZE_MAX, &text, &size);
        if (r < 0 && r != -EFBIG)
                return fault_set_errno(a->fault, r, "Cannot read index.json");
        where = "";
        if (r >= 0)
                r = oci_index_parse(text, size, &index, &where);
        if (r < 0)
                return parse_fault(a, r, "index.json", where);
        bool for_host = pick_platform(&index->manifests);
        for (size_t i = 0; i < index->manifests.n; i++) {
                const OciDescriptor *d = &index->manifests.items[i];
                if (is_no_image(d) || (for_host && !oci_platform_is_host(&d->platform)))
                        continue;
                r = add_entry(a, d);
                if (r < 0)
                        return r;
        }
        return 1;
}
