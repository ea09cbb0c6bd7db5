/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's life: see container.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "container/container-bundle.h"
#include "container/container-record.h"
#include "container/container-run.h"
#include "container/container-service.h"
#include "container/container-unit.h"
#include "container/container-wait.h"
#include "container/departure.h"
#include "container/id-range.h"
#include "container/remains.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/errors.h"

void container_result_done(ContainerResult *r) {
        free(r->error);
        free(r->stopped_by);
        *r = (ContainerResult) { 0 };
}

Container *container_free(Container *c) {
        if (!c)
                return NULL;
        if (c->waiters) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                sd_bus_error_set_const(&error, BERTH_ERROR_UNAVAILABLE,
                                       "berthd ends before it has happened; ask again.");
                container_wait_fail_all(c, &error);
        }
        container_run_free(c->run);
        departure_free(c->departure);
        container_settings_done(&c->settings);
        container_config_done(&c->config);
        container_result_done(&c->result);
        json_object_put(c->image_config);
        free(c->image_id);
        free(c->image_digest);
        free(c->unit);
        free(c);
        return NULL;
}

static uint64_t realtime_usec(void) {
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

int container_new(ContainerHost *host, ContainerSettings *settings, const Image *image, Container **ret) {
        _cleanup_(container_freep) Container *c = calloc(1, sizeof(Container));
        int r;

        if (!c) {
                container_settings_done(settings);
                return -ENOMEM;
        }
        c->host = host;
        c->settings = *settings;
        container_settings_init(settings);
        c->name = c->settings.name;
        c->created_usec = realtime_usec();
        c->image_config = json_object_get(json_get(image->record, "config"));
        if ((r = string_replace(&c->image_id, image->id)) < 0 ||
            (r = string_replace(&c->image_digest, image->manifest)) < 0 ||
            (r = container_id_new(c->id)) < 0)
                return r;
        *ret = TAKE(c);
        return 0;
}

/* --- Where it is --- */

static int join(const char *root, const Container *c, const char *what, char **ret) {
        return asprintf(ret, "%s/containers/%s%s%s", root, c->id, what ? "/" : "", what ? what : "") < 0 ? -ENOMEM : 0;
}

int container_state_path(const Container *c, const char *what, char **ret) {
        return join(c->host->statedir, c, what, ret);
}

int container_bundle_path(const Container *c, const char *what, char **ret) {
        return join(c->host->rundir, c, what, ret);
}

/* --- What others are told --- */

bool container_is_running(const Container *c) {
        return c->state == CONTAINER_RUNNING || c->state == CONTAINER_RESTARTING;
}

const char *container_state_name(const Container *c) {
        static const char *const names[] = {
                [CONTAINER_CREATED] = "created", [CONTAINER_STARTING] = "created", [CONTAINER_RUNNING] = "running",
                [CONTAINER_RESTARTING] = "restarting",
                [CONTAINER_EXITED] = "exited", [CONTAINER_REMOVING] = "removing",
        };

        return names[c->state];
}

void container_changed(Container *c) {
        _cleanup_free_ char *path = NULL;

        if (container_bus_path(c, &path) < 0)
                return;
        (void) sd_bus_emit_properties_changed(c->host->bus, path, CONTAINER_INTERFACE, "State", "Pid", "ExitCode",
                                              "Started", "Finished", "Unit", "Error", "RunId", "LogOrdinal",
                                              "RestartCount", NULL);
}

void container_renamed(Container *c) {
        _cleanup_free_ char *path = NULL;

        if (container_bus_path(c, &path) >= 0)
                (void) sd_bus_emit_properties_changed(c->host->bus, path, CONTAINER_INTERFACE, "Name", NULL);
}

/* Docker's attributes: the labels, image and name, and what the action is about (KEY=VALUE pairs, separated by
 * commas). */
void container_emit(Container *c, const char *action, const char *attribute) {
        _cleanup_strv_ char **attributes = NULL, **more = NULL;
        int r;

        r = c->config.labels ? strv_copy(c->config.labels, &attributes) : 0;
        if (r >= 0)
                r = strv_extendf(&attributes, "image=%s", c->settings.image);
        if (r >= 0)
                r = strv_extendf(&attributes, "name=%s", c->name);
        if (r >= 0 && attribute)
                r = strv_split(attribute, ',', &more);
        for (char **m = more; r >= 0 && m && *m; m++)
                r = strv_env_set(&attributes, *m);
        if (r >= 0)
                c->host->emit(c->host, "container", action, c->id, attributes);
}

/* --- Created --- */

/* The writable layer's root is what the image's root is; on disk stand the ids as the container sees them. */
static int make_upper(const Container *c, int dir_fd) {
        const Image *image = image_store_get(c->host->images, c->image_id);
        _cleanup_free_ char *layers = NULL;
        struct stat st;
        int r;

        if (mkdirat(dir_fd, "work", 0700) < 0 || mkdirat(dir_fd, "upper", 0755) < 0 ||
            fchmodat(dir_fd, "upper", 0755, 0) < 0) /* whatever the umask */
                return -errno;
        if (!image)
                return -ENOENT;
        r = image_store_layer_paths(c->host->images, image, &layers);
        if (r < 0 || !*layers)
                return r;
        layers[strcspn(layers, ":")] = '\0'; /* the topmost */
        if (lstat(layers, &st) < 0)
                return -errno;
        if (fchownat(dir_fd, "upper", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
            fchmodat(dir_fd, "upper", st.st_mode & 07777, 0) < 0)
                return -errno;
        return 0;
}

static int make_dirs(Container *c) {
        _cleanup_free_ char *state = NULL, *bundle = NULL;
        int r;

        if ((r = container_state_path(c, NULL, &state)) < 0 || (r = container_bundle_path(c, NULL, &bundle)) < 0)
                return r;
        if (c->settings.auto_remove && mkdir(bundle, 0700) < 0)
                return -errno;
        if (mkdir(state, 0700) < 0)
                return -errno;
        _cleanup_close_ int fd = fs_open_dir(AT_FDCWD, state);
        return fd < 0 ? fd : make_upper(c, fd);
}

/* Renames a directory into the trash; in RUNDIR nothing is large, and what cannot be moved goes here and now,
 * container.json first: a directory without it is nobody's. The monitor may still have the overlay mounted; nobody
 * writes to it. */
static int discard(Container *c, const char *path) {
        _cleanup_free_ char *trash = NULL;
        static unsigned serial;

        if (asprintf(&trash, "%s/trash/%s.%u", c->host->statedir, c->id, serial++) < 0)
                return -ENOMEM;
        if (rename(path, trash) >= 0) {
                c->host->trashed(c->host);
                return 0;
        }
        if (errno != EXDEV)
                return errno == ENOENT ? 0 : -errno;
        _cleanup_free_ char *record = NULL;
        if (asprintf(&record, "%s/container.json", path) < 0)
                return -ENOMEM;
        if (unlink(record) < 0 && errno != ENOENT)
                return -errno;
        return fs_remove_tree(AT_FDCWD, path);
}

/* The directory that holds container.json goes first: what is left of the other is nobody's, and is swept up at the
 * next start. */
static int discard_all(Container *c) {
        _cleanup_free_ char *state = NULL, *bundle = NULL;
        int r, q;

        if ((r = container_state_path(c, NULL, &state)) < 0 || (r = container_bundle_path(c, NULL, &bundle)) < 0)
                return r;
        r = discard(c, c->settings.auto_remove ? bundle : state);
        if (r < 0)
                return r;
        q = discard(c, c->settings.auto_remove ? state : bundle);
        if (q < 0)
                log_warning("container %s is removed, but some of its files are still there: %s", c->name,
                            strerror(-q));
        return 0;
}

/* A container sees the ids of its own range and no others: an image with a file beyond it could not be used as it is. */
static int check_ids(const Container *c, sd_bus_error *error) {
        const Image *image = image_store_get(c->host->images, c->image_id);

        if (!image || image->max_id < ID_RANGE_SIZE)
                return 0;
        return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION,
                                 "Image %s has a file of user or group %" PRIu32 ", above the %u that a container has; "
                                 "build the image with smaller ids",
                                 c->settings.image, image->max_id, ID_RANGE_SIZE - 1);
}

int container_create(Container *c, sd_bus_error *error) {
        char *why = NULL;
        int r;

        r = check_ids(c, error);
        if (r < 0)
                return r;
        r = container_config_merge(&c->settings, c->image_config, &c->config, &why);
        if (r >= 0)
                r = container_limits_check_host(&c->settings, &why);
        if (r < 0) {
                sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "%s", why ? why : strerror(-r));
                free(why);
                return r;
        }
        r = make_dirs(c);
        if (r >= 0)
                r = container_save(c);
        if (r < 0) {
                (void) discard_all(c);
                return sd_bus_error_setf(
                        error, r == -ENOSPC || r == -EDQUOT ? BERTH_ERROR_NO_SPACE : BERTH_ERROR_UNAVAILABLE,
                        "Container %s cannot be created in %s: %s", c->name, c->host->statedir, strerror(-r));
        }
        return 0;
}

