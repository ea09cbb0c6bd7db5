/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --filter: see filter.h. */
#include <stdio.h>

#include "cli/filter.h"
#include "util/strv.h"

int filter_parse(const char *value, void *target, char **ret_error) {
        _cleanup_free_ char *copy = NULL;
        char ***filters = target;
        size_t n = strcspn(value, "=");

        if (!value[n] || n == 0) {
                *ret_error = strdup("bad format of filter (expected name=value)");
                return *ret_error ? -EINVAL : -ENOMEM;
        }
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (copy[i] >= 'A' && copy[i] <= 'Z')
                        copy[i] |= 0x20;
        return strv_consume(filters, TAKE(copy));
}

/* The value if the filter has this key. */
static const char *filter_value(const char *filter, const char *key) {
        const char *rest = startswith(filter, key);

        return rest && *rest == '=' ? rest + 1 : NULL;
}

int filter_check(char *const *filters, const char *const *keys, char **ret_error) {
        for (; filters && *filters; filters++) {
                bool known = false;
                for (const char *const *key = keys; *key && !known; key++)
                        known = filter_value(*filters, *key);
                if (known)
                        continue;
                _cleanup_free_ char *all = strv_join((char *const *) keys, ", ");
                if (!all || asprintf(ret_error, "invalid filter '%.*s'; there are %s", (int) strcspn(*filters, "="),
                                     *filters, all) < 0) {
                        *ret_error = NULL;
                        return -ENOMEM;
                }
                return -EINVAL;
        }
        return 0;
}

bool filter_has(char *const *filters, const char *key) {
        for (; filters && *filters; filters++)
                if (filter_value(*filters, key))
                        return true;
        return false;
}

bool filter_any(char *const *filters, const char *key, FilterTest test, const void *object) {
        bool asked = false;

        for (; filters && *filters; filters++) {
                const char *value = filter_value(*filters, key);
                if (!value)
                        continue;
                if (test(object, value))
                        return true;
                asked = true;
        }
        return !asked;
}

bool filter_labels(char *const *filters, char *const *labels) {
        for (; filters && *filters; filters++) {
                const char *wanted = filter_value(*filters, "label");
                if (wanted &&
                    !(strchr(wanted, '=') ? strv_contains(labels, wanted) : strv_env_get(labels, wanted) != NULL))
                        return false;
        }
        return true;
}
