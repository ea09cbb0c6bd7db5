/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel's OOM killer takes of the container, whoever's limit was reached: seen as it happens, in the unit's
 * memory.events, of the payload and of what was executed beside it. */
#pragma once

#include "monitor/loop.h"

typedef struct Monitor Monitor;

typedef struct OomWatch {
        LoopSource source; /* the file; -EBADF: there is no memory controller */
        LoopTimer pause;
        uint64_t seen;     /* processes, since the unit's cgroup was made */
} OomWatch;

/* When the unit has been entered. */
void oom_watch_start(Monitor *m);
/* Whatever has been killed up to now is told, if it was not yet. */
void oom_watch_check(Monitor *m);
