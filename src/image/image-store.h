/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ImageStore: STATEDIR/oci, images and layers as berthd sees them. berthd is its only writer. Everything is read once at the
 * start and kept; every change is on disk (synced, renamed) before it shows here. An Image is borrowed from the store and good
 * until control returns to the event loop or the image is deleted. Layout: docs/architecture.md, image-spec's image-layout.md. */
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

/* By reference (Docker's defaulting), id, "sha256:" id or an unambiguous prefix of an id: -ENOENT, -ENOTUNIQ, -EINVAL (no reference at all). */
int image_store_find(ImageStore *s, const char *text, const Image **ret);
const Image *image_store_get(ImageStore *s, const char *id);
/* Iterates: NULL begins; returns NULL at the end. */
const Image *image_store_next(ImageStore *s, const Image *previous);

/* Points the (full or short) reference at the image; it leaves another image that had it. -EINVAL: no tag-able reference. */
int image_store_tag(ImageStore *s, const Image *image, const char *reference);
/* -ENOENT if it is not there. The image stays. */
int image_store_untag(ImageStore *s, const char *reference);
/* Removes the image, its references, and blobs and layers that no other image uses (layers are renamed into trash/). */
int image_store_delete(ImageStore *s, const char *id);

/* Adds an image whose blobs and layers stand complete in a staging directory (see image-load.c): checks digests against names the worker
 * reported, moves what is missing, writes record, manifest and index. `references` may be empty. */
int image_store_add(ImageStore *s, int staging_fd, json_object *report_image, char *const *references, const Image **ret);

/* Joined by ':', topmost first, absolute: for the annotation `layers`. */
int image_store_layer_paths(ImageStore *s, const Image *image, char **ret);
