/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does journald honour the links with which scopes get rid of its rate limit (container-unit.c)? No manual page speaks of them, so it is
 * tried, once in the life of each journald: a worker writes a few lines under a limit that is too small for them (berth-log-limit). If
 * none are dropped, the administrator is told what to do. */
#pragma once

#include "container/container-host.h"
#include "util/macro.h"

typedef struct LogLimit LogLimit;

/* The test comes a moment later, if this journald has not had it. */
int log_limit_new(ContainerHost *host, LogLimit **ret);
LogLimit *log_limit_free(LogLimit *l);
DEFINE_FREEP(LogLimit, log_limit_free)

bool log_limit_is_busy(const LogLimit *l);
