/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A LogEntry is one line of a container, or one piece of a long one, as its fields in the journal tell it. A LogParser makes it of
 * these fields, which may come from the journal itself or through a pipe. */
#pragma once

#include "util/macro.h"

#define LOG_ID_MAX 64

typedef struct LogEntry {
        char epoch[LOG_ID_MAX], run_id[LOG_ID_MAX];
        uint64_t ordinal;  /* within the epoch, from 1 */
        uint64_t nsec;     /* when the line was read from the container; all pieces of one have the same */
        uint64_t received; /* when journald took it: not before that. Microseconds */
        bool is_stderr;
        bool is_first;     /* a line begins with it */
        bool is_partial;   /* more of the same line follows */
        bool is_unwanted;  /* not asked for, but it comes after the beginning of what is: to be counted, not to be shown */
        const char *message; /* as the container wrote it */
        size_t size;
        const char *details; /* what --log-opt put there, as Docker shows it: KEY=value,… sorted and escaped; "" */
} LogEntry;

typedef struct LogParser LogParser;

#define LOG_FIELD_UNWANTED "__BERTH_UNWANTED" /* is_unwanted, where entries come through a pipe; journald takes no such name */

/* `details`: are they wanted? */
int log_parser_new(bool details, LogParser **ret);
LogParser *log_parser_free(LogParser *p);
DEFINE_FREEP(LogParser, log_parser_free)

/* One entry: begin, field…, end. */
void log_parser_begin(LogParser *p);
int log_parser_field(LogParser *p, const char *name, size_t name_size, const char *value, size_t size);
/* 1: it is a line of a container, *ret is good until the next begin; 0: it is something else. `received` counts as the line's time
 * where it says none. */
int log_parser_end(LogParser *p, uint64_t received, const LogEntry **ret);

/* Did a monitor of berth write what was just parsed, as journald saw the sender: SLICES/UNIT/monitor? A container rules its own
 * cgroups, which are all below payload/, and can name them as it likes. */
bool log_parser_is_from_monitor(const LogParser *p);
bool log_origin_is_monitor(const char *cgroup, const char *unit);
