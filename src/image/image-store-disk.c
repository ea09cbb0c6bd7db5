/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image store's files. The order of writes is what makes it whole after a crash: blobs and layers are there before
 * the record that needs them, the record before the index names it; and the other way round when they go. What lies
 * between is swept up at the start. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "image/base-layer.h"
#include "image/image-store-internal.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"

#define INDEX_SIZE_MAX (64U << 20)
#define LAYOUT_TEXT    "{\"imageLayoutVersion\":\"1.0.0\"}"

static int open_made(int dir_fd, const char *path, int *ret) {
        int r = fs_mkdir(dir_fd, path, 0700);
        if (r < 0)
                return r;
        r = fs_open_dir(dir_fd, path);
        if (r < 0)
                return r;
        *ret = r;
        return 0;
}

int image_store_open_dirs(ImageStore *s) {
        _cleanup_close_ int blobs_fd = -EBADF;
        int r;

        r = fs_mkdir_all(s->statedir, 0700);
        if (r < 0)
                return r;
        s->state_fd = fs_open_dir(AT_FDCWD, s->statedir);
        if (s->state_fd < 0)
                return s->state_fd;
        if ((r = open_made(s->state_fd, "oci", &s->oci_fd)) < 0 || (r = open_made(s->oci_fd, "blobs", &blobs_fd)) < 0 ||
            (r = open_made(blobs_fd, "sha256", &s->blobs_fd)) < 0 ||
            (r = open_made(s->state_fd, "images", &s->images_fd)) < 0 ||
            (r = open_made(s->state_fd, "layers", &s->layers_fd)) < 0 ||
            (r = open_made(s->state_fd, "staging", &s->staging_fd)) < 0 ||
            (r = open_made(s->state_fd, "trash", &s->trash_fd)) < 0 ||
            (r = base_layer_make(s->state_fd)) < 0)
                return r;
        if (faccessat(s->oci_fd, "oci-layout", F_OK, 0) < 0)
                return fs_write_file(s->oci_fd, "oci-layout", LAYOUT_TEXT, strlen(LAYOUT_TEXT), 0600, WRITE_SYNC);
        return 0;
}

static int random_name(char *ret, size_t size) {
        uint64_t n;

        if (getrandom(&n, sizeof(n), 0) != sizeof(n))
                return negative_errno();
        snprintf(ret, size, "%016llx", (unsigned long long) n);
        return 0;
}

int image_store_trash(ImageStore *s, int dir_fd, const char *name) {
        char trashed[32];
        int r = random_name(trashed, sizeof(trashed));

        if (r < 0)
                return r;
        return renameat(dir_fd, name, s->trash_fd, trashed) < 0 && errno != ENOENT ? -errno : 0;
}

int image_store_new_staging(ImageStore *s, char **ret_path, int *ret_fd) {
        _cleanup_free_ char *path = NULL;
        char name[32];
        int r;

        r = random_name(name, sizeof(name));
        if (r < 0)
                return r;
        if (mkdirat(s->staging_fd, name, 0700) < 0)
                return -errno;
        int fd = fs_open_dir(s->staging_fd, name);
        if (fd < 0)
                return fd;
        if (asprintf(&path, "%s/staging/%s", s->statedir, name) < 0) {
                path = NULL;
                fd_close(fd);
                return -ENOMEM;
        }
        *ret_path = TAKE(path);
        *ret_fd = fd;
        return 0;
}

void image_store_drop_staging(ImageStore *s, const char *path) {
        (void) image_store_trash(s, s->staging_fd, strrchr(path, '/') + 1);
}

typedef int (*Visit)(ImageStore *s, const char *name, void *userdata);

/* Calls `visit` for each entry of a directory; it may remove the entry. */
static int for_each_entry(ImageStore *s, int dir_fd, Visit visit, void *userdata) {
        int r = 0, fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        DIR *dir = fdopendir(fd);
        if (!dir) {
                r = -errno;
                fd_close(fd);
                return r;
        }
        for (struct dirent *e; r >= 0 && (e = readdir(dir));)
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = visit(s, e->d_name, userdata);
        closedir(dir);
        return r;
}

static int trash_entry(ImageStore *s, const char *name, void *userdata) {
        return image_store_trash(s, *(int *) userdata, name);
}

bool image_store_has_layer(ImageStore *s, const char *chain_hex) {
        char path[80];

        snprintf(path, sizeof(path), "%.64s/layer.json", chain_hex);
        return faccessat(s->layers_fd, path, F_OK, 0) >= 0;
}

