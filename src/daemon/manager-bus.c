/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The D-Bus face of the Manager: org.berth1.Manager, and what makes containers objects of the bus. */
#include <stdio.h>

#include "config.h"
#include "container/bus-bounds.h"
#include "container/client-streams.h"
#include "container/container-service.h"
#include "container/remains.h"
#include "daemon/image-bus.h"
#include "oci/descriptor.h"
#include "util/io.h"
#include "util/log.h"
#include "util/strv.h"
#include "wire/errors.h"

/* The last element is the id, or, escaped, whatever else GetContainer takes: who has the name asks once, and nothing
 * can happen between the finding and the call. */
static int container_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                          sd_bus_error *error) {
        const char *id = object_id(path, CONTAINER_PATH_PREFIX);
        Container *c = id ? manager_container_by_id(userdata, id) : NULL;
        _cleanup_free_ char *reference = NULL;
        int r;

        if (id && !c)
                return sd_bus_error_setf(error, BERTH_ERROR_NO_SUCH_CONTAINER, "No such container: %.12s", id);
        if (!c) {
                r = sd_bus_path_decode(path, CONTAINER_PATH_PREFIX, &reference);
                if (r > 0 && *reference) /* not the node above them */
                        r = manager_find_container(userdata, reference, &c, error);
                if (r < 0 || !c)
                        return MIN_OF(r, 0);
        }
        *ret_found = c;
        return 1;
}

static int containers_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                                sd_bus_error *error) {
        Manager *m = userdata;
        size_t n = 0;

        for (Container *c = m->containers; c; c = c->next)
                n++;
        _cleanup_strv_ char **nodes = calloc(n + 1, sizeof(char *));
        if (!nodes)
                return -ENOMEM;
        n = 0;
        for (Container *c = m->containers; c; c = c->next) {
                int r = container_bus_path(c, &nodes[n++]);
                if (r < 0)
                        return r;
        }
        *ret_nodes = TAKE(nodes);
        return 0;
}

/* --- CreateContainer, Run --- */

static int check_assignments(const char *what, char *const *v, sd_bus_error *error) {
        if (strv_length(v) <= BUS_ASSIGNMENTS_MAX)
                return 0;
        return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "More than %d %s.", BUS_ASSIGNMENTS_MAX, what);
}

static int read_settings(sd_bus_message *message, ContainerSettings *s, sd_bus_error *error) {
        _cleanup_free_ char *why = NULL;
        const char *image;
        int r;

        r = sd_bus_message_read(message, "s", &image);
        if (r < 0)
                return r;
        r = container_settings_from_bus(message, s, &why);
        if (r >= 0)
                r = string_replace(&s->image, image);
        if (r >= 0)
                r = container_settings_validate(s, &why);
        if (r < 0 && why)
                return sd_bus_error_setf(error, BERTH_ERROR_BAD_OPTION, "%s", why);
        if (r >= 0)
                r = check_assignments("environment variables", s->env, error);
        return r < 0 ? r : check_assignments("labels", s->labels, error);
}

/* What the one who creates should know: the program may not run here, and will not say why. In Docker's words. */
static int append_warnings(sd_bus_message *reply, Manager *m, const Container *c) {
        const Image *image = image_store_get(m->host.images, c->image_id);
        const char *os = image ? json_get_string(image->record, "os") : NULL,
                   *architecture = image ? json_get_string(image->record, "architecture") : NULL,
                   *variant = image ? json_get_string(image->record, "variant") : NULL;
        OciPlatform platform = { .os = (char *) os, .architecture = (char *) architecture };
        _cleanup_free_ char *text = NULL;
        char *warnings[] = { NULL, NULL };

        if (!oci_platform_is_host(&platform)) {
                bool has_variant = variant && *variant;
                if (asprintf(&text,
                             "The requested image's platform (%s/%s%s%s) does not match the detected host platform "
                             "(linux/%s) and no specific platform was requested",
                             os ? os : "linux", architecture ? architecture : "unknown", has_variant ? "/" : "",
                             has_variant ? variant : "", oci_host_architecture()) < 0)
                        return -ENOMEM;
                warnings[0] = text;
        }
        return sd_bus_message_append_strv(reply, warnings);
}