/* --- Running --- */

int container_start(Container *c, ClientStreams *streams, sd_bus_error *error) {
        int r;

        if (container_is_running(c))
                return sd_bus_error_setf(error, BERTH_ERROR_RUNNING, "Container %s is already running.", c->name);
        if (c->remove_wanted)
                return sd_bus_error_setf(error, BERTH_ERROR_BUSY, "Container %s is being removed.", c->name);
        if (c->state == CONTAINER_STARTING) {
                r = streams ? container_run_join(c->run, streams) : 0;
                return r < 0 ? sd_bus_error_setf(error, BERTH_ERROR_UNAVAILABLE,
                                                 "Container %s is being started, and its monitor does not answer (%s).",
                                                 c->name, strerror(-r))
                             : 0;
        }
        r = container_run_begin(c, streams, NULL, error);
        if (r < 0)
                return r;
        container_changed(c);
        return 0;
}

int container_start_service(Container *c, ServiceCaller *caller, sd_bus_error *error) {
        int r;

        if (c->remove_wanted)
                return sd_bus_error_setf(error, BERTH_ERROR_BUSY, "Container %s is being removed.", c->name);
        if (c->run) {
                r = container_run_welcome(c->run, caller);
                if (r == -EBUSY)
                        return sd_bus_error_setf(error, BERTH_ERROR_RUNNING, "Container %s is already running, in %s.",
                                                 c->name, c->unit);
                return r;
        }
        r = container_run_begin(c, NULL, caller, error);
        if (r < 0)
                return r == -EAGAIN ? -EBUSY : r;
        container_changed(c);
        return 0;
}

