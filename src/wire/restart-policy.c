/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Restart policies as text: see restart-policy.h. */
#include <stdio.h>
#include <string.h>

#include "util/strv.h"
#include "wire/restart-policy.h"

static const char *const names[] = {
        [RESTART_NO] = "no", [RESTART_ON_FAILURE] = "on-failure", [RESTART_ALWAYS] = "always",
        [RESTART_UNLESS_STOPPED] = "unless-stopped",
};

const char *restart_kind_name(RestartKind kind) {
        return names[kind];
}

static int find_kind(const char *name, size_t length, RestartKind *ret) {
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0) {
                        *ret = (RestartKind) i;
                        return 0;
                }
        return -EINVAL;
}

int restart_policy_parse(const char *text, RestartPolicy *ret, char why[static RESTART_TEXT_MAX]) {
        RestartPolicy p = { .kind = RESTART_NO };
        const char *count;
        size_t length;

        *why = '\0';
        if (!text || !*text) {
                *ret = p;
                return 0;
        }
        length = strcspn(text, ":");
        count = text[length] ? text + length + 1 : NULL;
        if (count && strchr(count, ':'))
                snprintf(why, RESTART_TEXT_MAX, "invalid restart policy format: \"%.64s\"", text);
        else if (count && parse_i32(count, &p.max_retries) < 0)
                snprintf(why, RESTART_TEXT_MAX, "maximum retry count must be an integer: \"%.64s\"", text);
        else if (find_kind(text, length, &p.kind) < 0)
                snprintf(why, RESTART_TEXT_MAX, "invalid restart policy '%.*s'",
                         (int) MIN_OF(length, (size_t) 64), text);
        else if (p.kind != RESTART_ON_FAILURE && p.max_retries != 0)
                snprintf(why, RESTART_TEXT_MAX, "maximum retry count cannot be used with restart policy '%s'",
                         names[p.kind]);
        else if (p.max_retries < 0)
                snprintf(why, RESTART_TEXT_MAX, "maximum retry count cannot be negative");
        if (*why)
                return -EINVAL;
        *ret = p;
        return 0;
}
