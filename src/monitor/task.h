/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Task is one process that the monitor has started in the container, with its standard streams: the container's init,
 * or what an exec runs. It owns its pidfd, our ends of its streams and its clients. Its output goes to the journal
 * first (the init's only), then to every client, at whose pace it is read: client.h says how far that goes.
 *
 * A task is done when the process is reaped and what it wrote is read; what a child that it left behind writes later
 * is nobody's. */
#pragma once

#include "monitor/client.h"
#include "monitor/journal.h"
#include "monitor/lines.h"
#include "monitor/loop.h"
#include "wire/monitor.h"

#define TASK_READ_SIZE ((size_t) 64 * 1024)

typedef struct Task Task;

typedef struct Output {
        Task *task;
        LogStream stream;
        LoopSource source; /* our end of the pipe, or the terminal */
        Lines lines;
        char line_time[JOURNAL_TIMESTAMP_SIZE]; /* of the first piece of the line under way: they all have it */
} Output;

struct Task {
        Task *next;
        Loop *loop;
        void (*ended)(Task *task); /* once: it is reaped */
        void (*done)(Task *task);  /* once: its output is read, too */
        void (*idle)(Task *task);  /* once, after done, when no client is left either; may free the task */
        void (*kill)(Task *task);  /* an exec only: SIGKILL to all it has started */
        void (*signalled)(Task *task, int signo); /* the init only: a client is about to send it that */
        void *userdata;           /* the Monitor */
        char id[MONITOR_ID_MAX];  /* of the exec; empty for the init */
        unsigned number;          /* of the exec's cgroup */

        pid_t pid; /* 0: not started */
        bool terminal;
        bool reaped;
        bool is_done;
        int code; /* 0..255, 128 + signal; once reaped */
        int signal;
        LoopSource exit;  /* the pidfd */
        LoopSource input; /* our end of its stdin; -EBADF: none, or closed */
        int slave;        /* of its terminal, or -EBADF; held until it is reaped */
        Output outputs[2];
        size_t n_drained; /* bytes read since it was reaped */
        LoopTimer drain;
        LoopTimer goodbye; /* calls idle() from the loop, where nobody else holds the task */
        char *scratch; /* TASK_READ_SIZE bytes, the monitor's */

        JournalLog *log; /* NULL: not logged */
        Client *clients;
        const char *spill_directory; /* borrowed; NULL: memory */
        Backlog *backlog;            /* borrowed; one for all tasks of a monitor */
        bool stdin_once; /* the end of a client's input is the task's; never with a terminal */
};

Task *task_new(Loop *loop, Backlog *backlog, char *scratch, void *userdata);
Task *task_free(Task *t);
DEFINE_FREEP(Task, task_free)

/* Makes the pipes of the streams in `streams` (STREAM_*); /dev/null for the others. `ret_stdio`: the process's ends,
 * for the caller to close. */
int task_make_pipes(Task *t, unsigned streams, int ret_stdio[3]);

/* There is a process. `pidfd` and `terminal` (-EBADF without) are copied. */
int task_set_process(Task *t, pid_t pid, int pidfd, int terminal);
/* It was executed: from now on its end is waited for. */
int task_set_running(Task *t);

/* 0, or negative errno (-ESRCH: it is gone). */
int task_signal(Task *t, int signo);
void task_resize(Task *t, unsigned rows, unsigned columns);

/* For clients: writes to the task's stdin: bytes taken, -EAGAIN (clients_pump_input() follows), -EPIPE. */
ssize_t task_write_input(Task *t, const void *data, size_t size);
/* It has all it will get; or: nobody can write to it any more. */
void task_end_input(Task *t);
void task_close_input(Task *t);
/* What a client or the journal can take has changed. */
void task_update(Task *t);
void task_client_gone(Task *t);
/* It was never started: done as far as its clients are concerned. */
void task_set_done(Task *t);
