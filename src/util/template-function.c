/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions that a template may call: those of Go's text/template, then those of Docker's command line. Letters
 * beyond ASCII keep their case. printf has a file of its own. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/strv.h"
#include "util/template-node.h"
#include "util/template-printf.h"

typedef struct Call {
        Execution *e;
        const Node *at;
        const Node *const *nodes; /* where each argument came from */
        Value *args;
        size_t n;
} Call;

struct Function {
        const char *name;
        size_t min, max; /* arguments */
        int (*run)(const Call *c, Value *ret);
};

static int fail(const Call *c, const char *format, ...) _printf_(2, 3);
static int fail(const Call *c, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(&what, format, ap);
        va_end(ap);
        return n < 0 ? -ENOMEM
                     : execution_fail(c->e, c->at, "error calling %s: %s", c->at->names ? c->at->names[0] : "it", what);
}

static int want(const Call *c, size_t i, json_type type) {
        static const char *const names[] = {
                [json_type_int] = "int", [json_type_string] = "string", [json_type_array] = "[]string",
        };

        if (value_type(c->args[i]) == type)
                return 0;
        return execution_fail(c->e, c->nodes[i], "wrong type for value; expected %s; got %s", names[type],
                              value_type_name(c->args[i]));
}

static int keep_bool(const Call *c, bool b, Value *ret) {
        return execution_keep(c->e, c->at, json_object_new_boolean(b), ret);
}

static int keep_text(const Call *c, Text *t, Value *ret) {
        if (t->error == -EFBIG)
                return execution_fail(c->e, c->at, "too much output");
        return t->error < 0 ? t->error : execution_keep_string(c->e, c->at, t->s ? t->s : "", t->size, ret);
}

/* --- Go's own --- */

static int run_and(const Call *c, Value *ret) {
        *ret = c->args[c->n - 1]; /* the last that was evaluated decided */
        return 0;
}

static int run_not(const Call *c, Value *ret) {
        return keep_bool(c, !value_is_true(c->args[0]), ret);
}

static int run_len(const Call *c, Value *ret) {
        Value v = c->args[0];
        int64_t n;

        switch (value_type(v)) {
        case json_type_string: n = json_object_get_string_len(v.json); break;
        case json_type_array:  n = (int64_t) json_object_array_length(v.json); break;
        case json_type_object: n = json_object_object_length(v.json); break;
        case json_type_null:
                if (!v.absent && v.shape != TEMPLATE_SHAPE_PLAIN) {
                        n = 0;
                        break;
                }
                return fail(c, "len of nil pointer");
        default: return fail(c, "len of type %s", value_type_name(v));
        }
        return execution_keep(c->e, c->at, json_object_new_int64(n), ret);
}

/* Whether the values of a map are strings: then a missing one is the empty string. */
static bool holds_strings(json_object *object) {
        json_object_object_foreach(object, key, item) {
                (void) key;
                if (!json_object_is_type(item, json_type_string))
                        return false;
        }
        return true;
}

static int index_map(const Call *c, Value map, Value key, Value *ret) {
        json_object *item = NULL;

        if (value_type(key) != json_type_string)
                return fail(c, "value has type %s; should be string", value_type_name(key));
        if (map.json && json_object_object_get_ex(map.json, json_object_get_string(key.json), &item)) {
                *ret = (Value) { .json = item };
                return 0;
        }
        if (map.json && holds_strings(map.json))
                return execution_keep_string(c->e, c->at, "", 0, ret);
        *ret = (Value) { .absent = true };
        return 0;
}

/* A place in a sequence of `length`; the end itself is one where `end_too`. */
static int index_of(const Call *c, Value v, size_t length, bool end_too, size_t *ret) {
        if (value_type(v) != json_type_int)
                return fail(c, "cannot index slice/array with type %s", value_type_name(v));
        int64_t i = json_object_get_int64(v.json);
        if (i < 0 || (uint64_t) i > length || ((uint64_t) i == length && !end_too))
                return fail(c, "index out of range: %lli", (long long) i);
        *ret = (size_t) i;
        return 0;
}

