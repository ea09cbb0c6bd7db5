/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager: see manager.h. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "container/bus-errors.h"
#include "container/container-logs.h"
#include "container/container-names.h"
#include "container/container-record.h"
#include "container/container-unit.h"
#include "container/record.h"
#include "container/spawn-client.h"
#include "daemon/manager.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/errors.h"
#include "wire/message-ids.h"

#define NAME_ATTEMPTS_MAX 16
#define TRASH_SLICE 256                  /* entries between two looks at what else is to be done */
#define LOG_LINK_DELAY_USEC (10 * 1000000u) /* what a monitor sent last is still on its way through journald */

static Manager *manager_of(ContainerHost *host) {
        return (Manager *) host;
}

/* --- Finding --- */

Container *manager_container_by_id(Manager *m, const char *id) {
        for (Container *c = m->containers; c; c = c->next)
                if (streq(c->id, id))
                        return c;
        return NULL;
}

Container *manager_container_by_name(Manager *m, const char *name) {
        for (Container *c = m->containers; c; c = c->next)
                if (streq(c->name, name))
                        return c;
        return NULL;
}

int manager_find_container(Manager *m, const char *reference, Container **ret, sd_bus_error *error) {
        const char *text = *reference == '/' ? reference + 1 : reference; /* as inspect shows names */
        Container *found = manager_container_by_name(m, text);

        if (!found && container_id_is_prefix(text))
                for (Container *c = m->containers; c; c = c->next) {
                        if (!startswith(c->id, text))
                                continue;
                        if (found)
                                return sd_bus_error_setf(error, BERTH_ERROR_AMBIGUOUS,
                                                         "Multiple IDs found with provided prefix: %s", text);
                        found = c;
                }
        if (!found)
                return bus_refuse(error, BERTH_ERROR_NO_SUCH_CONTAINER, "No such container: %.128s", reference);
        *ret = found;
        return 0;
}

int manager_find_image(Manager *m, const char *reference, const Image **ret, sd_bus_error *error) {
        int r = image_store_find(m->host.images, reference, ret);

        switch (r) {
        case -ENOENT:
                return bus_refuse(error, BERTH_ERROR_NO_SUCH_IMAGE, "No such image: %.256s", reference);
        case -ENOTUNIQ:
                return bus_refuse(error, BERTH_ERROR_AMBIGUOUS,
                                  "Multiple IDs found with provided prefix: %.128s", reference);
        case -EINVAL:
                return bus_refuse(error, BERTH_ERROR_BAD_REFERENCE, "invalid reference format: \"%.256s\"",
                                  reference);
        }
        return r < 0 ? r : 0;
}

size_t manager_image_users(Manager *m, const char *image_id) {
        size_t n = 0;

        for (Container *c = m->containers; c; c = c->next)
                n += streq(c->image_id, image_id);
        return n;
}

const char *object_id(const char *path, const char *prefix) {
        const char *rest = startswith(path, prefix);

        return rest && *rest == '/' && container_id_is_valid(rest + 1) ? rest + 1 : NULL;
}

/* --- What containers ask of us --- */

static int host_authorize(ContainerHost *host, sd_bus_message *message, const char *action, sd_bus_error *error) {
        return polkit_authorize(manager_of(host)->polkit, message, action, error);
}

/* What a call to an object is about, for polkit's question: a container's name has no characters that could mislead. */
static const char *subject_of(sd_bus_message *message, void *userdata) {
        const char *path = sd_bus_message_get_path(message), *id = path ? object_id(path, CONTAINER_PATH_PREFIX) : NULL;
        Container *c = id ? manager_container_by_id(userdata, id) : NULL;

        return c ? c->name : NULL;
}

static void host_caller(ContainerHost *host, Caller *ret) {
        polkit_caller(manager_of(host)->polkit, ret);
}

static void host_emit(ContainerHost *host, const char *type, const char *action, const char *id,
                      char *const *attributes) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
        struct timespec now;
        int r;

        clock_gettime(CLOCK_REALTIME, &now);
        r = sd_bus_message_new_signal(host->bus, &signal, MANAGER_PATH, MANAGER_INTERFACE, "Event");
        if (r >= 0)
                r = sd_bus_message_append(signal, "sss", type, action, id);
        if (r >= 0)
                r = sd_bus_message_open_container(signal, 'a', "{ss}");
        for (; r >= 0 && attributes && *attributes; attributes++) {
                size_t n = strcspn(*attributes, "=");
                _cleanup_free_ char *key = strndup(*attributes, n);
                r = key ? sd_bus_message_append(signal, "{ss}", key, (*attributes)[n] ? *attributes + n + 1 : "")
                        : -ENOMEM;
        }
        if (r >= 0)
                r = sd_bus_message_close_container(signal);
        if (r >= 0)
                r = sd_bus_message_append(signal, "t", (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000);
        if (r >= 0)
                r = sd_bus_send(host->bus, signal, NULL);
        if (r < 0)
                log_warning("an event (%s %s) could not be sent: %s", type, action, strerror(-r));
}

