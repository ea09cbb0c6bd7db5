/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bundle: RUNDIR/containers/ID, all that exists of one run besides its processes. Made by berthd, read by the
 * monitor, and by a berthd that was started after it. */
#pragma once

#include "container/container.h"

/* run.json: what a later berthd needs to take over a run that was under way. */
typedef struct RunRecord {
        char run_id[33];
        char *unit;
        uint32_t ids_base;
        int32_t monitor;        /* pid, 0: berth-spawn has not answered yet */
        uint64_t monitor_start; /* process_start_time() */
} RunRecord;

void run_record_done(RunRecord *r);

/* Makes directory and files, binds monitor.sock. Needs run_id, ids_base and unit in `c`. Replaces what an earlier
 * run left. */
int container_bundle_make(Container *c, const char *seccomp, int *ret_bundle_fd, int *ret_listen_fd);
int container_bundle_save_run(int bundle_fd, const RunRecord *record);
int container_bundle_load_run(int bundle_fd, RunRecord *ret);

/* Removes what belongs to the run; the directory, too, unless the container itself lives in it (--rm). */
void container_bundle_remove(Container *c);
