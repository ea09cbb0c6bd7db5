/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Load and import: jobs of berthd that let berth-unpack workers turn an archive into staged blobs and layers, and then
 * add the images to the store. The job owns its staging directory and removes it whatever happens. */
#pragma once

#include "image/image-store.h"
#include "unit/unit.h"

typedef struct ImageJob ImageJob;

/* One image that came in. */
typedef struct ImageLoaded {
        char *reference; /* full, or "" */
        char *id;        /* 64 hex digits */
} ImageLoaded;

/* result 0, or negative errno (-EBADMSG: the archive is at fault; -ENOSPC; …) with one line `text` that says what and
 * why. `loaded` is borrowed. */
typedef void (*ImageJobDone)(int result, const char *text, const ImageLoaded *loaded, size_t n_loaded, void *userdata);

/* The archive descriptor is duplicated. `done` is called later, exactly once, unless the job is freed before. */
int image_load_start(ImageStore *s, UnitManager *units, int archive_fd, ImageJobDone done, void *userdata,
                     ImageJob **ret);
/* reference may be "" or NULL. `changes` are Dockerfile instructions, checked before anything starts: -EINVAL with
 * *ret_error a line to free. */
int image_import_start(ImageStore *s, UnitManager *units, int archive_fd, const char *reference, char *const *changes,
                       const char *message, ImageJobDone done, void *userdata, ImageJob **ret, char **ret_error);
/* Cancels: the worker is stopped, staging is removed. */
ImageJob *image_job_free(ImageJob *job);
DEFINE_FREEP(ImageJob, image_job_free)
