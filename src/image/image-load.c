/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Load and import as jobs: see image-load.h. A load is one worker that takes the archive apart, then one per layer that
 * the store does not have, then the images are added; an import is one worker. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "image/changes.h"
#include "image/image-load.h"
#include "image/worker.h"
#include "oci/image-record.h"
#include "oci/reference.h"
#include "util/fs.h"
#include "util/strv.h"
#include "util/timestamp.h"

#define LAYERS_AT_ONCE 2U

/* A layer that is to be unpacked. */
typedef struct LayerTask {
        OciRecordLayer layer;
        Worker *worker; /* while it runs */
        bool done;
} LayerTask;

struct ImageJob {
        ImageStore *store;
        UnitManager *units;
        char *staging_path;
        int staging_fd;
        char *reference;     /* import: the full name, or NULL */
        Worker *worker;      /* the first one, while it runs */
        json_object *images; /* what it reported */
        LayerTask *layers;
        size_t n_layers;
        ImageLoaded *loaded;
        size_t n_loaded;
        ImageJobDone done;
        void *userdata;
};

ImageJob *image_job_free(ImageJob *job) {
        if (!job)
                return NULL;
        worker_free(job->worker);
        for (size_t i = 0; i < job->n_layers; i++)
                worker_free(job->layers[i].worker);
        free(job->layers);
        if (job->staging_path)
                image_store_drop_staging(job->store, job->staging_path);
        fd_close(job->staging_fd);
        for (size_t i = 0; i < job->n_loaded; i++) {
                free(job->loaded[i].reference);
                free(job->loaded[i].id);
        }
        free(job->loaded);
        json_object_put(job->images);
        free(job->staging_path);
        free(job->reference);
        free(job);
        return NULL;
}

/* The last thing that happens to a job: it may be freed by the one who is told. */
static void finish(ImageJob *job, int result, const char *format, ...) _printf_(3, 4);
static void finish(ImageJob *job, int result, const char *format, ...) {
        char text[2300];
        va_list ap;

        /* The job is over now, whoever still works for it. */
        job->worker = worker_free(job->worker);
        for (size_t i = 0; i < job->n_layers; i++)
                job->layers[i].worker = worker_free(job->layers[i].worker);
        va_start(ap, format);
        vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        job->done(result, result < 0 ? text : NULL, job->loaded, job->n_loaded, job->userdata);
}

static int remember(ImageJob *job, const char *reference, const char *id) {
        ImageLoaded *loaded = reallocarray(job->loaded, job->n_loaded + 1, sizeof(ImageLoaded));

        if (!loaded)
                return -ENOMEM;
        job->loaded = loaded;
        ImageLoaded *l = &job->loaded[job->n_loaded++];
        l->reference = strdup(reference);
        l->id = strdup(id);
        return l->reference && l->id ? 0 : -ENOMEM;
}