static void free_removed(Manager *m) {
        while (m->removed) {
                Container *c = m->removed;
                m->removed = c->next;
                container_free(c);
        }
}

static int on_free(sd_event_source *source, void *userdata) {
        free_removed(userdata);
        return 0;
}

static void host_removed(ContainerHost *host, Container *c) {
        Manager *m = manager_of(host);
        _cleanup_free_ char *path = NULL;

        if (container_bus_path(c, &path) >= 0)
                (void) sd_bus_emit_object_removed(host->bus, path); /* while it can still be found */
        if (c->previous)
                c->previous->next = c->next;
        else
                m->containers = c->next;
        if (c->next)
                c->next->previous = c->previous;
        c->previous = NULL;
        c->next = m->removed;
        m->removed = c;
        (void) sd_event_source_set_enabled(m->free_source, SD_EVENT_ONESHOT);
}

static int host_check_name(ContainerHost *host, const char *name, sd_bus_error *error) {
        Container *other = manager_container_by_name(manager_of(host), name);

        if (!other)
                return 0;
        return sd_bus_error_setf(error, BERTH_ERROR_NAME_IN_USE,
                                 "Conflict. The container name \"/%s\" is already in use by container \"%s\". "
                                 "You have to remove (or rename) that container to be able to reuse that name.",
                                 name, other->id);
}

static bool host_ids_in_use(ContainerHost *host, uint32_t base) {
        for (Container *c = manager_of(host)->containers; c; c = c->next)
                if (c->ids_base == base)
                        return true;
        return false;
}

static bool host_unit_in_use(ContainerHost *host, const char *unit) {
        for (Container *c = manager_of(host)->containers; c; c = c->next)
                if (c->run && c->unit && streq(c->unit, unit))
                        return true;
        return false;
}

/* --- Idle work --- */

