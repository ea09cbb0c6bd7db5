/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Monitor is the process that a running container hangs on: it builds the sandbox, is the parent of the container's
 * init, pumps and logs its output, serves berthd and clients, and writes down how it ended. There is one per process.
 * It needs neither berthd nor berth-spawn to go on.
 *
 * A life: PREPARING (the sandbox is built, the init waits for GO) → RUNNING → ENDING (the exit record is there, clients
 * take the rest of their output) → the process ends. A start that fails goes from PREPARING to ENDING. Where the
 * restart policy says so, RUNNING is followed by RESTARTING (nothing is left of the payload and its sandbox) and
 * RUNNING again, in the same unit and with the log going on: rounds of one run. */
#pragma once

#include "monitor/exit-record.h"
#include "monitor/notify.h"
#include "monitor/oom.h"
#include "monitor/restarts.h"
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
        OomWatch oom;
        JournalLog log;
        Task *init;
        Task *past; /* inits of earlier rounds, whose clients still take their output */
        Task *execs;
        unsigned n_execs; /* so far */
        Backlog backlog;  /* of the clients of all these */
        char *scratch;    /* TASK_READ_SIZE bytes for whoever reads output; given back after a burst */
        Server server;
        LoopSource signals;
        LoopTimer limit; /* PREPARING: for GO; ENDING: for the rest */
        uint64_t taken;  /* by clients, when that was set last */

        StopState stop;
        LoopTimer stop_timer;
        int stop_signal;
        int stop_timeout; /* seconds, below zero: for ever */
        int wanted_signal, wanted_timeout; /* of STOP_WANTED; signal 0: the container's */

        Restarts restarts;
        LoopTimer restart_timer;
        uint64_t round_began, round_ended; /* monotonic */

        ExitRecord record;
        char stopped_by[64];
        Caller stopper;        /* where that was a client */
        bool died_told;        /* in the journal, or as good as */
        LoopTimer log_timer;   /* for journald to take the rest */
        uint64_t log_progress; /* when the timer was set */

        const Notify *notify; /* of a service; NULL: in a scope, which hears nothing */
};

/* The whole life. The descriptors are taken. 0 or above: it was lived to its end, and a service is to end with this
 * status: the container's, or 0 if it was asked to end. */
int monitor_run(int bundle_fd, int listen_fd, const Notify *notify);

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

/* To its init, as somebody wants it who is to know that this may be the end of its restarts. */
int monitor_signal(Monitor *m, int signo, const char **ret_text);

/* round.c. The payload has ended, its output is read and logged: a while later it is started again. */
void monitor_back_off(Monitor *m, uint64_t usec);
/* Or rather not: that was the end. */
void monitor_end_back_off(Monitor *m);
/* How far the restarts have got, for a berthd that finds the monitor dead. */
void monitor_write_interim(Monitor *m);
int monitor_restarts_init(Monitor *m, const char *policy, const char *stop_signal);

/* The steps of a life that every round has. Each fills m->error if it fails. */
Task *monitor_new_init(Monitor *m);
int monitor_prepare_sandbox(Monitor *m);
int monitor_start_sandbox(Monitor *m); /* in the unit */
void monitor_drop_sandbox(Monitor *m);
/* The payload runs: told to everybody. */
void monitor_running(Monitor *m);
/* What the record says of the run as a whole. */
void monitor_fill_record(Monitor *m);
/* Writes down how it ended and tells everybody. */
void monitor_end_run(Monitor *m);

/* Ends the process once everything is told; called whenever something that it waits for is through. */
void monitor_check_end(Monitor *m);

/* exec.c. `fds`: the memfd with the process, then the client's; taken. An error of the exec itself is told to client
 * and berthd. */
int exec_start(Monitor *m, const char *id, unsigned streams, int *fds, size_t n_fds, const char **ret_text);