static int check_image(ImageStore *s, const Image *image, const char *name) {
        char expected[80];

        snprintf(expected, sizeof(expected), "%s.json", image->id);
        if (!streq(expected, name))
                return -EINVAL;
        for (char **layer = image->layers; layer && *layer; layer++)
                if (!image_store_has_layer(s, *layer))
                        return -ENOENT;
        return faccessat(s->blobs_fd, image->manifest + strlen(OCI_DIGEST_PREFIX), F_OK, 0) < 0 ? -errno : 0;
}

/* One images/HEX.json. What is wrong with one image must not keep the others from use. */
static int read_image(ImageStore *s, const char *name, void *userdata) {
        _cleanup_json_ json_object *record = NULL;
        _cleanup_(image_freep) Image *image = NULL;
        bool *complete = userdata;
        int r;

        if (!strchr(name, '.') || !streq(strchr(name, '.'), ".json")) {
                (void) unlinkat(s->images_fd, name, 0); /* the temporary file of a write that did not end */
                return 0;
        }
        r = json_read_file(s->images_fd, name, OCI_RECORD_SIZE_MAX, &record);
        if (r >= 0)
                r = image_new(record, &image);
        if (r >= 0)
                r = check_image(s, image, name);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                log_warning("The image %.12s is left out: %s/images/%s %s", name, s->statedir, name,
                            r == -ENOENT ? "needs a layer or blob that is gone" : "cannot be read");
                *complete = false;
                return 0;
        }
        r = image_store_insert(s, image);
        if (r < 0)
                return r;
        TAKE(image);
        return 0;
}

/* One descriptor of index.json. */
static int read_reference(ImageStore *s, const OciDescriptor *d) {
        const char *name = strv_env_get(d->annotations, OCI_ANNOTATION_REF_NAME);

        for (size_t i = 0; name && i < s->n_images; i++)
                if (streq(s->images[i]->manifest, d->digest.text))
                        return strv_contains(s->images[i]->references, name)
                                       ? 0
                                       : strv_extend(&s->images[i]->references, name);
        return 0;
}

static int read_index(ImageStore *s) {
        _cleanup_json_ json_object *index = NULL;
        int r;

        r = json_read_file(s->oci_fd, "index.json", INDEX_SIZE_MAX, &index);
        if (r == -ENOENT)
                return image_store_write_index(s);
        json_object *manifests = r >= 0 ? json_get(index, "manifests") : NULL;
        if (!json_object_is_type(manifests, json_type_array)) {
                log_warning("%s/oci/index.json cannot be read: the images keep their ids and lose their names",
                            s->statedir);
                return 0;
        }
        for (size_t i = 0; i < json_object_array_length(manifests); i++) {
                _cleanup_(oci_descriptor_clear) OciDescriptor d = { 0 };
                if (json_to_descriptor(json_object_array_get_idx(manifests, i), &d) < 0)
                        continue;
                r = read_reference(s, &d);
                if (r < 0)
                        return r;
        }
        return 0;
}

int image_store_read(ImageStore *s) {
        bool complete = true;
        int r;

        r = for_each_entry(s, s->staging_fd, trash_entry, &s->staging_fd);
        if (r < 0)
                return r;
        r = for_each_entry(s, s->images_fd, read_image, &complete);
        if (r < 0)
                return r;
        r = read_index(s);
        if (r < 0)
                return r;
        /* What an unreadable record needs is not known, and may be all there is left of an image. */
        return complete ? image_store_collect(s) : 0;
}

static int add_descriptor(json_object *manifests, const Image *image, const char *reference) {
        _cleanup_(oci_descriptor_clear) OciDescriptor d = { 0 };
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = json_to_descriptor(json_get(image->record, "manifest"), &d);
        if (r < 0)
                return r;
        o = oci_descriptor_new_json(d.media_type, &d.digest, d.size);
        if (!o)
                return -ENOMEM;
        if (reference) {
                _cleanup_json_ json_object *annotations = json_object_new_object();
                if (!annotations || json_add_string(annotations, OCI_ANNOTATION_REF_NAME, reference) < 0 ||
                    json_add_object(o, "annotations", TAKE(annotations)) < 0)
                        return -ENOMEM;
        }
        return json_object_array_add(manifests, TAKE(o)) < 0 ? -ENOMEM : 0;
}

