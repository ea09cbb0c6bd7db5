/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Client is somebody attached to a Task: a control descriptor (wire/control.h) and any of stdin, stdout, stderr,
 * all pipes or sockets that the client made. It is a member of its task's list and freed only through the functions
 * here.
 *
 * Output waits for it in a bounded buffer. While that is full the task's output is not read: a client that takes it
 * steadily sets the pace, and loses nothing. One that for CLIENT_PATIENCE takes less than CLIENT_PACE is behind: what
 * comes then goes to its spill, and neither the log nor another client waits for it, until all spills of the monitor
 * together have SPILL_MAX. Who has never read, and takes nothing at all for CLIENT_STALL_SEC, is detached; who has read
 * before is a person with a pager, say, and may take its time. Where the spills are full and so the log or another
 * client would wait, whoever takes nothing is detached after CLIENT_DEAF_USEC, and who has most in its spill goes
 * first.
 *
 * At the task's end a client that takes the REST gets what waits for it as a file, and nobody has to wait for it. */
#pragma once

#include "monitor/journal.h"
#include "monitor/loop.h"
#include "monitor/spill.h"
#include "wire/control.h"

#define CLIENT_STALL_SEC 10
#define CLIENT_PATIENCE_USEC (USEC_PER_SEC / 5)
#define CLIENT_DEAF_USEC USEC_PER_SEC
#define CLIENT_PACE ((size_t) 16 * 1024)
#define CLIENT_BUFFER_MAX ((size_t) 64 * 1024)

typedef struct Client Client;
typedef struct Task Task;

typedef struct ClientStream ClientStream;

/* What the clients of all tasks of a monitor have not taken yet. */
typedef struct Backlog {
        ClientStream *spilled; /* those with a spill, in no order */
        size_t n_spilled;      /* bytes in all of these */
        uint64_t n_taken;      /* bytes that were taken after they had waited: it goes on while somebody reads */
} Backlog;

struct ClientStream {
        Client *client;
        LoopSource source;
        char *data; /* what the client has not taken yet */
        size_t size, start;
        Spill spill;    /* what comes after that */
        ClientStream *next_spilled;
        bool behind;    /* as long as there is a spill */
        uint64_t taken_at; /* monotonic: since then it takes nothing; while something waits */
        bool is_read;   /* as its client says */
        uint64_t written;
        size_t taken;   /* since `patience` was set, which it is while the buffer is full */
        LoopTimer patience;
        LoopTimer stall;
};

struct Client {
        Client *next;
        Task *task;
        LoopSource control;
        LoopSource input;
        ClientStream output[2]; /* by LogStream */
        char *typed; /* input that the task has not taken yet */
        size_t typed_size;
        LoopTimer departure;
        bool leaves;        /* detached when the task has its input */
        bool takes_rest;
        bool closes_input;  /* the end of its input is the task's */
        bool kills_task;    /* an exec that is not detached dies with its client */
        bool finishing;     /* only the rest of the output and `farewell` are to be sent */
        ControlMessage farewell;
};

/* `fds`: control, then those of `streams` (STREAM_*) in order; taken in any case. -EINVAL: not as many as there
 * should be; -EOPNOTSUPP: neither pipe nor stream socket. */
int client_new(Task *task, unsigned streams, int *fds, size_t n_fds, Client **ret);

/* A message that is no farewell. Dropped if the client does not read. */
void client_tell(Client *c, ControlType type, int value, const char *text);

/* Writes or keeps output for every client of the task. */
void clients_deliver(Task *task, LogStream stream, const char *data, size_t size);
bool clients_have_room(const Task *task, LogStream stream);
/* There is a process: for clients that were there before it. */
int clients_start_input(Task *task);
/* The task's stdin takes more. */
void clients_pump_input(Task *task);
void clients_close_input(Task *task);
void clients_tell(Task *task, ControlType type, int value, const char *text);
/* The last message to all: sent and the client freed once it has taken its output. */
void clients_finish(Task *task, ControlType type, int value, const char *text);
/* Without further ado. */
void clients_free(Task *task);
