/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Door is RUNDIR/berthd.sock, at which monitors knock. Most only want berthd to run (systemd starts it for this
 * socket) and say nothing; one that systemd has started as a service asks for its container (wire/service.h). Who asks
 * must be the main process of the very unit that it names: then that container is started with it. */
#pragma once

#include "daemon/manager.h"

typedef struct Door Door;

int door_new(Manager *m, Door **ret);
Door *door_free(Door *d);
DEFINE_FREEP(Door, door_free)

/* A listening socket, which stays the caller's and must be there as long as the Door. */
int door_add(Door *d, int listen_fd);
