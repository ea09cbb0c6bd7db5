/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of one container in the journal, in the journal's order. Only what the container's own monitor wrote
 * counts: anybody may send journald an entry that has CONTAINER_ID_FULL in it, but not from uid 0 in the cgroup
 * `monitor` of one of berth's units. */
#pragma once

#include "logs/log-entry.h"

#define LOG_TIME_UNSET UINT64_MAX
#define LOG_TAIL_ALL UINT64_MAX

/* Where to begin. */
typedef struct LogQuery {
        uint64_t since, until; /* nanoseconds since 1970, or LOG_TIME_UNSET. Only where lines are counted is `until` looked at */
        uint64_t tail;         /* so many lines from the end, or LOG_TAIL_ALL */
        /* The container has ended with this line, a moment ago: it is waited for, as long as others come. 0: it is not. */
        char last_run[LOG_ID_MAX];
        uint64_t last_ordinal;
} LogQuery;

typedef struct LogReader LogReader;

/* -ENODATA: no journal of the system can be read (none there, or no right to). */
int log_reader_open(const char *container_id, bool details, LogReader **ret);
LogReader *log_reader_free(LogReader *r);
DEFINE_FREEP(LogReader, log_reader_free)

/* The next entry is the first that the query wants, or one not far before it. */
int log_reader_seek(LogReader *r, const LogQuery *query);
/* 1: an entry, good until the next step; 0: there are no more (now). */
int log_reader_next(LogReader *r, const LogEntry **ret);

/* The fields of the last entry that next gave, as the journal has them: "NAME=value". The first error of the handler ends it. */
int log_reader_fields(LogReader *r, int (*handler)(void *userdata, const void *data, size_t size), void *userdata);

/* For poll(); process after it, then next. The timeout is CLOCK_MONOTONIC, UINT64_MAX: none. From the first call on changes are
 * noticed. */
int log_reader_fd(LogReader *r);
int log_reader_timeout(LogReader *r, uint64_t *ret_usec);
int log_reader_process(LogReader *r);
