/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers, spans of time and JSON as people read them, in Docker's words. Strings are the caller's. NULL: out of
 * memory. */
#pragma once

#include <json-c/json.h>

#include "util/macro.h"

/* Decimal units, three digits: 0B, 999B, 1.23MB, 45GB. */
char *format_size(uint64_t bytes);

/* "Less than a second", "5 seconds", "About a minute", "2 minutes", "About an hour", "3 days", "2 weeks", … */
char *format_duration(uint64_t seconds);

/* "2 minutes ago"; what lies ahead (a clock that was set back) counts as now. */
char *format_ago(uint64_t usec, uint64_t now_usec);

/* JSON on many lines, four blanks a level, as `docker inspect` prints it; `level` is that of the line it begins on. */
char *format_json(json_object *value, unsigned level);
