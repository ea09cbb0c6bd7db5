/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to berth-spawn: asks for monitors. Connects when it is first needed (which starts berth-spawn) and
 * again after it was lost. Asynchronous; never blocks the event loop. */
#pragma once

#include <systemd/sd-event.h>

#include "wire/spawn.h"
#include "util/macro.h"

typedef struct SpawnClient SpawnClient;

/* result 0: pid and pidfd (the callee's) are there; negative errno: it did not work (-ECONNRESET: berth-spawn went
 * away; a monitor may exist nevertheless). */
typedef void (*SpawnDone)(int result, pid_t pid, int pidfd, void *userdata);

int spawn_client_new(sd_event *event, const char *path, SpawnClient **ret);
SpawnClient *spawn_client_free(SpawnClient *s); /* callbacks are not called */
DEFINE_FREEP(SpawnClient, spawn_client_free)

/* The descriptors stay the caller's. `done` is called later, once, unless cancelled. One request per id at a time:
 * -EBUSY. */
int spawn_client_start(SpawnClient *s, const char *id, int bundle_fd, int listen_fd, SpawnDone done, void *userdata);
void spawn_client_cancel(SpawnClient *s, void *userdata);
