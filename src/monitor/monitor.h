/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Monitor is the process that a running container hangs on: it builds the sandbox, is the parent of the container's
 * init, pumps and logs its output, serves berthd and clients, and writes down how it ended. There is one per process.
 * It needs neither berthd nor berth-spawn to go on.
 *
 * A life: PREPARING (the sandbox is built, the init waits for GO) → RUNNING → ENDING (the exit record is there,
 * clients take the rest of their output) → the process ends. A start that fails goes from PREPARING to ENDING. */
#pragma once

#include "monitor/exit-record.h"
#include "monitor/scope.h"
#include "monitor/server.h"
#include "monitor/task.h"
#include "runtime/sandbox.h"

#define MONITOR_CONFIG_MAX ((size_t) 4 * 1024 * 1024)

typedef struct Monitor Monitor;

typedef enum StopState {
        STOP_NONE,
        STOP_WANTED, /* asked for before there was something to stop */
        STOP_SENT,   /* the payload has had its signal */
        STOP_KILLED,
} StopState;

struct Monitor {
        Loop loop;
        int bundle_fd;
        MonitorStatus status;
        RuntimeConfig *config; /* the sandbox refers to it */
        Sandbox *sandbox;      /* NULL: could not be made, `error` says why */
        SandboxError error;
        Scope scope;
        JournalLog log;
        Task *init;
        Task *execs;
        unsigned n_execs; /* so far */
        char *scratch;    /* TASK_READ_SIZE bytes for whoever reads output; given back after a burst */
        Server server;
        LoopSource signals;
        LoopTimer limit; /* PREPARING: for GO; ENDING: for the rest */

        StopState stop;
        LoopTimer stop_timer;
        int stop_signal;
        int stop_timeout; /* seconds, below zero: for ever */
        int wanted_signal, wanted_timeout; /* of STOP_WANTED; signal 0: the container's */

        ExitRecord record;
        char stopped_by[64];
        LoopTimer log_timer;   /* for journald to take the rest */
        uint64_t log_progress; /* when the timer was set */
};

/* The whole life. The descriptors are taken. 0: it was lived to its end. */
int monitor_run(int bundle_fd, int listen_fd);

/* What berthd may ask for; negative errno with *ret_text (a static string or NULL) to say no. */
int monitor_go(Monitor *m, const char **ret_text);
int monitor_abort(Monitor *m, const char *why);
int monitor_attach(Monitor *m, unsigned streams, int *fds, size_t n_fds, const char **ret_text);

/* stop.c. Asks the payload to end, and kills it after `timeout` seconds (below zero: never). `signo` 0: the
 * container's own. */
int monitor_stop(Monitor *m, int signo, int timeout, const char *origin);
/* The payload runs: what was asked for earlier happens now. */
void monitor_stop_pending(Monitor *m);
int monitor_stop_init(Monitor *m);

/* Ends the process once everything is told; called whenever something that it waits for is through. */
void monitor_check_end(Monitor *m);

/* exec.c. `fds`: the memfd with the process, then the client's; taken. An error of the exec itself is told to client
 * and berthd. */
int exec_start(Monitor *m, const char *id, unsigned streams, int *fds, size_t n_fds, const char **ret_text);
