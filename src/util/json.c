/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON by tables of fields: see json.h. */
#include <limits.h>
#include <string.h>

#include "util/fs.h"
#include "util/json.h"
#include "util/strv.h"
#include "util/utf8.h"

int json_parse(const char *text, size_t size, json_object **ret) {
        json_tokener *tokener;
        int r = 0;

        if (size > INT_MAX)
                return -EFBIG;
        /* json-c lets overlong forms and surrogates pass, and D-Bus would refuse the whole message that has one. A NUL
         * ends this check, but is an error below. */
        _cleanup_free_ char *whole = strndup(text, size);
        if (!whole)
                return -ENOMEM;
        if (!utf8_is_valid(whole))
                return -EINVAL;
        tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
        if (!tokener)
                return -ENOMEM;
        json_tokener_set_flags(tokener,
                               JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 | JSON_TOKENER_ALLOW_TRAILING_CHARS);
        json_object *object = json_tokener_parse_ex(tokener, text, (int) size);
        enum json_tokener_error error = json_tokener_get_error(tokener);
        size_t end = json_tokener_get_parse_end(tokener);
        if (error == json_tokener_continue) { /* a bare number is complete only when something follows it */
                json_object_put(object);
                object = json_tokener_parse_ex(tokener, "", 1);
                error = json_tokener_get_error(tokener);
                end = size;
        }
        if (error == json_tokener_error_depth)
                r = -E2BIG;
        else if (error != json_tokener_success)
                r = -EINVAL;
        json_tokener_free(tokener);
        for (; r == 0 && end < size; end++)
                if (!strchr(" \t\r\n", text[end]) || !text[end])
                        r = -EINVAL;
        if (r < 0) {
                json_object_put(object);
                return r;
        }
        *ret = object;
        return 0;
}

int json_read_file(int dir_fd, const char *path, size_t max, json_object **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = fs_read_file(dir_fd, path, max, &text, &size);
        if (r < 0)
                return r;
        return json_parse(text, size, ret);
}

int json_read_fields(json_object *object, const JsonField *fields, size_t n_fields, void *target,
                     const char **ret_where) {
        if (ret_where)
                *ret_where = "";
        if (!json_object_is_type(object, json_type_object))
                return -EINVAL;
        for (size_t i = 0; i < n_fields; i++) {
                json_object *value = NULL;
                int r = 0;

                if (json_object_object_get_ex(object, fields[i].name, &value) && value)
                        r = fields[i].convert(value, (char *) target + fields[i].offset);
                else if (fields[i].flags & JSON_REQUIRED)
                        r = -EINVAL;
                if (r < 0) {
                        if (ret_where)
                                *ret_where = fields[i].name;
                        return r;
                }
        }
        return 0;
}

/* The value as a C string, or NULL if it is none or has a NUL inside. */
static const char *plain_string(json_object *value) {
        if (!json_object_is_type(value, json_type_string))
                return NULL;
        const char *s = json_object_get_string(value);
        return strlen(s) == (size_t) json_object_get_string_len(value) ? s : NULL;
}

int json_to_string(json_object *value, void *member) {
        const char *s = plain_string(value);
        return s ? string_replace(member, s) : -EINVAL;
}

int json_to_strv(json_object *value, void *member) {
        _cleanup_strv_ char **v = NULL;
        char ***target = member;

        if (!json_object_is_type(value, json_type_array))
                return -EINVAL;
        size_t n = json_object_array_length(value);
        v = calloc(n + 1, sizeof(char *));
        if (!v)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const char *s = plain_string(json_object_array_get_idx(value, i));
                if (!s)
                        return -EINVAL;
                v[i] = strdup(s);
                if (!v[i])
                        return -ENOMEM;
        }
        strv_free(*target);
        *target = TAKE(v);
        return 0;
}

static int object_to_strv(json_object *value, bool with_values, char ***target) {
        _cleanup_strv_ char **v = NULL;
        size_t i = 0;

        if (!json_object_is_type(value, json_type_object))
                return -EINVAL;
        v = calloc((size_t) json_object_object_length(value) + 1, sizeof(char *));
        if (!v)
                return -ENOMEM;
        json_object_object_foreach(value, key, item) {
                const char *s = with_values ? plain_string(item) : NULL;
                if (with_values && (!s || strchr(key, '=')))
                        return -EINVAL;
                size_t n = strlen(key), m = s ? strlen(s) + 1 : 0;
                v[i] = malloc(n + m + 1);
                if (!v[i])
                        return -ENOMEM;
                memcpy(v[i], key, n + 1);
                if (s) {
                        v[i][n] = '=';
                        memcpy(v[i] + n + 1, s, m);
                }
                i++;
        }
        strv_free(*target);
        *target = TAKE(v);
        return 0;
}

