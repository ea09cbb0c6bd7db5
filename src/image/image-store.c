/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The images that there are: see image-store.h. */
#include "image/base-layer.h"
#include "image/image-store-internal.h"
#include "oci/reference.h"
#include "util/io.h"
#include "util/strv.h"
#include "util/timestamp.h"

Image *image_free(Image *i) {
        if (!i)
                return NULL;
        free(i->id);
        free(i->manifest);
        strv_free(i->references);
        strv_free(i->layers);
        json_object_put(i->record);
        free(i);
        return NULL;
}

int image_new(json_object *record, Image **ret) {
        _cleanup_(oci_image_record_freep) OciImageRecord *r = NULL;
        _cleanup_(image_freep) Image *i = NULL;
        json_object *max_id;
        int e;

        e = oci_image_record_read(record, &r, NULL);
        if (e < 0)
                return e;
        i = calloc(1, sizeof(Image));
        if (!i)
                return -ENOMEM;
        i->record = json_object_get(record);
        i->id = strdup(oci_digest_hex(&r->id));
        i->manifest = strdup(r->manifest.digest.text);
        if (!i->id || !i->manifest)
                return -ENOMEM;
        for (size_t l = 0; l < r->n_layers; l++) {
                e = strv_extend(&i->layers, oci_digest_hex(&r->layers[l].chain_id));
                if (e < 0)
                        return e;
        }
        i->size = r->size;
        uint64_t created_nsec;
        if (r->created && time_parse_date(r->created, &created_nsec) >= 0)
                i->created_usec = created_nsec / 1000;
        max_id = json_get(record, "maxId");
        if (max_id && json_to_u32(max_id, &i->max_id) < 0)
                return -EINVAL;
        *ret = TAKE(i);
        return 0;
}

int image_store_insert(ImageStore *s, Image *image) {
        Image **images = reallocarray(s->images, s->n_images + 1, sizeof(Image *));

        if (!images)
                return -ENOMEM;
        s->images = images;
        s->images[s->n_images++] = image;
        return 0;
}

int image_store_new(const char *statedir, ImageStore **ret) {
        _cleanup_(image_store_freep) ImageStore *s = calloc(1, sizeof(ImageStore));
        int r;

        if (!s)
                return -ENOMEM;
        s->state_fd = s->oci_fd = s->blobs_fd = s->images_fd = s->layers_fd = s->staging_fd = s->trash_fd = -EBADF;
        s->statedir = strdup(statedir);
        if (!s->statedir)
                return -ENOMEM;
        r = image_store_open_dirs(s);
        if (r < 0)
                return r;
        r = image_store_read(s);
        if (r < 0)
                return r;
        *ret = TAKE(s);
        return 0;
}

ImageStore *image_store_free(ImageStore *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_images; i++)
                image_free(s->images[i]);
        free(s->images);
        fd_close(s->state_fd);
        fd_close(s->oci_fd);
        fd_close(s->blobs_fd);
        fd_close(s->images_fd);
        fd_close(s->layers_fd);
        fd_close(s->staging_fd);
        fd_close(s->trash_fd);
        free(s->statedir);
        free(s);
        return NULL;
}

void image_store_watch(ImageStore *s, ImageChanged changed, void *userdata) {
        s->changed = changed;
        s->userdata = userdata;
}

void image_store_notify(ImageStore *s, ImageChange change, const Image *image, const char *reference) {
        if (s->changed)
                s->changed(change, image, reference, s->userdata);
}

const Image *image_store_get(ImageStore *s, const char *id) {
        for (size_t i = 0; i < s->n_images; i++)
                if (streq(s->images[i]->id, id))
                        return s->images[i];
        return NULL;
}

const Image *image_store_next(ImageStore *s, const Image *previous) {
        size_t i = 0;

        if (previous) {
                while (i < s->n_images && s->images[i] != previous)
                        i++;
                i++;
        }
        return i < s->n_images ? s->images[i] : NULL;
}

static Image *find_reference(ImageStore *s, const char *full) {
        for (size_t i = 0; i < s->n_images; i++)
                if (strv_contains(s->images[i]->references, full))
                        return s->images[i];
        return NULL;
}

/* REPOSITORY[:TAG]@DIGEST: the digest decides; what stands before it must not contradict. */
static const Image *find_digest(ImageStore *s, const OciReference *wanted) {
        for (size_t i = 0; i < s->n_images; i++) {
                const Image *image = s->images[i];
                if (!streq(image->manifest, wanted->digest))
                        continue;
                for (char **text = image->references; text && *text; text++) {
                        _cleanup_(oci_reference_freep) OciReference *r = NULL;
                        if (oci_reference_parse(*text, &r) >= 0 && streq(r->registry, wanted->registry) &&
                            streq(r->repository, wanted->repository))
                                return image;
                }
        }
        return NULL;
}

static int find_prefix(ImageStore *s, const char *hex, const Image **ret) {
        const Image *found = NULL;

        for (size_t i = 0; i < s->n_images; i++) {
                if (!startswith(s->images[i]->id, hex))
                        continue;
                if (found)
                        return -ENOTUNIQ;
                found = s->images[i];
        }
        if (!found)
                return -ENOENT;
        *ret = found;
        return 0;
}

