/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report on an archive of images: see image-archive.h. */
#include "image/image-archive.h"
#include "oci/hash.h"
#include "oci/reference.h"
#include "util/strv.h"

static json_object *find_image(Archive *a, const char *image_digest) {
        for (size_t i = 0; i < json_object_array_length(a->images); i++) {
                json_object *image = json_object_array_get_idx(a->images, i);
                if (streq(json_get_string(image, "record.id") ?: "", image_digest))
                        return image;
        }
        return NULL;
}

static int add_reference(Archive *a, json_object *image, const char *text) {
        json_object *references = json_get(image, "references");
        _cleanup_free_ char *full = NULL;
        int r;

        r = oci_reference_normalize(text, &full);
        if (r == -ENOMEM)
                return fault_set_errno(a->fault, r, "Cannot report");
        if (r < 0)
                return fault_set(a->fault, -EBADMSG, "The name \"%.200s\" in the archive cannot be used: %s", text,
                                 oci_reference_why(text));
        if (strchr(full, '@')) /* a digest says what an image is, and is no name that one could take away */
                return 0;
        for (size_t i = 0; i < json_object_array_length(references); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(references, i)), full))
                        return 0;
        if (++a->n_references > ARCHIVE_REFERENCES_MAX)
                return fault_set(a->fault, -E2BIG, "The archive has more than %u names", ARCHIVE_REFERENCES_MAX);
        return json_object_array_add(references, json_object_new_string(full)) < 0
                       ? fault_set_errno(a->fault, -ENOMEM, "Cannot report") : 0;
}

int archive_add_reference(Archive *a, const char *image_digest, const char *reference) {
        json_object *image = find_image(a, image_digest);
        return image ? add_reference(a, image, reference) : 0;
}

static int read_config(Archive *a, const OciManifest *manifest, OciImageConfig **ret) {
        const OciDigest *digest = &manifest->config.digest;
        _cleanup_free_ char *text = NULL;
        const char *where;
        size_t size;
        int r;

        r = blob_read(a->blobs_fd, digest, OCI_CONFIG_SIZE_MAX, &text, &size);
        if (r == -ENOENT)
                return fault_set(a->fault, -EBADMSG, "The configuration %s is missing from the archive", digest->text);
        if (r == -EFBIG)
                return fault_set(a->fault, -EBADMSG, "The configuration %s is larger than %u MiB", digest->text,
                                 OCI_CONFIG_SIZE_MAX >> 20);
        if (r < 0)
                return fault_set_errno(a->fault, r, "Cannot read the configuration %s", digest->text);
        r = oci_image_config_parse(text, size, ret, &where);
        if (r == -ENOMEM)
                return fault_set_errno(a->fault, r, "Cannot read the configuration %s", digest->text);
        if (r < 0)
                return fault_set(a->fault, -EBADMSG, "The configuration %s is refused: %s%s %s", digest->text,
                                 where[0] ? "its field " : "it", where, r == -E2BIG ? "is too large" : "is malformed");
        if ((*ret)->n_diff_ids != manifest->layers.n)
                return fault_set(a->fault, -EBADMSG, "The image %s has %zu layers, but its configuration names %zu",
                                 digest->text, manifest->layers.n, (*ret)->n_diff_ids);
        return 0;
}

static int check_layers(Archive *a, const OciManifest *manifest, const OciImageConfig *config) {
        for (size_t i = 0; i < manifest->layers.n; i++) {
                const OciDescriptor *layer = &manifest->layers.items[i];
                uint64_t size;
                int r;

                if (oci_media_from_string(layer->media_type) != OCI_MEDIA_LAYER)
                        return fault_set(a->fault, -EBADMSG,
                                         "The layer %s is of the kind \"%.100s\", which berth does not read",
                                         layer->digest.text, layer->media_type ?: "");
                r = blob_size(a->blobs_fd, &layer->digest, &size);
                if (r == -ENOENT)
                        return fault_set(a->fault, -EBADMSG, "The layer %s is missing from the archive",
                                         layer->digest.text);
                if (r < 0)
                        return fault_set_errno(a->fault, r, "Cannot look at the layer %s", layer->digest.text);
                bool plain = streq(layer->media_type, MEDIA_OCI_LAYER) || streq(layer->media_type, MEDIA_DOCKER_LAYER);
                if (plain && !oci_digest_equal(&layer->digest, &config->diff_ids[i]))
                        return fault_set(a->fault, -EBADMSG,
                                         "The layer %s is not the one that the configuration names: %s",
                                         layer->digest.text, config->diff_ids[i].text);
                if (size != layer->size)
                        return fault_set(a->fault, -EBADMSG, "The layer %s has %llu bytes, not %llu",
                                         layer->digest.text, (unsigned long long) size,
                                         (unsigned long long) layer->size);
        }
        return 0;
}

static int new_image(Archive *a, const OciDescriptor *manifest_descriptor, const OciManifest *manifest,
                     json_object **ret) {
        _cleanup_(oci_image_config_freep) OciImageConfig *config = NULL;
        _cleanup_free_ OciDigest *chain_ids = NULL;
        _cleanup_json_ json_object *image = json_object_new_object();
        size_t size;
        int r;

        r = read_config(a, manifest, &config);
        if (r < 0)
                return r;
        r = check_layers(a, manifest, config);
        if (r < 0)
                return r;
        chain_ids = calloc(config->n_diff_ids + 1, sizeof(OciDigest));
        for (size_t i = 0; chain_ids && i < config->n_diff_ids; i++)
                if (oci_chain_id(i > 0 ? &chain_ids[i - 1] : NULL, &config->diff_ids[i], &chain_ids[i]) < 0)
                        return fault_set(a->fault, -EIO, "Cannot hash");
        if (!image || !chain_ids ||
            json_add_object(image, "record", oci_image_record_new(manifest_descriptor, manifest, config, chain_ids)) <
                    0 ||
            json_add_object(image, "references", json_object_new_array()) < 0 ||
            !json_object_to_json_string_length(image, JSON_C_TO_STRING_PLAIN, &size))
                return fault_set_errno(a->fault, -ENOMEM, "Cannot report");
        a->report_size += size;
        if (a->report_size > ARCHIVE_REPORT_MAX / 2 || json_object_array_length(a->images) >= ARCHIVE_IMAGES_MAX)
                return fault_set(a->fault, -E2BIG,
                                 "The archive describes more images, or larger ones, than berth takes at once");
        *ret = image;
        return json_object_array_add(a->images, TAKE(image)) < 0 ? fault_set_errno(a->fault, -ENOMEM, "Cannot report")
                                                                 : 0;
}

int archive_add_image(Archive *a, const OciDescriptor *manifest_descriptor, const OciManifest *manifest,
                      char *const *references) {
        json_object *image;
        int r = 0;

        if (manifest->config.media_type && oci_media_from_string(manifest->config.media_type) != OCI_MEDIA_CONFIG)
                return fault_set(a->fault, -EBADMSG,
                                 "The archive holds no image of a container, but something of the kind \"%.100s\"",
                                 manifest->config.media_type);
        image = find_image(a, manifest->config.digest.text);
        if (!image)
                r = new_image(a, manifest_descriptor, manifest, &image);
        for (; r >= 0 && references && *references; references++)
                r = add_reference(a, image, *references);
        return r;
}