void container_rest(Container *c) {
        if (c->run || !container_unit_is_service(c->unit))
                return;
        container_service_park(c);
        container_service_retire(c->host, c->unit);
}

void container_stop(Container *c, int signo, int32_t timeout) {
        if (c->run)
                container_run_stop(c->run, signo, timeout);
}

int container_remove(Container *c, sd_bus_error *error) {
        _cleanup_(sd_bus_error_free) sd_bus_error gone = SD_BUS_ERROR_NULL;
        int r;

        r = discard_all(c);
        if (r < 0)
                return sd_bus_error_setf(error, BERTH_ERROR_UNAVAILABLE, "Container %s cannot be removed from %s: %s",
                                         c->name, c->host->statedir, strerror(-r));
        container_service_remove(c->name); /* what a crash leaves of it is swept up at the next start */
        container_rest(c);
        c->state = CONTAINER_REMOVING;
        c->host->removed(c->host, c);
        container_emit(c, "destroy", NULL);
        container_record_removed(c);
        container_wait_answer(c, WAIT_REMOVE, 0, NULL);
        container_wait_answer(c, WAIT_REMOVED, 0, NULL);
        container_wait_answer(c, WAIT_STOPPED, 0, NULL);
        container_wait_answer(c, WAIT_EXIT, 0, NULL);
        sd_bus_error_setf(&gone, BERTH_ERROR_NO_SUCH_CONTAINER, "Container %s was removed.", c->name);
        container_wait_fail_all(c, &gone);
        return 0;
}