/* fd: -EBADF: CreateContainer, which has none to give. */
static int reply_created(sd_bus_message *message, Manager *m, const Container *c, int fd) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = container_bus_path(c, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "os", path, c->id);
        if (r >= 0 && fd >= 0)
                r = sd_bus_message_append(reply, "h", fd);
        if (r >= 0)
                r = append_warnings(reply, m, c);
        return r < 0 ? r : sd_bus_send(m->host.bus, reply, NULL);
}

static void prepare_service(const Container *c) {
        int r = container_service_prepare(c);

        if (r < 0)
                log_warning("container %s: its limits cannot be written to %s: %s", c->name, BERTH_SYSTEMUNITDIR,
                            strerror(-r));
}

static int method_create_container(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(container_settings_done) ContainerSettings settings;
        Manager *m = userdata;
        Container *c;
        int r;

        container_settings_init(&settings);
        r = read_settings(message, &settings, error);
        if (r < 0)
                return r;
        r = polkit_authorize(m->polkit, message, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = manager_create(m, &settings, &c, error);
        if (r < 0)
                return r;
        prepare_service(c);
        return reply_created(message, m, c, -EBADF);
}

static int method_run(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(client_streams_done) ClientStreams streams = CLIENT_STREAMS_NONE;
        _cleanup_(container_settings_done) ContainerSettings settings;
        Manager *m = userdata;
        Container *c;
        int r;

        container_settings_init(&settings);
        r = read_settings(message, &settings, error);
        if (r >= 0)
                r = client_streams_read(message, &streams, error);
        if (r >= 0 && !settings.attach) /* what somebody brings is what it is attached to */
                r = client_streams_names(&streams, &settings.attach);
        if (r < 0)
                return r;
        if (!settings.interactive)
                streams.fds[0] = fd_close(streams.fds[0]);
        r = polkit_authorize(m->polkit, message, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        _cleanup_close_ int client_fd = client_streams_open(&streams);
        if (client_fd < 0)
                return client_fd;
        r = manager_create(m, &settings, &c, error);
        if (r < 0)
                return r;
        r = container_start(c, &streams, error);
        if (r < 0) {
                /* As with Docker, what was made for a run that could not begin stays, except with --rm. */
                if (c->settings.auto_remove)
                        (void) container_remove(c, NULL);
                return r;
        }
        if (!c->settings.auto_remove) /* else no service comes after this run */
                prepare_service(c);
        return reply_created(message, m, c, client_fd);
}

/* --- Lookups: no more than the object paths that everybody can list --- */

static int method_get_container(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *path = NULL;
        const char *reference;
        Container *c;
        int r;

        r = sd_bus_message_read(message, "s", &reference);
        if (r >= 0)
                r = manager_find_container(userdata, reference, &c, error);
        if (r >= 0)
                r = container_bus_path(c, &path);
        return r < 0 ? r : sd_bus_reply_method_return(message, "o", path);
}

static int method_get_image(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_free_ char *path = NULL;
        const char *reference;
        const Image *image;
        int r;

        r = sd_bus_message_read(message, "s", &reference);
        if (r >= 0)
                r = manager_find_image(userdata, reference, &image, error);
        if (r < 0)
                return r;
        if (asprintf(&path, IMAGE_PATH_PREFIX "/%s", image->id) < 0)
                return -ENOMEM;
        return sd_bus_reply_method_return(message, "o", path);
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", BERTH_VERSION);
}

#define CALL SD_BUS_VTABLE_UNPRIVILEGED /* polkit decides */

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("CreateContainer", SD_BUS_ARGS("s", image, "a{sv}", options),
                                SD_BUS_RESULT("o", container, "s", id, "as", warnings), method_create_container, CALL),
        SD_BUS_METHOD_WITH_ARGS("Run", SD_BUS_ARGS("s", image, "a{sv}", options, "a{sh}", streams),
                                SD_BUS_RESULT("o", container, "s", id, "h", control, "as", warnings), method_run, CALL),
        SD_BUS_METHOD_WITH_ARGS("GetContainer", SD_BUS_ARGS("s", reference), SD_BUS_RESULT("o", container),
                                method_get_container, CALL),
        SD_BUS_METHOD_WITH_ARGS("GetImage", SD_BUS_ARGS("s", reference), SD_BUS_RESULT("o", image), method_get_image,
                                CALL),
        SD_BUS_METHOD_WITH_ARGS("LoadImage", SD_BUS_ARGS("h", archive, "a{sv}", options),
                                SD_BUS_RESULT("a(ss)", images), manager_method_load_image, CALL),
        SD_BUS_METHOD_WITH_ARGS("ImportImage", SD_BUS_ARGS("h", archive, "s", reference, "a{sv}", options),
                                SD_BUS_RESULT("s", id), manager_method_import_image, CALL),
        SD_BUS_METHOD_WITH_ARGS("RemoveImage", SD_BUS_ARGS("s", reference, "a{sv}", options),
                                SD_BUS_RESULT("a(ss)", changes), manager_method_remove_image, CALL),
        SD_BUS_SIGNAL_WITH_ARGS(
                "Event", SD_BUS_ARGS("s", type, "s", action, "s", id, "a{ss}", attributes, "t", realtime_usec), 0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_VTABLE_END};

/* --- What holds for every call --- */

/* Properties hold command lines and labels, and people put passwords there: who asks is asked about as with Inspect.
 * What /org/berth1 itself has, everybody may know. */
static bool asks_for_settings(sd_bus_message *message) {
        return sd_bus_message_is_method_call(message, "org.freedesktop.DBus.ObjectManager", NULL) > 0 ||
               (sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", NULL) > 0 &&
                !streq(sd_bus_message_get_path(message), MANAGER_PATH));
}

/* A container that was found a moment ago may have gone since. Wait gets its answer if that is still known. */
static int refuse_unknown(Manager *m, sd_bus_message *message, sd_bus_error *error) {
        const char *id = object_id(sd_bus_message_get_path(message), CONTAINER_PATH_PREFIX);
        int32_t code;
        int r;

        if (!id || manager_container_by_id(m, id))
                return 0;
        if (sd_bus_message_is_method_call(message, CONTAINER_INTERFACE, "Wait") > 0 &&
            sd_bus_message_has_signature(message, "s") && remains_get(m->host.rundir, id, &code) >= 0) {
                r = polkit_authorize(m->polkit, message, POLKIT_INSPECT, error);
                if (r > 0)
                        r = sd_bus_reply_method_return(message, "i", code);
                return r < 0 ? r : 1;
        }
        if (sd_bus_message_is_method_call(message, CONTAINER_INTERFACE, NULL) > 0 ||
            sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", NULL) > 0)
                return sd_bus_error_setf(error, BERTH_ERROR_NO_SUCH_CONTAINER, "No such container: %s", id);
        return 0;
}

/* Before a call is handled, and again before it is handled with polkit's answer. */
static int on_call(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        int r;

        if (!sd_bus_message_is_method_call(message, NULL, NULL))
                return 0;
        polkit_dispatching(m->polkit, message);
        r = bus_message_check_bounds(message, error);
        if (r >= 0)
                r = refuse_unknown(m, message, error);
        if (r != 0 || !asks_for_settings(message))
                return r;
        if (r >= 0)
                r = polkit_authorize(m->polkit, message, POLKIT_INSPECT, error);
        return r < 0 ? r : r == 0; /* asked: that is all for now */
}

int manager_publish(Manager *m) {
        sd_bus *bus = m->host.bus;
        int r;

        if ((r = sd_bus_add_filter(bus, NULL, on_call, m)) < 0 ||
            (r = sd_bus_add_object_manager(bus, NULL, MANAGER_PATH)) < 0 ||
            (r = sd_bus_add_object_vtable(bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, manager_vtable, m)) < 0 ||
            (r = sd_bus_add_fallback_vtable(bus, NULL, CONTAINER_PATH_PREFIX, CONTAINER_INTERFACE, container_vtable,
                                            container_find, m)) < 0 ||
            (r = sd_bus_add_node_enumerator(bus, NULL, CONTAINER_PATH_PREFIX, containers_enumerate, m)) < 0)
                return r;
        return manager_publish_images(m);
}
