/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What berthd and a container's monitor say to one another. The monitor listens on BUNDLE/monitor.sock (berthd made and
 * bound that socket and passed it through berth-spawn, so that berthd may connect at once). berthd connects, and
 * connects again after its own restart; each connection gets first a MONITOR_STATE event, then every event as it
 * happens. Only root can reach the socket.
 *
 * Order of a start: berthd connects, sends ATTACH for the client's streams (so that no output is missed), sends GO when
 * the unit's job is done. Before GO nothing of the image runs. */
#pragma once

#include <stdint.h>

#include "wire/caller.h"

#define MONITOR_MAGIC 0x626d3031u /* "bm01" */
#define MONITOR_TEXT_MAX 512
#define MONITOR_ID_MAX 72

typedef enum MonitorRequestType {
        MONITOR_GO = 1,  /* the unit exists and the monitor's process is in it: enter the sub-cgroups and execute */
        MONITOR_ABORT,   /* instead of GO: the unit could not be made; text: why. Clients get FAILED 125, the monitor
                          * ends */
        MONITOR_ATTACH,  /* descriptors: control, then those of STREAM_* flags in the order stdin, stdout, stderr */
        MONITOR_EXEC,    /* descriptors: a memfd with an OCI process object, then as ATTACH; id: the exec's id */
        MONITOR_SIGNAL,  /* value: signal number, to the container's PID 1 */
        MONITOR_STOP,    /* value: signal number (0: the container's), timeout_sec (-1: the container's; 0: at once;
                          * below -1: never) then SIGKILL to all. origin: who asked, for the exit record. Answered by
                          * ACK at once; the end shows as EXITED. */
        MONITOR_POLICY,  /* text: the restart policy, from now on */
} MonitorRequestType;

typedef enum MonitorStreams {
        STREAM_STDIN = 1 << 0,
        STREAM_STDOUT = 1 << 1,
        STREAM_STDERR = 1 << 2,
        STREAM_REPLAY = 1 << 3, /* reserved for attach --logs; refused for now */
        STREAM_DETACHED = 1 << 4, /* exec -d: the process outlives its client's control descriptor */
} MonitorStreams;

typedef struct MonitorRequest {
        uint32_t magic;
        uint32_t type;
        uint32_t cookie; /* comes back in the ACK */
        uint32_t streams;
        int32_t value;
        int32_t timeout_sec;
        char id[MONITOR_ID_MAX];     /* exec id */
        char origin[64];             /* "client" or "systemd" or "shutdown": who asked for a stop */
        Caller caller;               /* which client */
        char text[MONITOR_TEXT_MAX];
} MonitorRequest;

typedef enum MonitorEventType {
        MONITOR_STATE = 1, /* first on every connection; status: MonitorStatus, pid of the payload if running */
        MONITOR_ACK,       /* cookie, value: 0 or negative errno, text: why */
        MONITOR_PREPARED,  /* the sandbox stands, waiting for GO (for measuring; berthd need not wait for it) */
        MONITOR_STARTED,   /* pid, realtime_usec */
        MONITOR_FAILED,    /* value: 125, 126 or 127, text. The exit record is written. The monitor ends. */
        MONITOR_EXITED,    /* value: 0..255. The exit record is written. The monitor ends soon after. */
        MONITOR_EXEC_STARTED, /* id, pid */
        MONITOR_EXEC_EXITED,  /* id, value: 0..255; also when it could not be started (126, 127) */
        MONITOR_OOM,          /* value: so many processes of the container were killed for want of memory since the
                               * last of these. */
        MONITOR_RESTARTING,   /* value: 0..255. The payload has ended and is started again after a while: STARTED
                               * follows, or EXITED. */
} MonitorEventType;

typedef enum MonitorStatus {
        MONITOR_STATUS_PREPARING,
        MONITOR_STATUS_RUNNING,
        MONITOR_STATUS_ENDING, /* the exit record is there */
        MONITOR_STATUS_RESTARTING, /* nothing runs, until the restart policy's time has come */
} MonitorStatus;

typedef struct MonitorEvent {
        uint32_t magic;
        uint32_t type;
        uint32_t cookie;
        uint32_t status;
        int32_t value;
        int32_t pid;
        uint64_t realtime_usec;
        /* How far the run has got, with every event. */
        uint64_t started_usec;  /* of the payload that runs, or ran last; realtime */
        uint64_t finished_usec; /* of the one that has ended last, 0: none has */
        uint64_t log_ordinal;
        uint32_t restart_count;
        int32_t signal;         /* that ended it, 0: none */
        uint32_t oom_killed;
        char id[MONITOR_ID_MAX];
        char text[MONITOR_TEXT_MAX];
} MonitorEvent;
