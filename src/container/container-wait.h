/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls on a container that are answered when something has happened to it. A waiter belongs to its container and
 * goes when it is answered, when its caller leaves the bus, or with the container (then it is answered with an
 * error). */
#pragma once

#include "container/container.h"

typedef enum WaitFor {
        WAIT_STOPPED,  /* Stop: an empty answer when it has ended */
        WAIT_RESTART,  /* Restart: an empty answer when it runs again */
        WAIT_REMOVE,   /* Remove: an empty answer when it is gone */
        WAIT_EXIT,     /* Wait not-running or next-exit: the exit code */
        WAIT_REMOVED,  /* Wait removed: the exit code of the last run when it is gone */
        WAIT_ACK,      /* Kill: an empty answer when the monitor has confirmed `cookie` */
} WaitFor;

/* Keeps the message. -EBUSY: too many wait for this container. */
int container_wait_add(Container *c, sd_bus_message *m, WaitFor what, uint32_t cookie, sd_bus_error *error);

/* Answers all that wait for this (and, for WAIT_ACK, this cookie; 0: any). `error` NULL or not set: success. */
void container_wait_answer(Container *c, WaitFor what, uint32_t cookie, const sd_bus_error *error);
/* Answers everybody with an error. */
void container_wait_fail_all(Container *c, const sd_bus_error *error);
