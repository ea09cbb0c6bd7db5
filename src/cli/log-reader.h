/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of one container in the journal, in the journal's order. Only what the container's own monitor wrote
 * counts: anybody may send journald an entry that has CONTAINER_ID_FULL in it, but not from uid 0 in the cgroup
 * `monitor` of one of berth's units. */
#pragma once

#include "util/macro.h"

#define LOG_ID_MAX 64

typedef struct LogEntry {
        char epoch[LOG_ID_MAX], run_id[LOG_ID_MAX];
        uint64_t ordinal; /* within the epoch, from 1 */
        uint64_t nsec;    /* when the line was read from the container */
        bool is_stderr;
        bool is_partial;  /* more of the same line follows */
        const char *message;
        size_t size;
} LogEntry;

typedef struct LogReader LogReader;

/* -ENODATA: no journal of the system can be read (none there, or no right to). */
int log_reader_open(const char *container_id, LogReader **ret);
LogReader *log_reader_free(LogReader *r);
DEFINE_FREEP(LogReader, log_reader_free)

/* Where the next step begins. */
int log_reader_seek_head(LogReader *r);
int log_reader_seek_time(LogReader *r, uint64_t usec);
/* Behind the last entry there is: for previous, or to follow. */
int log_reader_seek_tail(LogReader *r);

/* 1: an entry, good until the next step; 0: there are no more (now). */
int log_reader_next(LogReader *r, const LogEntry **ret);
int log_reader_previous(LogReader *r, const LogEntry **ret);

/* For poll(); process after it, then next. The timeout is CLOCK_MONOTONIC, UINT64_MAX: none. */
int log_reader_fd(LogReader *r);
int log_reader_timeout(LogReader *r, uint64_t *ret_usec);
int log_reader_process(LogReader *r);
/* Until there may be something new, at most so long. */
int log_reader_wait(LogReader *r, uint64_t usec);

/* Whether a process of this cgroup and unit, as journald saw it, is a monitor of berth: SLICES/UNIT/monitor. A
 * container rules its own cgroups, which are all below payload/, and can name them as it likes. */
bool log_origin_is_monitor(const char *cgroup, const char *unit);
