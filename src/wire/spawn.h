/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What berthd asks of berth-spawn over RUNDIR/spawn.sock (root only; berth-spawn checks the peer's uid). */
#pragma once

#include <stdint.h>

#define SPAWN_MAGIC 0x62733031u /* "bs01" */
#define SPAWN_ID_MAX 72

typedef enum SpawnType {
        /* berthd to berth-spawn. Descriptors: the bundle directory, the listening monitor.sock. */
        SPAWN_MONITOR = 1,
        /* berth-spawn to berthd */
        SPAWN_STARTED, /* id, pid; descriptor: its pidfd. Or value < 0: negative errno, no descriptor */
        SPAWN_DIED,    /* id, pid, value: wait status, or -ECHILD where berth-spawn was restarted and is not the parent.
                        * Sent to every connection, after the payload's cgroup was killed. */
} SpawnType;

typedef struct SpawnMessage {
        uint32_t magic;
        uint32_t type;
        int32_t value;
        int32_t pid;
        char id[SPAWN_ID_MAX]; /* the container's 64-digit id */
} SpawnMessage;
