/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ImageStore: STATEDIR/oci, images and layers as berthd sees them. berthd is its only writer. Everything is read
 * once at the start and kept; every change is on disk (synced, renamed) before it shows here. An Image is borrowed from
 * the store and good until control returns to the event loop or the image is deleted. Layout: docs/architecture.md,
 * image-spec's image-layout.md. */
#pragma once

#include "util/json.h"

typedef struct ImageStore ImageStore;

typedef struct Image {
        char *id;           /* 64 hex digits: the config digest */
        char *manifest;     /* "sha256:HEX" of the manifest */
        char **references;  /* full references, sorted: "docker.io/library/web:latest" */
        char **layers;      /* chain ids as 64 hex digits, bottom first */
        uint64_t size;      /* sum of the unpacked file sizes */
        uint64_t created_usec; /* realtime; 0: the image does not say */
        uint32_t max_id;    /* the greatest uid or gid of any file: above 65535 the image fits no container's range */
        json_object *record; /* the image record, docs/architecture.md */
} Image;

/* What changed, for signals: called after the change is on disk. */
typedef enum ImageChange { IMAGE_ADDED, IMAGE_TAGGED, IMAGE_UNTAGGED, IMAGE_DELETED } ImageChange;
typedef void (*ImageChanged)(ImageChange change, const Image *image, const char *reference, void *userdata);

/* Makes what is missing, empties staging/, drops what cannot be read (with a log line), loads the rest. */
int image_store_new(const char *statedir, ImageStore **ret);
ImageStore *image_store_free(ImageStore *s);
DEFINE_FREEP(ImageStore, image_store_free)
void image_store_watch(ImageStore *s, ImageChanged changed, void *userdata);

/* By reference (Docker's defaulting), id, "sha256:" id or an unambiguous prefix of an id: -ENOENT, -ENOTUNIQ, -EINVAL
 * (no reference at all). */
int image_store_find(ImageStore *s, const char *text, const Image **ret);
const Image *image_store_get(ImageStore *s, const char *id);
/* Iterates: NULL begins; returns NULL at the end. */
const Image *image_store_next(ImageStore *s, const Image *previous);

/* Points the (full or short) reference at the image; it leaves another image that had it. -EINVAL: no tag-able
 * reference. */
int image_store_tag(ImageStore *s, const Image *image, const char *reference);
/* The same for several, all or none: an archive may bring thousands, and each write of the index waits for the disk. */
int image_store_tag_all(ImageStore *s, const Image *image, char *const *references);
/* -ENOENT if it is not there. The image stays. */
int image_store_untag(ImageStore *s, const char *reference);
/* Removes the image, its references, and blobs and layers that no other image uses (layers are renamed into trash/). */
int image_store_delete(ImageStore *s, const char *id);

/* A layer stands in layers/HEX: its chain id. */
bool image_store_has_layer(ImageStore *s, const char *chain_hex);

/* Adds an image whose parts stand complete in a staging directory (image-load.c): blobs/HEX,
 * layers/HEX/{diff,layer.json}. Moves what is missing, gives opaque and implicit directories their attributes, writes
 * record and index. `record` is the worker's image record, without size and maxId. `references` may be empty. An image
 * that is there already only gets the references. -ESTALE: a layer that was in the store has been deleted meanwhile. */
int image_store_add(ImageStore *s, int staging_fd, json_object *record, char *const *references, const Image **ret);

/* Makes STATEDIR/staging/JOB for a worker, JOB being 16 random hex digits; its descriptor and absolute path. */
int image_store_new_staging(ImageStore *s, char **ret_path, int *ret_fd);
/* Moves it into trash/, whatever is in it and whoever still writes to it. */
void image_store_drop_staging(ImageStore *s, const char *path);

/* Joined by ':', topmost first, absolute, the base layer (base-layer.h) last: for the annotation `layers`. */
int image_store_layer_paths(ImageStore *s, const Image *image, char **ret);
