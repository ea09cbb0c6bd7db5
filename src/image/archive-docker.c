/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The archive of `docker save`, which podman and skopeo write too: manifest.json names the configuration and the layers
 * of each image. It has no manifest as registries know it, so one is made here; the image's id stays, since it is the
 * digest of the configuration. */
#include <stdio.h>

#include "image/image-archive.h"
#include "util/strv.h"

typedef struct DockerImage {
        char *config;
        char **tags, **layers;
} DockerImage;

static const JsonField image_fields[] = {
        JSON_FIELD(DockerImage, config, "Config",   json_to_string, JSON_REQUIRED),
        JSON_FIELD(DockerImage, tags,   "RepoTags", json_to_strv,   0),
        JSON_FIELD(DockerImage, layers, "Layers",   json_to_strv,   0),
};

static void docker_image_clear(DockerImage *i) {
        free(i->config);
        strv_free(i->tags);
        strv_free(i->layers);
}

static int fill_layers(Archive *a, const DockerImage *image, OciManifest *m) {
        size_t n = strv_length(image->layers);

        if (n > OCI_LAYERS_MAX)
                return fault_set(a->fault, -EBADMSG, "An image in the archive has %zu layers; %u are the most", n,
                                 OCI_LAYERS_MAX);
        m->layers.items = calloc(n + 1, sizeof(OciDescriptor));
        if (!m->layers.items)
                return fault_set_errno(a->fault, -ENOMEM, "Cannot read manifest.json");
        for (; m->layers.n < n; m->layers.n++) {
                const char *name = image->layers[m->layers.n];
                const Member *member = members_find(&a->members, name);
                OciDescriptor *d = &m->layers.items[m->layers.n];

                if (!member)
                        return fault_set(a->fault, -EBADMSG, "The layer \"%.200s\" is missing from the archive", name);
                d->digest = member->digest;
                d->size = member->size;
                if (asprintf(&d->media_type, MEDIA_OCI_LAYER "%s", member_suffix(member)) < 0) {
                        d->media_type = NULL;
                        return fault_set_errno(a->fault, -ENOMEM, "Cannot read manifest.json");
                }
        }
        return 0;
}

static json_object *manifest_to_json(const OciManifest *m) {
        _cleanup_json_ json_object *o = json_object_new_object(), *layers = json_object_new_array();

        if (!o || !layers)
                return NULL;
        for (size_t i = 0; i < m->layers.n; i++) {
                const OciDescriptor *d = &m->layers.items[i];
                if (json_object_array_add(layers, oci_descriptor_new_json(d->media_type, &d->digest, d->size)) < 0)
                        return NULL;
        }
        if (json_add_i64(o, "schemaVersion", 2) < 0 || json_add_string(o, "mediaType", MEDIA_OCI_MANIFEST) < 0 ||
            json_add_object(o, "config", oci_descriptor_new_json(MEDIA_OCI_CONFIG, &m->config.digest, m->config.size)) <
                    0 ||
            json_add_object(o, "layers", TAKE(layers)) < 0)
                return NULL;
        return TAKE(o);
}

int archive_write_manifest(int blobs_fd, const OciManifest *m, OciDescriptor *ret) {
        _cleanup_json_ json_object *o = manifest_to_json(m);
        size_t size;
        const char *text =
                o ? json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size)
                  : NULL;
        OciDescriptor d = { .size = size };
        int r;

        if (!text)
                return -ENOMEM;
        r = blob_write(blobs_fd, text, size, &d.digest);
        if (r < 0)
                return r;
        d.media_type = strdup(MEDIA_OCI_MANIFEST);
        if (!d.media_type)
                return -ENOMEM;
        *ret = d;
        return 0;
}

static int add_image(Archive *a, const DockerImage *image, const Member *config) {
        _cleanup_(oci_manifest_freep) OciManifest *m = calloc(1, sizeof(OciManifest));
        _cleanup_(oci_descriptor_clear) OciDescriptor d = { 0 };
        int r;

        if (!m)
                return fault_set_errno(a->fault, -ENOMEM, "Cannot read manifest.json");
        m->config.digest = config->digest;
        m->config.size = config->size;
        r = fill_layers(a, image, m);
        if (r < 0)
                return r;
        r = archive_write_manifest(a->blobs_fd, m, &d);
        if (r < 0)
                return fault_set_errno(a->fault, r, "Cannot store a manifest");
        return archive_add_image(a, &d, m, image->tags);
}

static int read_image(Archive *a, json_object *o, bool names_only) {
        _cleanup_(docker_image_clear) DockerImage image = { 0 };
        const char *where;
        int r;

        r = json_read_fields(o, image_fields, N_ELEMENTS(image_fields), &image, &where);
        if (r < 0)
                return fault_set(a->fault, r == -ENOMEM ? r : -EBADMSG,
                                 "manifest.json in the archive is refused: its field %s is malformed", where);
        const Member *config = members_find(&a->members, image.config);
        if (!config)
                return fault_set(a->fault, -EBADMSG, "The configuration \"%.200s\" is missing from the archive",
                                 image.config);
        if (!names_only)
                return add_image(a, &image, config);
        for (char **tag = image.tags; tag && *tag; tag++) {
                r = archive_add_reference(a, config->digest.text, *tag);
                if (r < 0)
                        return r;
        }
        return 0;
}

int archive_read_docker(Archive *a, bool names_only) {
        _cleanup_json_ json_object *list = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        const Member *member = members_find(&a->members, "manifest.json");
        if (!member)
                return 0;
        r = blob_read(a->blobs_fd, &member->digest, OCI_MANIFEST_SIZE_MAX, &text, &size);
        if (r == -EFBIG)
                return fault_set(a->fault, -EBADMSG, "manifest.json in the archive is larger than %u MiB",
                                 OCI_MANIFEST_SIZE_MAX >> 20);
        if (r < 0)
                return fault_set_errno(a->fault, r, "Cannot read manifest.json");
        if (json_parse(text, size, &list) < 0 || !json_object_is_type(list, json_type_array))
                return fault_set(a->fault, -EBADMSG, "manifest.json in the archive is no list of images");
        if (json_object_array_length(list) > ARCHIVE_IMAGES_MAX)
                return fault_set(a->fault, -E2BIG, "manifest.json in the archive names more than %u images",
                                 ARCHIVE_IMAGES_MAX);
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                r = read_image(a, json_object_array_get_idx(list, i), names_only);
                if (r < 0)
                        return r;
        }
        return 1;
}
