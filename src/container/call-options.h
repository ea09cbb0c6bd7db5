/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The a{sv} of options that single calls take: a table of the keys for each. */
#pragma once

#include <systemd/sd-bus.h>

#include "util/macro.h"

typedef struct CallOption {
        const char *key;
        const char *type; /* "b": bool, "s": char *, "i": int32_t, "t": uint64_t, "as": char ** */
        size_t offset;
} CallOption;

/* 0, or `error` names the option that is not in the table, or of another type. */
int call_options_read(sd_bus_message *m, const CallOption *table, size_t n, void *target, sd_bus_error *error);
