/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a client of Run, Start, Attach or Exec brings and gets: the streams it passed, and a control descriptor whose
 * other end goes on to the monitor with them (wire/control.h). Until the monitor has them, berthd answers for it. */
#pragma once

#include <systemd/sd-bus.h>

#include "util/macro.h"

typedef struct ClientStreams {
        int control;   /* the monitor's end */
        int fds[3];    /* stdin, stdout, stderr; -EBADF: not given */
        bool detached; /* exec -d */
} ClientStreams;

#define CLIENT_STREAMS_NONE { .control = -EBADF, .fds = { -EBADF, -EBADF, -EBADF } }

void client_streams_done(ClientStreams *s);

/* Reads the a{sh} of a call. Only pipes and stream sockets, open in the right direction, are taken: -EINVAL and `error`
 * names what is not. The descriptors are duplicates. */
int client_streams_read(sd_bus_message *m, ClientStreams *ret, sd_bus_error *error);

/* The names of those that were passed. */
int client_streams_names(const ClientStreams *s, char ***ret);

/* Makes the control pair; returns the client's end, for the answer. */
int client_streams_open(ClientStreams *s);

/* For messages to the monitor: descriptors in the order of wire/monitor.h into fds[4]; returns the STREAM_* flags. */
uint32_t client_streams_list(const ClientStreams *s, int fds[static 4], size_t *ret_n);

/* Those who have asked for one start, until the monitor has their streams. Zero-initialised it is empty. */
typedef struct ClientQueue {
        ClientStreams *clients;
        size_t n;
} ClientQueue;

#define CLIENT_QUEUE_MAX 1024

/* Takes the streams on success. -EBUSY: too many wait. */
int client_queue_add(ClientQueue *q, ClientStreams *s);
void client_queue_done(ClientQueue *q);

/* Tells all of them that nothing will come of it. */
void client_queue_fail(ClientQueue *q, int exit_code, const char *text);

/* Tells the client itself that nothing will come of it, and closes everything. */
void client_streams_fail(ClientStreams *s, int exit_code, const char *text);
