/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of a running template: their truth, their types' names in Go, and how they print. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/strv.h"
#include "util/template-node.h"

void text_append(Text *t, const char *s, size_t size) {
        if (t->error < 0)
                return;
        if (size > TEMPLATE_OUTPUT_MAX - t->size) {
                t->error = -EFBIG;
                return;
        }
        if (t->size + size + 1 > t->room) {
                size_t room = MAX_OF(t->size + size + 1, t->room * 2 + 64);
                char *bigger = realloc(t->s, room);
                if (!bigger) {
                        t->error = -ENOMEM;
                        return;
                }
                t->s = bigger;
                t->room = room;
        }
        if (size > 0)
                memcpy(t->s + t->size, s, size);
        t->size += size;
        t->s[t->size] = '\0';
}

void text_string(Text *t, const char *s) {
        text_append(t, s, strlen(s));
}

void text_repeat(Text *t, char c, size_t n) {
        while (n-- > 0)
                text_append(t, &c, 1);
}

void text_printf(Text *t, const char *format, ...) {
        _cleanup_free_ char *s = NULL;
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(&s, format, ap);
        va_end(ap);
        if (n < 0) {
                t->error = t->error < 0 ? t->error : -ENOMEM;
                s = NULL;
                return;
        }
        text_append(t, s, (size_t) n);
}

json_type value_type(Value v) {
        return json_object_get_type(v.json);
}

const char *value_type_name(Value v) {
        static const char *const names[] = {
                [json_type_null] = "nil",       [json_type_boolean] = "bool",
                [json_type_double] = "float64", [json_type_int] = "int",
                [json_type_string] = "string",  [json_type_array] = "[]interface {}",
                [json_type_object] = "map[string]interface {}",
        };
        return names[value_type(v)];
}

const char *value_string(Value v, size_t *ret_size) {
        *ret_size = (size_t) json_object_get_string_len(v.json);
        return json_object_get_string(v.json);
}

bool value_is_true(Value v) {
        switch (value_type(v)) {
        case json_type_boolean:
                return json_object_get_boolean(v.json);
        case json_type_double:
                return fpclassify(json_object_get_double(v.json)) != FP_ZERO;
        case json_type_int:
                return json_object_get_int64(v.json) != 0;
        case json_type_string:
                return json_object_get_string_len(v.json) > 0;
        case json_type_array:
                return json_object_array_length(v.json) > 0;
        case json_type_object:
                return json_object_object_length(v.json) > 0;
        case json_type_null:
                break;
        }
        return false;
}

static int compare_keys(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

const char **value_sorted_keys(json_object *object, size_t *ret_n) {
        size_t n = 0;
        const char **keys = calloc((size_t) json_object_object_length(object) + 1, sizeof(char *));

        if (!keys)
                return NULL;
        json_object_object_foreach(object, key, item) {
                (void) item;
                keys[n++] = key;
        }
        qsort(keys, n, sizeof(char *), compare_keys);
        *ret_n = n;
        return keys;
}

void text_double(Text *out, double d) {
        char s[64];

        if (!isfinite(d)) {
                text_string(out, isnan(d) ? "NaN" : d > 0 ? "+Inf" : "-Inf");
                return;
        }
        for (int precision = 1; precision <= 17; precision++) { /* the shortest that reads back the same */
                snprintf(s, sizeof(s), "%.*e", precision - 1, d);
                if (fpclassify(strtod(s, NULL) - d) == FP_ZERO)
                        break;
        }
        int exponent = atoi(strchr(s, 'e') + 1);
        if (exponent < -4 || exponent >= 6) {
                text_string(out, s);
                return;
        }
        int digits = (int) strcspn(s, "e") - (s[0] == '-') - (strchr(s, '.') != NULL);
        snprintf(s, sizeof(s), "%.*f", MAX_OF(digits - 1 - exponent, 0), d);
        text_string(out, s);
}

static void print_map(Text *out, json_object *object) {
        size_t n = 0;
        _cleanup_free_ const char **keys = value_sorted_keys(object, &n);

        if (!keys) {
                out->error = -ENOMEM;
                return;
        }
        text_string(out, "map[");
        for (size_t i = 0; i < n; i++) {
                Value item = { .json = json_object_object_get(object, keys[i]) };
                text_printf(out, "%s%s:", i > 0 ? " " : "", keys[i]);
                value_print(out, item, true);
        }
        text_string(out, "]");
}

void value_print(Text *out, Value v, bool nested) {
        size_t size;
        const char *s;

        switch (value_type(v)) {
        case json_type_null:
                if (!v.absent && v.shape != TEMPLATE_SHAPE_PLAIN)
                        text_string(out, v.shape == TEMPLATE_SHAPE_MAP ? "map[]" : "[]");
                else
                        text_string(out, nested ? "<nil>" : "<no value>");
                break;
        case json_type_boolean:
                text_string(out, json_object_get_boolean(v.json) ? "true" : "false");
                break;
        case json_type_double:
                text_double(out, json_object_get_double(v.json));
                break;
        case json_type_int: /* also the range above INT64_MAX, which json-c keeps as unsigned */
                text_string(out, json_object_to_json_string(v.json));
                break;
        case json_type_string:
                s = value_string(v, &size);
                text_append(out, s, size);
                break;
        case json_type_array:
                text_string(out, "[");
                for (size_t i = 0; i < json_object_array_length(v.json); i++) {
                        if (i > 0)
                                text_string(out, " ");
                        value_print(out, (Value) { .json = json_object_array_get_idx(v.json, i) }, true);
                }
                text_string(out, "]");
                break;
        case json_type_object:
                print_map(out, v.json);
                break;
        }
}