int json_to_map(json_object *value, void *member) {
        return object_to_strv(value, true, member);
}

int json_to_keys(json_object *value, void *member) {
        return object_to_strv(value, false, member);
}

int json_to_bool(json_object *value, void *member) {
        if (!json_object_is_type(value, json_type_boolean))
                return -EINVAL;
        *(bool *) member = json_object_get_boolean(value);
        return 0;
}

int json_to_u64(json_object *value, void *member) {
        if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
                return -EINVAL;
        *(uint64_t *) member = json_object_get_uint64(value);
        return 0;
}

int json_to_u32(json_object *value, void *member) {
        uint64_t u = 0;
        int r = json_to_u64(value, &u);

        if (r < 0)
                return r;
        if (u > UINT32_MAX)
                return -ERANGE;
        *(uint32_t *) member = (uint32_t) u;
        return 0;
}

int json_to_i32(json_object *value, void *member) {
        if (!json_object_is_type(value, json_type_int))
                return -EINVAL;
        int64_t i = json_object_get_int64(value);
        if (i < INT32_MIN || i > INT32_MAX)
                return -ERANGE;
        *(int32_t *) member = (int32_t) i;
        return 0;
}

int json_to_i64(json_object *value, void *member) {
        if (!json_object_is_type(value, json_type_int))
                return -EINVAL;
        *(int64_t *) member = json_object_get_int64(value);
        return 0;
}

int json_to_object(json_object *value, void *member) {
        json_object **target = member;

        json_object_put(*target);
        *target = json_object_get(value);
        return 0;
}

int json_add_object(json_object *object, const char *key, json_object *value) {
        if (!value)
                return -ENOMEM;
        if (json_object_object_add(object, key, value) < 0) {
                json_object_put(value);
                return -ENOMEM;
        }
        return 0;
}

int json_add_string(json_object *object, const char *key, const char *value) {
        return value ? json_add_object(object, key, json_object_new_string(value)) : 0;
}

int json_add_strv(json_object *object, const char *key, char *const *value) {
        _cleanup_json_ json_object *array = json_object_new_array();

        if (!array)
                return -ENOMEM;
        for (; value && *value; value++) {
                json_object *s = json_object_new_string(*value);
                if (!s || json_object_array_add(array, s) < 0) {
                        json_object_put(s);
                        return -ENOMEM;
                }
        }
        return json_add_object(object, key, TAKE(array));
}

int json_add_map(json_object *object, const char *key, char *const *value) {
        _cleanup_json_ json_object *map = json_object_new_object();
        int r;

        if (!map)
                return -ENOMEM;
        for (; value && *value; value++) {
                size_t n = strcspn(*value, "=");
                _cleanup_free_ char *name = strndup(*value, n);
                if (!name)
                        return -ENOMEM;
                r = json_add_string(map, name, (*value)[n] ? *value + n + 1 : "");
                if (r < 0)
                        return r;
        }
        return json_add_object(object, key, TAKE(map));
}

int json_add_bool(json_object *object, const char *key, bool value) {
        return json_add_object(object, key, json_object_new_boolean(value));
}

int json_add_i64(json_object *object, const char *key, int64_t value) {
        return json_add_object(object, key, json_object_new_int64(value));
}

json_object *json_get(json_object *object, const char *path) {
        while (object && *path) {
                size_t n = strcspn(path, ".");
                char key[128];
                json_object *next = NULL;

                if (n >= sizeof(key) || !json_object_is_type(object, json_type_object))
                        return NULL;
                memcpy(key, path, n);
                key[n] = '\0';
                json_object_object_get_ex(object, key, &next);
                object = next;
                path += n + (path[n] == '.');
        }
        return object;
}

const char *json_get_string(json_object *object, const char *path) {
        json_object *value = json_get(object, path);
        return value ? plain_string(value) : NULL;
}

int json_write_file(int dir_fd, const char *path, json_object *object, unsigned mode, unsigned write_flags) {
        size_t size;
        const char *text = json_object_to_json_string_length(
                object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
        return text ? fs_write_file(dir_fd, path, text, size, (mode_t) mode, write_flags) : -ENOMEM;
}