static int run_index(const Call *c, Value *ret) {
        Value v = c->args[0];
        size_t place = 0, size;
        int r;

        for (size_t i = 1; i < c->n; i++) {
                Value key = c->args[i];
                switch (value_type(v)) {
                case json_type_array:
                        r = index_of(c, key, json_object_array_length(v.json), false, &place);
                        if (r < 0)
                                return r;
                        v = (Value) { .json = json_object_array_get_idx(v.json, place) };
                        continue;
                case json_type_string: {
                        const char *s = value_string(v, &size);
                        r = index_of(c, key, size, false, &place);
                        if (r >= 0)
                                r = execution_keep(c->e, c->at, json_object_new_int((unsigned char) s[place]), &v);
                        if (r < 0)
                                return r;
                        continue;
                }
                case json_type_object:
                        r = index_map(c, v, key, &v);
                        if (r < 0)
                                return r;
                        continue;
                case json_type_null:
                        if (!v.absent && v.shape == TEMPLATE_SHAPE_MAP) {
                                r = index_map(c, v, key, &v);
                                if (r < 0)
                                        return r;
                                continue;
                        }
                        return fail(c, v.absent || v.shape == TEMPLATE_SHAPE_PLAIN ? "index of untyped nil"
                                                                                   : "index of an empty list");
                default:
                        return fail(c, "can't index item of type %s", value_type_name(v));
                }
        }
        *ret = v;
        return 0;
}

static int run_slice(const Call *c, Value *ret) {
        Value v = c->args[0];
        bool is_string = value_type(v) == json_type_string;
        size_t from = 0, to;
        int r;

        if (!is_string && value_type(v) != json_type_array)
                return fail(c, "can't slice item of type %s", value_type_name(v));
        size_t length = is_string ? (size_t) json_object_get_string_len(v.json) : json_object_array_length(v.json);
        to = length;
        if (c->n > 1) {
                r = index_of(c, c->args[1], length, true, &from);
                if (r < 0)
                        return r;
        }
        if (c->n > 2) {
                r = index_of(c, c->args[2], length, true, &to);
                if (r < 0)
                        return r;
        }
        if (from > to)
                return fail(c, "invalid slice index: %zu > %zu", from, to);
        if (is_string)
                return execution_keep_string(c->e, c->at, json_object_get_string(v.json) + from, to - from, ret);
        r = execution_keep(c->e, c->at, json_object_new_array(), ret);
        for (size_t i = from; r >= 0 && i < to; i++)
                if (json_object_array_add(ret->json, json_object_get(json_object_array_get_idx(v.json, i))) < 0)
                        r = -ENOMEM;
        return r;
}

/* -2: they cannot be compared, else as memcmp. */
static int compare(Value a, Value b) {
        json_type type = value_type(a);

        if (type != value_type(b))
                return -2;
        if (type == json_type_int) {
                int64_t x = json_object_get_int64(a.json), y = json_object_get_int64(b.json);
                return (x > y) - (x < y);
        }
        if (type == json_type_double) {
                double x = json_object_get_double(a.json), y = json_object_get_double(b.json);
                return (x > y) - (x < y);
        }
        if (type == json_type_string) {
                size_t n, m;
                const char *x = value_string(a, &n), *y = value_string(b, &m);
                int order = memcmp(x, y, MIN_OF(n, m));
                return order != 0 ? (order > 0) - (order < 0) : (n > m) - (n < m);
        }
        if (type == json_type_boolean)
                return json_object_get_boolean(a.json) - json_object_get_boolean(b.json);
        return type == json_type_null ? 0 : -2;
}

static int run_eq(const Call *c, Value *ret) {
        bool equal = false;

        for (size_t i = 1; i < c->n && !equal; i++) {
                Value a = c->args[0], b = c->args[i];
                int order = compare(a, b);
                if (order == -2 && a.json && b.json)
                        return fail(c, value_type(a) == json_type_array || value_type(a) == json_type_object
                                               ? "non-comparable type" : "incompatible types for comparison");
                equal = order == 0;
        }
        return keep_bool(c, equal, ret);
}

static int run_ne(const Call *c, Value *ret) {
        int r = run_eq(c, ret);
        return r < 0 ? r : keep_bool(c, !value_is_true(*ret), ret);
}

/* -2: an error is set. */
static int order_of(const Call *c, int *ret_order) {
        if (value_type(c->args[0]) == json_type_boolean || !c->args[0].json)
                return fail(c, "invalid type for comparison");
        *ret_order = compare(c->args[0], c->args[1]);
        return *ret_order == -2 ? fail(c, "incompatible types for comparison") : 0;
}

static int run_lt(const Call *c, Value *ret) {
        int order, r = order_of(c, &order);
        return r < 0 ? r : keep_bool(c, order < 0, ret);
}

static int run_le(const Call *c, Value *ret) {
        int order, r = order_of(c, &order);
        return r < 0 ? r : keep_bool(c, order <= 0, ret);
}

static int run_gt(const Call *c, Value *ret) {
        int order, r = order_of(c, &order);
        return r < 0 ? r : keep_bool(c, order > 0, ret);
}

