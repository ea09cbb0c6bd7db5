/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much one call may bring. Looked at for each, before it is handled, kept, or its caller is known, so that nobody
 * can make the event loop chew on a hundred thousand strings, fill the memory with calls that wait for polkit, or have
 * the close of a socket that was sent along wait for its peer. */
#pragma once

#include <systemd/sd-bus.h>

#define BUS_STRINGS_MAX 16384           /* in all of a message; sd-bus reads vectors in quadratic time */
#define BUS_BYTES_MAX (1024 * 1024)     /* of their text, and what else there is */
#define BUS_ASSIGNMENTS_MAX 4096        /* variables, labels: these are merged by key */

/* 0, or negative with `error` set. The message is read from its start again afterwards. */
int bus_message_check_bounds(sd_bus_message *m, sd_bus_error *error);
