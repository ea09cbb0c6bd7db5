/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Server is the monitor's side of its connections with berthd (wire/monitor.h): usually one, none while berthd
 * is down. A connection that does not take its events is dropped: berthd connects again and is told the state. */
#pragma once

#include "monitor/loop.h"
#include "wire/monitor.h"

typedef struct Monitor Monitor;
typedef struct Connection Connection;

typedef struct Server {
        Monitor *monitor;
        LoopSource listen;
        Connection *connections;
} Server;

/* Takes the listening socket. */
int server_init(Server *s, Monitor *m, int listen_fd);
void server_done(Server *s);
/* Whether anybody hears what is told. */
bool server_has_connections(const Server *s);
/* Sends an event on every connection. `id` and `text` may be NULL. */
void server_tell(Server *s, MonitorEventType type, int value, int pid, const char *id, const char *text);
