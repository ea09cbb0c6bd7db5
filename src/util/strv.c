/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* String vectors: see strv.h. */
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "util/strv.h"

size_t strv_length(char *const *v) {
        size_t n = 0;

        while (v && v[n])
                n++;
        return n;
}

char **strv_free(char **v) {
        for (char **s = v; s && *s; s++)
                free(*s);
        free(v);
        return NULL;
}

int strv_copy(char *const *v, char ***ret) {
        _cleanup_strv_ char **copy = calloc(strv_length(v) + 1, sizeof(char *));

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; v && v[i]; i++) {
                copy[i] = strdup(v[i]);
                if (!copy[i])
                        return -ENOMEM;
        }
        *ret = TAKE(copy);
        return 0;
}

int strv_consume(char ***v, char *s) {
        size_t n = strv_length(*v);

        if (!s)
                return -ENOMEM;
        char **bigger = reallocarray(*v, n + 2, sizeof(char *));
        if (!bigger) {
                free(s);
                return -ENOMEM;
        }
        bigger[n] = s;
        bigger[n + 1] = NULL;
        *v = bigger;
        return 0;
}

int strv_extend(char ***v, const char *s) {
        return strv_consume(v, strdup(s));
}

int strv_extendf(char ***v, const char *format, ...) {
        char *s = NULL;
        va_list ap;

        va_start(ap, format);
        int n = vasprintf(&s, format, ap);
        va_end(ap);
        return n < 0 ? -ENOMEM : strv_consume(v, s);
}

char *strv_join(char *const *v, const char *separator) {
        size_t size = 1, gap = strlen(separator);

        for (size_t i = 0; v && v[i]; i++)
                size += strlen(v[i]) + gap;
        char *joined = malloc(size), *p = joined;
        if (!joined)
                return NULL;
        *p = '\0';
        for (size_t i = 0; v && v[i]; i++) {
                if (i > 0)
                        p = stpcpy(p, separator);
                p = stpcpy(p, v[i]);
        }
        return joined;
}

int strv_split(const char *s, char separator, char ***ret) {
        _cleanup_strv_ char **v = NULL;
        int r;

        for (;;) {
                const char *end = strchrnul(s, separator);
                r = strv_consume(&v, strndup(s, (size_t) (end - s)));
                if (r < 0)
                        return r;
                if (!*end)
                        break;
                s = end + 1;
        }
        *ret = TAKE(v);
        return 0;
}

bool strv_contains(char *const *v, const char *s) {
        for (; v && *v; v++)
                if (streq(*v, s))
                        return true;
        return false;
}

int strv_env_set(char ***v, const char *assignment) {
        size_t key = strcspn(assignment, "=") + 1;

        for (char **e = *v; e && *e; e++)
                if (strncmp(*e, assignment, key) == 0) {
                        char *copy = strdup(assignment);
                        if (!copy)
                                return -ENOMEM;
                        free(*e);
                        *e = copy;
                        return 0;
                }
        return strv_extend(v, assignment);
}

const char *strv_env_get(char *const *v, const char *key) {
        size_t n = strlen(key);

        for (; v && *v; v++)
                if (strncmp(*v, key, n) == 0 && (*v)[n] == '=')
                        return *v + n + 1;
        return NULL;
}

int string_replace(char **p, const char *value) {
        char *copy = value ? strdup(value) : NULL;

        if (value && !copy)
                return -ENOMEM;
        free(*p);
        *p = copy;
        return 0;
}

int parse_u64(const char *s, uint64_t *ret) {
        uint64_t value = 0;

        if (!s || !*s)
                return -EINVAL;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(value, (uint64_t) 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*s - '0'), &value))
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

int parse_u32(const char *s, uint32_t *ret) {
        uint64_t value;
        int r = parse_u64(s, &value);

        if (r < 0)
                return r;
        if (value > UINT32_MAX)
                return -ERANGE;
        *ret = (uint32_t) value;
        return 0;
}

int parse_i32(const char *s, int32_t *ret) {
        bool negative = s && *s == '-';
        uint64_t value;
        int r = parse_u64(negative ? s + 1 : s, &value);

        if (r < 0)
                return r;
        if (value > (uint64_t) INT32_MAX + negative)
                return -ERANGE;
        *ret = (int32_t) (negative ? -(int64_t) value : (int64_t) value);
        return 0;
}

int parse_bool(const char *s, bool *ret) {
        static const char *const words[][2] = {
                { "1", "0" }, { "t", "f" }, { "true", "false" }, { "yes", "no" }, { "on", "off" },
        };

        for (size_t i = 0; s && i < N_ELEMENTS(words); i++)
                for (int no = 0; no < 2; no++)
                        if (strcasecmp(s, words[i][no]) == 0) {
                                *ret = !no;
                                return 0;
                        }
        return -EINVAL;
}
