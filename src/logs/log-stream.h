/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines of one container as they come through a pipe from the worker berth-logs, in systemd's Journal Export Format: the fields of
 * an entry, an empty line. One more empty line says that these were all for now. A stream that ends after that one is whole. */
#pragma once

#include "logs/log-entry.h"

typedef struct LogStream LogStream;

/* Takes the descriptor. */
int log_stream_new(int fd, bool details, LogStream **ret);
LogStream *log_stream_free(LogStream *s);
DEFINE_FREEP(LogStream, log_stream_free)

/* 1: an entry, good until the next call; 0: these were all, for now or at all; or there is nothing more to be read
 * from a descriptor that does not block. -ECONNRESET: the
 * worker ended before it was done; -EBADMSG: that is no journal. */
int log_stream_next(LogStream *s, const LogEntry **ret);
bool log_stream_has_ended(const LogStream *s);
int log_stream_fd(const LogStream *s);
