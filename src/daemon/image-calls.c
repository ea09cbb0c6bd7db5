/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager's calls about images: LoadImage, ImportImage, which are answered when their job is done, and
 * RemoveImage. */
#include <stdio.h>

#include "container/bus-errors.h"
#include "daemon/image-bus.h"
#include "oci/reference.h"
#include "util/strv.h"
#include "wire/errors.h"

#define IMAGE_CALLS_MAX 64

struct ImageCall {
        Manager *manager;
        ImageCall *next, *previous;
        sd_bus_message *message;
        sd_bus_track *track; /* of the caller: a load whose caller has gone is given up */
        ImageJob *job;
        bool import;
        Caller caller;
};

static void call_free(ImageCall *c) {
        if (c->previous)
                c->previous->next = c->next;
        else
                c->manager->image_calls = c->next;
        if (c->next)
                c->next->previous = c->previous;
        if (c->job) {
                c->job = image_job_free(c->job);
                c->manager->host.trashed(&c->manager->host); /* its staging directory */
        }
        sd_bus_track_unref(c->track);
        sd_bus_message_unref(c->message);
        free(c);
}

void manager_free_image_calls(Manager *m) {
        while (m->image_calls)
                call_free(m->image_calls);
}

static int on_caller_gone(sd_bus_track *track, void *userdata) {
        call_free(userdata);
        return 0;
}

static int call_new(Manager *m, sd_bus_message *message, bool import, ImageCall **ret, sd_bus_error *error) {
        size_t n = 0;
        int r = 0;

        for (ImageCall *c = m->image_calls; c; c = c->next)
                n++;
        if (n >= IMAGE_CALLS_MAX)
                return sd_bus_error_set(error, BERTH_ERROR_BUSY, "Too many images are being loaded; try again later.");
        ImageCall *c = calloc(1, sizeof(ImageCall));
        if (!c)
                return -ENOMEM;
        c->manager = m;
        c->import = import;
        m->host.caller(&m->host, &c->caller);
        c->message = sd_bus_message_ref(message);
        c->next = m->image_calls;
        if (m->image_calls)
                m->image_calls->previous = c;
        m->image_calls = c;
        if (sd_bus_message_get_sender(message)) {
                r = sd_bus_track_new(m->host.bus, &c->track, on_caller_gone, c);
                if (r >= 0)
                        r = sd_bus_track_add_sender(c->track, message);
        }
        if (r < 0) {
                call_free(c);
                return r;
        }
        *ret = c;
        return 0;
}

static const char *job_error_name(int error) {
        static const struct { int error; const char *name; } names[] = {
                { -EBADMSG, BERTH_ERROR_BAD_ARCHIVE }, { -ENOSPC, BERTH_ERROR_NO_SPACE },
                { -EDQUOT,  BERTH_ERROR_NO_SPACE    },
                { -EINVAL,  BERTH_ERROR_BAD_OPTION  },
        };

        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (names[i].error == error)
                        return names[i].name;
        return BERTH_ERROR_UNAVAILABLE;
}

static int reply_loaded(ImageCall *c, const ImageLoaded *loaded, size_t n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        if (c->import)
                return sd_bus_reply_method_return(c->message, "s", n > 0 ? loaded[0].id : "");
        r = sd_bus_message_new_method_return(c->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ss)");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = sd_bus_message_append(reply, "(ss)", loaded[i].reference, loaded[i].id);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(c->manager->host.bus, reply, NULL);
}

static void on_job_done(int result, const char *text, const ImageLoaded *loaded, size_t n_loaded, void *userdata) {
        ImageCall *c = userdata;

        if (result < 0)
                (void) sd_bus_reply_method_errorf(c->message, job_error_name(result), "%s",
                                                  text ? text : strerror(-result));
        else
                (void) reply_loaded(c, loaded, n_loaded);
        for (size_t i = 0; result >= 0 && i < n_loaded; i++) {
                const char *action = c->import ? "import" : "load";
                manager_emit_image(c->manager, action, loaded[i].id, loaded[i].reference);
                manager_record_image(c->manager, action, loaded[i].id, loaded[i].reference, &c->caller);
        }
        call_free(c); /* and with it the job, whose staging goes then */
}

/* The options of the two calls. */
typedef struct LoadOptions {
        char **changes;
        const char *message;
} LoadOptions;

static void load_options_done(LoadOptions *o) {
        strv_free(o->changes);
}