/* Those who asked for a restart get it, unless somebody else asked for the end. */
static int restart(Container *c) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        c->restarting = true;
        r = container_start(c, NULL, &error);
        if (r < 0) {
                c->restarting = false;
                container_wait_answer(c, WAIT_RESTART, 0, &error);
        }
        return r;
}

void container_emit_die(Container *c) {
        char attribute[64];

        snprintf(attribute, sizeof(attribute), "exitCode=%i", c->result.exit_code);
        if (c->result.oom_killed && !c->oom_told) /* while we were not there */
                container_emit(c, "oom", NULL);
        c->oom_told = false;
        container_emit(c, "die", attribute);
}

void container_ended(Container *c, ContainerResult *result) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL, not_running = SD_BUS_ERROR_NULL,
                                               failed = SD_BUS_ERROR_NULL;
        bool died_before = c->state == CONTAINER_RESTARTING; /* and was to be started again, but is not */
        bool awaited = c->waiters || c->adopted;
        int r;

        container_result_done(&c->result);
        c->result = *result;
        *result = (ContainerResult) { 0 };
        c->state = c->result.started_usec > 0 ? CONTAINER_EXITED : CONTAINER_CREATED;
        c->pid = 0;
        if (c->ids_base > 0 && c->result.started_usec > 0)
                id_range_give_back(&c->host->spare_ids, c->ids_base);
        c->ids_base = 0;
        r = container_save_result(c);
        if (r < 0)
                log_error("container %s: its exit code %i cannot be kept in %s: %s", c->name, c->result.exit_code,
                          c->host->statedir, strerror(-r));
        container_service_ended(c);
        c->host->unit_ended(c->host);
        container_changed(c);
        if (c->result.started_usec > 0 && !died_before)
                container_emit_die(c);
        if (c->result.started_usec > 0 && c->result.stopped_by)
                container_emit(c, "stop", NULL);
        container_record_ended(c, c->result.journaled, c->result.log_lost);
        /* As long as the bundle is there, a later berthd tells all this once more, should we be killed before we could.
         * With --rm its exit.json also says that the container is to go. */
        if (r >= 0 && !c->settings.auto_remove) {
                (void) sd_bus_flush(c->host->bus);
                container_bundle_remove(c);
        }

        sd_bus_error_setf(&not_running, BERTH_ERROR_NOT_RUNNING, "Container %s is not running.", c->name);
        container_wait_answer(c, WAIT_STOPPED, 0, NULL);
        container_wait_answer(c, WAIT_EXIT, 0, NULL);
        container_wait_answer(c, WAIT_ACK, 0, died_before ? NULL : &not_running); /* a kill that ended the wait */
        if (c->restarting) { /* that was the restart, and it failed */
                c->restarting = false;
                sd_bus_error_setf(&failed, BERTH_ERROR_UNAVAILABLE, "Container %s could not be started again: %s",
                                  c->name, c->result.error ? c->result.error : "it ended at once");
                container_wait_answer(c, WAIT_RESTART, 0, &failed);
        }

        bool again = c->restart_wanted && !c->remove_wanted; /* also if who asked for it has left */
        c->restart_wanted = c->adopted = false;
        if (again && restart(c) >= 0)
                return;
        if (c->remove_wanted || c->settings.auto_remove) {
                if (awaited && remains_add(c->host->rundir, c->id, c->result.exit_code) < 0)
                        log_warning("container %s: who asks for its exit code again will not get it", c->name);
                if (container_remove(c, &error) < 0) {
                        log_error("%s", error.message);
                        c->remove_wanted = false;
                        container_wait_answer(c, WAIT_REMOVE, 0, &error);
                        container_wait_answer(c, WAIT_REMOVED, 0, &error);
                }
        }
}
