/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Import of a file tree as an image: see import.h. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "image/import.h"
#include "image/layer.h"
#include "util/fs.h"
#include "util/strv.h"

#define INCOMING ".incoming"

/* The image's configuration, and its digest and size in the manifest's descriptor. */
static int write_config(Archive *a, json_object *wanted, const OciDigest *diff_id, OciDescriptor *ret) {
        _cleanup_json_ json_object *o = json_object_new_object(), *rootfs = json_object_new_object(),
                                   *entry = json_object_new_object(), *history = json_object_new_array();
        char *const diff_ids[] = { (char *) diff_id->text, NULL };
        const char *created = json_get_string(wanted, "created"), *text;

        if (!o || !rootfs || !entry || !history || json_add_string(o, "created", created) < 0 ||
            json_add_string(o, "architecture", oci_host_architecture()) < 0 ||
            json_add_string(o, "variant", oci_host_variant()) < 0 || json_add_string(o, "os", "linux") < 0 ||
            json_add_object(o, "config", json_object_get(json_get(wanted, "config"))) < 0 ||
            json_add_string(rootfs, "type", "layers") < 0 || json_add_strv(rootfs, "diff_ids", diff_ids) < 0 ||
            json_add_object(o, "rootfs", TAKE(rootfs)) < 0 || json_add_string(entry, "created", created) < 0 ||
            json_add_string(entry, "comment", json_get_string(wanted, "comment")) < 0 ||
            json_object_array_add(history, TAKE(entry)) < 0 || json_add_object(o, "history", TAKE(history)) < 0)
                return -ENOMEM;
        size_t size;
        text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
        if (!text)
                return -ENOMEM;
        ret->size = size;
        return blob_write(a->blobs_fd, text, size, &ret->digest);
}

/* Moves what was read under the names that its digests give it. */
static int place(Archive *a, int layers_fd, const TarStreamResult *stream) {
        if (renameat(a->blobs_fd, INCOMING, a->blobs_fd, oci_digest_hex(&stream->digest)) < 0 ||
            renameat(layers_fd, INCOMING, layers_fd, oci_digest_hex(&stream->diff_id)) < 0)
                return fault_set_errno(a->fault, -errno, "Cannot store the layer");
        return 0;
}

static int describe(Archive *a, json_object *wanted, const TarStreamResult *stream) {
        _cleanup_(oci_descriptor_clear) OciDescriptor d = { 0 };
        OciDescriptor layer = { .digest = stream->digest, .size = stream->size };
        _cleanup_free_ char *media_type = NULL;
        OciManifest m = { .layers = { &layer, 1 } };
        int r;

        if (asprintf(&media_type, MEDIA_OCI_LAYER "%s", stream->suffix) < 0)
                return fault_set_errno(a->fault, -ENOMEM, "Cannot describe the image");
        layer.media_type = media_type;
        r = write_config(a, wanted, &stream->diff_id, &m.config);
        if (r >= 0)
                r = archive_write_manifest(a->blobs_fd, &m, &d);
        if (r < 0)
                return fault_set_errno(a->fault, r, "Cannot describe the image");
        return archive_add_image(a, &d, &m, NULL);
}

int import_run(Archive *a, int staging_fd, int fd, json_object **ret_layers) {
        _cleanup_(layer_result_clear) LayerResult result = { 0 };
        _cleanup_json_ json_object *wanted = NULL, *layers = json_object_new_object();
        _cleanup_close_ int layers_fd = -EBADF, blob_fd = -EBADF, diff_fd = -EBADF;
        int r;

        r = json_read_file(staging_fd, "import.json", IMPORT_SIZE_MAX, &wanted);
        if (r < 0)
                return fault_set_errno(a->fault, r, "Cannot read import.json");
        if (mkdirat(staging_fd, "layers", 0700) < 0 || (layers_fd = fs_open_dir(staging_fd, "layers")) < 0 ||
            mkdirat(layers_fd, INCOMING, 0700) < 0 || mkdirat(layers_fd, INCOMING "/diff", 0755) < 0 ||
            (diff_fd = fs_open_dir(layers_fd, INCOMING "/diff")) < 0)
                return fault_set_errno(a->fault, negative_errno(), "Cannot create the layer's directory");
        blob_fd = openat(a->blobs_fd, INCOMING, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (blob_fd < 0)
                return fault_set_errno(a->fault, -errno, "Cannot store the blob");
        r = layer_unpack(fd, blob_fd, diff_fd, &result, a->fault);
        if (r < 0)
                return r;
        r = place(a, layers_fd, &result.stream);
        if (r < 0)
                return r;
        r = describe(a, wanted, &result.stream);
        if (r < 0)
                return r;
        if (!layers ||
            json_add_object(layers, oci_digest_hex(&result.stream.diff_id), json_object_get(result.report)) < 0)
                return fault_set_errno(a->fault, -ENOMEM, "Cannot report");
        if (syncfs(staging_fd) < 0)
                return fault_set_errno(a->fault, -errno, "Cannot write the image to the disk");
        *ret_layers = TAKE(layers);
        return 0;
}