static int read_load_options(sd_bus_message *message, bool import, LoadOptions *o, sd_bus_error *error) {
        const char *key;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = sd_bus_message_read(message, "s", &key);
                if (r < 0)
                        return r;
                if (import && streq(key, "changes") && !o->changes) {
                        r = sd_bus_message_enter_container(message, 'v', "as");
                        if (r >= 0)
                                r = sd_bus_message_read_strv(message, &o->changes);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(message);
                } else if (import && streq(key, "message"))
                        r = sd_bus_message_read(message, "v", "s", &o->message);
                else
                        return bus_refuse(error, BERTH_ERROR_BAD_OPTION,
                                          "There is no option \"%.64s\" here, or it is given twice.", key);
                if (r == -ENXIO)
                        return bus_refuse(error, BERTH_ERROR_BAD_OPTION,
                                          "The option \"%.64s\" has the wrong type.", key);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

int manager_method_load_image(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(load_options_done) LoadOptions o = { 0 };
        Manager *m = userdata;
        ImageCall *c;
        int fd, r;

        r = sd_bus_message_read(message, "h", &fd);
        if (r >= 0)
                r = read_load_options(message, false, &o, error);
        if (r < 0)
                return r;
        r = polkit_authorize(m->polkit, message, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = call_new(m, message, false, &c, error);
        if (r < 0)
                return r;
        r = image_load_start(m->host.images, m->host.units, fd, on_job_done, c, &c->job);
        if (r >= 0)
                return 1;
        call_free(c);
        return sd_bus_error_setf(error, job_error_name(r), "The image cannot be loaded: %s", strerror(-r));
}

int manager_method_import_image(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(load_options_done) LoadOptions o = { 0 };
        _cleanup_free_ char *why = NULL;
        Manager *m = userdata;
        const char *reference;
        ImageCall *c;
        int fd, r;

        r = sd_bus_message_read(message, "hs", &fd, &reference);
        if (r >= 0)
                r = read_load_options(message, true, &o, error);
        if (r < 0)
                return r;
        r = polkit_authorize(m->polkit, message, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = call_new(m, message, true, &c, error);
        if (r < 0)
                return r;
        r = image_import_start(m->host.images, m->host.units, fd, reference, o.changes, o.message, on_job_done, c,
                               &c->job, &why);
        if (r >= 0)
                return 1;
        call_free(c);
        return sd_bus_error_setf(error, job_error_name(r), "%s", why ? why : strerror(-r));
}

/* --- RemoveImage --- */

/* Is the image meant by one of its names, rather than by its id? The full name, or NULL. */
static int named_reference(const Image *image, const char *text, char **ret) {
        _cleanup_free_ char *full = NULL;
        int r;

        r = oci_reference_normalize(text, &full);
        *ret = r >= 0 && strv_contains(image->references, full) ? TAKE(full) : NULL;
        return r == -ENOMEM ? r : 0;
}

static Container *a_user_of(Manager *m, const Image *image, bool running) {
        for (Container *c = m->containers; c; c = c->next)
                if (streq(c->image_id, image->id) && (!running || c->run))
                        return c;
        return NULL;
}

static int check_removal(Manager *m, const Image *image, const char *name, bool force, sd_bus_error *error) {
        Container *running = a_user_of(m, image, true), *user = running ? running : a_user_of(m, image, false);
        size_t n = strv_length(image->references);

        if (name) {
                _cleanup_free_ char *shown = NULL;
                if (n > 1 || !user || force)
                        return 0;
                return sd_bus_error_setf(error, BERTH_ERROR_IMAGE_IN_USE,
                                         "conflict: unable to remove repository reference \"%s\" (must force) - "
                                         "container %.12s is using its "
                                         "referenced image %.12s",
                                         oci_reference_shorten(name, &shown) >= 0 ? shown : name, user->id, image->id);
        }
        if (user)
                return sd_bus_error_setf(error, BERTH_ERROR_IMAGE_IN_USE,
                                         "conflict: unable to delete %.12s (cannot be forced) - image is being used "
                                         "by %s container %.12s",
                                         image->id, running ? "running" : "stopped", user->id);
        if (n > 1 && !force)
                return sd_bus_error_setf(error, BERTH_ERROR_IMAGE_IN_USE,
                                         "conflict: unable to delete %.12s (must be forced) - image is referenced "
                                         "in multiple repositories",
                                         image->id);
        return 0;
}

/* By a name: that name goes, and with the last one the image, unless a container needs it. By its id: all of it
 * goes. */
static int remove_image(Manager *m, const Image *image, const char *name, sd_bus_message *reply) {
        bool only_name = name && (strv_length(image->references) > 1 || a_user_of(m, image, false));
        _cleanup_free_ char *id = NULL;
        _cleanup_strv_ char **gone = NULL;
        int r;

        if (asprintf(&id, "sha256:%s", image->id) < 0)
                return -ENOMEM;
        r = only_name ? strv_extend(&gone, name) : strv_copy(image->references, &gone);
        if (r >= 0)
                r = only_name ? image_store_untag(m->host.images, name) : image_store_delete(m->host.images, image->id);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ss)");
        for (char **g = gone; r >= 0 && g && *g; g++) {
                _cleanup_free_ char *shown = NULL;
                r = sd_bus_message_append(reply, "(ss)", "Untagged",
                                          oci_reference_shorten(*g, &shown) >= 0 ? shown : *g);
        }
        if (r >= 0 && !only_name)
                r = sd_bus_message_append(reply, "(ss)", "Deleted", id);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int manager_method_remove_image(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *name = NULL;
        const char *reference, *key;
        Manager *m = userdata;
        const Image *image;
        int force = false, r;

        r = sd_bus_message_read(message, "s", &reference);
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = sd_bus_message_read(message, "s", &key);
                if (r >= 0 && !streq(key, "force"))
                        return bus_refuse(error, BERTH_ERROR_BAD_OPTION, "There is no option \"%.64s\" here.",
                                          key);
                if (r >= 0)
                        r = sd_bus_message_read(message, "v", "b", &force);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        if (r < 0)
                return r;
        r = polkit_authorize(m->polkit, message, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        if ((r = manager_find_image(m, reference, &image, error)) < 0 ||
            (r = named_reference(image, reference, &name)) < 0 ||
            (r = check_removal(m, image, name, force, error)) < 0 ||
            (r = sd_bus_message_new_method_return(message, &reply)) < 0)
                return r;
        r = remove_image(m, image, name, reply);
        if (r < 0)
                return sd_bus_error_setf(error, r == -ENOSPC ? BERTH_ERROR_NO_SPACE : BERTH_ERROR_UNAVAILABLE,
                                         "The image %s cannot be removed: %s", reference, strerror(-r));
        m->host.trashed(&m->host); /* layers, if it was the last name */
        return sd_bus_send(m->host.bus, reply, NULL);
}
