/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the lines of a container come from: the journal; or, for those who may not read it, a worker that berthd starts for this one
 * container (Logs() of org.berth1.Container). */
#pragma once

#include "cli/bus.h"
#include "logs/log-reader.h"
#include "logs/log-stream.h"

typedef struct LogSource {
        LogReader *reader; /* one of them */
        LogStream *stream;
        bool follow;
} LogSource;

void log_source_done(LogSource *s);

/* Opens, and stands where the query begins. -ECANCELED: it was said why not. */
int log_source_open(LogSource *s, const char *container_id, const char *path, const LogQuery *query, bool details, bool follow);

/* 1: an entry, good until the next call; 0: there are no more, now or (without follow) at all. */
int log_source_next(LogSource *s, const LogEntry **ret);

/* For poll(): when to look again at the latest, CLOCK_MONOTONIC or UINT64_MAX; process after it. */
int log_source_fd(const LogSource *s);
int log_source_timeout(const LogSource *s, uint64_t *ret_usec);
int log_source_process(LogSource *s);
