/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of berthd, read through a table of properties into structs. */
#pragma once

#include "cli/bus.h"

typedef enum PropertyType {
        PROPERTY_STRING, /* s: char ** */
        PROPERTY_STRV,   /* as: char *** */
        PROPERTY_MAP,    /* a{ss}: char *** of KEY=VALUE */
        PROPERTY_U32,    /* u: uint32_t * */
        PROPERTY_I32,    /* i: int32_t * */
        PROPERTY_U64,    /* t: uint64_t * */
} PropertyType;

typedef struct Property {
        const char *name; /* NULL ends a table */
        PropertyType type;
        size_t offset;
} Property;

/* Reads an a{sv}; properties that the table does not name are passed over, those that are missing leave the member
 * alone. -ENXIO: one has another type than the table says. */
int properties_read(sd_bus_message *m, const Property *properties, void *target);

/* Frees what the members hold. */
void properties_done(const Property *properties, void *target);

/* Properties.GetAll of one object. */
int properties_get(const char *path, const char *interface, const Property *properties, void *target,
                   sd_bus_error *error);

/* An array of all objects with this interface, in one call (GetManagedObjects). Free it with objects_free. */
int objects_get(const char *interface, const Property *properties, size_t object_size, void **ret, size_t *ret_n,
                sd_bus_error *error);
void *objects_free(void *objects, size_t n, size_t object_size, const Property *properties);