static int run_ge(const Call *c, Value *ret) {
        int order, r = order_of(c, &order);
        return r < 0 ? r : keep_bool(c, order >= 0, ret);
}

/* Go puts a blank between two operands when neither is a string. */
static int run_print(const Call *c, Value *ret) {
        _cleanup_text_ Text t = {};

        for (size_t i = 0; i < c->n; i++) {
                if (i > 0 && value_type(c->args[i]) != json_type_string &&
                    value_type(c->args[i - 1]) != json_type_string)
                        text_string(&t, " ");
                value_print(&t, c->args[i], true);
        }
        return keep_text(c, &t, ret);
}

static int run_println(const Call *c, Value *ret) {
        _cleanup_text_ Text t = {};

        for (size_t i = 0; i < c->n; i++) {
                if (i > 0)
                        text_string(&t, " ");
                value_print(&t, c->args[i], true);
        }
        text_string(&t, "\n");
        return keep_text(c, &t, ret);
}

static int run_printf(const Call *c, Value *ret) {
        _cleanup_text_ Text t = {};
        int r = want(c, 0, json_type_string);

        if (r < 0)
                return r;
        template_printf(&t, c->args[0], c->args + 1, c->n - 1);
        return keep_text(c, &t, ret);
}

/* --- Docker's --- */

static int run_json(const Call *c, Value *ret) {
        size_t size;

        if (c->e->options->header && value_type(c->args[0]) == json_type_string) {
                *ret = c->args[0];
                return 0;
        }
        const char *s = json_object_to_json_string_length(
                c->args[0].json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
        return s ? execution_keep_string(c->e, c->at, s, size, ret) : -ENOMEM;
}

static int run_join(const Call *c, Value *ret) {
        _cleanup_text_ Text t = {};
        size_t size;
        int r = want(c, 1, json_type_string);

        if (r >= 0 && (c->args[0].json || c->args[0].shape != TEMPLATE_SHAPE_LIST))
                r = want(c, 0, json_type_array);
        if (r < 0)
                return r;
        const char *separator = value_string(c->args[1], &size);
        for (size_t i = 0; c->args[0].json && i < json_object_array_length(c->args[0].json); i++) {
                Value item = { .json = json_object_array_get_idx(c->args[0].json, i) };
                if (value_type(item) != json_type_string)
                        return fail(c, "an item of the list is of type %s; expected string", value_type_name(item));
                if (i > 0)
                        text_append(&t, separator, size);
                value_print(&t, item, true);
        }
        return keep_text(c, &t, ret);
}

/* An empty separator splits into characters, as Go has it. */
static int run_split(const Call *c, Value *ret) {
        size_t size, gap;
        int r = want(c, 0, json_type_string);

        if (r >= 0)
                r = want(c, 1, json_type_string);
        if (r < 0)
                return r;
        const char *s = value_string(c->args[0], &size), *separator = value_string(c->args[1], &gap);
        _cleanup_json_ json_object *list = json_object_new_array();
        if (!list)
                return -ENOMEM;
        for (bool more = size > 0 || gap > 0; more;) {
                const char *end = gap > 0 ? memmem(s, size, separator, gap) : NULL;
                size_t n = end ? (size_t) (end - s) : size;
                if (gap == 0)
                        for (n = 1; n < size && (s[n] & 0xc0) == 0x80;)
                                n++;
                Value piece;
                r = execution_keep_string(c->e, c->at, s, n, &piece);
                if (r < 0)
                        return r;
                if (json_object_array_add(list, json_object_get(piece.json)) < 0)
                        return -ENOMEM;
                more = gap > 0 ? end != NULL : n < size;
                s += n + (more ? gap : 0);
                size -= n + (more ? gap : 0);
        }
        return execution_keep(c->e, c->at, TAKE(list), ret);
}

static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int change_case(const Call *c, bool upper, bool words, Value *ret) {
        size_t size;
        bool in_word = false;
        int r = want(c, 0, json_type_string);

        if (r < 0)
                return r;
        if (c->e->options->header) {
                *ret = c->args[0];
                return 0;
        }
        const char *s = value_string(c->args[0], &size);
        _cleanup_free_ char *copy = malloc(size + 1);
        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < size; i++) {
                bool change = is_letter(s[i]) && !(words && in_word);
                copy[i] = !change ? s[i] : (char) (upper ? s[i] & ~0x20 : s[i] | 0x20);
                in_word = is_letter(s[i]) || (s[i] >= '0' && s[i] <= '9') || s[i] == '_' ||
                          (unsigned char) s[i] >= 0x80;
        }
        return execution_keep_string(c->e, c->at, copy, size, ret);
}

