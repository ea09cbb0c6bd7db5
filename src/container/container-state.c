/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container on disk: container.json and state.json, the exit record of its monitor, and the mark of a run. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "container/container.h"
#include "util/fs.h"
#include "util/strv.h"

#define CONTAINER_SIZE_MAX (8 * 1024 * 1024)
#define RESULT_SIZE_MAX 65536
#define FILE_VERSION 1

/* --- container.json --- */

static int add_image(json_object *object, const Container *c) {
        json_object *image = json_object_new_object();
        int r;

        if ((r = json_add_object(object, "image", image)) < 0 ||
            (r = json_add_string(image, "id", c->image_id)) < 0 ||
            (r = json_add_string(image, "digest", c->image_digest)) < 0)
                return r;
        return c->image_config ? json_add_object(image, "config", json_object_get(c->image_config)) : 0;
}

int container_save(Container *c) {
        _cleanup_json_ json_object *object = json_object_new_object();
        _cleanup_free_ char *path = NULL;
        json_object *settings = NULL;
        int r;

        if (!object)
                return -ENOMEM;
        if ((r = json_add_i64(object, "version", FILE_VERSION)) < 0 ||
            (r = json_add_string(object, "id", c->id)) < 0 ||
            (r = json_add_i64(object, "created", (int64_t) c->created_usec)) < 0 ||
            (r = container_settings_to_json(&c->settings, &settings)) < 0 ||
            (r = json_add_object(object, "settings", settings)) < 0 ||
            (r = add_image(object, c)) < 0)
                return r;
        r = c->settings.auto_remove ? container_bundle_path(c, "container.json", &path)
                                    : container_state_path(c, "container.json", &path);
        return r < 0 ? r : json_write_file(AT_FDCWD, path, object, 0600, c->settings.auto_remove ? 0 : WRITE_SYNC);
}

typedef struct RawImage {
        char *id, *digest;
        json_object *config;
} RawImage;

typedef struct RawContainer {
        uint32_t version;
        char *id;
        uint64_t created;
        json_object *settings, *image;
        RawImage raw_image;
} RawContainer;

static void raw_done(RawContainer *raw) {
        free(raw->id);
        json_object_put(raw->settings);
        json_object_put(raw->image);
        free(raw->raw_image.id);
        free(raw->raw_image.digest);
        json_object_put(raw->raw_image.config);
}

static int raw_read(json_object *object, RawContainer *raw) {
        static const JsonField fields[] = {
                JSON_FIELD(RawContainer, version,  "version",  json_to_u32,    JSON_REQUIRED),
                JSON_FIELD(RawContainer, id,       "id",       json_to_string, JSON_REQUIRED),
                JSON_FIELD(RawContainer, created,  "created",  json_to_u64,    JSON_REQUIRED),
                JSON_FIELD(RawContainer, settings, "settings", json_to_object, JSON_REQUIRED),
                JSON_FIELD(RawContainer, image,    "image",    json_to_object, JSON_REQUIRED),
        };
        static const JsonField image_fields[] = {
                JSON_FIELD(RawImage, id,     "id",     json_to_string, JSON_REQUIRED),
                JSON_FIELD(RawImage, digest, "digest", json_to_string, 0),
                JSON_FIELD(RawImage, config, "config", json_to_object, 0),
        };
        int r;

        r = json_read_fields(object, fields, N_ELEMENTS(fields), raw, NULL);
        if (r >= 0)
                r = json_read_fields(raw->image, image_fields, N_ELEMENTS(image_fields), &raw->raw_image, NULL);
        return r < 0 ? r : raw->version == FILE_VERSION ? 0 : -EBADMSG;
}

int container_load(ContainerHost *host, int dir_fd, const char *id, Container **ret) {
        _cleanup_(container_freep) Container *c = calloc(1, sizeof(Container));
        _cleanup_(raw_done) RawContainer raw = { 0 };
        _cleanup_json_ json_object *object = NULL;
        _cleanup_free_ char *why = NULL;
        int r;

        if (!c)
                return -ENOMEM;
        container_settings_init(&c->settings);
        r = json_read_file(dir_fd, "container.json", CONTAINER_SIZE_MAX, &object);
        if (r >= 0)
                r = raw_read(object, &raw);
        if (r >= 0)
                r = container_settings_from_json(raw.settings, &c->settings);
        if (r >= 0)
                r = container_config_merge(&c->settings, raw.raw_image.config, &c->config, &why);
        if (r == -ENOMEM || r == -ENOENT)
                return r;
        if (r < 0 || !streq(raw.id, id) || !container_id_is_valid(id) || !c->settings.name || !c->settings.image ||
            !container_id_is_valid(raw.raw_image.id))
                return -EBADMSG;
        c->host = host;
        strcpy(c->id, id);
        c->name = c->settings.name;
        c->created_usec = raw.created;
        c->image_id = TAKE(raw.raw_image.id);
        c->image_digest = TAKE(raw.raw_image.digest);
        c->image_config = TAKE(raw.raw_image.config);
        *ret = TAKE(c);
        return 0;
}

