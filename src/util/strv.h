/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NULL-terminated vectors of strings, and small string helpers. NULL is an empty vector everywhere. */
#pragma once

#include <string.h>

#include "util/macro.h"

size_t strv_length(char *const *v);
char **strv_free(char **v);
static inline void strv_freep(char ***v) {
        strv_free(*v);
}
#define _cleanup_strv_ _cleanup_(strv_freep)

int strv_copy(char *const *v, char ***ret);
/* Appends a copy. */
int strv_extend(char ***v, const char *s);
int strv_extendf(char ***v, const char *format, ...) _printf_(2, 3);
/* Appends the string itself; it is freed on failure too. */
int strv_consume(char ***v, char *s);
/* Joins with a separator; the empty vector gives "". NULL only when out of memory. */
char *strv_join(char *const *v, const char *separator);
/* Splits at each separator character; empty pieces are kept. */
int strv_split(const char *s, char separator, char ***ret);
bool strv_contains(char *const *v, const char *s);

/* For environments: `KEY=VALUE` entries. Set replaces the entry of the same key or appends. Get borrows the value. */
int strv_env_set(char ***v, const char *assignment);
const char *strv_env_get(char *const *v, const char *key);

/* The rest behind the prefix, or NULL. */
static inline const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}
static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}
/* NULL equals NULL only. */
static inline bool streq_null(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}
/* Replaces an owned string by a copy of another (which may be NULL). */
int string_replace(char **p, const char *value);

/* Decimal numbers, the whole string, no sign for the unsigned ones, no blanks: -EINVAL, -ERANGE. */
int parse_u32(const char *s, uint32_t *ret);
int parse_u64(const char *s, uint64_t *ret);
int parse_i32(const char *s, int32_t *ret);
/* true, false, 1, 0, t, f as Go's ParseBool takes them (also yes, no, on, off as systemd does). */
int parse_bool(const char *s, bool *ret);