int image_store_write_index(ImageStore *s) {
        _cleanup_json_ json_object *index = json_object_new_object();
        json_object *manifests = json_object_new_array();
        int r;

        if (!index || json_add_i64(index, "schemaVersion", 2) < 0 ||
            json_add_string(index, "mediaType", MEDIA_OCI_INDEX) < 0 ||
            json_add_object(index, "manifests", manifests) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_images; i++) {
                const Image *image = s->images[i];
                bool named = image->references && image->references[0];

                r = named ? 0 : add_descriptor(manifests, image, NULL);
                for (char **name = image->references; r >= 0 && named && *name; name++)
                        r = add_descriptor(manifests, image, *name);
                if (r < 0)
                        return r;
        }
        return json_write_file(s->oci_fd, "index.json", index, 0600, WRITE_SYNC);
}

/* What the images in memory need: hex digests of blobs, and chain ids. Sorted; the strings are owned. */
typedef struct Needed {
        char **items;
        size_t n;
} Needed;

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool is_needed(const Needed *needed, const char *name) {
        return bsearch(&name, needed->items, needed->n, sizeof(char *), compare_strings);
}

static int needed_fill(ImageStore *s, Needed *blobs, Needed *layers) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_images; i++)
                n += 2 + strv_length(s->images[i]->layers);
        blobs->items = calloc(n + 1, sizeof(char *));
        layers->items = calloc(n + 1, sizeof(char *));
        if (!blobs->items || !layers->items)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_images; i++) {
                _cleanup_(oci_image_record_freep) OciImageRecord *r = NULL;
                int e = oci_image_record_read(s->images[i]->record, &r, NULL);
                if (e < 0)
                        return e;
                blobs->items[blobs->n++] = strdup(oci_digest_hex(&r->id));
                blobs->items[blobs->n++] = strdup(oci_digest_hex(&r->manifest.digest));
                for (size_t l = 0; l < r->n_layers; l++) {
                        blobs->items[blobs->n++] = strdup(oci_digest_hex(&r->layers[l].digest));
                        layers->items[layers->n++] = strdup(oci_digest_hex(&r->layers[l].chain_id));
                }
        }
        for (size_t i = 0; i < blobs->n; i++)
                if (!blobs->items[i])
                        return -ENOMEM;
        for (size_t i = 0; i < layers->n; i++)
                if (!layers->items[i])
                        return -ENOMEM;
        qsort(blobs->items, blobs->n, sizeof(char *), compare_strings);
        qsort(layers->items, layers->n, sizeof(char *), compare_strings);
        return 0;
}

static void needed_clear(Needed *needed) {
        for (size_t i = 0; i < needed->n; i++)
                free(needed->items[i]);
        free(needed->items);
}

static int drop_blob(ImageStore *s, const char *name, void *userdata) {
        if (!is_needed(userdata, name) && unlinkat(s->blobs_fd, name, 0) < 0 && errno != ENOENT)
                log_warning("Cannot remove %s/oci/blobs/sha256/%s: %m", s->statedir, name);
        return 0;
}

static int drop_layer(ImageStore *s, const char *name, void *userdata) {
        int r = is_needed(userdata, name) ? 0 : image_store_trash(s, s->layers_fd, name);
        if (r < 0)
                log_warning("Cannot remove %s/layers/%s: %s", s->statedir, name, strerror(-r));
        return 0;
}

int image_store_collect(ImageStore *s) {
        _cleanup_(needed_clear) Needed blobs = { 0 }, layers = { 0 };
        int r;

        r = needed_fill(s, &blobs, &layers);
        if (r < 0)
                return r;
        r = for_each_entry(s, s->blobs_fd, drop_blob, &blobs);
        return r < 0 ? r : for_each_entry(s, s->layers_fd, drop_layer, &layers);
}

int image_store_delete(ImageStore *s, const char *id) {
        _cleanup_(image_freep) Image *image = NULL;
        char name[80];
        size_t at = 0;
        int r;

        while (at < s->n_images && !streq(s->images[at]->id, id))
                at++;
        if (at == s->n_images)
                return -ENOENT;
        image = s->images[at];
        s->images[at] = s->images[s->n_images - 1];
        s->n_images--;
        r = image_store_write_index(s);
        if (r >= 0) {
                snprintf(name, sizeof(name), "%s.json", image->id);
                r = unlinkat(s->images_fd, name, 0) < 0 && errno != ENOENT ? -errno : fs_sync_dir(s->images_fd);
        }
        if (r < 0) {
                s->images[s->n_images++] = TAKE(image);
                return r;
        }
        for (char **reference = image->references; reference && *reference; reference++)
                image_store_notify(s, IMAGE_UNTAGGED, image, *reference);
        image_store_notify(s, IMAGE_DELETED, image, NULL);
        r = image_store_collect(s);
        if (r < 0)
                log_warning("Cannot remove what the image %.12s leaves behind: %s", image->id, strerror(-r));
        return 0;
}