/* --- state.json and exit.json: the same fields, the first with some of berthd's own --- */

typedef struct RawResult {
        char *run_id, *log_epoch, *error, *stopped_by, *unit;
        bool restarting;
        ContainerResult result;
} RawResult;

static const JsonField result_fields[] = {
        JSON_FIELD(RawResult, run_id,               "runId",      json_to_string, JSON_REQUIRED),
        JSON_FIELD(RawResult, result.exit_code,     "exitCode",   json_to_i32,    JSON_REQUIRED),
        JSON_FIELD(RawResult, result.signal,        "signal",     json_to_i32,    0),
        JSON_FIELD(RawResult, result.oom_killed,    "oomKilled",  json_to_bool,   0),
        JSON_FIELD(RawResult, error,                "error",      json_to_string, 0),
        JSON_FIELD(RawResult, stopped_by,           "stoppedBy",  json_to_string, 0),
        JSON_FIELD(RawResult, result.started_usec,  "started",    json_to_u64,    0),
        JSON_FIELD(RawResult, result.finished_usec, "finished",   json_to_u64,    0),
        JSON_FIELD(RawResult, log_epoch,            "logEpoch",   json_to_string, 0),
        JSON_FIELD(RawResult, result.log_ordinal,   "logOrdinal", json_to_u64,    0),
        JSON_FIELD(RawResult, result.log_lost,      "logLost",    json_to_u64,    0),
        JSON_FIELD(RawResult, result.journaled,     "journaled",  json_to_bool,   0),
        JSON_FIELD(RawResult, unit,                 "unit",       json_to_string, 0),
        JSON_FIELD(RawResult, restarting,             "restarting",    json_to_bool, 0),
        JSON_FIELD(RawResult, result.restart_count,   "restartCount",  json_to_u32,  0),
        JSON_FIELD(RawResult, result.stopped_by_hand, "stoppedByHand", json_to_bool, 0),
};

static char *none_if_empty(char **s) {
        if (*s && !**s) {
                free(*s);
                *s = NULL;
        }
        return TAKE(*s);
}

static int result_read(int dir_fd, const char *file, ContainerResult *ret, char **ret_unit, bool *ret_restarting) {
        _cleanup_json_ json_object *object = NULL;
        RawResult raw = { 0 };
        int r;

        r = json_read_file(dir_fd, file, RESULT_SIZE_MAX, &object);
        if (r == -ENOENT)
                return r;
        if (r >= 0)
                r = json_read_fields(object, result_fields, N_ELEMENTS(result_fields), &raw, NULL);
        if (r >= 0)
                r = caller_from_json(object, &raw.result.stopper);
        if (r >= 0 && (strlen(raw.run_id) != sizeof(raw.result.run_id) - 1 ||
                       (raw.log_epoch && strlen(raw.log_epoch) >= sizeof(raw.result.log_epoch))))
                r = -EBADMSG;
        if (r >= 0) {
                strcpy(raw.result.run_id, raw.run_id);
                strcpy(raw.result.log_epoch, raw.log_epoch ? raw.log_epoch : "");
                raw.result.error = none_if_empty(&raw.error);
                raw.result.stopped_by = none_if_empty(&raw.stopped_by);
                *ret = raw.result;
                if (ret_unit)
                        *ret_unit = TAKE(raw.unit);
                if (ret_restarting)
                        *ret_restarting = raw.restarting;
        }
        free(raw.run_id);
        free(raw.log_epoch);
        free(raw.error);
        free(raw.stopped_by);
        free(raw.unit);
        return r < 0 ? (r == -ENOMEM ? r : -EBADMSG) : 0;
}

static int read_of_run(int bundle_fd, const char *file, const char *run_id, ContainerResult *ret, bool *ret_restarting) {
        ContainerResult result;
        int r;

        r = result_read(bundle_fd, file, &result, NULL, ret_restarting);
        if (r < 0)
                return r;
        if (!streq(result.run_id, run_id)) {
                container_result_done(&result);
                return -EBADMSG;
        }
        *ret = result;
        return 0;
}

int container_result_read(int bundle_fd, const char *run_id, ContainerResult *ret) {
        return read_of_run(bundle_fd, "exit.json", run_id, ret, NULL);
}

