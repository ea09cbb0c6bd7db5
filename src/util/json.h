/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON from outside and from our own files, read through tables of fields into structs, so that what is missing,
 * mistyped or too large is refused by name. Built on json-c. Numbers are integers; depth and size are bounded. */
#pragma once

#include <json-c/json.h>

#include "util/macro.h"

#define JSON_DEPTH_MAX 32

static inline void json_putp(json_object **o) {
        json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_putp)

/* Parses one whole JSON text. -EINVAL: malformed, or anything but blanks follows; -E2BIG: deeper than
 * JSON_DEPTH_MAX. */
int json_parse(const char *text, size_t size, json_object **ret);

/* Reads and parses a file of at most max bytes. */
int json_read_file(int dir_fd, const char *path, size_t max, json_object **ret);

typedef enum JsonFieldFlags {
        JSON_REQUIRED = 1 << 0, /* missing or null is -EINVAL; otherwise the member is left as it was */
} JsonFieldFlags;

/* Converts one value into a member of the struct. On failure nothing is kept. */
typedef int (*JsonConvert)(json_object *value, void *member);

typedef struct JsonField {
        const char *name;
        size_t offset;
        JsonConvert convert;
        JsonFieldFlags flags;
} JsonField;

#define JSON_FIELD(Type, member, name, convert, flags) { (name), offsetof(Type, member), (convert), (flags) }

/* Fills `target`. On an error `*ret_where` (may be NULL) is the name of the field at fault, or "" if this is no
 * object. */
int json_read_fields(json_object *object, const JsonField *fields, size_t n_fields, void *target,
                     const char **ret_where);

/* The usual conversions. Strings hold no NUL; the vectors replace what was there. `null` for a vector is an empty
 * one. */
int json_to_string(json_object *value, void *member);      /* char ** */
int json_to_strv(json_object *value, void *member);        /* char *** */
int json_to_map(json_object *value, void *member);         /* char ***, as KEY=VALUE */
int json_to_keys(json_object *value, void *member);        /* char ***, the keys of an object of any values */
int json_to_bool(json_object *value, void *member);        /* bool * */
int json_to_u32(json_object *value, void *member);         /* uint32_t * */
int json_to_u64(json_object *value, void *member);         /* uint64_t * */
int json_to_i32(json_object *value, void *member);         /* int32_t * */
int json_to_i64(json_object *value, void *member);         /* int64_t * */
int json_to_object(json_object *value, void *member);      /* json_object **, a reference */

/* Building. All take ownership of nothing but make what they add; -ENOMEM. NULL strings are left out. */
int json_add_string(json_object *object, const char *key, const char *value);
int json_add_strv(json_object *object, const char *key, char *const *value);
int json_add_map(json_object *object, const char *key, char *const *value); /* KEY=VALUE entries as an object */
int json_add_bool(json_object *object, const char *key, bool value);
int json_add_i64(json_object *object, const char *key, int64_t value);
/* Takes the reference, also on failure. */
int json_add_object(json_object *object, const char *key, json_object *value);

/* Looks up "A.B.C"; NULL if there is none. Borrowed. */
json_object *json_get(json_object *object, const char *path);
/* The same, as a string or NULL. Borrowed. */
const char *json_get_string(json_object *object, const char *path);

/* Writes compact JSON with fs_write_file. */
int json_write_file(int dir_fd, const char *path, json_object *object, unsigned mode, unsigned write_flags);