static int on_trash(sd_event_source *source, void *userdata) {
        Manager *m = userdata;
        int r = fs_remove_some(m->trash_fd, TRASH_SLICE);

        if (r < 0)
                log_warning("%s/trash cannot be emptied: %s", m->host.statedir, strerror(-r));
        return r > 0 ? 0 : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static void host_trashed(ContainerHost *host) {
        (void) sd_event_source_set_enabled(manager_of(host)->trash_source, SD_EVENT_ON);
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;

        if (!container_unit_sweep_log_links(&m->host))
                m->host.unit_ended(&m->host); /* later, then */
        return 0;
}

/* One timer for all that end until it fires. */
static void host_unit_ended(ContainerHost *host) {
        Manager *m = manager_of(host);
        int enabled;

        if (sd_event_source_get_enabled(m->sweep_source, &enabled) < 0 || enabled != SD_EVENT_OFF)
                return;
        (void) sd_event_source_set_time_relative(m->sweep_source, LOG_LINK_DELAY_USEC);
        (void) sd_event_source_set_enabled(m->sweep_source, SD_EVENT_ONESHOT);
}

static int add_idle_sources(Manager *m) {
        sd_event *e = m->host.event;
        int r;

        if ((r = sd_event_add_defer(e, &m->free_source, on_free, m)) < 0 ||
            (r = sd_event_source_set_enabled(m->free_source, SD_EVENT_OFF)) < 0 ||
            (r = sd_event_add_defer(e, &m->trash_source, on_trash, m)) < 0 ||
            (r = sd_event_source_set_priority(m->trash_source, SD_EVENT_PRIORITY_IDLE)) < 0 ||
            (r = sd_event_source_set_enabled(m->trash_source, SD_EVENT_ON)) < 0 ||
            (r = sd_event_add_time_relative(e, &m->sweep_source, CLOCK_MONOTONIC, LOG_LINK_DELAY_USEC, 1000000,
                                            on_sweep, m)) < 0)
                return r;
        return sd_event_source_set_priority(m->sweep_source, SD_EVENT_PRIORITY_IDLE);
}

/* --- Life --- */

static int make_dirs(Manager *m) {
        static const char *const in_state[] = { "containers", "trash" };
        _cleanup_free_ char *bundles = NULL, *spawn = NULL, *trash = NULL;
        int r;

        for (size_t i = 0; i < N_ELEMENTS(in_state); i++) {
                _cleanup_free_ char *path = NULL;
                if (asprintf(&path, "%s/%s", m->host.statedir, in_state[i]) < 0)
                        return -ENOMEM;
                r = fs_mkdir_all(path, 0700);
                if (r < 0)
                        return r;
        }
        if (asprintf(&bundles, "%s/containers", m->host.rundir) < 0 ||
            asprintf(&spawn, "%s/spawn.sock", m->host.rundir) < 0 || asprintf(&trash, "%s/trash", m->host.statedir) < 0)
                return -ENOMEM;
        r = fs_mkdir_all(bundles, 0700);
        if (r < 0)
                return r;
        m->trash_fd = fs_open_dir(AT_FDCWD, trash);
        return m->trash_fd < 0 ? m->trash_fd : spawn_client_new(m->host.event, spawn, &m->host.spawn);
}

int manager_new(sd_event *event, sd_bus *bus, const char *statedir, const char *rundir, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = calloc(1, sizeof(Manager));
        int r;

        if (!m)
                return -ENOMEM;
        m->trash_fd = -EBADF;
        m->host = (ContainerHost) {
                .bus = sd_bus_ref(bus), .event = sd_event_ref(event), .statedir = statedir, .rundir = rundir,
                .authorize = host_authorize, .caller = host_caller, .emit = host_emit, .removed = host_removed,
                .unit_ended = host_unit_ended, .trashed = host_trashed,
                .check_name = host_check_name, .ids_in_use = host_ids_in_use, .unit_in_use = host_unit_in_use,
        };
        if ((r = make_dirs(m)) < 0 ||
            (r = polkit_new(bus, &m->polkit)) < 0 ||
            (r = records_new(event, JOURNAL_SOCKET, &m->host.records)) < 0 ||
            (r = unit_manager_new(bus, &m->host.units)) < 0 ||
            (r = image_store_new(statedir, &m->host.images)) < 0 ||
            (r = log_limit_new(&m->host, &m->log_limit)) < 0 ||
            (r = add_idle_sources(m)) < 0)
                return r;
        polkit_set_subject(m->polkit, subject_of, m);
        *ret = TAKE(m);
        return 0;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;
        manager_free_image_calls(m);
        container_logs_forget(&m->host);
        log_limit_free(m->log_limit);
        while (m->containers) {
                Container *c = m->containers;
                m->containers = c->next;
                container_free(c);
        }
        free_removed(m);
        sd_event_source_disable_unref(m->free_source);
        sd_event_source_disable_unref(m->trash_source);
        sd_event_source_disable_unref(m->sweep_source);
        records_free(m->host.records);
        polkit_free(m->polkit);
        spawn_client_free(m->host.spawn);
        unit_manager_free(m->host.units);
        image_store_free(m->host.images);
        fd_close(m->trash_fd);
        sd_event_unref(m->host.event);
        sd_bus_unref(m->host.bus);
        free(m);
        return NULL;
}

void manager_add(Manager *m, Container *c) {
        c->next = m->containers;
        if (m->containers)
                m->containers->previous = c;
        m->containers = c;
}

static int give_name(Manager *m, ContainerSettings *settings, sd_bus_error *error) {
        if (settings->name)
                return host_check_name(&m->host, settings->name, error);
        for (unsigned attempt = 0; attempt < NAME_ATTEMPTS_MAX; attempt++) {
                int r = container_name_generate(attempt, &settings->name);
                if (r < 0)
                        return r;
                if (!manager_container_by_name(m, settings->name))
                        return 0;
                free(TAKE(settings->name));
        }
        return sd_bus_error_set(error, BERTH_ERROR_NAME_IN_USE, "No name could be found that is not in use; give one.");
}

static int find_image_for(Manager *m, const ContainerSettings *s, const Image **ret, sd_bus_error *error) {
        int r;

        if (s->pull && streq(s->pull, "always"))
                return sd_bus_error_set(error, BERTH_ERROR_BAD_OPTION,
                                        "--pull always: this version of berth has no registry client; "
                                        "load the image with \"berth load\".");
        r = image_store_find(m->host.images, s->image, ret);
        if (r == -ENOENT) {
                bool tagged = strchr(s->image, '@') ||
                              strchr(strrchr(s->image, '/') ? strrchr(s->image, '/') : s->image, ':');
                return bus_refuse(error, BERTH_ERROR_NO_SUCH_IMAGE, "Unable to find image '%.256s%s' locally",
                                  s->image, tagged ? "" : ":latest");
        }
        return r < 0 ? manager_find_image(m, s->image, ret, error) : 0;
}

int manager_create(Manager *m, ContainerSettings *settings, Container **ret, sd_bus_error *error) {
        _cleanup_(container_freep) Container *c = NULL;
        _cleanup_free_ char *path = NULL;
        const Image *image;
        int r;

        if ((r = find_image_for(m, settings, &image, error)) < 0 || (r = give_name(m, settings, error)) < 0)
                return r;
        r = container_new(&m->host, settings, image, &c);
        if (r < 0)
                return r;
        r = container_create(c, error);
        if (r < 0)
                return r;
        r = container_bus_path(c, &path);
        if (r < 0)
                return r;
        *ret = c;
        manager_add(m, TAKE(c));
        (void) sd_bus_emit_object_added(m->host.bus, path);
        container_emit(*ret, "create", NULL);
        container_record_created(*ret);
        return 0;
}

bool manager_is_busy(const Manager *m, bool running) {
        if (m->image_calls || polkit_is_busy(m->polkit) || log_limit_is_busy(m->log_limit) || m->removed || records_pending(m->host.records))
                return true;
        if (running && m->host.log_workers) /* else their number would be forgotten */
                return true;
        for (Container *c = m->containers; c; c = c->next)
                if (c->waiters || c->state == CONTAINER_STARTING || (running && c->run))
                        return true;
        return false;
}
