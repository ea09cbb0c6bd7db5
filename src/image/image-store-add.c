/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes an image out of a staging directory into the store: see image_store_add(). What a worker staged is only renamed
 * here; of its reports only names of directories are used, and these are opened inside the layer. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/image-store-internal.h"
#include "image/layer-path.h"
#include "util/fs.h"
#include "util/strv.h"

#define LAYER_REPORT_MAX (8U << 20)

typedef struct LayerInfo {
        uint64_t size;
        uint32_t max_id;
        char **opaque, **implicit; /* escaped as layer-path.h says */
} LayerInfo;

static const JsonField layer_fields[] = {
        JSON_FIELD(LayerInfo, size,     "size",     json_to_u64,  JSON_REQUIRED),
        JSON_FIELD(LayerInfo, max_id,   "maxId",    json_to_u32,  JSON_REQUIRED),
        JSON_FIELD(LayerInfo, opaque,   "opaque",   json_to_strv, 0),
        JSON_FIELD(LayerInfo, implicit, "implicit", json_to_strv, 0),
};

static void layer_info_clear(LayerInfo *i) {
        strv_free(i->opaque);
        strv_free(i->implicit);
}

static int read_layer_info(int layer_fd, LayerInfo *ret) {
        _cleanup_json_ json_object *o = NULL;
        int r = json_read_file(layer_fd, "layer.json", LAYER_REPORT_MAX, &o);

        return r < 0 ? r : json_read_fields(o, layer_fields, N_ELEMENTS(layer_fields), ret, NULL);
}

/* What stays known of a layer once its directories are in order. */
static int write_layer_info(int layer_fd, const LayerInfo *info) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_add_object(o, "size", json_object_new_uint64(info->size)) < 0 ||
            json_add_i64(o, "maxId", info->max_id) < 0)
                return -ENOMEM;
        return json_write_file(layer_fd, "layer.json", o, 0600, WRITE_SYNC);
}

/* The layer with this chain id, in the store or else in staging. */
static int open_layer(ImageStore *s, int staging_layers_fd, const char *chain_hex) {
        int fd = fs_open_dir(s->layers_fd, chain_hex);
        if (fd == -ENOENT && staging_layers_fd >= 0)
                fd = fs_open_dir(staging_layers_fd, chain_hex);
        return fd;
}

static int open_in_diff(int layer_fd, const char *path, int flags) {
        _cleanup_close_ int diff_fd = fs_open_dir(layer_fd, "diff");
        return diff_fd < 0 ? diff_fd : fs_open_in_root(diff_fd, path[0] ? path : ".", flags, 0);
}

/* Lower layers of the one in work, topmost first. */
typedef struct Lower {
        int *fds;
        size_t n;
} Lower;

static void lower_clear(Lower *l) {
        for (size_t i = 0; i < l->n; i++)
                fd_close(l->fds[i]);
        free(l->fds);
}

static int lower_open(ImageStore *s, int staging_layers_fd, const OciImageRecord *record, size_t layer, Lower *ret) {
        ret->fds = calloc(layer + 1, sizeof(int));
        if (!ret->fds)
                return -ENOMEM;
        for (size_t i = layer; i > 0; i--) {
                int fd = open_layer(s, staging_layers_fd, oci_digest_hex(&record->layers[i - 1].chain_id));
                if (fd < 0)
                        return fd;
                ret->fds[ret->n++] = fd;
        }
        return 0;
}

typedef int (*Apply)(int fd, const char *path, const Lower *lower);

static int apply_opaque(int fd, const char *path, const Lower *lower) {
        return fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
}

/* A directory that the archive has no entry for is the lower layers' directory with something more in it. */
static int apply_implicit(int fd, const char *path, const Lower *lower) {
        struct stat st;

        for (size_t i = 0; i < lower->n; i++) {
                _cleanup_close_ int below = open_in_diff(lower->fds[i], path, O_PATH | O_NOFOLLOW);
                if (below < 0)
                        continue;
                if (fstat(below, &st) < 0)
                        return -errno;
                if (!S_ISDIR(st.st_mode)) /* removed, or something else: this one is a new directory */
                        return 0;
                const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, st.st_mtim };
                if (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0 ||
                    futimens(fd, times) < 0)
                        return -errno;
                return 0;
        }
        return 0;
}

static int apply_sync(int fd, const char *path, const Lower *lower) {
        return fsync(fd) < 0 ? -errno : 0;
}

