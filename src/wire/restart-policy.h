/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a container that has ended is started again, as --restart says it: the client checks it, berthd keeps it, and
 * the monitor, which gets the same text, carries it out. */
#pragma once

#include "util/macro.h"

typedef enum RestartKind {
        RESTART_NO,
        RESTART_ON_FAILURE,     /* where it ended with another exit code than 0 */
        RESTART_ALWAYS,
        RESTART_UNLESS_STOPPED, /* as always, but one that was stopped is left alone at the next boot, too */
} RestartKind;

typedef struct RestartPolicy {
        RestartKind kind;
        int32_t max_retries; /* of on-failure; 0: no limit */
} RestartPolicy;

#define RESTART_TEXT_MAX 128

/* NAME or on-failure[:COUNT]; "" and NULL: no. -EINVAL: why[] says what is wrong with it, in Docker's words. */
int restart_policy_parse(const char *text, RestartPolicy *ret, char why[static RESTART_TEXT_MAX]);

/* Docker's name of the kind. */
const char *restart_kind_name(RestartKind kind);
