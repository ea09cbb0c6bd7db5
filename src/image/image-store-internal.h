/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of the ImageStore: image-store.c keeps the images, image-store-disk.c their files, image-store-add.c takes in
 * new ones. */
#pragma once

#include "image/image-store.h"
#include "oci/image-record.h"

struct ImageStore {
        char *statedir;
        int state_fd, oci_fd, blobs_fd, images_fd, layers_fd, staging_fd, trash_fd;
        Image **images;
        size_t n_images;
        ImageChanged changed;
        void *userdata;
};

Image *image_free(Image *i);
DEFINE_FREEP(Image, image_free)
/* From a record; takes a reference to it. */
int image_new(json_object *record, Image **ret);
int image_store_insert(ImageStore *s, Image *image);
void image_store_notify(ImageStore *s, ImageChange change, const Image *image, const char *reference);

int image_store_open_dirs(ImageStore *s);
/* Reads images and references; then removes blobs and layers that nothing needs, as a crash may leave them. */
int image_store_read(ImageStore *s);
/* index.json from what is in memory. */
int image_store_write_index(ImageStore *s);
/* Removes blobs and layers that no image in memory uses. */
int image_store_collect(ImageStore *s);
/* Renames something into trash/ under a name of its own. */
int image_store_trash(ImageStore *s, int dir_fd, const char *name);
