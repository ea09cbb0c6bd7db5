/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BUNDLE/monitor, `PID STARTTIME CGROUP`: who the monitor of a run is and which unit it lives in, so that
 * berth-spawn and berthd find it again, and know what to kill should it die. */
#pragma once

#include <sys/types.h>

#include "util/macro.h"

typedef struct Identity {
        pid_t pid;
        uint64_t start_time; /* field 22 of /proc/PID/stat: with it a pid is no other process's */
        char *cgroup;        /* as in /proc/PID/cgroup, from the root */
} Identity;

void identity_done(Identity *i);

/* -ENOENT: there is none; -EBADMSG: not as it should be. */
int identity_read(int bundle_fd, Identity *ret);
/* Of this process. */
int identity_write(int bundle_fd, const char *cgroup);