static int run_lower(const Call *c, Value *ret) {
        return change_case(c, false, false, ret);
}

static int run_upper(const Call *c, Value *ret) {
        return change_case(c, true, false, ret);
}

static int run_title(const Call *c, Value *ret) {
        return change_case(c, true, true, ret);
}

/* A number of characters for pad and truncate. */
static int want_count(const Call *c, size_t i, size_t *ret) {
        int r = want(c, i, json_type_int);

        if (r < 0)
                return r;
        int64_t n = json_object_get_int64(c->args[i].json);
        if (n < 0 || n > TEMPLATE_WIDTH_MAX)
                return fail(c, "%lli is out of range", (long long) n);
        *ret = (size_t) n;
        return 0;
}

static int run_pad(const Call *c, Value *ret) {
        _cleanup_text_ Text t = {};
        size_t before = 0, behind = 0;
        int r = want(c, 0, json_type_string);

        if (r >= 0)
                r = want_count(c, 1, &before);
        if (r >= 0)
                r = want_count(c, 2, &behind);
        if (r < 0)
                return r;
        if (value_is_true(c->args[0])) {
                text_repeat(&t, ' ', before);
                value_print(&t, c->args[0], true);
                text_repeat(&t, ' ', behind);
        }
        return keep_text(c, &t, ret);
}

static int run_truncate(const Call *c, Value *ret) {
        size_t size, n = 0;
        int r = want(c, 0, json_type_string);

        if (r >= 0)
                r = want_count(c, 1, &n);
        if (r < 0)
                return r;
        const char *s = value_string(c->args[0], &size);
        if (size <= n || c->e->options->header) {
                *ret = c->args[0];
                return 0;
        }
        while (n > 0 && (s[n] & 0xc0) == 0x80) /* not in the middle of a character */
                n--;
        return execution_keep_string(c->e, c->at, s, n, ret);
}

static const Function functions[] = {
        { "and",      1, TEMPLATE_ARGS_MAX, run_and      },
        { "eq",       2, TEMPLATE_ARGS_MAX, run_eq       },
        { "ge",       2, 2,                 run_ge       },
        { "gt",       2, 2,                 run_gt       },
        { "index",    1, TEMPLATE_ARGS_MAX, run_index    },
        { "join",     2, 2,                 run_join     },
        { "json",     1, 1,                 run_json     },
        { "le",       2, 2,                 run_le       },
        { "len",      1, 1,                 run_len      },
        { "lower",    1, 1,                 run_lower    },
        { "lt",       2, 2,                 run_lt       },
        { "ne",       2, 2,                 run_ne       },
        { "not",      1, 1,                 run_not      },
        { "or",       1, TEMPLATE_ARGS_MAX, run_and      },
        { "pad",      3, 3,                 run_pad      },
        { "print",    0, TEMPLATE_ARGS_MAX, run_print    },
        { "printf",   1, TEMPLATE_ARGS_MAX, run_printf   },
        { "println",  0, TEMPLATE_ARGS_MAX, run_println  },
        { "slice",    1, 3,                 run_slice    },
        { "split",    2, 2,                 run_split    },
        { "title",    1, 1,                 run_title    },
        { "truncate", 2, 2,                 run_truncate },
        { "upper",    1, 1,                 run_upper    },
};

const Function *function_find(const char *name) {
        for (size_t i = 0; i < N_ELEMENTS(functions); i++)
                if (streq(functions[i].name, name))
                        return &functions[i];
        return NULL;
}

bool function_is_left_out(const char *name) {
        static const char *const names[] = { "call", "html", "js", "urlquery", NULL };

        return strv_contains((char *const *) names, name);
}

bool function_decided(const Function *f, Value v) {
        return f->run == run_and && value_is_true(v) == (f->name[0] == 'o');
}

int function_call(Execution *e, const Node *at, const Function *f, Value *args, const Node *const *arg_nodes, size_t n,
                  Value *ret) {
        Call c = { .e = e, .at = at, .nodes = arg_nodes, .args = args, .n = n };

        if (n < f->min || n > f->max) {
                if (f->min == f->max)
                        return execution_fail(e, at, "wrong number of args for %s: want %zu got %zu", f->name, f->min,
                                              n);
                return execution_fail(e, at, "wrong number of args for %s: want %s %zu got %zu", f->name,
                                      n < f->min ? "at least" : "at most", n < f->min ? f->min : f->max, n);
        }
        return f->run(&c, ret);
}
