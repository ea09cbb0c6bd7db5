/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens to the container, as records in the journal from its own unit: with a MESSAGE_ID that the catalog
 * explains, with the container's fields, but no lines of its log (no CONTAINER_STREAM, no ordinal). Each is handed over
 * at once. */
#pragma once

#include "monitor/monitor.h"

void record_started(Monitor *m);
/* m->error says why. True: journald has it. */
bool record_start_failed(Monitor *m);
/* m->stopped_by and m->stopper say who asks, m->status whether there is anything to signal. `timeout` below zero: never
 * killed. */
void record_stopping(Monitor *m, int signo, int timeout);
/* So many of its processes, since the last of these. */
void record_oom(Monitor *m, uint64_t kills);
/* m->record says how. journal_is_empty() afterwards: journald has it, unless it was given up. */
void record_died(Monitor *m);
/* The policy wants it again after so long; m->restarts and m->record say which time it is and how it had ended. */
void record_restarting(Monitor *m, uint64_t delay_usec);