int image_store_find(ImageStore *s, const char *text, const Image **ret) {
        _cleanup_(oci_reference_freep) OciReference *reference = NULL;
        const char *hex = startswith(text, OCI_DIGEST_PREFIX) ?: text;
        bool is_hex = hex[0] && strlen(hex) <= 64 && strspn(hex, "0123456789abcdef") == strlen(hex);
        const Image *image = NULL;
        int r;

        if (is_hex && (strlen(hex) == 64 || hex != text))
                return find_prefix(s, hex, ret);
        r = oci_reference_parse(text, &reference);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return is_hex ? find_prefix(s, hex, ret) : -EINVAL;
        if (reference->digest)
                image = find_digest(s, reference);
        else {
                _cleanup_free_ char *full = NULL;
                r = oci_reference_format(reference, &full);
                if (r < 0)
                        return r;
                image = find_reference(s, full);
        }
        if (!image)
                return is_hex ? find_prefix(s, hex, ret) : -ENOENT;
        *ret = image;
        return 0;
}

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void remove_reference(Image *image, const char *full) {
        size_t kept = 0;

        for (size_t i = 0; image->references && image->references[i]; i++)
                if (streq(image->references[i], full))
                        free(image->references[i]);
                else
                        image->references[kept++] = image->references[i];
        if (image->references)
                image->references[kept] = NULL;
}

static int add_reference(Image *image, const char *full) {
        int r = strv_extend(&image->references, full);
        if (r < 0)
                return r;
        qsort(image->references, strv_length(image->references), sizeof(char *), compare_strings);
        return 0;
}

/* The full name of something that a tag can be moved to and from. */
static int taggable(const char *text, char **ret) {
        _cleanup_(oci_reference_freep) OciReference *r = NULL;
        int e = oci_reference_parse(text, &r);

        if (e < 0)
                return e == -ENOMEM ? e : -EINVAL;
        return r->digest ? -EINVAL : oci_reference_format(r, ret);
}

/* A reference on its way to another image. */
typedef struct Move {
        char *full;
        Image *previous;
} Move;

/* 1: moved, in memory; 0: it is there already. */
static int move_reference(ImageStore *s, Image *target, const char *reference, Move *ret) {
        _cleanup_free_ char *full = NULL;
        int r;

        r = taggable(reference, &full);
        if (r < 0)
                return r;
        Image *previous = find_reference(s, full);
        if (previous == target)
                return 0;
        r = add_reference(target, full);
        if (r < 0)
                return r;
        if (previous)
                remove_reference(previous, full);
        *ret = (Move) { .full = TAKE(full), .previous = previous };
        return 1;
}

static void move_back(Image *target, const Move *move) {
        remove_reference(target, move->full);
        if (move->previous)
                (void) add_reference(move->previous, move->full);
}

int image_store_tag_all(ImageStore *s, const Image *image, char *const *references) {
        Image *target = (Image *) image; /* const is for those outside */
        _cleanup_free_ Move *moves = calloc(strv_length(references) + 1, sizeof(Move));
        size_t n = 0;
        int r = moves ? 0 : -ENOMEM;

        for (; r >= 0 && *references; references++) {
                r = move_reference(s, target, *references, &moves[n]);
                n += r > 0;
        }
        if (r >= 0 && n > 0)
                r = image_store_write_index(s);
        for (size_t i = n; r < 0 && i > 0; i--)
                move_back(target, &moves[i - 1]);
        for (size_t i = 0; i < n; i++) {
                if (r >= 0 && moves[i].previous)
                        image_store_notify(s, IMAGE_UNTAGGED, moves[i].previous, moves[i].full);
                if (r >= 0)
                        image_store_notify(s, IMAGE_TAGGED, target, moves[i].full);
                free(moves[i].full);
        }
        return r < 0 ? r : 0;
}

int image_store_tag(ImageStore *s, const Image *image, const char *reference) {
        return image_store_tag_all(s, image, (char *[]) { (char *) reference, NULL });
}

int image_store_untag(ImageStore *s, const char *reference) {
        _cleanup_free_ char *full = NULL;
        Image *image;
        int r;

        r = taggable(reference, &full);
        if (r < 0)
                return r;
        image = find_reference(s, full);
        if (!image)
                return -ENOENT;
        remove_reference(image, full);
        r = image_store_write_index(s);
        if (r < 0) {
                (void) add_reference(image, full);
                return r;
        }
        image_store_notify(s, IMAGE_UNTAGGED, image, full);
        return 0;
}

int image_store_layer_paths(ImageStore *s, const Image *image, char **ret) {
        _cleanup_strv_ char **paths = NULL;
        int r;

        for (size_t i = strv_length(image->layers); i > 0; i--) {
                r = strv_extendf(&paths, "%s/layers/%s/diff", s->statedir, image->layers[i - 1]);
                if (r < 0)
                        return r;
        }
        r = strv_extendf(&paths, "%s/" BASE_LAYER_NAME, s->statedir);
        if (r < 0)
                return r;
        char *text = strv_join(paths, ":");
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}
