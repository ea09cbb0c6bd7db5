/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A monitor tells the end of its run before it lets go of the container's mounts, so that nobody waits for that in
 * vain. Who starts the container again does: two overlays on one upper directory are undefined. A Departure holds the
 * monitor's pidfd until it shows the end. */
#pragma once

#include <systemd/sd-event.h>

#include "util/macro.h"

typedef struct Departure Departure;

/* Takes the pidfd, also on failure. */
int departure_new(sd_event *event, int pidfd, Departure **ret);
Departure *departure_free(Departure *d); /* `done` is not called */
DEFINE_FREEP(Departure, departure_free)

/* 0: it is over (or d is NULL). 1: `done` will be called, once, when it is, or at the latest after this time. */
typedef void (*DepartureDone)(bool gone, void *userdata);
int departure_wait(Departure *d, uint64_t timeout_usec, DepartureDone done, void *userdata);
/* Whoever waits does so no more. */
void departure_forget(Departure *d);
