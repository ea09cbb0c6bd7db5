/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images on the bus: the object org.berth1.Image. */
#include <stdio.h>

#include "container/bus-errors.h"
#include "daemon/image-bus.h"
#include "daemon/image-inspect.h"
#include "util/strv.h"
#include "wire/errors.h"

static int image_path(const char *id, char **ret) {
        return asprintf(ret, IMAGE_PATH_PREFIX "/%s", id) < 0 ? -ENOMEM : 0;
}

static int image_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                      sd_bus_error *error) {
        const char *id = object_id(path, IMAGE_PATH_PREFIX);
        Manager *m = userdata;
        const Image *image = id ? image_store_get(m->host.images, id) : NULL;

        if (!image)
                return 0;
        m->image_object = (ImageObject) { m, image };
        *ret_found = &m->image_object;
        return 1;
}

static int images_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
        _cleanup_strv_ char **nodes = NULL;
        Manager *m = userdata;
        int r;

        for (const Image *i = image_store_next(m->host.images, NULL); i; i = image_store_next(m->host.images, i)) {
                r = strv_extendf(&nodes, IMAGE_PATH_PREFIX "/%s", i->id);
                if (r < 0)
                        return r;
        }
        *ret_nodes = TAKE(nodes);
        return 0;
}

/* --- Methods --- */

static int method_tag(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        ImageObject *o = userdata;
        Manager *m = o->manager;
        const Image *image = o->image;
        const char *reference;
        int r;

        r = sd_bus_message_read(message, "s", &reference);
        if (r < 0)
                return r;
        r = polkit_authorize(m->polkit, message, POLKIT_MANAGE, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = image_store_tag(m->host.images, image, reference);
        if (r == -EINVAL)
                return bus_refuse(error, BERTH_ERROR_BAD_REFERENCE, "invalid reference format: \"%.256s\"",
                                  reference);
        if (r < 0)
                return sd_bus_error_setf(error, r == -ENOSPC ? BERTH_ERROR_NO_SPACE : BERTH_ERROR_UNAVAILABLE,
                                         "Cannot tag the image as %s: %s", reference, strerror(-r));
        return sd_bus_reply_method_return(message, NULL);
}

static int method_inspect(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_json_ json_object *object = NULL;
        ImageObject *o = userdata;
        const Image *image = o->image;
        int r;

        r = polkit_authorize(o->manager->polkit, message, POLKIT_INSPECT, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = image_inspect(image, &object);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(
                message, "s",
                json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* --- Properties --- */

static int get_id(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                  void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", ((ImageObject *) userdata)->image->id);
}

static int get_references(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append_strv(reply, ((ImageObject *) userdata)->image->references);
}

static int get_digest(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", ((ImageObject *) userdata)->image->manifest);
}

static int get_created(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "t", ((ImageObject *) userdata)->image->created_usec);
}

static int get_size(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                    void *userdata, sd_bus_error *error) {
        return sd_bus_message_append(reply, "t", ((ImageObject *) userdata)->image->size);
}

static int get_containers(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        ImageObject *o = userdata;

        return sd_bus_message_append(reply, "u", (uint32_t) manager_image_users(o->manager, o->image->id));
}

static int get_labels(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
                      void *userdata, sd_bus_error *error) {
        json_object *labels = json_get(((ImageObject *) userdata)->image->record, "config.Labels");
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{ss}");
        if (r >= 0 && json_object_is_type(labels, json_type_object)) {
                json_object_object_foreach(labels, key, value) {
                        r = sd_bus_message_append(reply, "{ss}", key, json_object_get_string(value));
                        if (r < 0)
                                break;
                }
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const sd_bus_vtable image_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Tag", SD_BUS_ARGS("s", reference), SD_BUS_NO_RESULT, method_tag,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inspect", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_inspect,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Id", "s", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("References", "as", get_references, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Digest", "s", get_digest, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Created", "t", get_created, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Size", "t", get_size, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Labels", "a{ss}", get_labels, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Containers", "u", get_containers, 0, 0), /* counted when asked */
        SD_BUS_VTABLE_END};

/* --- Changes --- */

/* That an image came in is told by the call that brought it, which knows how. */
static void on_image_changed(ImageChange change, const Image *image, const char *reference, void *userdata) {
        static const char *const actions[] = {
                [IMAGE_ADDED] = NULL, [IMAGE_TAGGED] = "tag", [IMAGE_UNTAGGED] = "untag", [IMAGE_DELETED] = "delete",
        };
        Manager *m = userdata;
        _cleanup_free_ char *path = NULL;
        Caller caller;

        if (image_path(image->id, &path) < 0)
                return;
        if (change == IMAGE_ADDED)
                (void) sd_bus_emit_object_added(m->host.bus, path);
        else if (change == IMAGE_DELETED)
                /* Not sd_bus_emit_object_removed: the store has forgotten the image already. */
                (void) sd_bus_emit_interfaces_removed(m->host.bus, path, IMAGE_INTERFACE, NULL);
        else
                (void) sd_bus_emit_properties_changed(m->host.bus, path, IMAGE_INTERFACE, "References", NULL);
        if (actions[change])
                manager_emit_image(m, actions[change], image->id, reference);
        if (change != IMAGE_DELETED)
                return;
        m->host.caller(&m->host, &caller);
        manager_record_image(m, "delete", image->id, image->references ? image->references[0] : NULL, &caller);
}

void manager_emit_image(Manager *m, const char *action, const char *id, const char *reference) {
        _cleanup_free_ char *full_id = NULL, *name = NULL;

        if (asprintf(&full_id, "sha256:%s", id) < 0 ||
            asprintf(&name, "name=%s", reference && *reference ? reference : full_id) < 0)
                return;
        m->host.emit(&m->host, "image", action, full_id, (char *[]) { name, NULL });
}

int manager_publish_images(Manager *m) {
        int r;

        image_store_watch(m->host.images, on_image_changed, m);
        r = sd_bus_add_fallback_vtable(m->host.bus, NULL, IMAGE_PATH_PREFIX, IMAGE_INTERFACE, image_vtable, image_find,
                                       m);
        return r < 0 ? r : sd_bus_add_node_enumerator(m->host.bus, NULL, IMAGE_PATH_PREFIX, images_enumerate, m);
}