int container_result_read_interim(int bundle_fd, const char *run_id, ContainerResult *ret, bool *ret_restarting) {
        return read_of_run(bundle_fd, "restart.json", run_id, ret, ret_restarting);
}

int container_load_result(Container *c, int dir_fd) {
        int r;

        r = result_read(dir_fd, "state.json", &c->result, &c->unit, NULL);
        if (r < 0)
                return r;
        c->state = c->result.started_usec > 0 ? CONTAINER_EXITED : CONTAINER_CREATED;
        return 0;
}

/* --- The mark of a run: a symlink to its id, because that comes whole or not at all, without fsync --- */

#define RUNNING_MARK "running"

int container_mark_running(const Container *c) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (c->settings.auto_remove) /* is gone after a reboot, whether it ran or not */
                return 0;
        r = container_state_path(c, RUNNING_MARK, &path);
        if (r < 0)
                return r;
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        return symlink(c->result.run_id, path) < 0 ? -errno : 0;
}

static void forget_lost_run(const Container *c) {
        static const char *const files[] = { "exit.json", RUNNING_MARK };

        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                _cleanup_free_ char *path = NULL;
                if (container_state_path(c, files[i], &path) >= 0)
                        (void) unlink(path); /* one that stays names a run whose result is known: not lost */
        }
}

static uint64_t boot_usec(void) {
        struct timespec now, up;

        clock_gettime(CLOCK_REALTIME, &now);
        clock_gettime(CLOCK_BOOTTIME, &up);
        return (uint64_t) ((now.tv_sec - up.tv_sec) * 1000000 + (now.tv_nsec - up.tv_nsec) / 1000);
}

int container_lost_run(const Container *c, ContainerResult *ret) {
        ContainerResult result = { .exit_code = 255 }; /* Docker's number for this */
        _cleanup_free_ char *path = NULL;
        struct stat st;
        int r;

        if (c->settings.auto_remove)
                return 0;
        r = container_state_path(c, NULL, &path);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = fs_open_dir(AT_FDCWD, path);
        if (fd < 0)
                return fd;
        ssize_t n = readlinkat(fd, RUNNING_MARK, result.run_id, sizeof(result.run_id));
        if (n < 0 || fstatat(fd, RUNNING_MARK, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (n != sizeof(result.run_id) - 1)
                return -EBADMSG;
        if (streq(result.run_id, c->result.run_id))
                return 0;
        /* A monitor that found no berthd, as at a shutdown, left its record here, too. */
        if (container_result_read(fd, result.run_id, ret) >= 0)
                return 1;
        result.started_usec = (uint64_t) st.st_mtim.tv_sec * 1000000 + (uint64_t) st.st_mtim.tv_nsec / 1000;
        result.finished_usec = MAX_OF(boot_usec(), result.started_usec); /* not known: before this boot */
        result.error = strdup("the machine went down while it ran");
        *ret = result;
        return 1;
}

int container_save_result(Container *c) {
        _cleanup_json_ json_object *object = json_object_new_object();
        _cleanup_free_ char *path = NULL;
        const ContainerResult *result = &c->result;
        int r;

        if (c->settings.auto_remove)
                return 0;
        if (!object)
                return -ENOMEM;
        if ((r = json_add_string(object, "runId", result->run_id)) < 0 ||
            (r = json_add_i64(object, "exitCode", result->exit_code)) < 0 ||
            (r = json_add_i64(object, "signal", result->signal)) < 0 ||
            (r = json_add_bool(object, "oomKilled", result->oom_killed)) < 0 ||
            (r = json_add_string(object, "error", result->error)) < 0 ||
            (r = json_add_string(object, "stoppedBy", result->stopped_by)) < 0 ||
            (r = caller_to_json(&result->stopper, object)) < 0 ||
            (r = json_add_i64(object, "started", (int64_t) result->started_usec)) < 0 ||
            (r = json_add_i64(object, "finished", (int64_t) result->finished_usec)) < 0 ||
            (r = json_add_string(object, "logEpoch", result->log_epoch)) < 0 ||
            (r = json_add_i64(object, "logOrdinal", (int64_t) result->log_ordinal)) < 0 ||
            (r = json_add_i64(object, "restartCount", result->restart_count)) < 0 ||
            (r = json_add_bool(object, "stoppedByHand", result->stopped_by_hand)) < 0 ||
            (r = json_add_string(object, "unit", c->unit)) < 0 ||
            (r = container_state_path(c, "state.json", &path)) < 0)
                return r;
        r = json_write_file(AT_FDCWD, path, object, 0600, WRITE_SYNC);
        if (r >= 0)
                forget_lost_run(c);
        return r;
}
