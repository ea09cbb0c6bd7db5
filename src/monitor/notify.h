/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a service owes systemd, by hand: the listening socket it was given, readiness and a status. All of it comes in
 * the environment, which is cleared of that, since monitors and containers must not speak for the service. */
#pragma once

#include "util/macro.h"

typedef struct Notify {
        char path[108]; /* as in sun_path; '@' first for an abstract socket; empty: there is none */
} Notify;

/* Takes NOTIFY_SOCKET, LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES off the environment. *ret_listen_fd: the one socket
 * that was passed. -ENOENT: none, -E2BIG: several. */
int notify_init(Notify *n, int *ret_listen_fd);
/* The same for a service that needs no socket. */
void notify_take(Notify *n);
/* "READY=1" and the like. Nobody to tell (also: no Notify) is no error. */
int notify_send(const Notify *n, const char *state);
int notify_sendf(const Notify *n, const char *format, ...) _printf_(2, 3);