static int add_image(ImageJob *job, json_object *o) {
        json_object *record = json_get(o, "record"), *names = json_get(o, "references");
        _cleanup_strv_ char **references = NULL;
        const Image *image;
        int r = 0;

        if (names)
                r = json_to_strv(names, &references);
        if (r >= 0 && job->reference)
                r = strv_extend(&references, job->reference);
        if (r >= 0)
                r = image_store_add(job->store, job->staging_fd, record, references, &image);
        if (r < 0)
                return r;
        if (!references || !references[0])
                return remember(job, "", image->id);
        for (char **reference = references; *reference; reference++) {
                r = remember(job, *reference, image->id);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void add_images(ImageJob *job) {
        for (size_t i = 0; i < json_object_array_length(job->images); i++) {
                int r = add_image(job, json_object_array_get_idx(job->images, i));
                if (r == -ESTALE)
                        return finish(job, r, "A layer was removed while the image was loaded; load it again");
                if (r < 0)
                        return finish(job, r, "Cannot store the image: %s", strerror(-r));
        }
        finish(job, 0, "%s", "");
}

static int start_layers(ImageJob *job);

static int accept_layer(ImageJob *job, LayerTask *task, json_object *report) {
        const char *hex = oci_digest_hex(&task->layer.chain_id);
        char path[128];

        snprintf(path, sizeof(path), "layers/%s", hex);
        _cleanup_close_ int fd = fs_open_beneath(job->staging_fd, path, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
                return fd;
        json_object *layer = json_get(report, "layer");
        return layer ? json_write_file(fd, "layer.json", layer, 0600, 0) : -EIO;
}

static void layer_done(Worker *w, int result, const char *text, json_object *report, void *userdata) {
        ImageJob *job = userdata;
        LayerTask *task = job->layers;
        int r;

        while (task->worker != w)
                task++;
        const OciRecordLayer *layer = &task->layer;
        if (result < 0)
                return finish(job, result, "The layer %.19s: %s", layer->digest.text, text);
        const char *digest = json_get_string(report, "digest") ?: "",
                   *diff_id = json_get_string(report, "diffId") ?: "";
        if (!streq(digest, layer->digest.text))
                return finish(job, -EBADMSG, "The layer %s has the digest %.80s", layer->digest.text, digest);
        if (!streq(diff_id, layer->diff_id.text))
                return finish(job, -EBADMSG,
                              "The content of the layer %s is %.80s, but the image's configuration names %s",
                              layer->digest.text, diff_id, layer->diff_id.text);
        r = accept_layer(job, task, report);
        if (r < 0)
                return finish(job, r, "Cannot keep the layer %.19s: %s", layer->digest.text, strerror(-r));
        task->worker = worker_free(task->worker);
        task->done = true;
        r = start_layers(job);
        if (r < 0)
                return finish(job, r, "Cannot start a worker: %s", strerror(-r));
        if (r == 0)
                add_images(job);
}

static int start_layer(ImageJob *job, LayerTask *task) {
        const char *hex = oci_digest_hex(&task->layer.chain_id);
        _cleanup_free_ char *directory = NULL;
        char blob[128];

        snprintf(blob, sizeof(blob), "blobs/%s", oci_digest_hex(&task->layer.digest));
        _cleanup_close_ int blob_fd = fs_open_beneath(job->staging_fd, blob, O_RDONLY | O_NONBLOCK, 0);
        if (blob_fd < 0)
                return blob_fd;
        if (asprintf(&directory, "%s/layers/%s", job->staging_path, hex) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        if (mkdirat(job->staging_fd, directory + strlen(job->staging_path) + 1, 0700) < 0)
                return -errno;
        return worker_start(job->units, "layer", directory, blob_fd, layer_done, job, &task->worker);
}

/* Starts as many as may run. The number of those under way. */
static int start_layers(ImageJob *job) {
        int running = 0;

        for (size_t i = 0; i < job->n_layers; i++)
                running += !!job->layers[i].worker;
        for (size_t i = 0; i < job->n_layers && running < (int) LAYERS_AT_ONCE; i++) {
                LayerTask *task = &job->layers[i];
                if (task->done || task->worker)
                        continue;
                int r = start_layer(job, task);
                if (r < 0)
                        return r;
                running++;
        }
        return running;
}

static bool is_planned(const ImageJob *job, const OciDigest *chain_id) {
        for (size_t i = 0; i < job->n_layers; i++)
                if (oci_digest_equal(&job->layers[i].layer.chain_id, chain_id))
                        return true;
        return false;
}

static int plan_image(ImageJob *job, json_object *image) {
        _cleanup_(oci_image_record_freep) OciImageRecord *record = NULL;
        int r;

        r = oci_image_record_read(json_get(image, "record"), &record, NULL);
        if (r < 0)
                return r;
        for (size_t i = 0; i < record->n_layers; i++) {
                const OciRecordLayer *layer = &record->layers[i];
                if (image_store_has_layer(job->store, oci_digest_hex(&layer->chain_id)) ||
                    is_planned(job, &layer->chain_id))
                        continue;
                LayerTask *layers = reallocarray(job->layers, job->n_layers + 1, sizeof(LayerTask));
                if (!layers)
                        return -ENOMEM;
                job->layers = layers;
                job->layers[job->n_layers++] = (LayerTask){ .layer = *layer };
        }
        return 0;
}

/* Takes the list of images out of a worker's report. */
static int take_images(ImageJob *job, json_object *report) {
        json_object *images = json_get(report, "images");

        if (!json_object_is_type(images, json_type_array))
                return -EIO;
        job->images = json_object_get(images);
        return 0;
}

static void archive_done(Worker *w, int result, const char *text, json_object *report, void *userdata) {
        ImageJob *job = userdata;
        int r;

        if (result < 0)
                return finish(job, result, "%s", text);
        job->worker = worker_free(job->worker);
        r = take_images(job, report);
        for (size_t i = 0; r >= 0 && i < json_object_array_length(job->images); i++)
                r = plan_image(job, json_object_array_get_idx(job->images, i));
        if (r >= 0 && job->n_layers > 0 && mkdirat(job->staging_fd, "layers", 0700) < 0)
                r = -errno;
        if (r >= 0)
                r = start_layers(job);
        if (r < 0)
                return finish(job, r, "Cannot unpack the layers: %s", strerror(-r));
        if (r == 0)
                add_images(job);
}

static int accept_import(ImageJob *job, json_object *report) {
        json_object *layers = json_get(report, "layers");
        OciDigest chain_id;
        char path[128];
        int r;

        if (!json_object_is_type(layers, json_type_object))
                return -EIO;
        json_object_object_foreach(layers, hex, layer) {
                if (oci_digest_parse_hex(hex, &chain_id) < 0)
                        return -EIO;
                snprintf(path, sizeof(path), "layers/%s", hex);
                _cleanup_close_ int fd = fs_open_beneath(job->staging_fd, path, O_RDONLY | O_DIRECTORY, 0);
                if (fd < 0)
                        return fd;
                r = json_write_file(fd, "layer.json", layer, 0600, 0);
                if (r < 0)
                        return r;
        }
        return take_images(job, report);
}

static void import_done(Worker *w, int result, const char *text, json_object *report, void *userdata) {
        ImageJob *job = userdata;
        int r;

        if (result < 0)
                return finish(job, result, "%s", text);
        job->worker = worker_free(job->worker);
        r = accept_import(job, report);
        if (r < 0)
                return finish(job, r, "Cannot keep the layer: %s", strerror(-r));
        add_images(job);
}

static int job_new(ImageStore *s, UnitManager *units, ImageJobDone done, void *userdata, ImageJob **ret) {
        _cleanup_(image_job_freep) ImageJob *job = calloc(1, sizeof(ImageJob));
        int r;

        if (!job)
                return -ENOMEM;
        job->store = s;
        job->units = units;
        job->done = done;
        job->userdata = userdata;
        job->staging_fd = -EBADF;
        r = image_store_new_staging(s, &job->staging_path, &job->staging_fd);
        if (r < 0)
                return r;
        *ret = TAKE(job);
        return 0;
}

int image_load_start(ImageStore *s, UnitManager *units, int archive_fd, ImageJobDone done, void *userdata,
                     ImageJob **ret) {
        _cleanup_(image_job_freep) ImageJob *job = NULL;
        int r;

        r = job_new(s, units, done, userdata, &job);
        if (r < 0)
                return r;
        r = worker_start(units, "archive", job->staging_path, archive_fd, archive_done, job, &job->worker);
        if (r < 0)
                return r;
        *ret = TAKE(job);
        return 0;
}

/* What the import worker is to make of the archive. */
static int write_wishes(ImageJob *job, const OciRunConfig *config, const char *message) {
        _cleanup_json_ json_object *o = json_object_new_object();
        char now[TIME_RFC3339_MAX];

        if (!o || json_add_string(o, "created", time_format_rfc3339(time_now_usec() * 1000, now)) < 0 ||
            json_add_string(o, "comment", message && message[0] ? message : "Imported from -") < 0 ||
            json_add_object(o, "config", oci_run_config_to_json(config)) < 0)
                return -ENOMEM;
        return json_write_file(job->staging_fd, "import.json", o, 0600, 0);
}

static int refuse(char **ret_error, int error, const char *text, const char *why) {
        if (asprintf(ret_error, "\"%.300s\" cannot be the name of an image: %s", text, why) < 0) {
                *ret_error = NULL;
                return -ENOMEM;
        }
        return error;
}

static int check_name(const char *text, char **ret, char **ret_error) {
        _cleanup_(oci_reference_freep) OciReference *reference = NULL;
        int r;

        if (!text || !text[0])
                return 0;
        r = oci_reference_parse(text, &reference);
        if (r < 0)
                return r == -ENOMEM ? r : refuse(ret_error, -EINVAL, text, oci_reference_why(text));
        if (reference->digest)
                return refuse(ret_error, -EINVAL, text, "a digest cannot be given, it comes from the content");
        return oci_reference_format(reference, ret);
}

int image_import_start(ImageStore *s, UnitManager *units, int archive_fd, const char *reference, char *const *changes,
                       const char *message, ImageJobDone done, void *userdata, ImageJob **ret, char **ret_error) {
        _cleanup_(oci_run_config_clear) OciRunConfig config = { 0 };
        _cleanup_(image_job_freep) ImageJob *job = NULL;
        _cleanup_free_ char *full = NULL;
        int r;

        *ret_error = NULL;
        r = check_name(reference, &full, ret_error);
        if (r < 0)
                return r;
        r = changes_apply(changes, &config, ret_error);
        if (r < 0)
                return r;
        r = job_new(s, units, done, userdata, &job);
        if (r < 0)
                return r;
        job->reference = TAKE(full);
        r = write_wishes(job, &config, message);
        if (r < 0)
                return r;
        r = worker_start(units, "import", job->staging_path, archive_fd, import_done, job, &job->worker);
        if (r < 0)
                return r;
        *ret = TAKE(job);
        return 0;
}