static int for_each_dir(int layer_fd, char *const *escaped, const Lower *lower, Apply apply) {
        for (; escaped && *escaped; escaped++) {
                _cleanup_free_ char *path = NULL;
                int r = layer_path_unescape(*escaped, &path);
                if (r < 0)
                        return r;
                _cleanup_close_ int fd = open_in_diff(layer_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
                if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
                        continue; /* a later entry put something else there */
                r = fd < 0 ? fd : apply(fd, path, lower);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The attributes are on disk before the layer has its name. The first fsync writes them all; the others find nothing to
 * do. */
static int finish_layer(int layer_fd, const LayerInfo *info, const Lower *lower) {
        int r;

        if ((r = for_each_dir(layer_fd, info->opaque, lower, apply_opaque)) < 0 ||
            (r = for_each_dir(layer_fd, info->implicit, lower, apply_implicit)) < 0 ||
            (r = for_each_dir(layer_fd, info->opaque, lower, apply_sync)) < 0 ||
            (r = for_each_dir(layer_fd, info->implicit, lower, apply_sync)) < 0)
                return r;
        return write_layer_info(layer_fd, info);
}

/* Adds up what the image consists of, and takes in what the store does not have. */
static int take_layer(ImageStore *s, int staging_layers_fd, const OciImageRecord *record, size_t layer, uint64_t *size,
                      uint32_t *max_id) {
        const char *hex = oci_digest_hex(&record->layers[layer].chain_id);
        _cleanup_(layer_info_clear) LayerInfo info = { 0 };
        _cleanup_(lower_clear) Lower lower = { 0 };
        bool is_new = !image_store_has_layer(s, hex);
        int r;

        _cleanup_close_ int fd = is_new ? staging_layers_fd >= 0 ? fs_open_dir(staging_layers_fd, hex) : -ENOENT
                                        : fs_open_dir(s->layers_fd, hex);
        if (fd == -ENOENT)
                return -ESTALE;
        if (fd < 0)
                return fd;
        /* The worker made it, whoever the worker was by then: a link would be followed when the overlay is mounted. */
        _cleanup_close_ int diff_fd = fs_open_dir(fd, "diff");
        if (diff_fd < 0)
                return diff_fd;
        r = read_layer_info(fd, &info);
        if (r < 0)
                return r;
        *size = *size + info.size < *size ? UINT64_MAX : *size + info.size;
        *max_id = MAX_OF(*max_id, info.max_id);
        if (!is_new)
                return 0;
        r = lower_open(s, staging_layers_fd, record, layer, &lower);
        if (r < 0)
                return r;
        r = finish_layer(fd, &info, &lower);
        if (r < 0)
                return r;
        return renameat(staging_layers_fd, hex, s->layers_fd, hex) < 0 ? -errno : 0;
}

static int take_blob(ImageStore *s, int staging_blobs_fd, const OciDigest *digest) {
        const char *hex = oci_digest_hex(digest);
        struct stat st;

        if (fstatat(s->blobs_fd, hex, &st, AT_SYMLINK_NOFOLLOW) >= 0)
                return 0;
        if (fstatat(staging_blobs_fd, hex, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? -ESTALE : -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        return renameat(staging_blobs_fd, hex, s->blobs_fd, hex) < 0 ? -errno : 0;
}

static int take_parts(ImageStore *s, int staging_fd, const OciImageRecord *record, uint64_t *ret_size,
                      uint32_t *ret_max_id) {
        _cleanup_close_ int blobs_fd = fs_open_dir(staging_fd, "blobs"), layers_fd = fs_open_dir(staging_fd, "layers");
        int r;

        if (blobs_fd < 0)
                return blobs_fd;
        if (layers_fd < 0 && layers_fd != -ENOENT) /* there is none if the store had every layer */
                return layers_fd;
        for (size_t i = 0; i < record->n_layers; i++) {
                if ((r = take_layer(s, layers_fd, record, i, ret_size, ret_max_id)) < 0 ||
                    (r = take_blob(s, blobs_fd, &record->layers[i].digest)) < 0)
                        return r;
        }
        if ((r = take_blob(s, blobs_fd, &record->id)) < 0 || (r = take_blob(s, blobs_fd, &record->manifest.digest)) < 0)
                return r;
        r = fs_sync_dir(s->blobs_fd);
        return r < 0 ? r : fs_sync_dir(s->layers_fd);
}

static int add_new(ImageStore *s, int staging_fd, json_object *record, const Image **ret) {
        _cleanup_(oci_image_record_freep) OciImageRecord *r = NULL;
        _cleanup_(image_freep) Image *image = NULL;
        uint64_t size = 0;
        uint32_t max_id = 0;
        char name[80];
        int e;

        e = oci_image_record_read(record, &r, NULL);
        if (e < 0)
                return e;
        e = take_parts(s, staging_fd, r, &size, &max_id);
        if (e < 0)
                return e;
        if (json_add_i64(record, "size", (int64_t) MIN_OF(size, (uint64_t) INT64_MAX)) < 0 ||
            json_add_i64(record, "maxId", max_id) < 0)
                return -ENOMEM;
        e = image_new(record, &image);
        if (e < 0)
                return e;
        snprintf(name, sizeof(name), "%s.json", image->id);
        e = json_write_file(s->images_fd, name, record, 0600, WRITE_SYNC);
        if (e < 0)
                return e;
        e = image_store_insert(s, image);
        if (e < 0)
                return e;
        *ret = TAKE(image);
        return 1;
}

int image_store_add(ImageStore *s, int staging_fd, json_object *record, char *const *references, const Image **ret) {
        const char *id = json_get_string(record, "id");
        const Image *image;
        int r, added = 0;

        if (!id || !startswith(id, OCI_DIGEST_PREFIX))
                return -EINVAL;
        image = image_store_get(s, id + strlen(OCI_DIGEST_PREFIX));
        if (!image) {
                added = add_new(s, staging_fd, record, &image);
                if (added < 0)
                        return added;
        }
        /* Tagging writes the index; without a name the image has to get into it by itself. */
        if (added > 0 && (!references || !references[0])) {
                r = image_store_write_index(s);
                if (r < 0)
                        return r;
        }
        if (added > 0)
                image_store_notify(s, IMAGE_ADDED, image, NULL);
        r = references ? image_store_tag_all(s, image, references) : 0;
        if (r < 0)
                return r;
        *ret = image;
        return added;
}
