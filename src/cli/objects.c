/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects and their properties: see objects.h. */
#include "cli/objects.h"
#include "util/strv.h"

static int read_strings(sd_bus_message *m, char ***target) {
        char **v = NULL;
        int r = sd_bus_message_read_strv(m, &v);

        if (r < 0)
                return r;
        strv_free(*target);
        *target = v;
        return 0;
}

static int read_map(sd_bus_message *m, char ***target) {
        _cleanup_strv_ char **v = NULL;
        const char *key, *value;
        int r = sd_bus_message_enter_container(m, 'a', "{ss}");

        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0) {
                r = strv_extendf(&v, "%s=%s", key, value);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        strv_free(*target);
        *target = TAKE(v);
        return 0;
}

static int read_value(sd_bus_message *m, PropertyType type, void *member) {
        const char *s;
        int r;

        switch (type) {
        case PROPERTY_STRING:
                r = sd_bus_message_read(m, "s", &s);
                return r < 0 ? r : string_replace(member, s);
        case PROPERTY_STRV:
                return read_strings(m, member);
        case PROPERTY_MAP:
                return read_map(m, member);
        case PROPERTY_U32:
                return sd_bus_message_read(m, "u", member);
        case PROPERTY_I32:
                return sd_bus_message_read(m, "i", member);
        case PROPERTY_U64:
                return sd_bus_message_read(m, "t", member);
        }
        return -EINVAL;
}

static int read_property(sd_bus_message *m, const Property *properties, void *target) {
        static const char *const signatures[] = {
                [PROPERTY_STRING] = "s", [PROPERTY_STRV] = "as", [PROPERTY_MAP] = "a{ss}",
                [PROPERTY_U32] = "u",    [PROPERTY_I32] = "i",   [PROPERTY_U64] = "t",
        };
        const char *name;
        int r = sd_bus_message_read(m, "s", &name);

        if (r < 0)
                return r;
        for (const Property *p = properties; p->name; p++) {
                if (!streq(p->name, name))
                        continue;
                r = sd_bus_message_enter_container(m, 'v', signatures[p->type]);
                if (r >= 0)
                        r = read_value(m, p->type, (char *) target + p->offset);
                return r < 0 ? r : sd_bus_message_exit_container(m);
        }
        return sd_bus_message_skip(m, "v");
}

int properties_read(sd_bus_message *m, const Property *properties, void *target) {
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_property(m, properties, target);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

void properties_done(const Property *properties, void *target) {
        for (const Property *p = properties; p->name; p++) {
                void *member = (char *) target + p->offset;
                if (p->type == PROPERTY_STRING) {
                        free(*(char **) member);
                        *(char **) member = NULL;
                } else if (p->type == PROPERTY_STRV || p->type == PROPERTY_MAP)
                        *(char ***) member = strv_free(*(char ***) member);
        }
}

int properties_get(const char *path, const char *interface, const Property *properties, void *target,
                   sd_bus_error *error) {
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        r = bus_call_method(path, "org.freedesktop.DBus.Properties", "GetAll", &reply, error, "s", interface);
        if (r < 0)
                return r;
        r = properties_read(reply, properties, target);
        return r < 0 ? sd_bus_error_setf(error, SD_BUS_ERROR_INCONSISTENT_MESSAGE,
                                         "cannot read what berthd says about %s: %s", path, strerror(-r))
                     : 0;
}

typedef struct Objects {
        const char *interface;
        const Property *properties;
        size_t size, n, room;
        char *data;
} Objects;

static void *objects_grow(Objects *o) {
        if (o->n == o->room) {
                size_t room = o->room * 2 + 32;
                char *bigger = reallocarray(o->data, room, o->size);
                if (!bigger)
                        return NULL;
                o->data = bigger;
                o->room = room;
        }
        return memset(o->data + o->n++ * o->size, 0, o->size);
}

/* The interfaces of one object: a{sa{sv}}. */
static int read_interfaces(sd_bus_message *m, Objects *o) {
        const char *interface;
        int r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");

        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                r = sd_bus_message_read(m, "s", &interface);
                if (r >= 0 && streq(interface, o->interface)) {
                        void *object = objects_grow(o);
                        r = object ? properties_read(m, o->properties, object) : -ENOMEM;
                } else if (r >= 0)
                        r = sd_bus_message_skip(m, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_objects(sd_bus_message *m, Objects *o) {
        int r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");

        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
                r = sd_bus_message_skip(m, "o");
                if (r >= 0)
                        r = read_interfaces(m, o);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r;
}

int objects_get(const char *interface, const Property *properties, size_t object_size, void **ret, size_t *ret_n,
                sd_bus_error *error) {
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        Objects o = { .interface = interface, .properties = properties, .size = object_size };
        unsigned tries = 0;
        int r;

        do
                r = bus_call_method(BUS_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &reply, error,
                                    NULL);
        while (r < 0 && bus_ask_again(error, &tries));
        if (r < 0)
                return r;
        r = read_objects(reply, &o);
        if (r < 0) {
                objects_free(o.data, o.n, object_size, properties);
                return sd_bus_error_setf(error, SD_BUS_ERROR_INCONSISTENT_MESSAGE, "cannot read what berthd says: %s",
                                         strerror(-r));
        }
        *ret = o.data;
        *ret_n = o.n;
        return 0;
}

void *objects_free(void *objects, size_t n, size_t object_size, const Property *properties) {
        for (size_t i = 0; i < n; i++)
                properties_done(properties, (char *) objects + i * object_size);
        free(objects);
        return NULL;
}
